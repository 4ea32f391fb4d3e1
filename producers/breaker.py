"""A circuit breaker: after failures in a row nobody asks for a while, then one asks for all."""

from typing import Final

FAILURES: Final = 5
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 10.0


class Breaker:
    """Pure: times are seconds of a monotonic clock that the caller reads.

    (pybreaker decides the same, but awaits only Tornado's coroutines, and lets everybody through at once when its pause is over.)
    """

    def __init__(self) -> None:
        self._failures = 0
        self._pauses = 0
        self._closed_until = 0.0
        self._trying = False

    def wait(self, now: float) -> float:
        """0.0 when one may ask now, and then has to tell what came of it; else for how many seconds nobody may."""
        if self._failures < FAILURES:
            return 0.0
        if self._trying or now < self._closed_until:
            return max(0.1, self._closed_until - now)
        self._trying = True
        return 0.0

    def succeeded(self) -> None:
        """The other side answered."""
        self._failures = self._pauses = 0
        self._trying = False

    def failed(self, now: float) -> None:
        """It did not. The pause doubles each time that the one who tries fails."""
        was_trying, self._trying = self._trying, False
        self._failures += 1
        if self._failures == FAILURES or was_trying:
            self._closed_until = now + min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**self._pauses)
            self._pauses += 1

    def gave_up(self) -> None:
        """Whoever asked was cancelled: nothing is known."""
        self._trying = False
