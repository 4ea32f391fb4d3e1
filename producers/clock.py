"""The clock of everything that waits: a test may let its seconds pass faster than real ones."""

import asyncio
import time


class Clock:
    """Seconds that pass `scale` times as fast as real ones."""

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale

    def now(self) -> float:
        """Seconds since some beginning; never runs back."""
        return time.monotonic() * self._scale

    @staticmethod
    def received() -> int:
        """Epoch microseconds, for the records: our wall clock, which no decision rests on."""
        return time.time_ns() // 1_000

    async def sleep(self, seconds: float) -> None:
        """Wait so many of this clock's seconds."""
        await asyncio.sleep(seconds / self._scale)

    def real(self, seconds: float) -> float:
        """So many of this clock's seconds in real ones, for what goes by the host's own clock."""
        return seconds / self._scale

    def timeout(self, seconds: float) -> asyncio.Timeout:
        """As `asyncio.timeout`, in this clock's seconds."""
        return asyncio.timeout(seconds / self._scale)
