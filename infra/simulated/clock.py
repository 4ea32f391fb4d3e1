"""The market's clock: starts on a chosen date, runs at a chosen speed, and can stand still."""

import time
from collections.abc import Callable
from enum import StrEnum


class ClockState(StrEnum):
    """`hold` waits for the first subscriber, `pause` for an order to run, `stop` stands for good."""

    HOLD = "hold"
    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


class MarketClock:
    """Market time in epoch milliseconds: start + speed x elapsed real time while running.

    `monotonic` gives real seconds. Changing the speed or the state never makes the time jump.
    """

    def __init__(
        self,
        start_ms: int,
        speed: float,
        state: ClockState = ClockState.RUN,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.start_ms = start_ms
        self._monotonic = monotonic
        self._speed = speed
        self._state = state
        self._since = monotonic()
        self._until_then = float(start_ms)

    @property
    def speed(self) -> float:
        """Market seconds a real second."""
        return self._speed

    @property
    def state(self) -> ClockState:
        """Whether the clock runs, and if not, what it waits for."""
        return self._state

    def now_ms(self) -> int:
        """Market time, epoch milliseconds."""
        return int(self._exact())

    def set_speed(self, speed: float) -> None:
        """Go on from the present market time at another speed. Raises ValueError unless it is above zero."""
        if not speed > 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self._rebase()
        self._speed = speed

    def set_state(self, state: ClockState) -> None:
        """Run, pause or stop. Raises ValueError when the clock was stopped, which is for good."""
        if self._state is ClockState.STOP and state is not ClockState.STOP:
            raise ValueError("the clock was stopped and stays so")
        self._rebase()
        self._state = state

    def release(self) -> None:
        """Start a clock that was held for its first subscriber; any other clock is left as it is."""
        if self._state is ClockState.HOLD:
            self.set_state(ClockState.RUN)

    def _exact(self) -> float:
        if self._state is not ClockState.RUN:
            return self._until_then
        return self._until_then + (self._monotonic() - self._since) * 1000 * self._speed

    def _rebase(self) -> None:
        self._until_then = self._exact()
        self._since = self._monotonic()
