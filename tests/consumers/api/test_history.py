"""History: what is stored, exactly, a page at a time, and one sentence for what cannot be answered."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from consumers.storage.database import Database
from infra.settings import Settings
from tests.consumers.api.conftest import serving
from tests.consumers.storage.records import FILL, INSTRUMENT, ORDER, POSITION, REFUSAL, SIGNAL, T0, US, candle, trades

pytestmark = pytest.mark.database

MARKET = {"venue": "okx", "symbol": "BTC/USDT"}
MINUTES = MARKET | {"timeframe": "1m"}


def test_candles_are_told_exactly(client: httpx.Client, store: Callable[..., None]) -> None:
    """The newest revision, its digits as they are stored, its times as numbers."""
    store(candle(0), candle(1))
    assert client.get("/v1/candles", params=MINUTES).json() == {
        "items": [
            MINUTES
            | {
                "market_id": "BTC-USDT",
                "open_time": T0,
                "open": "1.50",
                "high": "1000000000000000",
                "low": "0.000000454",
                "close": "2.5",
                "volume": "1234567890123456789.000000000000000001",
                "quote_volume": "2",
                "taker_buy_volume": "0",
                "trades": 3,
                "status": "complete",
                "revision": 1,
                "source": "trades",
                "received": US,
            }
        ],
        "next": None,
    }


@pytest.mark.parametrize(
    ("path", "record", "different"),
    [
        ("signals", SIGNAL, {"values": None, "price": "64250.10"}),
        ("orders", ORDER, {"amount": "0.015", "filled": "0"}),
        ("fills", FILL, {"price": "64250.1", "amount": "0.015", "fee": "0.9637515"}),
        (
            "positions",
            POSITION,
            {"amount": "0.015", "entry_price": "64250.1", "stop_price": "63607", "target_price": "65535"}
            | {"realized": "-0.9637515", "fees": "0.9637515"},
        ),
        ("refusals", REFUSAL, {}),
    ],
)
def test_the_rest_is_what_was_published(
    client: httpx.Client, store: Callable[..., None], path: str, record: msgspec.Struct, different: dict[str, Any]
) -> None:
    """Field by field, with and without naming the market."""
    store(record)
    told = msgspec.structs.asdict(record) | different
    if path == "signals":
        told |= {"indicators": told.pop("values") or SIGNAL.values}
    for params in ({}, {"venue": "okx"}, MARKET):
        assert client.get(f"/v1/{path}", params=params).json() == {"items": [told], "next": None}


def test_trades_come_newest_first(client: httpx.Client, store: Callable[..., None]) -> None:
    """Trades of the same millisecond by their ids, and each with its place of arrival."""
    store(trades(1, 2, 3, times=(T0, T0, T0 + 1)), trades(4, symbol="ETH/USDT"))
    items = client.get("/v1/trades", params=MARKET).json()["items"]
    assert [(item["trade_id"], item["time"], item["arrival"], item["arrival_index"]) for item in items] == [
        (3, T0 + 1, 0, 2),
        (2, T0, 0, 1),
        (1, T0, 0, 0),
    ]
    assert items[0]["price"] == "0.000000454"
    assert items[0]["amount"] == "1000000000000000"
    assert items[0]["taker_side"] == "buy"


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_join_without_seam(client: httpx.Client, store: Callable[..., None], limit: int) -> None:
    """Each row once, in order, although three trades share a millisecond and new ones come between two pages."""
    store(trades(*range(1, 8), times=(T0, T0, T0 + 1, T0 + 1, T0 + 1, T0 + 2, T0 + 3)))
    seen, before = [], {}
    while True:
        page = client.get("/v1/trades", params=MARKET | {"limit": limit} | before).json()
        seen += [item["trade_id"] for item in page["items"]]
        store(trades(100 + len(seen)))
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_a_range_of_time(client: httpx.Client, store: Callable[..., None]) -> None:
    """`from` is in it, `to` is not; pages go on inside it."""
    store(*(candle(open_time=T0 + minute * 60_000) for minute in range(6)))
    window = MINUTES | {"from": T0 + 60_000, "to": T0 + 300_000, "limit": 3}
    first = client.get("/v1/candles", params=window).json()
    second = client.get("/v1/candles", params=window | {"before": first["next"]}).json()
    minutes = [(item["open_time"] - T0) // 60_000 for item in first["items"] + second["items"]]
    assert minutes == [4, 3, 2, 1]
    assert second["next"] is None


def test_orders_of_one_strategy(client: httpx.Client, store: Callable[..., None]) -> None:
    """Account and strategy choose; a strategy that never traded has none."""
    store(ORDER, msgspec.structs.replace(ORDER, client_order_id="t2", strategy="other"))
    for strategy, expected in (("rsi-trend", ["t1"]), ("other", ["t2"]), ("third", [])):
        page = client.get("/v1/orders", params={"account": "paper", "strategy": strategy}).json()
        assert [item["client_order_id"] for item in page["items"]] == expected


@pytest.mark.parametrize(
    ("path", "params", "status", "detail"),
    [
        ("candles", MINUTES | {"venue": "okex"}, 404, "unknown venue 'okex': known are okx"),
        ("trades", MARKET | {"symbol": "BTCUSDT"}, 404, "unknown symbol 'BTCUSDT' of okx: known are BTC/USDT"),
        ("orders", {"venue": "kraken"}, 404, "unknown venue 'kraken': known are okx"),
        ("candles", MINUTES | {"timeframe": "2m"}, 422, "unknown timeframe '2m': allowed are 1m, 5m, 15m, 1h"),
        ("signals", {"timeframe": "1M"}, 422, "unknown timeframe '1M': allowed are 1m, 5m, 15m, 1h"),
        ("candles", {"venue": "okx"}, 422, "symbol: field required"),
        ("fills", {"symbol": "BTC/USDT"}, 422, "symbol: a symbol is one venue's, so give the venue too"),
        ("trades", MARKET | {"limit": 1001}, 422, "limit: input should be less than or equal to 1000"),
        ("trades", MARKET | {"limit": 0}, 422, "limit: input should be greater than or equal to 1"),
        ("trades", MARKET | {"from": "yesterday"}, 422, "from: input should be a valid integer"),
        ("trades", MARKET | {"to": 10**18}, 422, "to: input should be less than or equal to 253402300799999"),
        ("trades", MARKET | {"before": "1"}, 422, "before: '1' is not the `next` of a page"),
        ("orders", {"account": "a\x00"}, 422, "PostgreSQL text fields cannot contain NUL"),
        ("orders", {"venue": "a\x00"}, 422, "PostgreSQL text fields cannot contain NUL"),
    ],
)
def test_what_cannot_be_answered(
    client: httpx.Client, store: Callable[..., None], path: str, params: dict[str, Any], status: int, detail: str
) -> None:
    """One sentence that names it and what is allowed."""
    store(INSTRUMENT)
    answer = client.get(f"/v1/{path}", params=params)
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(detail)


def test_many_symbols_are_not_all_listed(client: httpx.Client, store: Callable[..., None]) -> None:
    """The first twenty tell what they look like."""
    store(*(trades(1, symbol=f"C{number:02}/USDT") for number in range(23)))
    detail = client.get("/v1/trades", params=MARKET).json()["detail"]
    assert detail.endswith("C18/USDT, C19/USDT and 3 more")


def test_a_database_without_tables_is_told(database_settings: Settings) -> None:
    """Storage makes them; until then there is nothing to answer with."""
    with serving(database_settings) as client:
        answer = client.get("/v1/orders")
    assert (answer.status_code, answer.json()["detail"][:35]) == (503, "the database has no tables yet: sta")


def test_a_database_that_is_away_is_told(database_settings: Settings, database_url: str) -> None:
    """503, not 500; when it is back, so are the answers, without a restart."""
    Database(database_url).connect().close()
    with serving(database_settings.model_copy(update={"database_url": "postgresql://127.0.0.1:1/none"})) as client:
        answer = client.get("/v1/orders")
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("the database does not answer: ")


def test_the_documentation_has_examples(client: httpx.Client) -> None:
    """Every route is described, and every field of an answer has its type."""
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        *(f"/v1/{name}" for name in ("candles", "trades", "signals", "orders", "fills", "positions", "refusals", "stream")),
        *("/health/live", "/health/ready", "/v1/strategies/{strategy}/{action}"),
    }
    assert all(operation["description"] for path in paths.values() for operation in path.values())
