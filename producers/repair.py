"""Fetches what is missing: trades backwards over REST, and for a first start the venue's own minutes."""

import asyncio
import logging
from typing import Final

from msgspec import Struct

from producers.clock import Clock
from producers.dialect import Dialect, FrameError, Ids, Request, Trade, VenueCandle
from producers.failures import RestError, patiently
from producers.outcome import Audit, Audited, Repair, Repaired
from producers.rest import Rest
from producers.tape import MINUTE
from schemas.market import HistoryCandle, Instrument

HISTORY_MINUTES: Final = 500
MOST_TRADES: Final = 30_000  # that one answer holds
FAILING_S: Final = 8.0  # how long a request is repeated
LAG_S: Final = 5.0  # how long REST may be behind the websocket
CACHED_MS: Final = 1_000  # how old an answer may be that looks new
_LAG_STEP_S: Final = 0.25
_PASTS_AT_ONCE: Final = 2  # first starts, each of several pages: what is missing now goes before them
BEHIND: Final = "the venue's REST is behind its websocket"
FORGOTTEN: Final = "the venue has no older trades"

_log = logging.getLogger(__name__)


class _Found(Struct):
    """Trades so far, by id as the dialect gives it; `failure` says why there are not more."""

    trades: dict[int, Trade] = {}
    bottom: bool = False
    top: bool = True
    failure: str | None = None
    again: bool = False

    def in_order(self, ids: Ids) -> tuple[Trade, ...]:
        """Oldest first; pages come newest first, each in the venue's order."""
        if ids is Ids.NAMED:
            return tuple(sorted(self.trades.values(), key=lambda trade: trade.time))
        return tuple(self.trades[key] for key in sorted(self.trades))


class _Wanted(Struct, frozen=True):
    """What to page back to and from."""

    instrument: Instrument
    ids: Ids
    after: Trade | None
    before: Trade | None
    since: int

    def reached(self, page: tuple[Trade, ...]) -> bool:
        """Whether a page goes back to the last trade that is known, or before the time from which all are wanted."""
        if self.after is None:
            return any(trade.time < self.since for trade in page)
        if self.ids is Ids.NAMED:
            return any(trade.time < self.after.time for trade in page)
        edge = self.after.id + 1 if self.ids is Ids.CONSECUTIVE else self.after.id
        return any(trade.first_id <= edge for trade in page)

    def begins(self, page: tuple[Trade, ...]) -> bool:
        """Whether nothing can be older: venues that count their trades count from 0 or 1."""
        return self.after is None and self.ids is Ids.CONSECUTIVE and page[0].first_id <= 1

    def has_newest(self, page: tuple[Trade, ...]) -> bool:
        """Whether a first page goes up to the first trade after the missing ones."""
        if self.before is None:
            return True
        if self.ids is Ids.NAMED:
            return any(trade.time >= self.before.time for trade in page)
        edge = self.before.id - 1 if self.ids is Ids.CONSECUTIVE else self.before.id
        return any(trade.id >= edge for trade in page)


