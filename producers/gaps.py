"""A hole in an instrument's trades: where it lies, what has come of it, what of it is still missing."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Final

from msgspec import Struct

from producers.dialect import Trade
from producers.outcome import BEING_FETCHED, OPEN_END
from schemas.market import Gap

_ID: Final = attrgetter("id")
ABSENT: Final = "the venue does not have these trades"


class Hole(Struct):
    """Trades of ids between `after` and `before`, of times in [since, until), ms: being fetched unless `reason` says why not.

    `left` is the newest trade known below (None: nothing is), `right` the oldest above (None: nothing yet, the end is open).
    `found`: by id, what came of it and is not published; within `spans` of ids REST has told all there is. `done`: no more is
    expected, `missing` is what will not come. `opened`: when, in seconds. `stated`: the stream tells of it.
    """

    after: int
    left: Trade | None
    since: int
    opened: float
    right: Trade | None = None
    before: int = OPEN_END
    until: int = OPEN_END
    reason: str | None = None
    found: dict[int, Trade] = {}
    spans: list[tuple[int, int]] = []
    done: bool = False
    stated: bool = False
    missing: list[Gap] = []

    @property
    def below(self) -> int:
        """All ids up to this one are known."""
        return self.after if self.left is None else self.left.id

    @property
    def blocking(self) -> bool:
        """Whether the watermark waits for it."""
        return self.reason is None

    def gap(self, *, open: bool = True) -> Gap:  # noqa: A002 - the field's name
        """As it is told in the stream."""
        return Gap(self.after, self.before, self.since, self.until, self.reason or BEING_FETCHED, open)

    def narrow(self, before: int, right: Trade) -> None:
        """The first trade after it is known."""
        self.before, self.right, self.until = before, right, max(self.since, right.time) + 1
        self.found = {key: trade for key, trade in self.found.items() if key < before}

    def holds(self, trade: Trade) -> bool:
        """Whether a trade, with all that was told as one with it, lies in it."""
        inside = self.below < trade.first_id and trade.id < self.before
        return inside and (self.left is not None or trade.time >= self.since)

    def take(self, trades: Iterable[Trade]) -> None:
        """Keep those that lie in it."""
        for trade in trades:
            if self.holds(trade):
                self.found.setdefault(trade.id, trade)

    def in_order(self) -> list[Trade]:
        """What was found, by rising ids; of trades told in two groupings, the first."""
        kept: list[Trade] = []
        for key in sorted(self.found):
            if not kept or self.found[key].first_id > kept[-1].id:
                kept.append(self.found[key])
        return kept

    def runs(self) -> list[Gap]:
        """What is missing of it, where ids are consecutive: one gap a run. What an open end holds is not known to be missing."""
        runs, left, below = [], self.left, self.below
        for trade in self.in_order():
            if trade.first_id > below + 1:
                runs.append(self.part(left, trade))
            left, below = trade, trade.id
        if self.right is not None and self.before > below + 1:
            runs.append(self.part(left, None))
        return runs

    def cover(self, first_id: int, last_id: int) -> None:
        """REST has told everything from one id to another: told pieces that share an id are one."""
        apart = []
        for low, high in self.spans:
            if high < first_id or low > last_id:
                apart.append((low, high))
            else:
                first_id, last_id = min(low, first_id), max(high, last_id)
        self.spans = sorted([*apart, (first_id, last_id)])

    def uncovered(self) -> list[Gap]:
        """What REST has not told, where ids do not show what is missing: one gap a stretch. An open end has none."""
        known, gaps, told = self.in_order(), [], self.below
        for low, high in [*self.spans, (self.before, self.before)]:
            if self.before > told < low and not (low == self.before and self.right is None):
                left = max((trade for trade in known if trade.id <= told), key=_ID, default=None)
                right = min((trade for trade in known if trade.id >= low), key=_ID, default=None)
                gaps.append(self.part(left, right))
            told = max(told, high)
        return gaps

    def part(self, left: Trade | None, right: Trade | None) -> Gap:
        """The gap between two trades of it; None for its own ends."""
        after = self.below if left is None else left.id
        since = self.since if left is None or left is self.left else max(self.since, left.time)
        if right is None:
            return Gap(after, self.before, since, self.until, "")
        return Gap(after, right.first_id, since, max(since, right.time) + 1, "")
