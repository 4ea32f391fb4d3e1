"""Fetches what a stream is missing: trades paged backwards over REST, and for a first start the venue's own minutes."""

import asyncio
import logging
from typing import Final

from producers.continuity import MINUTE, Repair, Repaired
from producers.dialect import Dialect, FrameError, Request, Trade, VenueCandle
from producers.rest import Rest, RestError, patiently
from schemas.market import HistoryCandle, Instrument

HISTORY_MINUTES: Final = 500
MOST_TRADES: Final = 30_000  # that one repair fetches
FAILING_S: Final = 30.0  # how long a request is repeated
LAG_S: Final = 5.0  # how long REST may be behind the websocket
_LAG_STEP_S: Final = 0.25

_log = logging.getLogger(__name__)


class Fetcher:
    """Carries out repairs of one venue, a few at a time."""

    def __init__(self, rest: Rest, dialect: Dialect, at_once: int = 4) -> None:
        self._rest = rest
        self._dialect = dialect
        self._room = asyncio.Semaphore(at_once)

    async def fetch(self, instrument: Instrument, wanted: Repair) -> Repaired:
        """All that is wanted, or what there is of it with the reason why there is not more."""
        async with self._room:
            since = wanted.since
            history: tuple[HistoryCandle, ...] = ()
            try:
                if wanted.history:
                    since, history = await self._history(instrument, wanted.since)
                found, failure = await self._trades(wanted, since)
            except (RestError, FrameError) as error:
                _log.warning("%s: cannot fetch what is missing: %s", instrument.symbol, error)
                return Repaired(since, failure=f"cannot be fetched: {error}", history=history)
        base = next((trade for trade in reversed(found) if not _within(trade, wanted, since)), None)
        return Repaired(since, tuple(trade for trade in found if _within(trade, wanted, since)), failure, base, history)

    async def newest(self, instrument: Instrument) -> tuple[int | None, int]:
        """The id of the newest trade, and the venue's time before it was asked for. Raises RestError or FrameError."""
        time = await self._rest.time()
        page = self._dialect.trades_page(
            instrument.market_id, await self._rest.ask(self._dialect.trades_request(instrument.market_id, None))
        )
        return max((trade.id for trade in page), default=None), time

    async def _trades(self, wanted: Repair, since: int) -> tuple[list[Trade], str | None]:
        """Trades oldest first, without holes at the end: REST may be behind the websocket for a while."""
        waited = 0.0
        while True:
            found, failure = await self._page_back(wanted, since)
            newest = found[-1].id if found else wanted.after_id
            if wanted.before_id is None or newest == wanted.before_id - 1 or waited >= LAG_S:
                return found, failure
            await asyncio.sleep(_LAG_STEP_S)
            waited += _LAG_STEP_S

    async def _page_back(self, wanted: Repair, since: int) -> tuple[list[Trade], str | None]:
        found: dict[int, Trade] = {}
        before = wanted.before_id
        while len(found) < MOST_TRADES:
            try:
                page = await self._page(wanted.market_id, before)
            except (RestError, FrameError) as error:
                if not found:
                    raise
                return [found[key] for key in sorted(found)], f"cannot be fetched: {error}"
            older = [trade for trade in page if before is None or trade.id < before]
            found |= {trade.id: trade for trade in older}
            if not older or not all(_within(trade, wanted, since) for trade in older):
                return [found[key] for key in sorted(found)], None
            before = min(trade.first_id for trade in older)
        return [found[key] for key in sorted(found)], f"more than {MOST_TRADES} trades are missing"

    async def _page(self, market_id: str, before: int | None) -> tuple[Trade, ...]:
        request = self._dialect.trades_request(market_id, before)
        async for attempt in patiently(FAILING_S):
            with attempt:
                page = self._dialect.trades_page(market_id, await self._rest.ask(request))
        return page

    async def _history(self, instrument: Instrument, since: int) -> tuple[int, tuple[HistoryCandle, ...]]:
        """The venue's closed minutes before `since`, or before the first that it has not closed yet, and that time."""
        found: dict[int, VenueCandle] = {}
        before = since
        while len(found) < HISTORY_MINUTES:
            page = await self._candles(instrument, self._dialect.candles_request(instrument.market_id, before))
            older = {told.candle.open_time: told for told in page if told.candle.open_time < before}
            found |= older
            if not older:
                break
            before = min(older)
        since = min((time for time, told in found.items() if not told.closed), default=since)
        first = since - HISTORY_MINUTES * MINUTE
        return since, tuple(found[time].candle for time in sorted(found) if first <= time < since)

    async def _candles(self, instrument: Instrument, request: Request) -> tuple[VenueCandle, ...]:
        async for attempt in patiently(FAILING_S):
            with attempt:
                page = self._dialect.candles_page(instrument, await self._rest.ask(request))
        return page


def _within(trade: Trade, wanted: Repair, since: int) -> bool:
    """Whether a trade is among those wanted: by id where the one before them is known, else by time."""
    return trade.id > wanted.after_id if wanted.after_id is not None else trade.time >= since