class Fetcher:
    """Asks the REST interface of one venue, a few questions at a time. Whatever goes wrong is part of the answer."""

    def __init__(self, rest: Rest, dialect: Dialect, clock: Clock | None = None, at_once: int = 4) -> None:
        self._rest = rest
        self._dialect = dialect
        self._clock = clock or Clock()
        self._room = asyncio.Semaphore(at_once)
        self._past = asyncio.Semaphore(_PASTS_AT_ONCE)

    async def fetch(self, instrument: Instrument, wanted: Repair) -> Repaired:
        """All that is wanted, or what there is of it with the reason why there is not more."""
        ids = self._dialect.ids(instrument)
        since, complete_to = wanted.since, 0
        history: tuple[HistoryCandle, ...] = ()
        try:
            if wanted.history:
                async with self._past:
                    since, history = await self._history(instrument, wanted.since + MINUTE)
            async with self._room:
                if wanted.before is None:
                    complete_to = await self._time(wanted.seen)
                found = await self._missing(_Wanted(instrument, ids, wanted.after, wanted.before, since))
        except (RestError, FrameError) as error:
            found = _failed(_Found(), error)
        if found.failure is not None:
            _log.warning("%s %s: %s", instrument.venue, instrument.symbol, found.failure)
        return Repaired(
            wanted=wanted,
            trades=found.in_order(ids),
            bottom=found.bottom,
            top=found.top,
            failure=found.failure,
            again=found.again,
            complete_to=complete_to,
            since=since,
            history=history,
        )

    async def audit(self, instrument: Instrument, wanted: Audit) -> Audited:
        """The newest trades, back to the last one that was confirmed or as far as the venue goes."""
        async with self._room:
            try:
                complete_to = await self._time(wanted.seen)
                bounds = _Wanted(instrument, self._dialect.ids(instrument), wanted.after, None, 0)
                found = await self._newest(bounds)
            except (RestError, FrameError) as error:
                return Audited(wanted, failure=_told(error))
        if found.again:
            return Audited(wanted, failure=found.failure)
        return Audited(wanted, found.in_order(bounds.ids), complete_to, found.bottom)

    async def _time(self, seen: int) -> int:
        """A venue time that has passed, less what may still be on its way."""
        return (seen or await self._rest.time()) - max(self._dialect.margin_ms, CACHED_MS)

    async def _missing(self, bounds: _Wanted) -> _Found:
        """What is missing, once REST knows what the websocket has told already."""
        waited = 0.0
        while True:
            # Where ids do not show what is missing, only the newest page can show that REST is not behind.
            cursor = bounds.before if bounds.ids is Ids.CONSECUTIVE else None
            page = await self._page(bounds.instrument, cursor)
            if page is None:
                page = await self._page(bounds.instrument, None) or ()
            if bounds.has_newest(page) or waited >= LAG_S:
                break
            await self._clock.sleep(_LAG_STEP_S)
            waited += _LAG_STEP_S
        found = await self._back(bounds, page)
        if not bounds.has_newest(page):
            found.top, found.failure = False, found.failure or BEHIND
        return found

    async def _newest(self, bounds: _Wanted) -> _Found:
        page = await self._page(bounds.instrument, None) or ()
        if bounds.after is None or not page:
            return _Found({trade.id: trade for trade in page}, bottom=True)
        if bounds.ids is Ids.CONSECUTIVE:  # the newest is all that one wants to know
            return _Found({trade.id: trade for trade in page}, bottom=bounds.reached(page))
        return await self._back(bounds, page)

    async def _back(self, bounds: _Wanted, page: tuple[Trade, ...]) -> _Found:
        """Page by page, until everything wanted is there or the venue has no more."""
        found = _Found({trade.id: trade for trade in page})
        while not bounds.reached(page):
            if not page:
                found.failure = FORGOTTEN
                return found
            if len(found.trades) >= MOST_TRADES:
                found.failure = f"more than {MOST_TRADES} trades are missing"
                return found
            if bounds.begins(page):
                break
            try:
                older = await self._page(bounds.instrument, page[0])
            except (RestError, FrameError) as error:
                return _failed(found, error)
            if older is None:
                found.failure = f"REST reaches back no further than {len(found.trades)} trades"
                return found
            page = tuple(trade for trade in older if trade.id not in found.trades)
            found.trades.update((trade.id, trade) for trade in page)
        found.bottom = True
        return found

    async def _page(self, instrument: Instrument, before: Trade | None) -> tuple[Trade, ...] | None:
        """One page, oldest first; None where the venue cannot be asked for what is older."""
        request = self._dialect.trades_request(instrument, before)
        if request is None:
            return None
        async for attempt in patiently(FAILING_S, self._clock):
            with attempt:
                page = self._dialect.trades_page(instrument, await self._rest.ask(request))
        return page

    async def _history(self, instrument: Instrument, since: int) -> tuple[int, tuple[HistoryCandle, ...]]:
        """The venue's closed minutes before `since`, or before the first that it has not closed yet, and that time."""
        found: dict[int, VenueCandle] = {}
        before = since
        while len(found) < HISTORY_MINUTES:
            page = await self._candles(instrument, self._dialect.candles_request(instrument, before))
            older = {told.candle.open_time: told for told in page if told.candle.open_time < before}
            found |= older
            if not older:
                break
            before = min(older)
        since = min((time for time, told in found.items() if not told.closed), default=since)
        first = since - HISTORY_MINUTES * MINUTE
        return since, tuple(found[time].candle for time in sorted(found) if first <= time < since)

    async def _candles(self, instrument: Instrument, request: Request) -> tuple[VenueCandle, ...]:
        async for attempt in patiently(FAILING_S, self._clock):
            with attempt:
                page = self._dialect.candles_page(instrument, await self._rest.ask(request))
        return page


def _failed(found: _Found, error: RestError | FrameError) -> _Found:
    found.failure = _told(error)
    found.again = not isinstance(error, RestError) or error.again
    return found


def _told(error: Exception) -> str:
    return f"cannot be fetched: {' '.join(str(error).split())[:200]}"
