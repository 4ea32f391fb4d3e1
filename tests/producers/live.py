"""A venue's feeds on the simulated venue, with a list in place of Kafka: what the tests of the edges share."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from infra.settings import Settings
from infra.simulated.server import RunningVenue
from infra.simulated.venue import START_MS
from producers.clock import Clock
from producers.continuity import Position, Stream
from producers.dialect import Kind
from producers.dialects import DIALECTS
from producers.feed import Edges, Feed
from producers.instruments import Instruments
from producers.lines import lines
from producers.rates import Pace
from producers.repair import Fetcher
from producers.rest import Rest
from producers.session import Session
from producers.tally import Tally
from schemas import exact
from schemas.codec import Record
from schemas.market import Gap, Instrument, Notice, Trades

PATIENCE_S = 60.0

Row = tuple[int, Decimal, Decimal, str]
"""A trade's time, price, amount and taker's side."""


async def until(holds: Callable[[], Awaitable[bool]] | Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    """Wait for something to hold; fails when it takes too long."""
    async with asyncio.timeout(seconds):
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


class Outlet:
    """Takes records as Kafka does, as long as it is open."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.open = asyncio.Event()
        self.open.set()

    @property
    def full(self) -> bool:
        return not self.open.is_set()

    async def room(self) -> None:
        await self.open.wait()

    def put(self, records: Iterable[Record]) -> None:
        self.records.extend(records)


class Running:
    """The feeds of some instruments of one venue, and what they have published."""

    def __init__(self, name: str, venue: RunningVenue, sessions: Sequence[Session], outlet: Outlet, tally: Tally) -> None:
        self.name = name
        self.outlet = outlet
        self.tally = tally
        self.sessions = sessions
        self.instruments = {one.symbol: one for session in sessions for one in session.instruments.values()}
        self.streams = {one.instrument.symbol: one for session in sessions for one in session.streams.values()}
        self._venue = venue

    def published(self, kind: type) -> list:
        return [record for record in self.outlet.records if isinstance(record, kind)]

    def records(self, symbol: str) -> list[Trades]:
        return [record for record in self.published(Trades) if record.symbol == symbol]

    def ids(self, symbol: str) -> list[int]:
        return [one for record in self.records(symbol) for one in record.ids]

    def notices(self, kind: str) -> list[Notice]:
        return [notice for notice in self.published(Notice) if notice.kind == kind]

    async def ledger(self, symbol: str) -> list[Row]:
        """What the venue has traded since its start."""
        return await ledger(self._venue, self.name, self.instruments[symbol])

    async def caught_up(self) -> None:
        """Stop the market, and wait until its last trades are here or in a gap that is open for good."""
        await self._venue.clock(self.name, state="pause")
        traded = {symbol: await self.ledger(symbol) for symbol in self.streams}

        def settled() -> bool:
            return all(
                not (stream.open_gaps or unexplained(self.records(symbol), traded[symbol]))
                for symbol, stream in self.streams.items()
            )

        await until(settled)

    async def check(self, *, whole: bool = True) -> None:
        """Everything is here as the venue has it; unless it has to be `whole`, something may be missing in open gaps."""
        for symbol in self.streams:
            verify(self.records(symbol), await self.ledger(symbol), whole=whole)


def rows(records: Iterable[Trades]) -> list[Row]:
    """Every trade of the run once for each time that it was published, by rising ids.

    Some venues begin with the last trade before the run.
    """
    found = []
    for record in records:
        columns = (record.ids, record.times, record.prices, record.amounts, record.taker_buys)
        for one, time, price, amount, buy in zip(*columns, strict=True):
            scaled = exact.from_scaled(price, record.price_scale), exact.from_scaled(amount, record.amount_scale)
            if time >= START_MS:
                found.append((one, (time, *scaled, "buy" if buy else "sell")))
    return [row for _, row in sorted(found)]


def gaps(records: Iterable[Trades]) -> list[Gap]:
    """Those that are open at the end."""
    found = {record.gap.after_id: record.gap for record in records if record.gap is not None}
    return [gap for gap in found.values() if gap.open]


