"""What a cursor is, and the times that it is asked with."""

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

from infra.simulated.faults import Fault

Frame = str | bytes
"""One message: a text, or bytes where the venue sends binary frames of its own accord."""

REAL_SECONDS: Final = 0.05  # at high speed, nothing but trades is pushed more often than this


class Moment(NamedTuple):
    """What time it is: three clocks and what the venue makes of the first."""

    ms: int
    """Of the market, epoch ms: everything up to it has happened."""
    told: int
    """What the venue stamps its messages with: `ms`, unless its clock is wrong."""
    seconds: float
    """Of the venue's watch, by which it ends connections and faults last."""
    real: float
    """Real seconds, monotonic: how often things are pushed however fast the market runs."""


class Feed(Protocol):
    """One channel of one instrument on one connection."""

    name: str
    """The venue's name of the instrument; empty where the channel is of none."""
    of_trades: bool
    """What is of trades is sent first, so that a ticker of time T comes after every trade through T."""
    next_ms: float
    """Nothing is due before this market time,"""
    next_real: float
    """nor before this real time."""

    def due(self, now: Moment) -> Iterable[Frame]:
        """Yield the frames to send now."""
        ...

    def forget(self, now: Moment) -> None:
        """Lose what would be due now."""
        ...

    def strike(self, fault: Fault, now: Moment) -> None:
        """Suffer a fault of streams; other faults are nothing to it."""
        ...

    def clear(self) -> None:
        """Suffer none any longer."""
        ...
