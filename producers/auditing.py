"""What becomes of REST's newest trades, held against what a stream knows."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from producers.dialect import Trade
from producers.known import Known
from producers.outcome import Audited, Counts, Outcome
from producers.window import Compared, Window
from schemas.market import Gap

UNREACHED: Final = "not verified: REST does not reach back so far"


class Verdict(NamedTuple):
    """`deaf`: REST has trades after our last that should have come. `conclusive`: it said what it was asked."""

    deaf: bool
    conclusive: bool


class Auditor:
    """Of one stream."""

    def __init__(self, known: Known, counts: Counts) -> None:
        self._known = known
        self._counts = counts

    def compare(self, out: Outcome, page: Audited, received: int, now: float) -> Verdict:
        """Put what was lost where it belongs, and let the watermark pass what REST confirms.

        Where ids show what is missing, REST need only confirm that there is nothing newer.
        """
        known = self._known
        if known.mending.blocked is not None:
            return Verdict(deaf=False, conclusive=False)
        trades = known.entrance.checked(out, page.trades, received)
        last, watermark = known.last, known.tape.watermark
        settled = [trade for trade in trades if trade.time < page.complete_to]
        newer = [trade for trade in settled if (trade.id > last.id if last else trade.time >= watermark)]
        compared = self._between(out, page, trades, received, now)
        if newer:
            self._after(out, page, trades, newer, received, now)
        if known.mending.blocked is not None:
            return Verdict(bool(newer), conclusive=False)
        if compared is not None:
            if compared.upto is not None:
                known.confirm(compared.upto)
            known.reach(compared.reached)
        elif known.window is None and not newer and (last is None or (trades and trades[-1].id >= last.id)):
            known.reach(page.complete_to)
        return Verdict(bool(newer), known.window is None or compared is not None)

    def look_around(self, out: Outcome, trades: Sequence[Trade], received: int, now: float) -> None:
        """REST was asked for something else, and tells trades that we lack besides: older ones have to be published first."""
        window = self._known.window
        if window is None or not trades:
            return
        for lost in window.compare(trades, 0, reached=True).lost:
            outside = self._known.mending.holding(lost.trades[0]) is None
            if outside and lost.right is not None and self._known.mending.take_back(lost.trades[0].id, trades[0].id):
                self._known.insert(out, lost, received, now)

    def give_up(self, out: Outcome, reason: str, received: int, now: float) -> None:
        """REST does not answer: what came is taken for what there was, and said not to be verified."""
        known, window, last = self._known, self._known.window, self._known.last
        if window is None or window.start is None or last is None or known.mending.blocked is not None:
            return
        if last.id > window.start.id:
            known.insert_late(out, received, now)
            known.settle(out, received)
            self._doubt(out, window.start, last, reason, received)
            known.confirm(last)
            known.reach(last.time)

    def _between(self, out: Outcome, page: Audited, trades: Sequence[Trade], received: int, now: float) -> Compared | None:
        """Where ids do not show it: what is missing between trades that are known. None when the page does not tell."""
        known, window = self._known, self._known.window
        if window is None or (window.start is not None and page.wanted.after is None):
            return None  # it was asked before it was known how far back to ask
        compared = window.compare(trades, page.complete_to, reached=page.reached or _overlaps(trades, window))
        for lost in compared.lost:
            if lost.right is not None and known.mending.take_back(lost.trades[0].id, trades[0].id):
                known.insert(out, lost, received, now)
        known.settle(out, received)
        if compared.unverified is not None:
            self._doubt(out, *compared.unverified, UNREACHED, received)
        return compared

    def _after(self, out: Outcome, page: Audited, trades: Sequence[Trade], newer: list[Trade], received: int, now: float) -> None:
        """What is missing after everything known: REST has it, and more may come between what it has and what we have."""
        known, last = self._known, self._known.last
        known.begin(out, received, now)
        end = known.mending.open_end
        assert end is not None  # begin leaves one
        adjoins = page.wanted.after is not None and page.reached
        known.mending.take_page(end, newer, joins=adjoins or (last is not None and trades[0].id <= last.id))
        if end.done:
            known.catch_up(end)
        known.settle(out, received)

    def _doubt(self, out: Outcome, left: Trade, right: Trade, reason: str, received: int) -> None:
        """Between these two trades, something may be missing that nobody can tell."""
        self._counts.unverified += 1
        since = max(left.time, self._known.tape.watermark)
        self._known.give_up(out, Gap(left.id, right.id, since, max(since, right.time) + 1, reason), received)


def _overlaps(trades: Sequence[Trade], window: Window) -> bool:
    return bool(trades) and window.start is not None and trades[0].id <= window.start.id
