"""Binance spot: what is collected and recorded of it, where its streams are, and its markets as instruments."""

import csv
import gzip
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import ccxt
import pytest

from producers.dialect import BookPushed, CandlePushed, Channel, FrameError, Kind, Quoted, Trade, TradesPushed
from producers.dialects.binance import Binance
from tests.producers.dialects.binance_samples import BTC, check_samples

BINANCE = Binance()


# Samples that cannot be read, and why.
UNREADABLE = {
    "book_delta": ["Expected `array` of length 2"],  # as it was in 2017
    "candle": ["missing required field `i`", "missing required field `i`"],
    "trade": ["missing required field `E`", "Expected `bool`, got `str`"],
}


@pytest.mark.parametrize(
    "kind", ["ack", "book_delta", "book_snapshot", "book_ticker", "candle", "error", "system_notice", "ticker", "trade"]
)
def test_every_collected_sample_gives_what_is_in_it(kind: str, shared: Path):
    check_samples(BINANCE.parse, shared / "wire" / "binance" / f"{kind}.json", UNREADABLE.get(kind, []))


def test_the_recording_gives_every_trade_of_the_truth(shared: Path):
    """Every frame of it is understood."""
    with gzip.open(shared / "captures" / "binance.ws.ndjson.gz", "rt") as lines:
        events = [event for line in lines for event in BINANCE.parse(json.loads(line)["data"].encode())]
    assert Counter(type(event) for event in events) == {BookPushed: 719, Quoted: 622, TradesPushed: 25, CandlePushed: 21}
    with gzip.open(shared / "captures" / "truth" / "trades.csv.gz", "rt", newline="") as rows:
        truth = {
            (row["symbol"], int(row["trade_id"])): (row["price"], row["amount"], row["side"], row["ts_ms"], row["fills"])
            for row in csv.DictReader(rows)
            if row["exchange"] == "binance"
        }
    told = {
        (event.market_id, trade.id): (
            str(trade.price),
            str(trade.amount),
            "buy" if trade.taker_buy else "sell",
            str(trade.time),
            str(trade.count),
        )
        for event in events
        if isinstance(event, TradesPushed)
        for trade in event.trades
    }
    assert told == truth


def test_changes_of_a_recorded_book_adjoin_one_another(shared: Path):
    last: dict[str, int] = {}
    with gzip.open(shared / "captures" / "binance.ws.ndjson.gz", "rt") as lines:
        for line in lines:
            (event,) = BINANCE.parse(json.loads(line)["data"].encode())
            if isinstance(event, BookPushed):
                assert event.market_id not in last or event.first == last[event.market_id] + 1
                last[event.market_id] = event.last
    assert len(last) == 14


def test_everything_but_what_contracts_have_is_on_one_address():
    paths = {kind: BINANCE.path(Channel(kind, "BTCUSDT"), BTC) for kind in Kind}
    assert {kind for kind, path in paths.items() if path is None} == {Kind.MARK, Kind.FUNDING, Kind.INTEREST}
    assert set(paths.values()) == {"/stream", None}


OLDER = Trade(5_000, 5_000, 1, Decimal(1), Decimal(1), taker_buy=True)


def test_requests_lead_ccxt_to_the_endpoints():
    """Their weights are taken from `limit`, and so ccxt must be able to compare it."""
    asked: list[str] = []
    exchange = ccxt.binance({"number": str, "rateLimit": 0.001})
    exchange.fetch = lambda url, *_: asked.append(url) or []
    for request in (
        BINANCE.trades_request(BTC, OLDER),
        BINANCE.candles_request(BTC, 60_000),
        BINANCE.book_request(BTC),
    ):
        getattr(exchange, request.method)(request.params)
    assert [url.removeprefix("https://api.binance.com/api/v3/") for url in asked] == [
        "aggTrades?symbol=BTCUSDT&limit=1000&fromId=4000",
        "klines?symbol=BTCUSDT&interval=1m&endTime=60000&limit=1000",
        "depth?symbol=BTCUSDT&limit=1000",
    ]


def market(entry: dict, exchange: ccxt.Exchange) -> dict:
    exchange.options.update(crossMarginPairsData=[], isolatedMarginPairsData=[])
    return exchange.parse_market(exchange.parse_json(json.dumps(entry)))


ENTRY = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "baseAssetPrecision": 8,
    "quoteAsset": "USDT",
    "quoteAssetPrecision": 8,
    "isSpotTradingAllowed": True,
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01000000"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.0", "stepSize": "0.00001000"},
    ],
    "permissionSets": [["SPOT"]],
}


def test_an_instrument_has_the_venue_s_own_steps():
    exchange = ccxt.binance({"number": str})
    assert BINANCE.instrument(market(ENTRY, exchange)) == BTC
    assert not BINANCE.instrument(market({**ENTRY, "status": "BREAK"}, exchange)).active


def test_an_instrument_without_filters_is_as_fine_as_its_assets():
    found = BINANCE.instrument(market({**ENTRY, "filters": []}, ccxt.binance({"number": str})))
    assert (found.tick_size, found.lot_size, found.min_amount) == (Decimal("1E-8"),) * 3


@pytest.mark.parametrize("broken", [{}, {"info": None}, {"info": {"filters": [1]}}, {"info": {"symbol": "X"}}])
def test_an_entry_without_its_fields_is_named(broken):
    with pytest.raises(FrameError, match="without"):
        BINANCE.instrument(broken)
