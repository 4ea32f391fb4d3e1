"""A feed on the simulated venue, with a list in place of Kafka: what the tests of the edges share."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import pairwise

from infra.settings import Settings
from infra.simulated.server import RunningVenue
from producers import feed
from producers.continuity import Counts, Position, Stream
from producers.dialects import DIALECTS
from producers.repair import Fetcher
from producers.rest import Rest
from producers.session import Session
from schemas.codec import Record
from schemas.market import Instrument, Trades

PATIENCE_S = 60.0
OKX = DIALECTS["okx"]


async def until(holds: Callable[[], Awaitable[bool]] | Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    """Wait for something to hold; fails when it takes too long."""
    async with asyncio.timeout(seconds):
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


class Running:
    """One session, kept connected, and what it has published."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.published: list[Record] = []
        self.open = asyncio.Event()
        self.open.set()

    async def publish(self, record: Record) -> None:
        await self.open.wait()
        self.published.append(record)

    def records(self, market_id: str) -> list[Trades]:
        return [one for one in self.published if isinstance(one, Trades) and one.market_id == market_id]

    def ids(self, market_id: str) -> list[int]:
        return [trade_id for record in self.records(market_id) for trade_id in record.ids]

    async def caught_up(self, venue: RunningVenue) -> None:
        """Stop the market, and wait until its last trades are here."""
        await venue.clock(state="pause")
        ledger = await venue.ledger()

        def all_here() -> bool:
            return all((self.ids(one) or [None])[-1] == ledger[one]["last_id"] for one in self.session.streams)

        await until(all_here)

    def check(self, ledger: dict[str, dict[str, int | None]]) -> None:
        """Every trade of the run is here once and in order, none of them behind a watermark."""
        for market_id in self.session.streams:
            first, last = ledger[market_id]["first_id"], ledger[market_id]["last_id"]
            assert self.ids(market_id) == ([] if first is None else list(range(first, last + 1))), market_id
            records = self.records(market_id)
            assert not [record.gap for record in records if record.gap]
            assert all(earlier.watermark <= later.watermark for earlier, later in pairwise(records))
            assert all(time >= earlier.watermark for earlier, later in pairwise(records) for time in later.times)


async def instruments(venue: RunningVenue, symbols: Sequence[str]) -> list[Instrument]:
    """The venue's own description of these."""
    async with Rest(Settings(venue_url=venue.url)) as rest:
        return await rest.instruments(OKX, symbols)


@contextlib.asynccontextmanager
async def following(
    venue: RunningVenue, symbols: Sequence[str], positions: dict[str, Position] | None = None
) -> AsyncIterator[Running]:
    """A feed of these symbols, for as long as the block lasts."""
    counts, known = Counts(), positions or {}
    async with Rest(Settings(venue_url=venue.url)) as rest:
        listed = await rest.instruments(OKX, symbols)
        streams = {one.market_id: Stream(one, "live", known.get(one.market_id), counts, time.monotonic()) for one in listed}
        running = Running(Session(OKX, streams, "okx#0", counts))
        url = venue.ws_url + OKX.path
        edges = feed.Edges(OKX, rest, Fetcher(rest, OKX), running.publish, url)
        task = asyncio.create_task(feed.run(running.session, edges))
        try:
            yield running
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
