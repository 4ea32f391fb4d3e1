"""What is missing is fetched from the venue's REST interface, page by page."""

import pytest

from infra.settings import Settings
from infra.simulated.server import RunningVenue
from producers import repair
from producers.continuity import MINUTE, Repair
from producers.repair import Fetcher
from producers.rest import Rest
from tests.producers.live import OKX, instruments


async def _tape(venue: RunningVenue, minutes: int) -> tuple[int, list[list]]:
    """The market, run for so long at once: its time and its trades since the start."""
    clock = venue.venue.clock
    await venue.clock(state="pause")
    clock._until_then = clock.start_ms + minutes * MINUTE + 30_000.0
    return clock.now_ms(), await venue.trades("BTC-USDT")


async def _fetch(venue: RunningVenue, wanted: Repair):
    (btc,) = await instruments(venue, ["BTC/USDT"])
    async with Rest(Settings(venue_url=venue.url)) as rest:
        return await Fetcher(rest, OKX).fetch(btc, wanted)


async def test_a_first_start_has_five_hundred_minutes_and_the_trades_of_the_present_one(venue: RunningVenue):
    now, tape = await _tape(venue, 30)
    since = now // MINUTE * MINUTE
    found = await _fetch(venue, Repair("BTC-USDT", None, None, since, history=True))
    assert [candle.open_time for candle in found.history] == list(range(since - 500 * MINUTE, since, MINUTE))
    assert [one.id for one in found.trades] == [row[0] for row in tape if row[1] >= since]
    assert found.base
    assert found.base.id == max(row[0] for row in tape if row[1] < since)
    assert (found.since, found.failure) == (since, None)


async def test_pages_are_joined_without_hole_or_overlap(venue: RunningVenue):
    """Thirty minutes are several pages of a hundred."""
    _, tape = await _tape(venue, 30)
    known = {row[0]: row for row in tape}
    after, before = tape[3][0], tape[-5][0]
    found = await _fetch(venue, Repair("BTC-USDT", after, before, 0))
    assert len(found.trades) > 300
    assert [one.id for one in found.trades] == list(range(after + 1, before))
    assert all(
        [one.time, format(one.price, "f"), format(one.amount, "f"), one.taker_buy]
        == [*known[one.id][1:4], known[one.id][4] == "buy"]
        for one in found.trades
    )


async def test_nothing_missing_is_nothing_found(venue: RunningVenue):
    _, tape = await _tape(venue, 5)
    found = await _fetch(venue, Repair("BTC-USDT", tape[-1][0], None, 0))
    assert (found.trades, found.failure) == ((), None)


async def test_more_than_can_be_fetched_is_said_and_the_newest_are_kept(venue: RunningVenue, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(repair, "MOST_TRADES", 200)
    _, tape = await _tape(venue, 30)
    found = await _fetch(venue, Repair("BTC-USDT", tape[0][0], None, 0))
    assert found.failure == "more than 200 trades are missing"
    assert [one.id for one in found.trades] == [row[0] for row in tape[-200:]]


async def test_what_rest_does_not_have_yet_is_waited_for_and_then_left(venue: RunningVenue, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(repair, "LAG_S", 0.5)
    _, tape = await _tape(venue, 5)
    last = tape[-1][0]
    found = await _fetch(venue, Repair("BTC-USDT", last - 2, last + 9, 0))
    assert [one.id for one in found.trades] == [last - 1, last]


async def test_a_venue_that_does_not_answer_is_a_failure_and_no_exception(venue: RunningVenue, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(repair, "FAILING_S", 0.5)
    (btc,) = await instruments(venue, ["BTC/USDT"])
    async with Rest(Settings(venue_url="http://127.0.0.1:1")) as rest:
        found = await Fetcher(rest, OKX).fetch(btc, Repair("BTC-USDT", None, None, 77, history=True))
    assert (found.since, found.trades, found.history) == (77, (), ())
    assert found.failure
    assert found.failure.startswith("cannot be fetched: ")


async def test_the_newest_trade_comes_with_the_time_before_the_question(venue: RunningVenue):
    now, tape = await _tape(venue, 5)
    (btc,) = await instruments(venue, ["BTC/USDT"])
    async with Rest(Settings(venue_url=venue.url)) as rest:
        assert await Fetcher(rest, OKX).newest(btc) == (tape[-1][0], now)
