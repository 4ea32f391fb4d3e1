"""Using the embedded servers: they run from the first user's coming to the last one's leaving, however users end."""

import json
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from filelock import FileLock, Timeout
from rich.console import Console

from infra.embedded import child
from infra.embedded.child import HOST
from infra.settings import Settings, UserError

_FREE_BYTES: Final = 1024**3
_START_S: Final = 2 * child.START_TIMEOUT_S
_LEAVE_S: Final = 10.0


@dataclass
class _Lease:
    """A connection that keeps the servers running, what the keeper answered, and the keeper if it is this process's child."""

    connection: socket.socket
    reply: dict[str, Any]
    own_keeper: subprocess.Popen[bytes] | None = None


@contextmanager
def running(settings: Settings, console: Console) -> Iterator[Settings]:
    """Settings with a broker and a database behind them: the configured ones, or embedded ones for as long as this lasts.

    Raises UserError when they cannot be had. The first download shows its progress on `console`.
    """
    configured = {"kafka": settings.kafka_bootstrap, "postgres": settings.database_url}
    wanted = [name for name, address in configured.items() if address is None]
    if not wanted:
        yield settings
        return
    _prepare(settings, wanted, console)
    with console.status("starting " + " and ".join({"kafka": "Kafka", "postgres": "PostgreSQL"}[name] for name in wanted)):
        lease = _join(settings.state, wanted)
    try:
        yield _with(settings, lease.reply["addresses"])
    finally:
        _leave(lease)


def found(settings: Settings) -> Settings:
    """Settings with the embedded servers that run now for others; what does not run stays None. Starts nothing."""
    lease = _ask_running_keeper(settings.state, [])
    if lease is None:
        return settings
    _leave(lease)
    return _with(settings, lease.reply["addresses"])


def _with(settings: Settings, addresses: dict[str, str]) -> Settings:
    """Configured addresses go before embedded ones."""
    return settings.model_copy(
        update={
            "kafka_bootstrap": settings.kafka_bootstrap or addresses.get("kafka"),
            "database_url": settings.database_url or addresses.get("postgres"),
        }
    )


def _prepare(settings: Settings, wanted: list[str], console: Console) -> None:
    state = settings.state
    try:
        for folder in ("run", "logs"):
            (state / folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to {state}: {error.strerror}; set TAPEFLOW_STATE to a folder of yours") from None
    free = shutil.disk_usage(state).free
    if free < _FREE_BYTES:
        raise UserError(
            f"{state} has {free // 1024**2} MB left and the embedded servers need {_FREE_BYTES // 1024**2}; "
            "free some, or set TAPEFLOW_STATE to a folder on another disk"
        )
    if "kafka" in wanted:
        if settings.kafka:
            name = "KAFKA_" + next(iter(settings.kafka)).upper().replace(".", "_")
            raise UserError(f"{name} is set but no broker it is for: set KAFKA_BOOTSTRAP, or remove it to use the embedded one")
        from infra.embedded import jars  # noqa: PLC0415 - what downloads is needed once in a machine's life

        jars.fetch(console)


def _join(state: Path, servers: list[str]) -> _Lease:
    """Have the servers run from now on until `_leave`."""
    try:
        with FileLock(state / "run" / "start.lock", timeout=_START_S):
            lease = _ask_running_keeper(state, servers) or _ask_new_keeper(state, servers)
    except Timeout:
        raise UserError(
            f"another process has been starting servers on {state} for {_START_S:.0f} s; see {state / 'logs'}"
        ) from None
    if "error" in lease.reply:
        _leave(lease)
        raise UserError(lease.reply["error"])
    return lease


def _ask_running_keeper(state: Path, servers: list[str]) -> _Lease | None:
    try:
        note = json.loads((state / "run" / "keeper.json").read_text())
        connection = socket.create_connection((HOST, note["port"]), timeout=_START_S)
        connection.sendall(json.dumps({"token": note["token"], "servers": servers}).encode() + b"\n")
        with connection.makefile() as lines:
            return _Lease(connection, json.loads(lines.readline()))
    except (OSError, ValueError, KeyError):
        # No note, nobody listening, or one that is leaving or belongs to somebody else: a new keeper is due.
        return None


def _ask_new_keeper(state: Path, servers: list[str]) -> _Lease:
    log = state / "logs" / "keeper.log"
    argv = [sys.executable, "-m", "infra.embedded.keeper", str(state), secrets.token_hex(16)]
    with log.open("wb") as output:
        # A session of its own: the terminal's Ctrl-C is for its users, and their leaving is what ends it.
        keeper = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=output, start_new_session=True)
    assert keeper.stdout is not None
    with keeper.stdout:
        keeper.stdout.readline()
    lease = _ask_running_keeper(state, servers)
    if lease is None:
        keeper.kill()
        keeper.wait()
        raise UserError(f"the embedded servers cannot be started: {child.last_line(log)} (see {log})")
    lease.own_keeper = keeper
    return lease


def _leave(lease: _Lease) -> None:
    """Let go of the servers; the last user waits until they and their keeper have ended."""
    with lease.connection as connection:
        connection.settimeout(_LEAVE_S)
        try:
            connection.shutdown(socket.SHUT_WR)
            stopped = connection.recv(100)
        except OSError:
            # The keeper was killed, or is slow: it stops the servers without being waited for.
            return
    if stopped and lease.own_keeper is not None:
        lease.own_keeper.wait(_LEAVE_S)
    elif stopped and psutil.pid_exists(lease.reply["keeper"]):
        psutil.wait_procs([psutil.Process(lease.reply["keeper"])], timeout=_LEAVE_S)
