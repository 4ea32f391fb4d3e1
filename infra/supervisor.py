"""One process a part: started, kept running, and all ended together.

A part that ends is started again, after a pause that doubles with every quick end. A part that ends with code 2 before it was
ever ready has said that the user must mend something: the supervisor then gives up and passes its last line on. Parts end when
the supervisor does, even when it is killed outright (see `infra.leash`).
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from infra import leash
from infra.settings import UserError

USER_ERROR: Final = 2
STOP_GRACE_S: Final = 6.0
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_STEADY_S: Final = 10.0  # a part that ran this long is not failing over and over
_WATCH_S: Final = 0.05


class _ToldToStop(BaseException):
    """SIGINT or SIGTERM, on its way out of the `with` block; BaseException, so that nobody handles it as a failure."""


def _tell(*_: object) -> None:
    raise _ToldToStop


@dataclass
class _Part:
    name: str
    argv: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    quick_ends: int = 0
    starts: int = 0
    was_ready: bool = False
    due_at: float = field(default=0.0)


def pause_s(quick_ends: int) -> float:
    """Seconds before the next start after so many quick ends in a row.

    >>> [pause_s(n) for n in (0, 1, 2, 3, 20)]
    [0.0, 0.2, 0.4, 0.8, 5.0]
    """
    return min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** (quick_ends - 1)) if quick_ends else 0.0


class Supervisor:
    """Runs `parts` (name: argv) while its `with` block does. SIGINT and SIGTERM end the block, quietly.

    Each part writes to `<state>/logs/<name>.log` and says that it is ready by touching `<state>/run/<name>.ready`.
    """

    def __init__(self, parts: Mapping[str, Sequence[str]], state: Path, env: Mapping[str, str] | None = None) -> None:
        self._parts = [_Part(name, argv) for name, argv in parts.items()]
        self._state = state
        self._env = {**os.environ, **(env or {})}
        self._stop = threading.Event()
        self._failure: UserError | None = None
        # Children are tied to the thread that starts them, so this one starts, watches and ends them all.
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._handlers: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for folder in ("run", "logs"):
            (self._state / folder).mkdir(parents=True, exist_ok=True)
        for part in self._parts:
            self._clear(part)
        self._thread.start()
        if threading.current_thread() is threading.main_thread():
            self._handlers = {number: signal.signal(number, _tell) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        for number in self._handlers:
            signal.signal(number, signal.SIG_IGN)
        self._stop.set()
        self._thread.join()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal itself returned
        return kind is _ToldToStop

    def add(self, name: str, argv: Sequence[str]) -> None:
        """Start one more part: one that has to find the others at work."""
        part = _Part(name, argv)
        self._clear(part)
        self._parts.append(part)

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until every part has said that it is ready. Raises UserError naming the first that has not, and its last words."""
        deadline = time.monotonic() + timeout_s
        for part in self._parts:
            while not self._ready_file(part).exists():
                self.check()
                if time.monotonic() > deadline:
                    raise UserError(f"{part.name} is not ready after {timeout_s:.0f} s: {self._last_words(part)}")
                time.sleep(_WATCH_S)

    def wait(self) -> None:
        """Wait for SIGINT or SIGTERM. Raises UserError when a part gives up."""
        while True:
            self.check()
            time.sleep(_WATCH_S)

    def check(self) -> None:
        """Raise the UserError of a part that has given up."""
        if self._failure is not None:
            raise self._failure

    def pids(self) -> dict[str, int]:
        """The process ids of the parts that run now."""
        return {part.name: part.process.pid for part in self._parts if part.process is not None}

    def starts(self) -> dict[str, int]:
        """How often each part has been started."""
        return {part.name: part.starts for part in self._parts}

    def _clear(self, part: _Part) -> None:
        self._ready_file(part).unlink(missing_ok=True)
        self._log(part).unlink(missing_ok=True)

    def _ready_file(self, part: _Part) -> Path:
        return self._state / "run" / f"{part.name}.ready"

    def _log(self, part: _Part) -> Path:
        return self._state / "logs" / f"{part.name}.log"

    def _last_words(self, part: _Part) -> str:
        log = self._log(part)
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        said = lines[-1].strip().removeprefix("tapeflow: ") if lines else "it said nothing"
        return f"{said} (see {log})"

    def _supervise(self) -> None:
        try:
            while not self._stop.wait(_WATCH_S) and self._failure is None:
                for part in tuple(self._parts):
                    self._tend(part)
        except OSError as error:
            self._failure = UserError(f"cannot start or watch the parts: {error.strerror} ({self._state})")
        finally:
            self._end_all()

    def _tend(self, part: _Part) -> None:
        now = time.monotonic()
        if part.process is None:
            if now >= part.due_at:
                self._start(part, now)
            return
        if part.process.poll() is None:
            return
        part.was_ready = part.was_ready or self._ready_file(part).exists()
        # What has once worked may work again: a venue that is away at a restart must not end everything else.
        if part.process.returncode == USER_ERROR and not part.was_ready:
            self._failure = UserError(f"{part.name} cannot go on: {self._last_words(part)}")
        _end_group(part.process)
        part.process = None
        part.quick_ends = part.quick_ends + 1 if now - part.started_at < _STEADY_S else 1
        part.due_at = now + pause_s(part.quick_ends)

    def _start(self, part: _Part, now: float) -> None:
        self._ready_file(part).unlink(missing_ok=True)
        with self._log(part).open("ab") as log:
            part.process = subprocess.Popen(
                leash.command(part.argv),
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        part.started_at = now
        part.starts += 1

    def _end_all(self) -> None:
        processes = [part.process for part in self._parts if part.process is not None]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + STOP_GRACE_S
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            _end_group(process)
            process.wait()
        for part in self._parts:
            self._ready_file(part).unlink(missing_ok=True)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Whatever a part started itself goes with it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
