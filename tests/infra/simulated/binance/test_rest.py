"""REST answers page as Binance's do, and refuse what Binance refuses."""

from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.exchange import Exchange
from tests.infra.simulated.wire import START, ask, opened

NOW = START + 7 * MINUTE + 12_345
PREFIX = {"binance": "/api/v3", "binanceusdm": "/fapi/v1"}


@pytest.fixture(scope="module", params=PREFIX)
def venue(request: pytest.FixtureRequest) -> Exchange:
    return opened(request.param)


def get(venue: Exchange, path: str, **query: object) -> Any:
    answer = ask(venue, f"{PREFIX[venue.name]}/{path}", NOW, **query)
    assert answer.status == 200, answer.body
    return answer.body


def test_aggregates_page_by_id_through_everything_exactly_once(venue: Exchange) -> None:
    """From the first one on, a thousand at a time; each as the ledger has it."""
    tape = venue.told("BTCUSDT", NOW)
    wanted = tape.slice(0, tape.through(NOW)).ids.tolist()
    seen: list[int] = []
    while page := get(venue, "aggTrades", symbol="BTCUSDT", fromId=seen[-1] + 1 if seen else wanted[0], limit=1000):
        seen += [row["a"] for row in page]
    assert seen == wanted


def test_aggregates_between_two_times_include_both(venue: Exchange) -> None:
    tape = venue.told("BTCUSDT", NOW)
    known = tape.through(NOW)
    some = tape.slice(known - 50, known)
    first, last = int(some.times[10]), int(some.times[30])
    page = get(venue, "aggTrades", symbol="BTCUSDT", startTime=first, endTime=last)
    assert [row["a"] for row in page] == tape.slice(tape.before(first), tape.through(last)).ids.tolist()
    assert [row["a"] for row in get(venue, "aggTrades", symbol="BTCUSDT", startTime=first, limit=3)] == [
        row["a"] for row in page[:3]
    ]
    assert [row["a"] for row in get(venue, "aggTrades", symbol="BTCUSDT", endTime=last, limit=3)] == [
        row["a"] for row in page[-3:]
    ]


def test_without_a_cursor_the_newest_come_oldest_first(venue: Exchange) -> None:
    tape = venue.board.tape("BTCUSDT", NOW)
    known = tape.through(NOW)
    assert [row["id"] for row in get(venue, "trades", symbol="BTCUSDT", limit=5)] == tape.slice(known - 5, known).ids.tolist()
    told = venue.told("BTCUSDT", NOW)
    known = told.through(NOW)
    assert [row["a"] for row in get(venue, "aggTrades", symbol="BTCUSDT")] == told.slice(known - 500, known).ids.tolist()


@pytest.mark.parametrize(
    ("query", "opens"),
    [
        ({"limit": 3}, [5, 6, 7]),
        ({"startTime": START + 1, "limit": 2}, [1, 2]),
        ({"endTime": START + 2 * MINUTE, "limit": 2}, [1, 2]),
        ({"startTime": START, "endTime": START + MINUTE}, [0, 1]),
    ],
)
def test_klines_are_cut_by_the_times_they_open_at(venue: Exchange, query: dict[str, int], opens: list[int]) -> None:
    rows = get(venue, "klines", symbol="BTCUSDT", interval="1m", **query)
    assert [(row[0] - START) // MINUTE for row in rows] == opens
    assert all(row[6] == row[0] + MINUTE - 1 for row in rows)


def test_the_statistics_of_a_day_are_those_of_its_klines(venue: Exchange) -> None:
    """The history is shorter than a day."""
    day = get(venue, "ticker/24hr", symbol="BTCUSDT")
    minutes = get(venue, "klines", symbol="BTCUSDT", interval="1m", limit=1000)
    assert day["openPrice"] == minutes[0][1]
    assert day["lastPrice"] == minutes[-1][4]
    assert float(day["highPrice"]) == max(float(row[2]) for row in minutes)
    assert day["count"] == sum(row[8] for row in minutes) == day["lastId"] - day["firstId"] + 1
    assert float(day["volume"]) == pytest.approx(sum(float(row[5]) for row in minutes))
    assert float(day["quoteVolume"]) == pytest.approx(sum(float(row[7]) for row in minutes))
    assert {row["symbol"] for row in get(venue, "ticker/24hr")} == set(venue.board.listings)


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("depth", {}, 400, -1102),
        ("depth", {"symbol": "NOSUCH"}, 400, -1121),
        ("klines", {"symbol": "BTCUSDT", "interval": "7m"}, 400, -1120),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "startTime": "soon"}, 400, -1100),
        ("aggTrades", {"symbol": "BTCUSDT", "fromId": 5, "startTime": 5}, 400, -1128),
        ("aggTrades", {"symbol": "BTCUSDT", "startTime": START, "endTime": START + 25 * 60 * MINUTE}, 400, -1127),
        ("historicalTrades", {"symbol": "BTCUSDT"}, 401, -2014),
        ("moon", {}, 404, -1000),
    ],
)
def test_refusals_are_binance_s(venue: Exchange, path: str, query: dict[str, object], status: int, code: int) -> None:
    answer = ask(venue, f"{PREFIX[venue.name]}/{path}", NOW, **query)
    assert (answer.status, answer.body["code"]) == (status, code)


def test_an_hour_is_the_longest_window_of_spot_as_ccxt_asks_for_it() -> None:
    answer = ask(opened("binance"), "/api/v3/aggTrades", NOW, symbol="BTCUSDT", startTime=START - 60 * MINUTE, endTime=START)
    assert answer.status == 200
    longer = ask(opened("binance"), "/api/v3/aggTrades", NOW, symbol="BTCUSDT", startTime=START - 60 * MINUTE - 1, endTime=START)
    assert longer.body["code"] == -1127


def test_derivatives_have_premium_interest_and_funding() -> None:
    """Funding is told oldest first, of intervals that have ended, and never of dated contracts."""
    venue = opened("binanceusdm")
    premium = get(venue, "premiumIndex", symbol="BTCUSDT")
    best = get(venue, "ticker/bookTicker", symbol="BTCUSDT")
    assert float(best["bidPrice"]) <= float(premium["markPrice"]) <= float(best["askPrice"])
    assert premium["nextFundingTime"] == START + 8 * 60 * MINUTE
    assert float(get(venue, "openInterest", symbol="BTCUSDT")["openInterest"]) > 0
    rates = get(venue, "fundingRate", symbol="BTCUSDT", limit=3)
    assert [row["fundingTime"] for row in rates] == [START - 16 * 60 * MINUTE, START - 8 * 60 * MINUTE, START]
    assert get(venue, "fundingRate", symbol="BTCUSDT_260327") == []
    assert get(venue, "premiumIndex", symbol="BTCUSDT_260327")["nextFundingTime"] == 0


def test_lists_of_other_products_are_empty(venue: Exchange) -> None:
    own = f"{PREFIX[venue.name]}/exchangeInfo"
    for path in {"/api/v3/exchangeInfo", "/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo", "/eapi/v1/exchangeInfo"} - {own}:
        assert ask(venue, path).body["symbols"] == []
    assert len(ask(venue, own).body["symbols"]) == 8
