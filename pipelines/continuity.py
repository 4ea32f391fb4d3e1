"""Which trades are known, and where the feed is known to have holes."""

from typing import Final

from msgspec import Struct

from pipelines.timeframes import MINUTE
from schemas.market import Gap

KEPT: Final = 64  # holes; beyond this many the oldest become one that nobody can close


class Hole(Struct, array_like=True):
    """Ids strictly between `after` and `before`, or times in [since, until) ms, that never came.

    It is filled in order, so all of it up to `known` is known. `lasting`: it stands for several, and stays open.
    """

    after: int
    before: int
    since: int
    until: int
    known: int
    lasting: bool = False


class Continuity(Struct, array_like=True):
    """The highest id so far and the holes below it, or after it.

    >>> seen = Continuity()
    >>> [seen.admit(id_) for id_ in (7, 9, 9, 8)]
    [True, True, False, False]
    """

    last_id: int = -(2**63)
    holes: list[Hole] = []

    def note(self, gap: Gap, vouched: int) -> None:
        """Open a hole, narrow it or change its reason (both: the same `after_id` again), or close it.

        Times before `vouched` were declared complete by an earlier watermark and stay so.
        """
        same = next((hole for hole in self.holes if hole.after == gap.after_id and not hole.lasting), None)
        holes = [hole for hole in self.holes if hole is not same]
        if gap.open:
            since = max(gap.since, vouched)
            until = max(gap.until, gap.since + 1, since)
            holes.append(Hole(gap.after_id, gap.before_id, since, until, same.known if same else gap.after_id))
        if len(holes) > KEPT:
            first, second, *others = holes
            holes = [_both(first, second), *others]
        self.holes = holes

    def admit(self, trade_id: int) -> bool:
        """Whether this trade is new; it is known from now on, and what comes before it in its hole, too."""
        new = trade_id > self.last_id
        for hole in self.holes:
            if hole.known < trade_id < hole.before:
                hole.known, new = trade_id, True
        self.last_id = max(self.last_id, trade_id)
        return new

    def follow(self, first_id: int, last_id: int) -> bool:
        """Whether rising ids from `first_id` to `last_id` are all new without a look at each; they are known from now on."""
        if first_id > self.last_id:
            if any(hole.before > first_id for hole in self.holes):
                return False
            self.last_id = last_id
            return True
        for hole in self.holes:
            if hole.known < first_id and last_id < hole.before:
                if sum(other.after < last_id and first_id < other.before for other in self.holes) > 1:
                    return False
                hole.known = last_id
                return True
        return False

    def touches(self, open_time: int) -> bool:
        """Whether trades of the minute at `open_time` are missing."""
        return any(hole.since < open_time + MINUTE and hole.until > open_time for hole in self.holes)


def _both(first: Hole, second: Hole) -> Hole:
    """Everything that either lacks, and what lies between."""
    return Hole(
        min(first.after, second.after),
        max(first.before, second.before),
        min(first.since, second.since),
        max(first.until, second.until),
        min(first.known, second.known),
        lasting=True,
    )
