"""What the simulated Bybit answers over REST: the newest trades and no more, candles by their times, errors with HTTP 200."""

from itertools import pairwise
from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.bybit.exchange import BYBIT
from infra.simulated.faults import FaultKind
from tests.infra.simulated.samples import START, Speaking, body, moment

LINEAR = {"category": "linear", "symbol": "BTCUSDT"}
SPOT = {"category": "spot", "symbol": "BTCUSDT"}


@pytest.fixture(scope="module")
def venue() -> Speaking:
    return Speaking(BYBIT)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (SPOT, 60),
        ({**SPOT, "limit": "1000"}, 60),
        ({**SPOT, "limit": "7"}, 7),
        (LINEAR, 500),
        ({**LINEAR, "limit": "2000"}, 1000),
    ],
)
def test_trades_reach_back_so_far_and_no_further(venue: Speaking, query: dict[str, str], count: int) -> None:
    rows = venue.ask("/v5/market/recent-trade", **query)["result"]["list"]
    name = "BTC/USDT" if query["category"] == "spot" else "BTC/USDT:USDT"
    tape = venue.exchange.told(name, START)
    known = tape.through(START)
    ids = tape.slice(known - count, known).ids.tolist()
    assert [row["execId"] for row in rows] == [venue.exchange.trade_id(name, one) for one in reversed(ids)]


def test_a_spot_name_is_a_number_that_rises_with_gaps(venue: Speaking) -> None:
    rows = venue.ask("/v5/market/recent-trade", **SPOT)["result"]["list"]
    names = [int(row["execId"]) for row in reversed(rows)]
    steps = {after - before for before, after in pairwise(names)}
    assert min(steps) > 1
    assert len(steps) > 5


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/v5/market/recent-trade", {}, 10001),
        ("/v5/market/recent-trade", {"category": "moon", "symbol": "BTCUSDT"}, 10001),
        ("/v5/market/recent-trade", {"category": "spot"}, 10001),
        ("/v5/market/recent-trade", {"category": "inverse", "symbol": "BTCUSDT"}, 10001),
        ("/v5/market/recent-trade", {**SPOT, "limit": "many"}, 10001),
        ("/v5/market/kline", {**SPOT, "interval": "7"}, 10001),
        ("/v5/market/funding/history", SPOT, 10001),
        ("/v5/market/open-interest", LINEAR, 10001),
    ],
)
def test_what_is_wrong_is_refused_with_a_code_and_http_200(venue: Speaking, path: str, query: dict[str, str], code: int) -> None:
    answer = venue.answer(path, **query)
    assert (answer.status, body(answer)["retCode"], body(answer)["result"]) == (200, code, {})
    assert body(answer)["retMsg"]


def test_a_page_that_is_not_there_is_not_found(venue: Speaking) -> None:
    assert venue.answer("/v5/market/moon").status == 404


@pytest.mark.parametrize(
    ("query", "opened"),
    [
        ({"limit": "3"}, [90, 89, 88]),
        ({"start": str(START + 10 * MINUTE), "limit": "3"}, [12, 11, 10]),
        ({"start": str(START + 10 * MINUTE + 1), "limit": "1"}, [11]),
        ({"end": str(START + 10 * MINUTE + 59_999), "limit": "2"}, [10, 9]),
        ({"start": str(START + 5 * MINUTE), "end": str(START + 7 * MINUTE)}, [7, 6, 5]),
        ({"start": str(START + 500 * MINUTE)}, []),
    ],
)
def test_candles_are_those_between_two_times(venue: Speaking, query: dict[str, str], opened: list[int]) -> None:
    rows = venue.ask("/v5/market/kline", interval="1", at=90 * MINUTE, **SPOT, **query)["result"]["list"]
    assert [int(row[0]) for row in rows] == [START + minute * MINUTE for minute in opened]


def test_an_inverse_candle_counts_contracts_and_coins(venue: Speaking) -> None:
    query = {"category": "inverse", "symbol": "BTCUSD", "interval": "60", "limit": "1", "end": str(START - 1)}
    (row,) = venue.ask("/v5/market/kline", **query)["result"]["list"]
    tape = venue.exchange.told("BTC/USD:BTC", START)
    trades = tape.slice(tape.before(START - 60 * MINUTE), tape.before(START))
    assert int(row[5]) == int(trades.sizes.sum())
    coins = sum(float(size) / (float(price) * 0.5) for size, price in zip(trades.sizes, trades.prices, strict=True))
    assert float(row[6]) == pytest.approx(coins, abs=1e-7)


def test_instruments_are_listed_by_category(venue: Speaking) -> None:
    found: dict[str, list[Any]] = {
        category: venue.ask("/v5/market/instruments-info", category=category)["result"]["list"]
        for category in ("spot", "linear", "inverse", "option")
    }
    names = {category: [row["symbol"] for row in rows] for category, rows in found.items()}
    assert names == {
        "spot": ["BTCUSDT", "ETHUSDT", "FLOWUSDT"],
        "linear": ["BTCUSDT", "SOLUSDT", "BTCUSDT-27MAR26"],
        "inverse": ["BTCUSD", "BTCUSDH26"],
        "option": [],
    }
    assert venue.ask("/v5/market/instruments-info", category="linear", status="PreLaunch")["result"]["list"] == []


def test_the_time_is_the_market_s_even_where_it_is_told_wrong(venue: Speaking) -> None:
    answer = body(venue.exchange.rest("GET", "/v5/market/time", {}, b"", moment(0, skew=-1500)))
    assert answer["time"] == START - 1500
    assert answer["result"]["timeNano"] == f"{START - 1500}000000"


@pytest.mark.parametrize(
    ("kind", "status"), [(FaultKind.RATE_LIMIT, 429), (FaultKind.MAINTENANCE, 503), (FaultKind.SERVER_ERROR, 500)]
)
def test_under_a_fault_everything_is_refused_but_the_status_of_the_system(venue: Speaking, kind: FaultKind, status: int) -> None:
    refusal = venue.exchange.refusal(kind, "/v5/market/time", 60.0, moment())
    assert refusal is not None
    assert (refusal.status, body(refusal)["retCode"] > 0) == (status, True)
    assert venue.exchange.refusal(kind, "/v5/public/misc/status", 60.0, moment()) is None
