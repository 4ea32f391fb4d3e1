"""Time: which times of trades are impossible, and how far a venue's clock is ahead of ours."""

from collections import deque
from statistics import median
from typing import Final

from msgspec import Struct

BELIEVABLE_MS: Final = 3_600_000  # how far a venue may be ahead of our clock, or a trade behind the trades before it
_ROUND_TRIPS: Final = 16
_STRETCHES: Final = 13
_STRETCH_S: Final = 10.0


def impossible(time: int, received: int, before: int | None) -> str | None:
    """Why a trade cannot have been made at `time` (ms), received at an epoch microsecond; `before` is the time of an earlier one.

    A time far back is believed when nothing earlier is known: a recording or a simulated market lives in its own year.
    """
    if time <= 0:
        return f"impossible time {time}"
    if time > received // 1000 + BELIEVABLE_MS:
        return f"impossible time {time}: more than an hour after it was received"
    if before is not None and time < before - BELIEVABLE_MS:
        return f"impossible time {time}: more than an hour before the trade that came before it, of {before}"
    return None


class _RoundTrip(Struct, frozen=True):
    behind: float
    half: float


class Offset:
    """How far a venue's clock is behind ours, in milliseconds: `received - ms` is the venue's time.

    A question says: the venue told its time between our asking and its answer, so the shortest of the latest questions is best.
    A message says: the venue's clock was at least there when it arrived. The least delay of ten seconds is near the truth, and
    the median of those of the latest two minutes ignores a stretch of rubbish. Of a market that is played faster than time
    passes it means nothing. Nothing is decided by it. `now` is seconds of a clock that never runs back, times are epoch ms.

    >>> offset = Offset()
    >>> offset.asked(5_000, 1_000, 1_010)
    >>> offset.ms, offset.uncertain_ms
    (-3995, 5)
    """

    def __init__(self) -> None:
        self._trips: deque[_RoundTrip] = deque(maxlen=_ROUND_TRIPS)
        self._least: deque[int] = deque(maxlen=_STRETCHES)
        self._ends = float("-inf")

    def asked(self, time: int, sent: int, received: int) -> None:
        """The venue told its time between two times of ours."""
        if received >= sent:
            self._trips.append(_RoundTrip((sent + received) / 2 - time, (received - sent) / 2))

    def seen(self, time: int, received: int, now: float) -> None:
        """A message of a venue time was received."""
        late = received - time
        if now >= self._ends:
            self._ends = now + _STRETCH_S
            self._least.append(late)
        elif late < self._least[-1]:
            self._least[-1] = late

    @property
    def ms(self) -> int | None:
        """None while nothing is known."""
        least, most = self._bounds()
        if most is None:
            return None
        return round(most if least is None else (least + most) / 2)

    @property
    def uncertain_ms(self) -> int | None:
        """By how much `ms` may be wrong either way; None before the venue was asked for its time."""
        least, most = self._bounds()
        return None if least is None or most is None else round((most - least) / 2)

    def _bounds(self) -> tuple[float | None, float | None]:
        seen = median(self._least) if self._least else None
        if not self._trips:
            return None, seen
        best = min(self._trips, key=lambda trip: trip.half)
        least, most = best.behind - best.half, best.behind + best.half
        return least, seen if seen is not None and least <= seen < most else most
