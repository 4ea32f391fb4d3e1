"""A server as a child process: awaited, stopped, found again."""

import socket
import subprocess
import sys
import time

import psutil
import pytest

from infra.embedded import child
from infra.embedded.child import Server
from infra.settings import UserError


def _server(tmp_path, code, ready):
    log = tmp_path / "log"
    return Server("Thing", child.start([sys.executable, "-c", code], log), "", log, ready)


def test_a_server_is_ready_when_it_says_so(tmp_path):
    """Not when the process exists."""
    server = _server(tmp_path, f"import signal; open({str(tmp_path / 'up')!r}, 'w'); signal.pause()", (tmp_path / "up").exists)
    child.await_ready([server])
    assert (tmp_path / "up").exists()
    child.stop([server])


def test_a_server_that_ends_while_starting_is_reported_with_its_last_line(tmp_path):
    """The line and the log."""
    server = _server(tmp_path, "print('first'); print('no such disk'); raise SystemExit(1)", lambda: False)
    with pytest.raises(UserError, match=r"Thing ended while starting: no such disk \(see .*log\)"):
        child.await_ready([server])


def test_a_server_that_takes_too_long_is_reported(tmp_path):
    """The limit, its last line and the log."""
    server = _server(tmp_path, "import signal; print('thinking', flush=True); signal.pause()", lambda: False)
    with pytest.raises(UserError, match=r"Thing did not come up in 1 s: thinking"):
        child.await_ready([server], timeout_s=1)
    child.stop([server])


def test_one_that_does_not_listen_is_killed_when_the_grace_is_over(tmp_path):
    """Others of the same group are not waited for longer."""
    deaf = "import signal, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
    servers = [_server(tmp_path, deaf, lambda: "up" in (tmp_path / "log").read_text()) for _ in range(1)]
    child.await_ready(servers)
    began = time.monotonic()
    child.stop(servers, grace_s=0.3)
    assert time.monotonic() - began < 3
    assert [server.process.returncode for server in servers] == [-9]


def test_survivors_are_known_by_program_and_place(tmp_path):
    """The one with this folder is ended, the same program elsewhere is not."""
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    script = "import signal; print('up', flush=True); signal.pause()"
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(place)], stdout=subprocess.PIPE) for place in (here, elsewhere)
    ]
    for process in processes:
        process.stdout.readline()
    child.end_survivors(psutil.Process(processes[0].pid).name(), here)
    assert processes[0].wait(5) is not None
    assert processes[1].poll() is None
    processes[1].kill()
    processes[1].communicate()


def test_a_port_is_kept_while_it_is_free(tmp_path):
    """The next start has the same address; when somebody else has it, another."""
    port = child.free_port(tmp_path, "broker")
    assert child.free_port(tmp_path, "broker") == port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert child.answers(port)
        other = child.free_port(tmp_path, "broker")
    assert other != port
    assert child.free_port(tmp_path, "broker") == other
    assert not child.answers(other)
