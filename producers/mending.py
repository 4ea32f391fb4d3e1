"""The holes of one stream: which there are, what to ask of REST for them, and what its answers leave missing.

Ids order everything: a hole's trades are handed out only when nothing is being fetched below them, so that what is published as
repaired is in order too. A hole that REST cannot fill for long blocks nobody any more, but is still asked for.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct, structs

from producers.dialect import Ids, Trade
from producers.gaps import ABSENT, Hole
from producers.outcome import NOTHING, Repair, Repaired, Unfinished
from schemas.market import Gap

REORDER_S: Final = 0.3  # how long a trade that others have overtaken may be on its way
JOIN_S: Final = 1.0  # how long a new subscription may be quiet before REST is asked what came before it
PATIENCE_S: Final = 60.0  # how long candles wait for REST
AGAIN_S: Final = 0.25  # before the same is asked again; every time it fails, twice as long
_LONGEST_WAIT_S: Final = 60.0
_TOGETHER_IDS: Final = 2_000  # holes no further apart are asked for together
_TOGETHER_MS: Final = 30_000
_GIVEN_UP: Final = 64  # gaps whose late trades are still told from repetitions


class _Asked(Struct, frozen=True):
    holes: list[Hole]
    joined: float | None


class Mending:
    """`joined`: since when (seconds) the subscription holds, None while there is none. `fresh`: nothing was ever published."""

    def __init__(self, ids: Ids, *, fresh: bool) -> None:
        self._ids = ids
        self.fresh = fresh
        self.joined: float | None = None
        self.holes: list[Hole] = []
        self._given_up: deque[Gap] = deque(maxlen=_GIVEN_UP)
        self._orphans: list[Gap] = []
        self._asked: _Asked | None = None
        self._ask_at = 0.0
        self._failures = 0

    @property
    def open_end(self) -> Hole | None:
        """The hole after everything known, if there is one."""
        return self.holes[-1] if self.holes and self.holes[-1].right is None else None

    @property
    def blocked(self) -> int | None:
        """The venue time (ms) that the watermark must not pass."""
        return min((hole.since for hole in self.holes if hole.blocking), default=None)

    def resume(self, unfinished: Unfinished, last: Trade | None, now: float) -> None:
        """Go on with a gap that a process before us was fetching. One that ends above everything known has an open end.

        To be called by rising ids. One within another was opened to take its place, which it did not come to.
        """
        gap = unfinished.gap
        if any(hole.after <= gap.after_id and gap.before_id <= hole.before for hole in self.holes):
            self._orphans.append(gap)
            return
        left = unfinished.found or (None if gap.after_id == NOTHING else _mark(gap.after_id, gap.since))
        hole = Hole(gap.after_id, left, gap.since, now)
        if last is not None and gap.before_id <= last.id:
            hole.narrow(gap.before_id, _mark(gap.before_id, gap.until - 1))
        if hole.right is not None or not self.open_end:
            self.add(hole)

    def take_orphans(self) -> list[Gap]:
        """The gaps to close, as others cover them."""
        orphans, self._orphans = self._orphans, []
        return orphans

    def add(self, hole: Hole) -> None:
        """Another hole, in its place."""
        self.holes.append(hole)
        self.holes.sort(key=lambda each: each.after)

    def holding(self, trade: Trade) -> Hole | None:
        """The hole in which a trade lies."""
        return next((hole for hole in self.holes if hole.holds(trade)), None)

    def gave_up(self, trade_id: int) -> bool:
        """Whether a trade belongs to what was given up."""
        return any(gap.after_id < trade_id < gap.before_id for gap in self._given_up)

    def take_back(self, trade_id: int, reached: int) -> bool:
        """Whether a trade that REST tells now may be put in its place.

        One of what was given up only if REST tells all of that now, down to `reached`.
        """
        gap = next((gap for gap in self._given_up if gap.after_id < trade_id < gap.before_id), None)
        if gap is not None and reached <= gap.after_id:
            self._given_up.remove(gap)
        return gap is None or reached <= gap.after_id

    def give_up(self, gap: Gap) -> None:
        """Remember a gap that stays open for good."""
        self._given_up.append(gap)

    def complete(self, hole: Hole) -> None:
        """A hole is done when its ids show that nothing of it is missing."""
        if self._ids is Ids.CONSECUTIVE and hole.right is not None and not hole.runs():
            hole.done = True

    def abandon(self, hole: Hole, reason: str) -> None:
        """Nothing more is to be done about a hole."""
        missing = hole.runs() if self._ids is Ids.CONSECUTIVE else hole.uncovered()
        hole.missing = [structs.replace(gap, reason=reason) for gap in missing]
        hole.done = True

    def wanted(self, market_id: str, now: float, seen: int, floor: Trade | None) -> Repair | None:
        """What to ask of REST now: the oldest holes, close ones together, from the last trade confirmed (`floor`) on."""
        if self._asked is not None or now < self._ask_at or not self.holes:
            return None
        holes: list[Hole] = []
        for hole in self.holes:
            if hole.done or not self._due(hole, now):
                continue
            if holes and not self._near(holes[0], hole):
                break
            holes.append(hole)
        if not holes:
            return None
        self._asked = _Asked(holes, self.joined)
        first, last = holes[0], holes[-1]
        before = None if last.right is None else _mark(last.before, last.right.time)
        below = floor if floor and first.left and floor.id < first.left.id else first.left
        after = None if below is None else _mark(below.id, below.time)
        return Repair(market_id, after, before, first.since, self.fresh and first.left is None, seen)

    def answered(self, found: Repaired, trades: Sequence[Trade], now: float) -> Iterator[Hole]:
        """Take an answer in, its trades by rising ids. Yields the holes that REST has failed for too long: they block no more."""
        asked, self._asked = self._asked, None
        undone = False
        for hole in asked.holes if asked else []:
            if hole.done or not any(hole is each for each in self.holes):
                continue
            stays = asked is not None and asked.joined is not None and asked.joined == self.joined
            hole.done = self._fill(hole, found, trades, certain=stays or hole.right is not None)
            undone = undone or not hole.done
            if not hole.done and found.again and hole.blocking and now - hole.opened > PATIENCE_S:
                hole.reason = found.failure
                yield hole
        self._failures = self._failures + 1 if undone else 0
        self._ask_at = now + min(_LONGEST_WAIT_S, AGAIN_S * 2.0 ** min(self._failures, 10)) if undone else now

    def take_page(self, hole: Hole, newer: Sequence[Trade], *, joins: bool) -> None:
        """REST's newest trades, for a hole with an open end. `joins`: they leave no break between it and what is below."""
        hole.take(newer)
        if self._ids is not Ids.CONSECUTIVE:
            self._cover(hole, newer, bottom=joins)
        hole.done = hole.left is not None and not (hole.runs() if self._ids is Ids.CONSECUTIVE else hole.uncovered())

    def ready(self) -> list[Hole]:
        """The holes that are done and whose trades may be published now, by rising ids: no blocking one is below them."""
        found = []
        waits = False
        for hole in self.holes:
            if hole.done and not (waits and hole.found):
                found.append(hole)
            waits = waits or (hole.blocking and not hole.done)
        self.holes = [hole for hole in self.holes if not any(hole is each for each in found)]
        return found

    def _due(self, hole: Hole, now: float) -> bool:
        if hole.right is not None:
            return now - hole.opened >= REORDER_S
        return self.joined is not None and (hole.left is None or now - self.joined >= JOIN_S)

    def _near(self, first: Hole, hole: Hole) -> bool:
        if first.left is None:
            return False
        if self._ids is Ids.CONSECUTIVE:
            return (hole.below if hole.right is None else hole.before) - first.below <= _TOGETHER_IDS
        return (hole.since if hole.right is None else hole.until) - first.since <= _TOGETHER_MS

    def _fill(self, hole: Hole, found: Repaired, trades: Sequence[Trade], *, certain: bool) -> bool:
        """Put what was found into a hole. Returns whether nothing more is to be expected of it."""
        if hole.left is None:  # the first of all: what is older than its time is known to come before it
            hole.since = min(hole.since, found.since)
            hole.left = next((trade for trade in reversed(trades) if trade.time < found.since), None)
            trades = [trade for trade in trades if trade.time >= found.since]
            hole.found = {key: trade for key, trade in hole.found.items() if trade.time >= found.since}
        hole.take(trades)
        if hole.right is None and not (found.bottom or trades):
            return False  # nothing was told at all
        missing = self._missing(hole, found, trades)
        if missing and (found.again or not (hole.right or hole.found)):
            return False
        if hole.right is not None and found.wanted.before is None and self._behind(hole, trades, missing):
            return False
        hole.missing = [structs.replace(gap, reason=found.failure or ABSENT) for gap in missing] if certain else []
        return certain

    def _behind(self, hole: Hole, trades: Sequence[Trade], missing: Sequence[Gap]) -> bool:
        """Whether REST did not know yet what the websocket has told since: asked again, it is waited for."""
        newest = trades[-1].id if trades else hole.below
        if self._ids is Ids.CONSECUTIVE:
            return any(gap.after_id >= newest for gap in missing)
        return newest < hole.before

    def _missing(self, hole: Hole, found: Repaired, trades: Sequence[Trade]) -> list[Gap]:
        if self._ids is Ids.CONSECUTIVE:
            # Below the first trade of all, ids do not tell whether something is missing.
            return [gap for gap in hole.runs() if gap.after_id != NOTHING or not found.bottom]
        self._cover(hole, trades, bottom=found.bottom)
        return hole.uncovered()

    @staticmethod
    def _cover(hole: Hole, trades: Sequence[Trade], *, bottom: bool) -> None:
        """What REST told hangs together; `bottom`: with what is known below the hole, too."""
        if trades:
            low = hole.below if bottom else trades[0].id
            hole.cover(min(low, trades[0].id), trades[-1].id)


def _mark(trade_id: int, time: int) -> Trade:
    """A place among trades: what REST is asked for is older or newer than it."""
    return Trade(trade_id, trade_id, time, Decimal(1), Decimal(1), taker_buy=True)
