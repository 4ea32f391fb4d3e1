"""The process that keeps the embedded servers of one state directory for as long as anybody uses them.

Users hold a connection to it. The kernel closes those of a user that dies, however it dies, so counting connections counts
users: when the last one is closed the servers are stopped and the keeper ends. A server that dies by itself is started again.
Protocol, one JSON line each way: `{"token", "servers"}`, then `{"addresses", "keeper"}` or `{"error", "keeper"}`. A user leaves
by closing its side and reads until the keeper closes the other; the last user is told `stopped` when everything has.
"""

import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from infra.embedded import child, kafka, postgres
from infra.embedded.child import HOST, Server
from infra.settings import UserError

_STARTS: Final = {"kafka": kafka.start, "postgres": postgres.start}
_FIRST_USER_S: Final = 30.0
_REQUEST_S: Final = 5.0
_WATCH_S: Final = 1.0
_PREDECESSOR_S: Final = 15.0


class Keeper:
    """Servers by name, and the connections of those who use them."""

    def __init__(self, state: Path, token: str) -> None:
        self._state = state
        self._token = token
        self._servers: dict[str, Server] = {}
        self._users: set[socket.socket] = set()
        self._last_user: socket.socket | None = None
        self._selector = selectors.DefaultSelector()
        self._stopping = False

    def serve(self, listener: socket.socket) -> None:
        """Serve until the last user has left, then stop everything."""
        signal.signal(signal.SIGTERM, self._stop)
        self._selector.register(listener, selectors.EVENT_READ)
        unused_until = time.monotonic() + _FIRST_USER_S
        try:
            while not self._stopping and (self._users or time.monotonic() < unused_until):
                for key, _ in self._selector.select(_WATCH_S):
                    if key.fileobj is listener:
                        self._welcome(listener.accept()[0])
                    elif isinstance(key.fileobj, socket.socket):
                        self._part(key.fileobj)
                self._revive()
        finally:
            # Whoever comes from now on finds nobody listening and starts a successor, which waits for this process to end.
            listener.close()
            child.stop(self._servers.values())
            if self._last_user is not None:
                with suppress(OSError):
                    self._last_user.sendall(b"stopped\n")

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _welcome(self, user: socket.socket) -> None:
        try:
            wanted = self._request(user)
        except (OSError, ValueError, KeyError, TypeError):
            user.close()
            return
        self._users.add(user)
        self._selector.register(user, selectors.EVENT_READ)
        reply = self._answer(wanted, lambda: not self._stopping and _is_there(user))
        with suppress(OSError):
            user.sendall(json.dumps({**reply, "keeper": os.getpid()}).encode() + b"\n")

    def _request(self, user: socket.socket) -> list[str]:
        user.settimeout(_REQUEST_S)
        with user.makefile() as lines:
            request = json.loads(lines.readline())
        if request["token"] != self._token:
            raise PermissionError
        # From here on it only listens, and what it is sent fits into any buffer.
        user.settimeout(0)
        return [name for name in _STARTS if name in request["servers"]]

    def _part(self, user: socket.socket) -> None:
        self._selector.unregister(user)
        self._users.remove(user)
        if self._users:
            user.close()
        else:
            self._last_user = user
            self._stopping = True

    def _answer(self, wanted: list[str], still_wanted: Callable[[], bool]) -> dict[str, object]:
        started: dict[str, Server] = {}
        try:
            for name in wanted:
                if name not in self._servers:
                    started[name] = _STARTS[name](self._state)
            child.await_ready(started.values(), still_wanted)
        except (UserError, OSError) as error:
            child.stop(started.values())
            return {"error": str(error)}
        self._servers |= started
        return {"addresses": {name: server.address for name, server in self._servers.items()}}

    def _revive(self) -> None:
        for name, server in self._servers.items():
            if not self._stopping and server.process.poll() is not None:
                print(f"{server.name} ended with {server.process.returncode} and is started again", file=sys.stderr, flush=True)
                try:
                    self._servers[name] = _STARTS[name](self._state)
                except (OSError, UserError) as error:  # tried again at the next look; the other server goes on
                    print(f"{server.name} cannot be started: {error}", file=sys.stderr, flush=True)


def _is_there(user: socket.socket) -> bool:
    """Whether it has not closed its side; it sends nothing after its request."""
    try:
        return user.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def main() -> None:
    """Keep the servers of one state directory: `python -m infra.embedded.keeper STATE TOKEN`. Prints its port when it listens."""
    state, token = Path(sys.argv[1]), sys.argv[2]
    try:
        lock = FileLock(state / "run" / "keeper.lock").acquire(timeout=_PREDECESSOR_S)
    except Timeout:
        sys.exit(f"another keeper of {state} does not end")
    note = state / "run" / "keeper.json"
    with lock, socket.create_server((HOST, 0)) as listener:
        note.touch(mode=0o600)
        note.write_text(json.dumps({"port": listener.getsockname()[1], "token": token}))
        print("listening", flush=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        try:
            Keeper(state, token).serve(listener)
        finally:
            note.unlink()


if __name__ == "__main__":
    main()
