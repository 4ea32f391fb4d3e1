"""Parts are started, kept running and ended together, however the supervisor ends."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from infra.settings import UserError
from infra.supervisor import STOP_GRACE_S, Supervisor, pause_s
from tests.infra.processes import ended, on

READY = "import pathlib, signal, subprocess, sys; pathlib.Path(sys.argv[1]).touch();"
WAIT = "[signal.pause() for _ in iter(int, 1)]"
WELL = READY + WAIT
CLEAN = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit(0)));" + READY + WAIT
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + READY + WAIT
CHILD = "subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()', *sys.argv[1:]]); print('started', flush=True);"
PARENT_OF_ONE = READY + CHILD + WAIT
SUPERVISOR = """
import sys
from pathlib import Path
from infra.supervisor import Supervisor
from tests.infra.test_supervisor import WELL, parts
state = Path(sys.argv[1])
with Supervisor(parts(state, one=WELL, two=WELL), state) as supervisor:
    supervisor.wait_ready(20)
    print("up", flush=True)
    supervisor.wait()
print("down", flush=True)
"""


def parts(state, **codes):
    """Tiny parts that know their ready file."""
    return {name: [sys.executable, "-c", code, str(state / "run" / f"{name}.ready")] for name, code in codes.items()}


def eventually(check):
    """Repeat a check until it holds."""
    for attempt in Retrying(wait=wait_fixed(0.02), stop=stop_after_delay(15), reraise=True):
        with attempt:
            check()


@pytest.fixture
def state(tmp_path):
    yield tmp_path / "state"
    assert ended(on(tmp_path / "state"), timeout=2)


def _log(state, name):
    return (state / "logs" / f"{name}.log").read_text()


def test_all_parts_run_while_the_block_does_and_are_asked_to_end(state):
    """Each is ready, each gets SIGTERM and time to say good-bye in its log."""
    with Supervisor(parts(state, one=CLEAN, two=CLEAN), state) as supervisor:
        supervisor.wait_ready(20)
        assert set(supervisor.pids()) == {"one", "two"}
        assert all(psutil.pid_exists(pid) for pid in supervisor.pids().values())
        assert supervisor.starts() == {"one": 1, "two": 1}
    assert [_log(state, name) for name in ("one", "two")] == ["bye\n", "bye\n"]


def test_parts_get_the_environment_they_are_given(state):
    """Beside what the supervisor itself has."""
    code = READY + "import os; print(os.environ['KAFKA_BOOTSTRAP'], 'PATH' in os.environ, flush=True); signal.pause()"
    with Supervisor(parts(state, one=code), state, {"KAFKA_BOOTSTRAP": "b:1"}) as supervisor:
        supervisor.wait_ready(20)
        eventually(lambda: _log(state, "one").index("b:1 True\n"))


def test_a_part_that_is_killed_is_started_again_and_the_others_are_left_alone(state):
    """It has to say anew that it is ready."""
    with Supervisor(parts(state, one=WELL, two=WELL), state) as supervisor:
        supervisor.wait_ready(20)
        before = supervisor.pids()
        os.kill(before["one"], signal.SIGKILL)
        eventually(lambda: _equal(supervisor.starts(), {"one": 2, "two": 1}))
        supervisor.wait_ready(20)
        after = supervisor.pids()
        assert (after["one"] != before["one"], after["two"] == before["two"]) == (True, True)


def _equal(found, wanted):
    assert found == wanted


def test_a_part_that_fails_over_and_over_is_started_less_and_less_often(state):
    """Every end is in the log; the pauses double."""
    began = time.monotonic()
    with Supervisor(parts(state, one="print('no'); raise SystemExit(1)"), state) as supervisor:
        eventually(lambda: _equal(supervisor.starts(), {"one": 4}))
        assert time.monotonic() - began >= sum(pause_s(ends) for ends in (1, 2, 3))
    assert _log(state, "one").startswith("no\nno\nno\n")


@pytest.mark.parametrize(("quick_ends", "pause"), [(0, 0.0), (1, 0.2), (2, 0.4), (5, 3.2), (6, 5.0), (500, 5.0)])
def test_the_pause_doubles_up_to_a_limit(quick_ends, pause):
    """No part is given up, none fills the machine with its starts."""
    assert pause_s(quick_ends) == pytest.approx(pause)


def test_a_part_that_the_user_must_help_ends_everything(state):
    """Exit code 2 is a line for the user, not a reason to try again."""
    code = "print('port 8080 is taken; set TAPEFLOW_API_PORT'); raise SystemExit(2)"
    said = r"^api cannot go on: port 8080 is taken; set TAPEFLOW_API_PORT \(see .*api.log\)$"
    with pytest.raises(UserError, match=said), Supervisor(parts(state, api=code, one=WELL), state) as supervisor:
        supervisor.wait()


def test_a_part_that_is_not_ready_in_time_is_named_with_its_last_words(state):
    """Which, for how long, what it said, where to read on."""
    code = "print('thinking', flush=True); import signal; signal.pause()"
    said = r"^slow is not ready after 1 s: thinking \(see .*slow.log\)$"
    with pytest.raises(UserError, match=said), Supervisor(parts(state, one=WELL, slow=code), state) as supervisor:
        supervisor.wait_ready(1)


def test_a_part_that_does_not_listen_is_killed_within_ten_seconds(state):
    """The grace is for all together."""
    with Supervisor(parts(state, one=DEAF, two=DEAF), state) as supervisor:
        supervisor.wait_ready(20)
        began = time.monotonic()
    assert STOP_GRACE_S <= time.monotonic() - began < 10


def test_what_a_part_started_itself_goes_with_it(state):
    """Nothing is left of its process group, neither after a crash nor at the end."""
    with Supervisor(parts(state, one=PARENT_OF_ONE), state) as supervisor:
        eventually(lambda: _log(state, "one").index("started"))
        first = on(state)
        assert len(first) == 2
        os.kill(supervisor.pids()["one"], signal.SIGKILL)
        assert ended(first, timeout=10)
        eventually(lambda: _log(state, "one").index("started\nstarted"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_block_and_the_program_goes_on(state, number):
    """Ctrl-C and SIGTERM are the normal end: no traceback, all parts gone, the rest of the program runs."""
    with _supervisor(state) as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (out, err, process.returncode) == (b"down\n", b"", 0)
    assert on(state) == []


def test_killing_the_supervisor_outright_leaves_no_part(state):
    """kill -9 runs no clean-up: the kernel ends the parts."""
    with _supervisor(state) as process:
        started = [found for found in on(state) if found.pid != process.pid]
        assert len(started) == 2
        process.kill()
        process.wait()
    assert ended(started, timeout=10)


def _supervisor(state):
    process = subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(state)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"up\n"
    return process
