"""Continuity of one instrument's trades: which are known, which are missing, and up to when the feed is complete.

What is missing enters the stream at once as a gap that is being fetched; what REST finds follows as `repair`, then the gap is
closed, or stays open for a reason. Until then the watermark waits at the gap; live trades do not. Where ids do not show what is
missing, the watermark passes only what REST has confirmed.

Venue times are epoch milliseconds, `received` is epoch microseconds, `now` seconds of a clock that never runs back.
"""

from collections.abc import Sequence
from typing import Final

from producers.auditing import Auditor
from producers.dialect import Ids, Told, Trade
from producers.known import Known
from producers.outcome import Audit, Audited, Counts, Outcome, Position, Repair, Repaired, Unfinished
from producers.silence import Silence
from producers.tape import MINUTE
from producers.watch import Watch
from schemas.market import Gap, Instrument, TradesKind

__all__ = ["MINUTE", "Audit", "Audited", "Counts", "Outcome", "Position", "Repair", "Repaired", "Stream", "Unfinished"]

VERIFIED_WITHIN_S: Final = 60.0  # how long candles wait for REST to confirm what ids do not show


class Stream:
    """One instrument. Every method is pure but for the stream's own memory, and returns what is to be done.

    What an `Outcome` wants is asked of REST (`producers.repair.Fetcher`), and every answer is handed back, failures too, even
    when the connection was lost meanwhile. At most one `Repair` and one `Audit` of a stream are under way at any time.
    """

    def __init__(
        self,
        instrument: Instrument,
        ids: Ids,
        reach: int,
        kind: TradesKind,
        position: Position | None,
        counts: Counts,
        now: float,
        margin_ms: int = 0,
    ) -> None:
        """`reach` is `dialect.recent_trades`, `margin_ms` the dialect's. `kind`: `live`, or `replay`: then REST is not asked."""
        self.instrument = instrument
        self.deaf = 0
        """How often in a row REST knew trades that we were not sent (1 resubscribe, 2 reconnect, 3 next host)."""
        self.silence = Silence(now)
        self._margin_ms = margin_ms
        self._counts = counts
        self._known = Known(instrument, ids, kind, position, counts)
        self._mending = self._known.mending
        self._auditor = Auditor(self._known, counts)
        for unfinished in position.unfinished if position else ():
            self._mending.resume(unfinished, self.last, now)
        self._watch = Watch(ids, reach, margin_ms)
        self._early = False

    @property
    def last(self) -> Trade | None:
        """The newest trade known."""
        return self._known.last

    @property
    def watermark(self) -> int:
        """Venue time before which every trade was published or lies in a gap that was given up."""
        return self._known.tape.watermark

    @property
    def fresh(self) -> bool:
        """Whether nothing of this instrument was ever published."""
        return self._mending.fresh

    @property
    def open_gaps(self) -> tuple[Gap, ...]:
        """The gaps that REST is still asked for, by rising ids."""
        return tuple(hole.gap() for hole in self._mending.holes)

    def joined(self, server_time: int, received: int, now: float) -> Outcome:
        """A subscription was acknowledged (or sent, where the venue does not), the first or again, at a venue time.

        Not to be called for a second connection while the first still brings everything.
        """
        out = Outcome()
        if not self._known.live:
            return out
        if not self._early:
            self._join(out, server_time, received, now)
        self._early = False
        self._want_repair(out, now)
        return out

    def arrived(self, trades: Sequence[Trade], received: int, event_time: int, now: float, *, snapshot: bool = False) -> Outcome:
        """Trades that were read together. `event_time`: ms at which the venue sent the newest of it, 0 where it does not say.

        `snapshot`: old trades that the venue repeats on subscribing; to be handed over by themselves, after `joined` or before.
        """
        out = Outcome()
        known = self._known
        if self._mending.joined is None and known.live and trades:
            self._early = True  # some venues are faster than their own acknowledgement
            self._join(out, max(trade.time for trade in trades), received, now)
        if known.entrance.numbering is not None:
            trades = known.entrance.numbered(out, trades, received)
        if not snapshot and known.follows(trades, received):
            known.publish(out, trades, received, event_time)
            new = len(trades)
        else:
            new = known.sort_out(out, trades, received, event_time, now, snapshot=snapshot)
            self._watch.unconfirmed += known.window is not None and known.window.waits
        if new and not snapshot:
            self.silence.arrived(now)
            self.deaf = 0
        self._watch.unconfirmed += new
        if self._watch.full() and self._mending.blocked is None:
            self._want_audit(out, now, doubted=False)
        return out

    def told(self, told: Told, received: int, now: float) -> Outcome:
        """The venue says what the last trade was: that nothing is missing up to then, or that a trade has not come yet.

        Only its id proves the first: another trade may have the same price and amount, and those of one order the same time. In a
        recording, where nobody can be asked, the rest has to do.
        """
        out = Outcome()
        known = self._known
        if known.live:
            self._watch.see(told.time, now)
        if known.last is None or told.time <= known.last.time:
            return out
        ours = _is(told, known.last)
        if ours is None:
            return out
        self.silence.told(now, known=ours)
        if not ours or (known.live and told.trade_id is None) or self.silence.suspected or not known.trusting:
            return out
        hole = self._mending.open_end
        if hole is not None and not hole.done:
            hole.done = True
            known.settle(out, received)
        if self._mending.open_end is None:
            known.reach(told.time - self._margin_ms)
            known.tape.beat(out, received)
        return out

    def repaired(self, found: Repaired, received: int, now: float) -> Outcome:
        """The answer to a `Repair`."""
        out = Outcome()
        known = self._known
        self._counts.repairs += 1
        if self.fresh and found.wanted.history and (found.history or not found.again):
            self._mending.fresh = False
            if found.history:
                known.tape.history(out, found.history, received)
        trades = known.entrance.checked(out, found.trades, received)
        self._auditor.look_around(out, trades, received, now)
        for hole in self._mending.answered(found, trades, now):
            known.tape.state(out, hole.gap(), received)
        end = self._mending.open_end
        if end is not None and end.done:
            known.catch_up(end)
            if known.trusting:
                known.reached = max(known.reached, found.complete_to)
        elif end is not None and known.last is None:
            known.last = end.left
        known.settle(out, received)
        known.tape.beat(out, received)
        self._want_repair(out, now)
        return out

    def audited(self, page: Audited, received: int, now: float) -> Outcome:
        """The answer to an `Audit`. While something is being fetched it says nothing new, and is asked for again."""
        out = Outcome()
        self._counts.audits += 1
        self._watch.answered(now, failed=page.failure is not None)
        if page.failure is not None:
            if self._watch.failing(now) > VERIFIED_WITHIN_S:
                self._auditor.give_up(out, f"not verified: {page.failure}", received, now)
        else:
            found = self._auditor.compare(out, page, received, now)
            self._watch.unconfirmed += not found.conclusive
            if found.deaf:
                self.deaf += 1
                self.silence.restart(now)
            elif found.conclusive:
                self.silence.confirmed(now)
        self._known.tape.beat(out, received)
        return out

    def tick(self, venue_time_seen: int, received: int, now: float) -> Outcome:
        """Time passes: a few times a second. `venue_time_seen`: the newest venue time (ms) seen on the stream's connection."""
        out = Outcome()
        if not self._known.live:
            return out
        self._watch.see(venue_time_seen, now)
        self._want_repair(out, now)
        if self._mending.joined is not None and self._mending.blocked is None:
            self._want_audit(out, now, doubted=self.silence.ask(now))
        self._known.tape.beat(out, received)
        return out

    def left(self, received: int, now: float) -> Outcome:
        """The connection was lost, or is being left with no other to take its place."""
        out = Outcome()
        if self._known.live and self.watermark:
            self._mending.joined = None
            self._early = False
            self.silence.restart(now)
            self._known.begin(out, received, now)
        return out

    def close(self, reason: str, received: int) -> Outcome:
        """The feed ends for good, as a recording does: the minute it was in is as complete as it will ever be."""
        out = Outcome()
        last, tape = self.last, self._known.tape
        if last is None:
            return out
        since = max(last.time, self.watermark)
        end = -(-max(last.time + 1, self.watermark) // MINUTE) * MINUTE
        if since < end:
            tape.state(out, Gap(last.id, last.id + 1, since, end, reason), received)
        tape.watermark = end
        tape.beat(out, received)
        return out

    def _join(self, out: Outcome, server_time: int, received: int, now: float) -> None:
        known = self._known
        self._watch.see(server_time, now)
        self.silence.restart(now)
        if not self.watermark:
            # The minute that has just ended is taken from the venue, or made of trades where the venue has not closed it yet.
            known.reached = known.tape.watermark = server_time // MINUTE * MINUTE - MINUTE
        self._mending.joined = now
        known.begin(out, received, now)

    def _want_repair(self, out: Outcome, now: float) -> None:
        floor = self._known.window.floor if self._known.window else None
        wanted = self._mending.wanted(self.instrument.market_id, now, self._watch.seen(now), floor)
        if wanted is not None:
            out.wanted.append(wanted)

    def _want_audit(self, out: Outcome, now: float, *, doubted: bool) -> None:
        """`doubted`: the stream is too quiet."""
        if not (self._watch.due(self.watermark, now) or (doubted and self._watch.free(now))):
            return
        floor = self.last if self._known.window is None else self._known.window.start
        self._watch.asked(now)
        out.wanted.append(Audit(self.instrument.market_id, floor, 0 if doubted else self._watch.seen(now)))


def _is(told: Told, last: Trade) -> bool | None:
    """Whether the venue's last trade is ours; None when what it says is older, or tells nothing.

    An amount of 0 is what a venue tells in a ticker that it repeats without a new trade.
    """
    if told.trade_id is not None:
        return told.trade_id == last.id if told.trade_id >= last.id else None
    if told.trade_time is not None and told.trade_time < last.time:
        return None
    if told.price is None:
        return None if told.trade_time is None else told.trade_time == last.time
    as_one = last.first_id != last.id
    return (
        told.price == last.price
        and (as_one or told.amount is None or told.amount in {0, last.amount})
        and (told.trade_time is None or told.trade_time == last.time)
    )