def missing(records: Sequence[Trades], traded: Sequence[Row]) -> list[Row]:
    """What the venue has traded and was not published."""
    return list((Counter(traded) - Counter(rows(records))).elements())


def unexplained(records: Sequence[Trades], traded: Sequence[Row]) -> list[Row]:
    """What is missing and lies in no open gap."""
    known = gaps(records)
    return [row for row in missing(records, traded) if not any(gap.since <= row[0] < gap.until for gap in known)]


def verify(records: Sequence[Trades], traded: Sequence[Row], *, whole: bool = True) -> None:
    """Every trade is here once, as the venue has it; each kind of record in order; no watermark lies.

    Unless it has to be `whole`, what REST has no more may be missing in open gaps.
    """
    told = rows(records)
    assert unexplained(records, traded) == []
    assert not (whole and missing(records, traded))
    assert Counter(told) <= Counter(traded)
    assert [row[0] for row in told] == sorted(row[0] for row in told)
    ids = [one for record in records for one in record.ids]
    assert len(ids) == len(set(ids))
    live = [one for record in records if record.kind == "live" for one in record.ids]
    assert live == sorted(live)
    assert all(earlier.watermark <= later.watermark for earlier, later in pairwise(records))
    assert all(time >= earlier.watermark for earlier, later in pairwise(records) for time in later.times)


async def ledger(venue: RunningVenue, name: str, instrument: Instrument) -> list[Row]:
    """What a venue has traded since its start. Where it calls two markets the same, they go by their symbols."""
    own = instrument.market_id
    known = await venue.ledger(name)
    told = await venue.trades(name, own if own in known else instrument.symbol)
    return [(time, Decimal(price), Decimal(amount), side) for _, time, price, amount, side in told]


async def instruments(venue: RunningVenue, name: str, symbols: Sequence[str], state: Path) -> tuple[Instrument, ...]:
    """The venue's own description of these."""
    async with Rest(Settings(venue_url=venue.address, state=state), name) as rest:
        return (await Instruments(rest, DIALECTS[name], state / f"{name}.json").load(symbols)).checked(name)


@contextlib.asynccontextmanager
async def following(
    venue: RunningVenue,
    name: str,
    symbols: Sequence[str],
    state: Path,
    *,
    positions: Mapping[str, Position] | None = None,
    scale: float = 1.0,
) -> AsyncIterator[Running]:
    """Feeds of these symbols, for as long as the block lasts, on a clock that is `scale` times as fast as the real one."""
    settings = Settings(venue_url=venue.address, state=state)
    dialect, clock, outlet, tally = DIALECTS[name], Clock(scale), Outlet(), Tally()
    known = positions or {}
    listed = await instruments(venue, name, symbols, state)
    sessions = []
    for line in lines(dialect, listed):
        told = {channel.market_id for channel in line.channels if channel.kind is Kind.TRADES}
        streams = {
            one.market_id: Stream(
                one,
                dialect.ids(one),
                dialect.recent_trades(one),
                "live",
                known.get(one.symbol),
                tally.counts,
                clock.now(),
                dialect.margin_ms,
            )
            for one in line.instruments
            if one.market_id in told
        }
        sessions.append(Session(dialect, line, streams, f"{name}#{len(sessions)}", tally))
    async with Rest(settings, name) as rest:
        edges = Edges(
            dialect=dialect,
            hosts=(f"{venue.ws_address}/{name}",),
            rest=rest,
            fetcher=Fetcher(rest, dialect),
            publisher=outlet,
            clock=clock,
            connects=Pace(state / "rates.sqlite", f"{name} connects", 1.0),
            snapshots=asyncio.Semaphore(2),
            listed=lambda: None,
        )
        tasks = [asyncio.create_task(Feed(session, edges).run()) for session in sessions]
        try:
            yield Running(name, venue, sessions, outlet, tally)
            for task in tasks:
                assert not task.done(), task.exception()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
