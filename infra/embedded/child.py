"""A server as a child process: started, awaited, stopped, found again after a crash."""

import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra import leash
from infra.settings import UserError

HOST = "127.0.0.1"
START_TIMEOUT_S = 60.0
STOP_GRACE_S = 3.0
_POLL_S = 0.02


@dataclass(frozen=True)
class Server:
    """A started server: where it answers once `ready`, and which signal stops it cleanly."""

    name: str
    process: subprocess.Popen[bytes]
    address: str
    log: Path
    ready: Callable[[], bool]
    stop_signal: signal.Signals = signal.SIGTERM


def start(argv: Sequence[str], log: Path, user: str = "") -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, out of reach of the terminal's Ctrl-C, its output in a fresh `log`."""
    with log.open("wb") as output:
        return subprocess.Popen(
            leash.command(argv, user),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
        )


def await_ready(
    servers: Iterable[Server], still_wanted: Callable[[], bool] = lambda: True, timeout_s: float = START_TIMEOUT_S
) -> None:
    """Wait until all answer. Raises UserError with the last line of the log of one that ended or takes too long."""
    deadline = time.monotonic() + timeout_s
    for server in servers:
        while server.process.poll() is None and not server.ready():
            if not still_wanted():
                raise UserError(f"nobody waits for {server.name} any more")
            if time.monotonic() > deadline:
                raise UserError(f"{server.name} did not come up in {timeout_s:.0f} s: {last_line(server.log)} (see {server.log})")
            time.sleep(_POLL_S)
        if server.process.returncode is not None:
            raise UserError(f"{server.name} ended while starting: {last_line(server.log)} (see {server.log})")


def stop(servers: Iterable[Server], grace_s: float = STOP_GRACE_S) -> None:
    """Ask all to end, give them the grace together, kill what remains."""
    servers = list(servers)
    for server in servers:
        with suppress(ProcessLookupError):
            server.process.send_signal(server.stop_signal)
    deadline = time.monotonic() + grace_s
    for server in servers:
        try:
            server.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()


def end_survivors(program: str, place: Path) -> None:
    """Kill every process of that program that was started with `place` or works in it: what an earlier crash left behind."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == program and (str(place) in process.cmdline() or process.cwd() == str(place)):
                process.kill()
                found.append(process)
    psutil.wait_procs(found, timeout=STOP_GRACE_S)


def free_port(folder: Path, purpose: str) -> int:
    """The port used last time if it is free, otherwise any free one; remembered in `folder`."""
    note = folder / f"{purpose}.port"
    with suppress(OSError, ValueError), socket.socket() as probe:
        remembered = int(note.read_text())
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, remembered))
        return remembered
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    note.write_text(str(port))
    return port


def answers(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def unprivileged() -> str:
    """Whom to become for a program that refuses to run as root; nobody when not root."""
    if os.geteuid() != 0:
        return ""
    try:
        return pwd.getpwnam("nobody").pw_name
    except KeyError:
        raise UserError(
            "PostgreSQL does not run as root and there is no user 'nobody'; run as another user or set DATABASE_URL"
        ) from None


def last_line(log: Path) -> str:
    """The last line of a log that is not blank."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1].strip() if lines else "it said nothing"
