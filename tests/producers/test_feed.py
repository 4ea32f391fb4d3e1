"""Real websockets to the simulated venues: whatever they do, every trade arrives once, in order, and none is forgotten.

Faults run on a watch that is ten times as fast as a real one, on both sides of the wire.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.simulated.server import RunningVenue, running
from infra.simulated.venue import START_MS, SimulatedVenueConfig
from producers.continuity import Position
from producers.outcome import Counts
from schemas.market import Book, DeadLetter, Quote, VenueCandle
from tests.producers.live import Running, following, missing, until, verify

HASTE = 10.0
# One whose ids show what is missing, and one whose ids do not. All venues, with Kafka: tests/faults.
VENUES = {"okx": ["BTC/USDT", "BTC/USD:BTC"], "bybit": ["BTC/USDT", "BTC/USDT:USDT"]}
FAULTS: dict[str, dict[str, Any]] = {
    "disconnect": {},
    "notice": {"seconds": 3},
    "garbage": {},
    "binary": {},
    "huge": {"count": 900},
    "skip": {"count": 5},
    "duplicate": {"count": 20},
    "reorder": {"count": 4},
    "book_break": {"count": 3},
    "silence": {"seconds": 25},
    "heartbeats_only": {"seconds": 25},
    "stale": {"seconds": 30, "count": 30},
    "rate_limit": {"seconds": 6},
    "server_error": {"seconds": 6},
    "maintenance": {"seconds": 10},
    "slow_drip": {"seconds": 6, "count": 200},
    "half_open": {"seconds": 40},
    "clock_skew": {"seconds": 10, "count": 700},
}
# What can be seen of a fault on every venue that has it.
SEEN: dict[str, Callable[[Running], bool]] = {
    "disconnect": lambda feed: feed.tally.reconnects["connection closed"] > 0,
    "garbage": lambda feed: feed.tally.dead_letters > 0,
    "binary": lambda feed: feed.tally.dead_letters > 0,
    "huge": lambda feed: feed.tally.dead_letters > 0,
    "skip": lambda feed: feed.tally.counts.gaps > len(feed.streams),
    "duplicate": lambda feed: feed.tally.counts.duplicates >= 20,
    "silence": lambda feed: feed.tally.counts.repaired > 20 and feed.tally.reconnects.total() > 0,
    "heartbeats_only": lambda feed: feed.tally.counts.repaired > 20,
    "maintenance": lambda feed: bool(feed.notices("maintenance")) and feed.tally.reconnects.total() > 0,
    "half_open": lambda feed: feed.tally.reconnects.total() > 0,
}


@asynccontextmanager
async def at(name: str, *, haste: float = HASTE, **config: Any) -> AsyncIterator[RunningVenue]:
    async with running(SimulatedVenueConfig(seed=11, venues=(name,), haste=haste, **config)) as venue:
        yield venue


async def more(feed: Running, count: int) -> None:
    """Wait for so many more trades of each."""
    before = {symbol: len(feed.ids(symbol)) for symbol in feed.streams}
    await until(lambda: all(len(feed.ids(symbol)) >= before[symbol] + count for symbol in feed.streams))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", VENUES)
async def test_after_a_fault_every_trade_is_here_once_or_lies_in_an_open_gap(name: str, fault: str, tmp_path: Path):
    numbers = FAULTS[fault]
    async with at(name) as venue, following(venue, name, VENUES[name], tmp_path, scale=HASTE) as feed:
        await more(feed, 20)
        assert await venue.fault(name, fault, **numbers) > 0
        if fault == "stale":
            await venue.fault(name, "disconnect")
        await asyncio.sleep((numbers.get("seconds", 0) + 1) / HASTE)  # as long as the fault lasts
        await more(feed, 20)
        await feed.caught_up()
        # Bybit's REST has the last sixty trades of spot: what is older by then is lost, and said to be.
        await feed.check(whole=name != "bybit")
        assert SEEN.get(fault, lambda _: True)(feed)


async def test_a_first_start_joins_history_fetched_and_live_trades_without_seam(tmp_path: Path):
    async with at("okx") as venue, following(venue, "okx", VENUES["okx"], tmp_path) as feed:
        await more(feed, 40)
        await feed.caught_up()
        await feed.check()
        for symbol in feed.streams:
            (history,) = [record for record in feed.records(symbol) if record.kind == "history"]
            assert len(history.history) > 450
            assert history.watermark <= START_MS
        quotes, books = feed.published(Quote), feed.published(Book)
        assert all(one.bid < one.ask for one in quotes)
        assert {one.symbol for one in quotes} == {one.symbol for one in books} == set(feed.streams)
        assert all(not one.broken and one.bid_prices[0] < one.ask_prices[0] for one in books)
        assert any(one.closed for one in feed.published(VenueCandle))


async def test_books_are_told_ten_times_a_second_at_most_though_the_venue_tells_more(tmp_path: Path):
    async with at("okx", haste=1.0) as venue, following(venue, "okx", ["BTC/USDT"], tmp_path) as feed:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await until(lambda: len(feed.published(Book)) > 20)
        assert len(feed.published(Book)) / (loop.time() - begun) <= 11
        await until(lambda: feed.tally.conflated["book"] > 10)


async def test_rubbish_is_kept_byte_for_byte(tmp_path: Path):
    async with at("okx") as venue, following(venue, "okx", ["BTC/USDT"], tmp_path) as feed:
        await more(feed, 5)
        await venue.fault("okx", "binary")
        await until(lambda: feed.tally.dead_letters > 0)
        assert {letter.payload for letter in feed.published(DeadLetter)} == {bytes(range(256))}


async def test_a_venue_that_falls_silent_is_noticed_within_fifteen_seconds_of_its_watch(tmp_path: Path):
    async with at("okx") as venue, following(venue, "okx", ["BTC/USDT"], tmp_path, scale=HASTE) as feed:
        await more(feed, 40)
        loop = asyncio.get_running_loop()
        await venue.fault("okx", "heartbeats_only", seconds=60)
        begun = loop.time()
        await until(lambda: len(feed.notices("silent")) > 0)
        assert (loop.time() - begun) * HASTE < 15


async def test_an_announced_end_is_preceded_by_a_second_connection_and_nothing_is_missed(tmp_path: Path):
    async with at("okx") as venue, following(venue, "okx", ["BTC/USDT"], tmp_path, scale=HASTE) as feed:
        await more(feed, 20)
        await until(lambda: not feed.streams["BTC/USDT"].open_gaps)
        asked = feed.tally.counts.repairs
        await venue.fault("okx", "notice", seconds=20)
        await until(lambda: feed.tally.reconnects["planned"] == 2)
        await more(feed, 20)
        await feed.caught_up()
        await feed.check()
        assert feed.tally.counts.repairs == asked
        assert set(feed.tally.reconnects) == {"planned"}


async def test_a_known_stream_goes_on_behind_its_last_trade(tmp_path: Path):
    async with at("okx") as venue:
        async with following(venue, "okx", ["BTC/USDT"], tmp_path) as feed:
            await more(feed, 30)
            await until(lambda: not feed.streams["BTC/USDT"].open_gaps)
        stream = feed.streams["BTC/USDT"]
        position = Position(stream.last, stream.watermark)
        async with following(venue, "okx", ["BTC/USDT"], tmp_path, positions={"BTC/USDT": position}) as again:
            await more(again, 30)
            await venue.clock("okx", state="pause")
            traded = await feed.ledger("BTC/USDT")
            before = feed.records("BTC/USDT")
            await until(lambda: not missing([*before, *again.records("BTC/USDT")], traded))
            verify([*before, *again.records("BTC/USDT")], traded)
            assert "history" not in {record.kind for record in again.records("BTC/USDT")}


async def test_nothing_more_is_read_while_kafka_takes_nothing_and_no_trade_is_lost(tmp_path: Path):
    """The market goes on for thousands of trades: the socket is left alone, quotes are conflated, trades are all there."""
    async with at("okx", haste=1.0) as venue, following(venue, "okx", VENUES["okx"], tmp_path) as feed:
        await more(feed, 20)
        feed.outlet.open.clear()
        await venue.clock("okx", speed=6000)

        async def far_ahead() -> bool:
            return sum(int(one["trades"] or 0) for one in (await venue.ledger("okx")).values()) > 10_000

        await until(far_ahead)
        await venue.clock("okx", speed=60)
        published = len(feed.ids("BTC/USDT"))
        assert published < 200
        feed.outlet.open.set()
        await more(feed, 20)
        await feed.caught_up()
        await feed.check()
        assert feed.tally.conflated["quotes"] > 0
        assert feed.tally.counts.trades > 1_000


async def test_feeds_end_at_once_when_they_are_cancelled(tmp_path: Path):
    async with at("okx") as venue:
        async with asyncio.timeout(30), following(venue, "okx", VENUES["okx"], tmp_path) as feed:
            await more(feed, 5)
            begun = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - begun < 3
        assert isinstance(feed.tally.counts, Counts)
