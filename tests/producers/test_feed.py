"""A real websocket to the simulated venue: whatever it does, every trade arrives once, in order, and none is forgotten."""

import asyncio

import pytest

from infra.simulated.server import RunningVenue
from infra.simulated.venue import START_MS
from producers import silence
from producers.continuity import Position
from producers.dialect import Trade
from schemas.market import DeadLetter, Quote
from tests.producers.live import following, instruments, until
from tests.producers.tape import MINUTE

SYMBOLS = ["BTC/USDT", "SOL/USDT", "BTC/USD:BTC", "FLOW/USDT"]
BTC = "BTC-USDT"


async def test_a_first_start_joins_history_fetched_and_live_trades_without_seam(venue: RunningVenue):
    async with following(venue, SYMBOLS) as feed:
        await until(lambda: len(feed.ids(BTC)) > 40)
        await feed.caught_up(venue)
        feed.check(await venue.ledger())
        for market_id in feed.session.streams:
            first = feed.records(market_id)[0]
            assert (first.kind, first.watermark) == ("history", START_MS)
            assert len(first.history) > 450
        assert {"history", "repair", "live"} >= {record.kind for record in feed.records(BTC)}
        quotes = [one for one in feed.published if isinstance(one, Quote)]
        assert all(one.bid < one.ask for one in quotes)
        assert {one.symbol for one in quotes} == set(SYMBOLS)


async def test_the_minutes_of_a_market_without_trades_end_all_the_same(venue: RunningVenue):
    """FLOW trades once in five minutes: its tickers move its watermark past the end of each."""
    async with following(venue, ["FLOW/USDT"]) as feed:
        await until(lambda: any(record.watermark >= START_MS + 5 * MINUTE for record in feed.records("FLOW-USDT")))
        passed = {record.watermark // MINUTE for record in feed.records("FLOW-USDT")}
        assert passed >= set(range(START_MS // MINUTE, START_MS // MINUTE + 6))


FAULTS = {
    "trades that are withheld": {"kind": "skip", "count": 7},
    "trades told twice": {"kind": "duplicate", "count": 20},
    "frames that are rubbish": {"kind": "garbage"},
    "a lost connection": {"kind": "disconnect"},
    "an announced end": {"kind": "notice", "seconds": 0.5},
}


@pytest.mark.parametrize("case", FAULTS)
async def test_nothing_is_lost_nor_doubled_by(case: str, venue: RunningVenue):
    async with following(venue, SYMBOLS) as feed:
        await until(lambda: len(feed.ids(BTC)) > 20)
        before = feed.session.counts.repairs
        assert await venue.fault(**FAULTS[case]) == 1
        seen = len(feed.ids(BTC))
        await until(lambda: len(feed.ids(BTC)) > seen + 40)
        await feed.caught_up(venue)
        feed.check(await venue.ledger())
        counts = feed.session.counts
        told = {
            "skip": counts.repairs > before,
            "duplicate": counts.duplicates >= 20,
            "garbage": counts.dead_letters == 3,
            "disconnect": counts.reconnects["connection closed"] == 1,
            "notice": counts.reconnects["announced"] == 1,
        }
        assert told[FAULTS[case]["kind"]]


async def test_rubbish_is_kept_byte_for_byte(venue: RunningVenue):
    async with following(venue, ["BTC/USDT"]) as feed:
        await until(lambda: len(feed.ids(BTC)) > 5)
        await venue.fault("garbage")
        await until(lambda: feed.session.counts.dead_letters == 3)
        letters = [one for one in feed.published if isinstance(one, DeadLetter)]
        assert letters[2].payload == bytes(range(256))
        assert ["moon-phases" in one.reason for one in letters] == [False, True, False]


async def test_a_venue_that_falls_silent_is_noticed_and_what_it_did_not_say_is_fetched(venue: RunningVenue):
    """It answers pings all the while; what was silent about is never pushed later."""
    async with following(venue, ["BTC/USDT", "BTC/USDT:USDT"]) as feed:
        await until(lambda: len(feed.ids(BTC)) > 60)
        last = feed.ids(BTC)[-1]
        await venue.fault("silence", seconds=3 * silence.LEAST_S)
        await until(lambda: feed.session.counts.probes > 0)
        await until(lambda: feed.ids(BTC)[-1] > last + 100)
        await feed.caught_up(venue)
        feed.check(await venue.ledger())


async def test_a_known_stream_goes_on_behind_its_last_trade(venue: RunningVenue):
    (btc,) = await instruments(venue, ["BTC/USDT"])
    async with following(venue, ["BTC/USDT"]) as feed:
        await until(lambda: len(feed.ids(BTC)) > 30)
    stream = feed.session.streams[BTC]
    known = len(feed.ids(BTC))
    position = Position(stream.last, stream.watermark)
    assert isinstance(position.last, Trade)
    async with following(venue, [btc.symbol], {BTC: position}) as again:
        await until(lambda: len(again.ids(BTC)) > 30)
        await again.caught_up(venue)
        ledger = (await venue.ledger())[BTC]
        assert feed.ids(BTC) + again.ids(BTC) == list(range(ledger["first_id"], ledger["last_id"] + 1))
        assert len(again.ids(BTC)) == ledger["last_id"] - ledger["first_id"] + 1 - known
        assert again.records(BTC)[0].kind == "repair"
        assert "history" not in {record.kind for record in again.records(BTC)}


async def test_nothing_more_is_read_while_publishing_has_to_wait(venue: RunningVenue):
    """The market goes on for ten thousand trades: the socket is left alone, and they are all there in the end."""
    async with following(venue, SYMBOLS) as feed:
        await until(lambda: len(feed.ids(BTC)) > 20)
        feed.open.clear()
        await venue.clock(speed=6000)

        async def far_ahead() -> bool:
            ledger = await venue.ledger()
            return sum(one["trades"] for one in ledger.values()) > 10_000

        await until(far_ahead)
        await venue.clock(speed=60)
        assert len(feed.ids(BTC)) < 200
        assert not any(stream.pending for stream in feed.session.streams.values())
        feed.open.set()
        await feed.caught_up(venue)
        feed.check(await venue.ledger())


async def test_a_feed_ends_at_once_when_it_is_cancelled(venue: RunningVenue):
    async with asyncio.timeout(20), following(venue, SYMBOLS) as feed:
        await until(lambda: len(feed.ids(BTC)) > 5)
        begun = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - begun < 3
