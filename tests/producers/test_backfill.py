"""A backfill from simulated venues holds what they say they traded, however often it was interrupted."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from infra.settings import Settings
from infra.simulated.server import RunningVenue, running
from infra.simulated.venue import START_MS, SimulatedVenueConfig
from producers import backfill
from producers.backfill_journal import Journal, Span, Wanted
from producers.dialects import DIALECTS
from producers.instruments import Instruments
from producers.rest import Rest
from schemas.market import Instrument

MINUTE = 60_000
MINUTES = 240
SPOT = dict.fromkeys(("okx", "binance", "bybit", "bitget"), "BTC/USDT") | {"upbit": "BTC/KRW", "deribit": "BTC/USD:BTC"}
PAGED = ("okx", "binance", "bitget", "upbit", "deribit")  # Bybit's REST gives the newest trades only


@pytest.fixture
async def venue(request: pytest.FixtureRequest) -> AsyncIterator[RunningVenue]:
    """Hours after its market has closed."""
    end = START_MS + MINUTES * MINUTE
    config = SimulatedVenueConfig(seed=5, venues=(request.param,), speed=100_000, hold=False, minutes=MINUTES)
    async with running(config) as one:
        async with asyncio.timeout(30):
            while (await one.clock())["now"] < end + 30 * MINUTE:
                pass
        await one.clock(state="pause")
        yield one


async def opened(rest: Rest, tmp_path: Path) -> Instrument:
    instruments = Instruments(rest, DIALECTS[rest.venue], tmp_path / "instruments.json")
    (found,) = (await instruments.load([SPOT[rest.venue]])).checked(rest.venue)
    return found


def own_name(venue: RunningVenue, name: str) -> str:
    return next(key for key, one in venue.venues[name].board.listings.items() if one.name == SPOT[name])


@pytest.mark.parametrize("venue", SPOT, indirect=True)
async def test_candles_are_those_of_the_venue_s_trades(venue: RunningVenue, tmp_path: Path):
    """Each minute once; those without candles are the holes, and they are those without trades."""
    (name,) = venue.venues
    wanted = Wanted(name, SPOT[name], START_MS, START_MS + MINUTES * MINUTE, "1m")
    traded: dict[int, list[Decimal]] = {}
    for _, time, price, *_ in await venue.trades(name, own_name(venue, name)):
        traded.setdefault(time // MINUTE * MINUTE, []).append(Decimal(price))
    done: list[int] = []
    async with Rest(Settings(venue_url=venue.address, state=tmp_path), name) as rest:
        with Journal(tmp_path / "j", wanted) as journal:
            await backfill.candles(rest, journal, done.append)
            rows = {row[0]: tuple(Decimal(str(value)) for value in row[1:5]) for row in journal.rows()}
            holes = backfill.missing_candles(journal, MINUTE)
    expected = {minute: (told[0], max(told), min(told), told[-1]) for minute, told in traded.items()}
    assert {minute: row for minute, row in rows.items() if minute in expected} == expected
    empty = {time for hole in holes for time in range(hole.since, hole.until, MINUTE)}
    assert empty == set(range(wanted.since, wanted.until, MINUTE)) - rows.keys()
    assert not empty & expected.keys()
    assert sum(done) == wanted.until - wanted.since


@pytest.mark.parametrize("venue", PAGED, indirect=True)
async def test_trades_are_those_of_the_venue_s_ledger(venue: RunningVenue, tmp_path: Path):
    """Of an hour in the middle of the run: every one, once, in order, also when it is interrupted again and again."""
    (name,) = venue.venues
    since, until = START_MS + 60 * MINUTE, START_MS + 120 * MINUTE
    wanted = Wanted(name, SPOT[name], since, until, None)
    async with Rest(Settings(venue_url=venue.address, state=tmp_path), name) as rest:
        instrument = await opened(rest, tmp_path)
        pages = 0

        def interrupt(_: int) -> None:
            nonlocal pages
            pages += 1
            if pages % 2 == 0:
                raise KeyboardInterrupt

        for _ in range(200):
            with Journal(tmp_path / "j", wanted) as journal:
                try:
                    await backfill.trades(rest, DIALECTS[name], instrument, journal, interrupt)
                except KeyboardInterrupt:
                    continue
                rows = list(journal.rows())
                assert backfill.missing_trades(journal, DIALECTS[name].ids(instrument)) == []
                break
    assert pages >= 1
    ledger = Counter[tuple[int, str, Decimal]]()
    for _, time, price, amount, side in await venue.trades(name, own_name(venue, name)):
        if since <= time < until:
            ledger[time, side, Decimal(price)] += Decimal(amount)  # type: ignore[assignment]
    found = Counter[tuple[int, str, Decimal]]()
    for time, _, price, amount, side, *_ in rows:
        found[int(time), str(side), Decimal(str(price))] += Decimal(str(amount))  # type: ignore[assignment]
    assert len(rows) > 100
    assert found == ledger
    assert all(earlier[1] < later[1] for earlier, later in pairwise(rows))


@pytest.mark.parametrize("venue", ["bybit"], indirect=True)
async def test_what_the_venue_no_longer_has_is_a_hole(venue: RunningVenue, tmp_path: Path):
    """Its REST reaches back some trades: all before them is missing, and said to be."""
    wanted = Wanted("bybit", SPOT["bybit"], START_MS, START_MS + MINUTES * MINUTE, None)
    async with Rest(Settings(venue_url=venue.address, state=tmp_path), "bybit") as rest:
        instrument = await opened(rest, tmp_path)
        with Journal(tmp_path / "j", wanted) as journal:
            await backfill.trades(rest, DIALECTS["bybit"], instrument, journal, lambda _: None)
            first, *_ = journal.rows()
            (hole,) = backfill.missing_trades(journal, DIALECTS["bybit"].ids(instrument))
            assert journal.count() in (59, 60)  # of the oldest millisecond there may have been more
    assert hole == Span(START_MS, int(first[0]) + 1)


def test_candles_that_are_missing_are_found_between_those_that_are_not(tmp_path: Path):
    """At both ends too."""
    row = ("1", "1", "1", "1", "1")
    with Journal(tmp_path / "j", Wanted("okx", "BTC/USDT", 0, 10 * MINUTE, "1m")) as journal:
        journal.add([(time * MINUTE, *row) for time in (2, 3, 7)])
        holes = backfill.missing_candles(journal, MINUTE)
    assert holes == [Span(0, 2 * MINUTE), Span(4 * MINUTE, 7 * MINUTE), Span(8 * MINUTE, 10 * MINUTE)]
