"""A clock for both sides of the wire that stands while either of them gets no processor.

Simulated seconds pass `scale` times as fast as real ones as long as the event loops of both, each in a thread of its own, are
served. While one is not, because the machine has other work, they wait: what a test asserts about times holds there too.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator

_STEP_S = 0.002
_LONGEST_STEP_S = 0.006
_STARVED_S = 0.012  # without a beat
_LEAST_PATIENCE_S = 5.0  # real: a handshake on a busy machine


class Elastic:
    """As `producers.clock.Clock`. `received` begins at `start_ms`, so that both sides live in the same year."""

    def __init__(self, scale: float, start_ms: int) -> None:
        self.scale = scale
        self._start_us = start_ms * 1_000
        self._real = 0.0
        self._ours = threading.get_ident()
        self._beat: float | None = None  # when the other side's event loop was served last

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Elastic"]:
        """Let it run for as long as the block lasts."""
        task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            task.cancel()

    def monotonic(self) -> float:
        """Real seconds that count."""
        if self._beat is None and threading.get_ident() != self._ours:
            self._follow(asyncio.get_running_loop())
        return self._real

    def now(self) -> float:
        return self._real * self.scale

    def received(self) -> int:
        return self._start_us + int(self.now() * 1_000_000)

    def real(self, seconds: float) -> float:
        return seconds / self.scale

    async def sleep(self, seconds: float) -> None:
        end = self._real + seconds / self.scale
        await asyncio.sleep(seconds / self.scale)
        while self._real < end:  # noqa: ASYNC110 - it is time itself that is waited for
            await asyncio.sleep(max(_STEP_S, end - self._real))

    def timeout(self, seconds: float) -> asyncio.Timeout:
        return asyncio.timeout(max(_LEAST_PATIENCE_S, seconds / self.scale))

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take note, all the time, that the other side's event loop is served."""
        self._beat = time.monotonic()
        loop.call_later(_STEP_S, self._follow, loop)

    async def _run(self) -> None:
        before = time.monotonic()
        while True:
            await asyncio.sleep(_STEP_S)
            now = time.monotonic()
            if self._beat is None or now - self._beat < _STARVED_S:
                self._real += min(now - before, _LONGEST_STEP_S)
            before = now
