"""Which trades are known, and where the feed is known to have holes."""

from msgspec import Struct

from pipelines.timeframes import MINUTE
from schemas.market import Gap

# A hole that is being filled out of order splits; beyond this many pieces the oldest is given up and its trades count as known.
_GAPS_KEPT = 64


class Hole(Struct, array_like=True, frozen=True):
    """Ids strictly between `after` and `before`, or times in [since, until) ms, that never came."""

    after: int
    before: int
    since: int
    until: int


class Continuity(Struct, array_like=True):
    """The highest id so far and the holes below it.

    >>> seen = Continuity()
    >>> [seen.admit(id_) for id_ in (7, 9, 9, 8)]
    [True, True, False, False]
    """

    last_id: int = -(2**63)
    holes: list[Hole] = []

    def open(self, gap: Gap, vouched: int) -> None:
        """Note a gap. Times before `vouched` were declared complete by an earlier watermark and stay so."""
        since, until = max(gap.since, vouched), max(gap.until, gap.since + 1)
        if since < until:
            self.holes = [*self.holes, Hole(gap.after_id, gap.before_id, since, until)][-_GAPS_KEPT:]

    def admit(self, trade_id: int) -> bool:
        """Whether this trade is new; it is known from now on."""
        fills = next((hole for hole in self.holes if hole.after < trade_id < hole.before), None)
        if trade_id <= self.last_id and fills is None:
            return False
        self.last_id = max(self.last_id, trade_id)
        if fills is not None:
            self._split(fills, trade_id)
        return True

    def touches(self, open_time: int) -> bool:
        """Whether trades of the minute at `open_time` are missing."""
        return any(hole.since < open_time + MINUTE and hole.until > open_time for hole in self.holes)

    def _split(self, hole: Hole, trade_id: int) -> None:
        at = self.holes.index(hole)
        sides = (
            Hole(hole.after, trade_id, hole.since, hole.until),
            Hole(trade_id, hole.before, hole.since, hole.until),
        )
        left = [side for side in sides if side.before - side.after > 1]
        self.holes = [*self.holes[:at], *left, *self.holes[at + 1 :]][-_GAPS_KEPT:]
