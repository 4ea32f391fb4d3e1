"""What the simulated Bitget answers over REST: trades by pages, candles by their times, errors with HTTP 400."""

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.bitget.exchange import BITGET
from tests.infra.simulated.samples import START, Speaking, body, moment

SPOT, FUTURES = {"symbol": "BTCUSDT"}, {"symbol": "BTCUSDT", "productType": "usdt-futures"}
DAY = 86_400_000


@pytest.fixture(scope="module")
def venue() -> Speaking:
    return Speaking(BITGET)


def names(venue: Speaking, name: str, last: int, count: int) -> list[str]:
    """The venue's ids of trades before a position, newest first."""
    ids = venue.exchange.told(name, START).slice(last - count, last).ids.tolist()
    return [str(venue.exchange.trade_id(name, one)) for one in reversed(ids)]


@pytest.mark.parametrize(
    ("path", "query", "count"),
    [
        ("/api/v2/spot/market/fills", SPOT, 100),
        ("/api/v2/spot/market/fills", {**SPOT, "limit": "1000"}, 500),
        ("/api/v2/mix/market/fills", {**FUTURES, "limit": "1000"}, 100),
        ("/api/v2/spot/market/fills-history", SPOT, 500),
        ("/api/v2/mix/market/fills-history", {**FUTURES, "limit": "2000"}, 1000),
    ],
)
def test_trades_reach_back_as_far_as_a_page(venue: Speaking, path: str, query: dict[str, str], count: int) -> None:
    name = "BTC/USDT:USDT" if "mix" in path else "BTC/USDT"
    rows = venue.ask(path, **query)["data"]
    assert [row["tradeId"] for row in rows] == names(venue, name, venue.exchange.told(name, START).through(START), count)


def test_pages_of_the_history_join(venue: Speaking) -> None:
    """Each page goes on where the one before it ended: no trade twice, none left out."""
    known = venue.exchange.told("BTC/USDT", START).through(START)
    found: list[str] = []
    while len(found) < 900:
        query = {**SPOT, "limit": "300", **({"idLessThan": found[-1]} if found else {})}
        found += [row["tradeId"] for row in venue.ask("/api/v2/spot/market/fills-history", **query)["data"]]
    assert found == names(venue, "BTC/USDT", known, 900)


def test_the_history_is_of_times_within_a_week(venue: Speaking) -> None:
    query = {**SPOT, "startTime": str(START - 5 * MINUTE), "endTime": str(START - 3 * MINUTE)}
    times = [int(row["ts"]) for row in venue.ask("/api/v2/spot/market/fills-history", **query)["data"]]
    assert START - 5 * MINUTE <= min(times) <= max(times) <= START - 3 * MINUTE
    wide = venue.answer("/api/v2/spot/market/fills-history", **{**SPOT, "startTime": str(START - 8 * DAY), "endTime": str(START)})
    assert (wide.status, body(wide)["code"]) == (400, "40017")


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/api/v2/spot/market/fills", {}, "40019"),
        ("/api/v2/spot/market/fills", {"symbol": "NOSUCH"}, "40034"),
        ("/api/v2/spot/market/fills", {**SPOT, "limit": "many"}, "40020"),
        ("/api/v2/mix/market/fills", SPOT, "40019"),
        ("/api/v2/mix/market/fills", {**SPOT, "productType": "MOON-FUTURES"}, "40020"),
        ("/api/v2/mix/market/fills", {**SPOT, "productType": "COIN-FUTURES"}, "40034"),
        ("/api/v2/spot/market/candles", {**SPOT, "granularity": "7min"}, "40020"),
        ("/api/v2/spot/market/history-candles", {**SPOT, "granularity": "1min"}, "40019"),
    ],
)
def test_what_is_wrong_is_refused_with_http_400(venue: Speaking, path: str, query: dict[str, str], code: str) -> None:
    answer = venue.answer(path, **query)
    assert (answer.status, body(answer)["code"], body(answer)["data"]) == (400, code, None)


def test_a_page_that_is_not_there_is_not_found(venue: Speaking) -> None:
    assert venue.answer("/api/v2/spot/market/moon").status == 404


@pytest.mark.parametrize(
    ("query", "opened"),
    [
        ({"limit": "3"}, [88, 89, 90]),
        ({"startTime": str(START + 10 * MINUTE), "endTime": str(START + 12 * MINUTE)}, [10, 11, 12]),
        ({"endTime": str(START + 10 * MINUTE), "limit": "2"}, [9, 10]),
        ({"startTime": str(START + 89 * MINUTE + 1)}, [90]),
    ],
)
@pytest.mark.parametrize(("path", "more", "columns"), [("spot", {"granularity": "1min"}, 8), ("mix", {"granularity": "1m"}, 7)])
def test_candles_are_those_between_two_times(
    venue: Speaking, path: str, more: dict[str, str], columns: int, query: dict[str, str], opened: list[int]
) -> None:
    named = SPOT if path == "spot" else FUTURES
    rows = venue.ask(f"/api/v2/{path}/market/candles", at=90 * MINUTE, **named, **more, **query)["data"]
    assert [int(row[0]) for row in rows] == [START + minute * MINUTE for minute in opened]
    assert {len(row) for row in rows} == {columns}


def test_contracts_of_other_products_there_are_none(venue: Speaking) -> None:
    lists = {
        product: [row["symbol"] for row in venue.ask("/api/v2/mix/market/contracts", productType=product)["data"]]
        for product in ("USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES")
    }
    assert lists == {"USDT-FUTURES": ["BTCUSDT", "ETHUSDT", "SOLUSDT"], "COIN-FUTURES": [], "USDC-FUTURES": []}
    assert [row["symbol"] for row in venue.ask("/api/v2/spot/public/symbols")["data"]] == [
        "BTCUSDT", "ETHUSDT", "SOLUSDT", "FLOWUSDT", "XRPUSDT",
    ]  # fmt: skip


def test_tickers_agree_with_the_last_trade(venue: Speaking) -> None:
    (fill,) = venue.ask("/api/v2/mix/market/fills", **FUTURES, limit="1", at=MINUTE)["data"]
    (ticker,) = venue.ask("/api/v2/mix/market/ticker", **FUTURES, at=MINUTE)["data"]
    assert ticker["lastPr"] == fill["price"]
    assert len(venue.ask("/api/v2/spot/market/tickers", at=MINUTE)["data"]) == 5


def test_interest_and_funding_are_of_contracts_alone(venue: Speaking) -> None:
    held = venue.ask("/api/v2/mix/market/open-interest", **FUTURES)["data"]
    assert float(held["openInterestList"][0]["size"]) > 0
    (funding,) = venue.ask("/api/v2/mix/market/current-fund-rate", **FUTURES)["data"]
    assert int(funding["nextUpdate"]) == START + 8 * 60 * MINUTE
    history = venue.ask("/api/v2/mix/market/history-fund-rate", **FUTURES, pageSize="3")["data"]
    assert [int(row["fundingTime"]) for row in history] == [START - hours * 60 * MINUTE for hours in (0, 8, 16)]


def test_the_time_is_what_the_venue_s_clock_says(venue: Speaking) -> None:
    answer = body(venue.exchange.rest("GET", "/api/v2/public/time", {}, b"", moment(0, skew=250)))
    assert answer["data"]["serverTime"] == str(START + 250)
