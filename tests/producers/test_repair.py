"""What is missing is fetched page by page, from a venue that answers as venues do."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from producers import repair
from producers.dialect import FrameError, Ids, Trade
from producers.outcome import Audit, Repair
from producers.repair import BEHIND, CACHED_MS, FORGOTTEN, Fetcher
from producers.rest import RestError
from tests.producers.model import CANDLES, PAGE, ModelClock, ModelDialect, ModelRest, ModelVenue, finish
from tests.producers.tape import BTC, MINUTE, START


def venue(count: int, ids: Ids = Ids.CONSECUTIVE, gap_ms: int = 1_000, **kept: int) -> ModelVenue:
    made = ModelVenue(ids, **kept)
    for _ in range(count):
        made.trade(gap_ms)
    return made


def fetcher(one: ModelVenue, *, cursor: bool = True, rest: Any = None) -> Fetcher:
    return Fetcher(rest or ModelRest(one), ModelDialect(one, cursor=cursor), ModelClock(one))  # type: ignore[arg-type]


def wanted(after: Trade | None, before: Trade | None, since: int = 0, **more: Any) -> Repair:
    return Repair("BTC-USDT", after, before, since, **more)


@pytest.mark.parametrize("ids", [Ids.CONSECUTIVE, Ids.RISING])
def test_pages_are_joined_without_hole_or_overlap(ids):
    one = venue(100, ids)
    after, before = one.trades[40], one.trades[90]
    found = finish(fetcher(one).fetch(BTC, wanted(after, before)))
    assert [trade for trade in found.trades if after.id < trade.id < before.id] == one.trades[41:90]
    assert all(first.id < second.id for first, second in pairwise(found.trades))
    assert (found.bottom, found.top, found.failure) == (True, True, None)


@pytest.mark.parametrize("ids", list(Ids))
def test_up_to_the_newest_says_when_that_was(ids):
    one = venue(30, ids)
    found = finish(fetcher(one, cursor=ids is not Ids.NAMED).fetch(BTC, wanted(one.trades[25], None)))
    assert list(found.trades[-4:]) == one.trades[-4:]
    assert found.complete_to == one.time - CACHED_MS
    seen = finish(fetcher(one).fetch(BTC, wanted(one.trades[25], None, seen=START)))
    assert seen.complete_to == START - CACHED_MS


def test_nothing_missing_is_nothing_new():
    one = venue(30)
    found = finish(fetcher(one).fetch(BTC, wanted(one.trades[-1], None)))
    assert (found.trades[-1], found.bottom, found.failure) == (one.trades[-1], True, None)


def test_a_first_start_has_the_venue_s_minutes_and_the_trades_since_they_end():
    one = venue(60, gap_ms=4_000)
    since = one.time // MINUTE * MINUTE - MINUTE
    found = finish(fetcher(one).fetch(BTC, wanted(None, None, since, history=True)))
    assert [candle.open_time for candle in found.history] == list(range(START - CANDLES * MINUTE, since + MINUTE, MINUTE))
    assert found.since == since + MINUTE
    assert any(trade.time < found.since for trade in found.trades)
    assert [trade for trade in found.trades if trade.time >= found.since] == [
        trade for trade in one.trades if trade.time >= found.since
    ]


def test_a_minute_that_the_venue_has_not_closed_is_made_of_trades():
    one = venue(60, gap_ms=4_000)
    one.lag_ms = one.time % MINUTE + 1
    since = one.time // MINUTE * MINUTE - MINUTE
    found = finish(fetcher(one).fetch(BTC, wanted(None, None, since, history=True)))
    assert found.history[-1].open_time == since - MINUTE
    assert found.since == since


def test_a_market_that_has_just_begun_is_whole():
    """Ids that count show that nothing can be older."""
    one = venue(10)
    assert finish(fetcher(one).fetch(BTC, wanted(None, None))).bottom
    assert not finish(fetcher(venue(10, Ids.RISING)).fetch(BTC, wanted(None, None))).bottom


@pytest.mark.parametrize(
    ("ids", "cursor", "forgets", "reason"),
    [
        (Ids.CONSECUTIVE, True, 30, FORGOTTEN),
        (Ids.RISING, True, 30, FORGOTTEN),
        (Ids.RISING, False, 10**9, f"REST reaches back no further than {PAGE} trades"),
        (Ids.NAMED, False, 10**9, f"REST reaches back no further than {PAGE} trades"),
    ],
)
def test_what_the_venue_does_not_have_any_more_is_said(ids, cursor, forgets, reason):
    one = venue(100, ids, forgets=forgets)
    found = finish(fetcher(one, cursor=cursor).fetch(BTC, wanted(one.trades[10], None)))
    assert (found.bottom, found.failure, found.again) == (False, reason, False)
    assert list(found.trades) == one.trades[-len(found.trades) :]


def test_more_than_can_be_fetched_is_said_and_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(repair, "MOST_TRADES", 20)
    one = venue(100)
    found = finish(fetcher(one).fetch(BTC, wanted(one.trades[10], None)))
    assert (found.bottom, found.failure) == (False, "more than 20 trades are missing")
    assert list(found.trades) == one.trades[-24:]


@pytest.mark.parametrize("ids", [Ids.CONSECUTIVE, Ids.RISING])
def test_a_rest_that_is_behind_is_waited_for(ids):
    one = venue(30, ids)
    one.lag_ms = 2_500
    found = finish(fetcher(one).fetch(BTC, wanted(one.trades[20], one.trades[29])))
    assert (found.top, found.bottom, found.failure) == (True, True, None)
    assert one.trades[28] in found.trades


def test_a_rest_that_stays_behind_is_left():
    one = venue(30)
    one.lag_ms = 20_000
    found = finish(fetcher(one).fetch(BTC, wanted(one.trades[0], one.trades[29])))
    assert (found.top, found.failure) == (False, BEHIND)


class Failing(ModelRest):
    """Answers so often, then no more."""

    def __init__(self, one: ModelVenue, answers: int, error: Callable[[], Exception]) -> None:
        super().__init__(one)
        self._left = answers
        self._error = error

    async def ask(self, request):
        self._left -= 1
        if self._left < 0:
            raise self._error()
        return await super().ask(request)


class RefusedForGoodError(RestError):
    again = False


@pytest.mark.parametrize(
    ("error", "again"),
    [(lambda: RestError("500"), True), (lambda: FrameError("no trades"), True), (lambda: RefusedForGoodError("400"), False)],
)
@pytest.mark.parametrize("answers", [0, 2])
def test_a_venue_that_fails_is_a_failure_and_no_exception(error, again, answers, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(repair, "FAILING_S", 0.0)
    one = venue(100)
    found = finish(fetcher(one, rest=Failing(one, answers, error)).fetch(BTC, wanted(one.trades[10], None)))
    assert (found.bottom, found.again) == (False, again)
    assert (found.failure or "").startswith("cannot be fetched: ")
    assert len(found.trades) == answers * PAGE


class TestAudit:
    """What REST's newest trades are."""

    @pytest.mark.parametrize(("ids", "cursor"), [(Ids.RISING, True), (Ids.RISING, False), (Ids.NAMED, False)])
    def test_it_goes_back_to_what_was_confirmed(self, ids, cursor):
        one = venue(30, ids)
        near = finish(fetcher(one, cursor=cursor).audit(BTC, Audit("BTC-USDT", one.trades[-PAGE // 2], START)))
        assert (near.reached, near.complete_to, list(near.trades)) == (True, START - CACHED_MS, one.trades[-len(near.trades) :])
        far = finish(fetcher(one, cursor=cursor).audit(BTC, Audit("BTC-USDT", one.trades[5], START)))
        assert far.reached == cursor
        assert list(far.trades) == one.trades[-len(far.trades) :]

    def test_one_page_is_enough_where_ids_count(self):
        one = venue(30)
        page = finish(fetcher(one).audit(BTC, Audit("BTC-USDT", one.trades[5])))
        assert (len(page.trades), page.reached, page.complete_to) == (PAGE, False, one.time - CACHED_MS)

    def test_a_venue_that_fails_is_a_failure_and_no_exception(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(repair, "FAILING_S", 0.0)
        one = venue(30)
        one.failing = True
        page = finish(fetcher(one).audit(BTC, Audit("BTC-USDT")))
        assert (page.failure, page.trades) == ("cannot be fetched: 500 no answer", ())
