"""Which trades are let in: possible ones, by ids that rise."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from producers.bursts import Run
from producers.dialect import Trade
from producers.numbering import Numbering
from producers.outcome import Counts, Outcome
from producers.tape import Tape
from producers.times import BELIEVABLE_MS, impossible

_ID: Final = attrgetter("id")
_TIME: Final = attrgetter("time")


class Entrance:
    """Of one stream. `numbering`: where the venue has names instead of ids."""

    def __init__(self, tape: Tape, numbering: Numbering | None, counts: Counts) -> None:
        self.numbering = numbering
        self._tape = tape
        self._counts = counts
        self._since = 0

    def forget(self, since: int) -> None:
        """Of times (ms) before `since`, every trade is known."""
        self._since = max(self._since, since)
        if self.numbering is not None:
            self.numbering.forget(self._since)

    def numbered(self, out: Outcome, trades: Sequence[Trade], received: int) -> Sequence[Trade]:
        """Trades by ids that rise, where the venue has names: possible ones only, and none that are long known."""
        if self.numbering is None:
            return trades
        possible = []
        for trade in sorted(trades, key=_TIME):
            reason = impossible(trade.time, received, None)
            if reason is not None:
                self._tape.set_aside(out, trade, reason, received)
            elif trade.time >= self._since:
                possible.append(trade)
            else:
                self._counts.duplicates += 1
        return self.numbering.numbered(possible)

    def checked(self, out: Outcome, trades: Sequence[Trade], received: int) -> list[Trade]:
        """What REST told, by rising ids and possible."""
        kept: list[Trade] = []
        for trade in sorted(self.numbered(out, trades, received), key=_ID):
            reason = impossible(trade.time, received, kept[-1].time if kept else None)
            if reason is None:
                kept.append(trade)
            else:
                self._tape.set_aside(out, trade, reason, received)
        return kept


def continue_from(last: Trade, trades: Sequence[Trade], received: int, *, consecutive: bool) -> bool:
    """Whether trades, all of them possible, go on from the last one in their order."""
    earliest, latest = max(1, last.time - BELIEVABLE_MS), received // 1000 + BELIEVABLE_MS
    if consecutive and isinstance(trades, Run):
        return trades.continues(last.id) and earliest <= min(trades.times) and max(trades.times) <= latest
    above = last.id
    for trade in trades:
        goes_on = trade.first_id == above + 1 if consecutive else trade.id > above
        if not (goes_on and earliest <= trade.time <= latest):
            return False
        above = trade.id
    return True
