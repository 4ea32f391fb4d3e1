"""What one stream knows: its newest trade, its holes, what was published; and what becomes of every trade that comes to it."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from msgspec import structs

from producers.bursts import Run
from producers.dialect import Ids, Trade
from producers.entrance import Entrance, continue_from
from producers.gaps import Hole
from producers.mending import Mending
from producers.numbering import Numbering
from producers.outcome import BEING_FETCHED, NOT_RECORDED, NOTHING, Counts, Outcome, Position
from producers.tape import MINUTE, Tape
from producers.times import impossible
from producers.window import Lost, Window
from schemas.market import Gap, Instrument, TradesKind

BEGUN_AGAIN_MS: Final = 60_000  # a lower id may be told late by so much before it is no repetition
MOST_HOLES: Final = 1_000
CROWDED: Final = f"more than {MOST_HOLES} gaps at once"
FARTHEST: Final = 1_000_000_000  # consecutive ids that no outage can have skipped
_APART: Final = 5_000  # trades of a recording whose late neighbours are still put between them
_ID: Final = attrgetter("id")
_TIME: Final = attrgetter("time")


class Known:
    """`last` is the newest trade known, `trusting` says that the watermark may follow what the websocket brings.

    `reached`: venue time (ms) up to which nothing is missing but what lies in holes.
    """

    def __init__(self, instrument: Instrument, ids: Ids, kind: TradesKind, position: Position | None, counts: Counts) -> None:
        at = position or Position(None, 0)
        self.last = at.last
        self.reached = at.watermark
        self.live = kind == "live"
        self.consecutive = ids is Ids.CONSECUTIVE
        self.trusting = self.consecutive or not self.live
        self.tape = Tape(instrument, kind, counts, at.watermark)
        unknown = position is None or any(one.gap.after_id == NOTHING for one in at.unfinished)
        self.mending = Mending(ids, fresh=self.live and unknown)
        self.window = None if self.consecutive else Window.resumed(at)
        self.entrance = Entrance(self.tape, Numbering(at.recent) if ids is Ids.NAMED else None, counts)
        self._counts = counts

    def begin(self, out: Outcome, received: int, now: float) -> None:
        """From the last trade on something may be missing."""
        hole = self.mending.open_end
        if hole is not None and hole.done:
            self._bound(out, hole, received)
            hole = None
        if hole is None:
            hole = Hole(NOTHING if self.last is None else self.last.id, self.last, self.reached, now)
            self._open(hole)
        if not hole.stated:
            self._state(out, hole, received)
        for gap in self.mending.take_orphans():
            self.tape.state(out, structs.replace(gap, open=False), received)

    def follows(self, trades: Sequence[Trade], received: int) -> bool:
        """Whether these trades are simply the next, as nearly always."""
        last = self.last
        return (
            last is not None
            and self.mending.open_end is None
            and continue_from(last, trades, received, consecutive=self.consecutive)
        )

    def publish(self, out: Outcome, trades: Sequence[Trade], received: int, event_time: int) -> None:
        """Live trades above all that are known."""
        if not trades:
            return
        self.last = trades[-1]
        if self.window is not None:
            self.window.append(trades)
            if not self.live:
                self.window.shorten(_APART)
        if self.trusting:
            newest = max(trades.times if isinstance(trades, Run) else map(_TIME, trades))
            self.reached = max(self.reached, newest)
        self.tape.live(out, trades, received, event_time, self._allowed())

    def sort_out(
        self, out: Outcome, trades: Sequence[Trade], received: int, event_time: int, now: float, *, snapshot: bool
    ) -> int:
        """Trades in any order, of any age. Returns how many were new and above all that were known."""
        overlaps = snapshot and self.last is not None and any(trade.first_id <= self.last.id for trade in trades)
        run: list[Trade] = []
        new = 0
        for trade in sorted(trades, key=_ID):
            last = run[-1] if run else self.last
            above = last is None or trade.id > last.id
            reason = impossible(trade.time, received, last.time if last and above else None) or self._unlikely(trade)
            if reason is not None:
                self.tape.set_aside(out, trade, reason, received)
            elif run and not above:
                self._counts.duplicates += 1
            elif not above:
                self._behind(out, trade, received, now)
            elif self._adjoins(trade, last):
                new += 1
                run.append(trade)
            elif not self._before_all(trade):
                self.publish(out, run, received, event_time)
                new += 1
                run = [trade] if self._lead(out, trade, received, now, overlaps=overlaps) else []
        self.publish(out, run, received, event_time)
        hole = self.mending.open_end
        if hole is not None and overlaps and any(trade.id == hole.below for trade in trades):
            hole.done = True
        self.settle(out, received)
        return new

    def insert(self, out: Outcome, lost: Lost, received: int, now: float) -> None:
        """Trades that lie between two that are known."""
        if lost.left is None or lost.right is None:  # before everything that we shall ever know
            return
        hole = Hole(lost.left.id, lost.left, max(lost.left.time, self.tape.watermark), now)
        hole.narrow(lost.right.id, lost.right)
        hole.take(lost.trades)
        hole.done = True
        self._open(hole)
        self._state(out, hole, received)

    def insert_late(self, out: Outcome, received: int, now: float) -> None:
        """Trades that others have overtaken, where REST is of no help."""
        for lost in self.window.take_late() if self.window else ():
            self.insert(out, lost, received, now)

    def catch_up(self, hole: Hole) -> None:
        """What was found after everything known is what is known now."""
        found = hole.in_order()
        newest = found[-1] if found else hole.left
        if newest is not None and (self.last is None or newest.id > self.last.id):
            self.last = newest
            if self.trusting:
                self.reached = max(self.reached, newest.time)

    def settle(self, out: Outcome, received: int) -> None:
        """Publish what was found of holes that are done, and say what became of them."""
        for hole in self.mending.ready():
            trades = hole.in_order()
            closing = self._missing(out, hole, trades, received)
            self.tape.mended(out, trades, received)
            if self.window is not None:
                self.window.insert(trades)
                self._lay_floor(hole, trades)
            if closing is not None:
                self._counts.closed += 1
                self.tape.state(out, closing, received)
        before = self.tape.watermark
        self.advance()
        if self.tape.watermark > before:  # whoever starts after us reads back to where the watermark began
            for hole in self.mending.holes:
                if hole.blocking:
                    self._state(out, hole, received)

    def give_up(self, out: Outcome, gap: Gap, received: int) -> None:
        """A gap stays open for good."""
        self._counts.given_up += 1
        self.mending.give_up(gap)
        self.tape.state(out, gap, received)

    def confirm(self, upto: Trade) -> None:
        """Every trade up to this one is known."""
        if self.window is not None:
            self.window.confirm(upto)
            floor = self.window.floor or upto
            self.entrance.forget(min([floor.time, *(hole.since for hole in self.mending.holes)]))

    def reach(self, time: int) -> None:
        """Nothing is missing up to a venue time (ms) but what lies in holes."""
        self.reached = max(self.reached, time)
        self.advance()

    def advance(self) -> None:
        """Let the watermark move as far as it may."""
        self.tape.watermark = max(self.tape.watermark, self._allowed())

    def _allowed(self) -> int:
        if not self.mending.holes:
            return self.reached
        blocked = self.mending.blocked
        return self.reached if blocked is None else min(self.reached, blocked)

    def _adjoins(self, trade: Trade, last: Trade | None) -> bool:
        """Whether nothing has to be said between a new trade and the one before it."""
        if last is None or self.mending.open_end is not None:
            return False
        return not self.consecutive or trade.first_id == last.id + 1

    def _before_all(self, trade: Trade) -> bool:
        """Whether a trade is older than our beginning, or of the minute that the venue itself may tell as a whole."""
        hole = self.mending.open_end
        return hole is not None and hole.left is None and trade.time < hole.since + (MINUTE if self.mending.fresh else 0)

    def _unlikely(self, trade: Trade) -> str | None:
        last = self.last
        if last is None:
            return None
        if trade.id <= last.id and trade.time > last.time + BEGUN_AGAIN_MS:
            return f"later than trade {last.id}: ids have begun again"
        if self.consecutive and trade.first_id - last.id > FARTHEST:
            return f"far beyond trade {last.id}"
        return None

    def _lead(self, out: Outcome, trade: Trade, received: int, now: float, *, overlaps: bool) -> bool:
        """Say what lies before a new trade. Returns whether it can be published: not when it was told as one with known ones."""
        hole, last = self.mending.open_end, self.last
        nothing = last is not None and (overlaps or (self.consecutive and trade.first_id == last.id + 1))
        if hole is not None and nothing and not hole.found:
            hole.done = True
            self.settle(out, received)
        hole = self.mending.open_end
        if hole is not None and hole.done:
            self._bound(out, hole, received)
            hole = None
        if hole is None and (last is None or not self.consecutive or trade.first_id == last.id + 1):
            return True
        publishable = last is None or trade.first_id > last.id
        if hole is None:
            assert last is not None  # without a trade known there is no break
            hole = Hole(last.id, last, max(last.time, self.reached), now)
            if not self.live:
                hole.reason = NOT_RECORDED
            self._open(hole)
        hole.narrow(trade.first_id if publishable else trade.id + 1, trade)
        self._state(out, hole, received)
        hole.done = overlaps
        self.mending.complete(hole)
        if not publishable:
            self.last = trade
        return publishable

    def _bound(self, out: Outcome, hole: Hole, received: int) -> None:
        """A hole with an open end was filled, but has to wait: trades after what filled it are not part of it."""
        assert self.last is not None
        hole.narrow(self.last.id + 1, self.last)
        self._state(out, hole, received)

    def _behind(self, out: Outcome, trade: Trade, received: int, now: float) -> None:
        """A trade that is not above all known: it fills a hole, or was overtaken, or is known."""
        hole = self.mending.holding(trade)
        unknown = (hole is None or trade.id not in hole.found) and not (self.window is not None and self.window.knows(trade.id))
        given_up = self.mending.gave_up(trade.id) or (hole is not None and hole.done)
        if hole is not None and not hole.done:
            hole.take([trade])
            self.mending.complete(hole)
        elif unknown and given_up:
            self.tape.set_aside(out, trade, "told after it had been given up", received)
        elif unknown and self.window is not None:
            self._counts.duplicates += not self.window.remember(trade)
            if not self.live:
                self.insert_late(out, received, now)
        else:
            self._counts.duplicates += 1

    def _lay_floor(self, hole: Hole, trades: Sequence[Trade]) -> None:
        """The first trade of all: what is older is nobody's business."""
        window = self.window
        if window is not None and window.floor is None and hole.after == NOTHING:
            first = hole.left or (trades[0] if trades else window.start)
            if first is not None:
                self.confirm(first)

    def _missing(self, out: Outcome, hole: Hole, trades: Sequence[Trade], received: int) -> Gap | None:
        """Give up what is missing of a hole. Returns what closes the rest.

        That comes before its trades are published: whoever starts after us takes what is below them for known.
        """
        lowest = next((gap for gap in hole.missing if gap.after_id == hole.after), None)
        for gap in hole.missing:
            if gap is not lowest:
                self.give_up(out, gap, received)
        if lowest is None:
            return hole.gap(open=False)
        closing = None
        if trades:
            since = max(hole.since, trades[0].time)
            rest = Gap(trades[0].first_id - 1, hole.before, since, max(since + 1, hole.until), hole.reason or BEING_FETCHED)
            closing = structs.replace(rest, open=False)
            self.tape.state(out, rest, received)
        self.give_up(out, lowest, received)
        return closing

    def _open(self, hole: Hole) -> None:
        self._counts.gaps += 1
        self.mending.add(hole)
        if len(self.mending.holes) > MOST_HOLES:
            self.mending.abandon(self.mending.holes[0], CROWDED)

    def _state(self, out: Outcome, hole: Hole, received: int) -> None:
        hole.stated = True
        self.tape.state(out, hole.gap(), received)
