"""Fetches a venue's past over REST: candles window by window, trades page by page from the end, into a journal.

What comes twice is kept once; what does not come though it was asked for is a hole.
"""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from producers.backfill_journal import Journal, Span
from producers.dialect import Dialect, Ids, Trade
from producers.failures import patiently
from producers.rest import Rest
from schemas.exact import plain
from schemas.market import Instrument

FAILING_S: Final = 60.0  # how long a request is repeated before the backfill gives up
_WINDOW: Final = 100  # candles a request: what every venue grants

Progress = Callable[[int], None]
"""Told how many milliseconds of the wanted time are done."""


async def candles(rest: Rest, journal: Journal, progress: Progress) -> None:
    """All candles of the wanted time that the venue has. Raises RestError when it does not answer for long."""
    wanted = journal.wanted
    assert wanted.timeframe
    step = rest.timeframes[wanted.timeframe]
    for span in journal.left():
        for window in _windows(span, step * _WINDOW):
            await _window(rest, journal, window, step, progress)


def _windows(span: Span, length: int) -> Iterator[Span]:
    for since in range(span.since, span.until, length):
        yield Span(since, min(since + length, span.until))


async def _window(rest: Rest, journal: Journal, window: Span, step: int, progress: Progress) -> None:
    """A venue may give fewer candles than asked for, from either end: what is left is asked for until nothing comes."""
    wanted = journal.wanted
    assert wanted.timeframe
    parts = [window]
    while parts:
        part = parts.pop()
        async for attempt in patiently(FAILING_S):
            with attempt:
                rows = await rest.candles(wanted.symbol, wanted.timeframe, part.since, part.until)
        known = Span(rows[0][0], rows[-1][0] + step) if rows else part
        journal.add([(row[0], *map(_plain, row[1:6])) for row in rows], known)
        progress(known.until - known.since)
        parts += [one for one in (Span(part.since, known.since), Span(known.until, part.until)) if one.since < one.until and rows]


def missing_candles(journal: Journal, step: int) -> list[Span]:
    """The stretches of the wanted time without candles."""
    holes, at = [], journal.wanted.since
    for time, *_ in journal.rows():
        assert isinstance(time, int)
        if time > at:
            holes.append(Span(at, time))
        at = time + step
    if at < journal.wanted.until:
        holes.append(Span(at, journal.wanted.until))
    return holes


async def trades(rest: Rest, dialect: Dialect, instrument: Instrument, journal: Journal, progress: Progress) -> None:
    """All trades of the wanted time that the venue has, from the end to the beginning. Raises RestError and FrameError."""
    wanted = journal.wanted
    pages = _Pages(rest, dialect, instrument)
    note = journal.note()
    before = msgspec.json.decode(note, type=Trade) if note else await pages.seek(wanted.until)
    while left := journal.left():
        page = await pages.page(before)
        if not page or (before is not None and not pages.older(page[0], before)):
            break  # it reaches no further back
        before = page[0]
        inside = [one for one in page if wanted.since <= one.time < wanted.until]
        # Of the oldest millisecond there may be more on the next page.
        done = Span(max(wanted.since, before.time + 1) if before.time >= wanted.since else wanted.since, left[-1].until)
        journal.add(
            [_row(one) for one in inside], done if done.since < done.until else None, msgspec.json.encode(before).decode()
        )
        progress(max(0, done.until - done.since))


class _Pages:
    """The venue's pages of trades, oldest first."""

    def __init__(self, rest: Rest, dialect: Dialect, instrument: Instrument) -> None:
        self._rest = rest
        self._dialect = dialect
        self._instrument = instrument
        self._numbered = dialect.ids(instrument) is not Ids.NAMED

    def older(self, one: Trade, other: Trade) -> bool:
        """Whether a trade came before another, by what tells it."""
        return one.id < other.id if self._numbered else one.time < other.time

    async def page(self, before: Trade | None) -> tuple[Trade, ...]:
        """The trades before one, or the newest; none when there are none or the venue reaches no further."""
        request = self._dialect.trades_request(self._instrument, before)
        if request is None:
            return ()
        async for attempt in patiently(FAILING_S):
            with attempt:
                return self._dialect.trades_page(self._instrument, await self._rest.ask(request))
        return ()

    async def seek(self, until: int) -> Trade | None:
        """A trade at or after a time, as near to it as can be found by asking for ids in between; None for the newest page.

        Where ids tell nothing, or the venue answers nothing but the newest, the way back is page by page.
        """
        newest = await self.page(None)
        if not newest or newest[0].time < until or not self._numbered:
            return None
        low, high = 0, newest[0]
        while high.id - low > 1:
            middle = (low + high.id) // 2
            page = await self.page(Trade(middle, middle, until, high.price, high.amount, taker_buy=True))
            if not page or page[-1].time < until:
                low = middle
            elif self.older(page[0], high):
                if page[0].time < until:
                    return next(one for one in page if one.time >= until)
                high = page[0]
            else:
                break
        return high


def missing_trades(journal: Journal, ids: Ids) -> list[Span]:
    """The stretches of the wanted time that were not reached, and where ids are consecutive those between trades that are not."""
    holes = journal.left()
    if ids is not Ids.CONSECUTIVE:
        return holes
    last: tuple[int, int] | None = None
    for time, trade_id, _, _, _, first_id, _ in journal.rows():
        assert isinstance(time, int)
        assert isinstance(trade_id, int)
        if last is not None and first_id != last[1] + 1:
            holes.append(Span(last[0], time))
        last = (time, trade_id)
    return sorted(holes)


def _row(one: Trade) -> tuple[int | str, ...]:
    side = "buy" if one.taker_buy else "sell"
    return one.time, one.id, plain(one.price), plain(one.amount), side, one.first_id, one.count


def _plain(value: object) -> str:
    return "" if value is None else str(value)
