"""OKX v5: what is collected of it, requests, REST rows to trades and candles, market entries to instruments."""

import json
from decimal import Decimal
from pathlib import Path

import ccxt
import pytest

from producers.dialect import BookRule, Channel, FrameError, Kind, Trade
from producers.dialects.okx import Okx
from schemas import exact
from schemas.market import HistoryCandle, Instrument
from tests.producers.dialects.okx_samples import meant

OKX = Okx()

# Samples that cannot be read, and why.
UNREADABLE = {
    "trade": ["'BTC-USDT' among those of 'ETH-USDT'", "missing required field `tradeId`"],
    "ticker": ["another instrument"],
    "mark_index": ["another instrument"],
    "funding": ["missing required field `fundingRate`", "another instrument"],
    "book_snapshot": ["neither snapshot nor update", "not a number: 'XYZ'"],
    "candle": ["a candle of 7 columns"],
}
READABLE = [
    "ack", "book_delta", "book_snapshot", "book_ticker", "candle", "error", "funding", "instruments_push", "liquidation",
    "mark_index", "ping_pong", "system_notice", "ticker", "trade",
]  # fmt: skip


@pytest.mark.parametrize("kind", READABLE)
def test_every_collected_sample_gives_what_is_in_it(kind: str, shared: Path):
    unreadable = []
    for sample in json.loads((shared / "wire" / "okx" / f"{kind}.json").read_text()):
        message = sample["message"]
        frame = message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))
        try:
            events = OKX.parse(frame.encode())
        except FrameError as error:
            unreadable.append(str(error))
        else:
            assert events == meant(message)
    expected = UNREADABLE.get(kind, [])
    assert len(unreadable) == len(expected)
    assert all(reason in told for reason, told in zip(expected, unreadable, strict=True))


def instrument(market_id: str, shared: Path) -> Instrument:
    entry = json.loads((shared / "captures" / "instruments.json").read_text())["okx"][market_id]
    return OKX.instrument(ccxt.okx({"number": str}).parse_market(entry))


def test_trades_are_asked_for_first_in_requests_of_a_hundred_channels_and_the_status_once():
    wanted = [Channel(kind, f"COIN{at}-USDT") for at in range(60) for kind in (Kind.QUOTES, Kind.TRADES)]
    first, second = OKX.subscribe(wanted, (), 3)
    asked = [json.loads(message.text) for message in (first, second)]
    assert [(one["op"], one["id"]) for one in asked] == [("subscribe", "3"), ("subscribe", "4")]
    assert asked[0]["args"][:2] == [{"channel": "trades", "instId": f"COIN{at}-USDT"} for at in (0, 1)]
    assert [len(one["args"]) for one in asked] == [101, 20]
    assert asked[0]["args"][-1] == {"channel": "status"}
    assert sorted((*first.channels, *second.channels)) == sorted(wanted)
    assert (first.request, second.request) == (3, 4)


def test_the_status_is_not_asked_for_again_nor_where_there_is_none():
    candles, trades = Channel(Kind.CANDLES, "BTC-USDT"), Channel(Kind.TRADES, "BTC-USDT")
    for wanted, held in ((candles, ()), (trades, (Channel(Kind.QUOTES, "BTC-USDT"),))):
        (message,) = OKX.subscribe([wanted], held, 1)
        assert len(json.loads(message.text)["args"]) == 1


def test_channels_are_given_up_by_name():
    (message,) = OKX.unsubscribe([Channel(Kind.BOOK, "BTC-USDT")], [Channel(Kind.TRADES, "BTC-USDT")], 9)
    assert json.loads(message.text) == {"id": "9", "op": "unsubscribe", "args": [{"channel": "books", "instId": "BTC-USDT"}]}


ALL = set(Kind)
HAS = {
    "BTC-USDT": ALL - {Kind.MARK, Kind.FUNDING, Kind.INTEREST},
    "XMR-USDT-SWAP": ALL,
    "BTC-USD-220527": ALL - {Kind.FUNDING},
    "BTC-USD-210924-66000-C": ALL - {Kind.FUNDING},
}


@pytest.mark.parametrize("market_id", HAS)
def test_an_instrument_has_the_channels_of_its_type_and_candles_on_another_address(market_id: str, shared: Path):
    found = instrument(market_id, shared)
    paths = {kind: OKX.path(Channel(kind, market_id), found) for kind in Kind}
    assert {kind for kind, path in paths.items() if path} == HAS[market_id]
    assert {kind for kind, path in paths.items() if path == "/ws/v5/business"} == {Kind.CANDLES}
    assert set(paths.values()) <= {"/ws/v5/business", "/ws/v5/public", None}


# Of each: contract size, whether inverse, type, settle, expiry, strike, option.
CONTRACTS = {
    "BTC-USDT": ("1", False, "spot", None, None, None, None),
    "XMR-USDT-SWAP": ("0.1", False, "swap", "USDT", None, None, None),
    "UNI-USD-SWAP": ("10", True, "swap", "UNI", None, None, None),
    "BTC-USD-220527": ("100", True, "future", "BTC", 1653638400000, None, None),
    "TRX-USDT-210924": ("1000", False, "future", "USDT", 1632470400000, None, None),
    "BTC-USD-210924-66000-C": ("0.1", False, "option", "BTC", 1632470400000, "66000", "call"),
    "BTC-USD-210924-42000-P": ("0.1", False, "option", "BTC", 1632470400000, "42000", "put"),
}


@pytest.mark.parametrize("market_id", CONTRACTS)
def test_an_instrument_keeps_the_venue_s_own_digits(market_id: str, shared: Path):
    """Contract size is `ctVal` times `ctMult`: base units, or quote units of inverse contracts."""
    entry = json.loads((shared / "captures" / "instruments.json").read_text())["okx"][market_id]
    found = instrument(market_id, shared)
    size, inverse, kind, settle, expiry, strike, option = CONTRACTS[market_id]
    assert (found.contract_size, found.inverse, found.type) == (Decimal(size), inverse, kind)
    assert (found.settle, found.expiry, found.quanto, found.option) == (settle, expiry, False, option)
    assert found.strike == (None if strike is None else Decimal(strike))
    assert [exact.plain(step) for step in (found.tick_size, found.lot_size)] == [entry["tickSz"], entry["lotSz"]]
    assert found.valid_from == int(entry["listTime"])


def test_what_is_settled_in_a_third_currency_is_quanto(shared: Path):
    entry = json.loads((shared / "captures" / "instruments.json").read_text())["okx"]["XMR-USDT-SWAP"]
    market = ccxt.okx({"number": str}).parse_market(entry)
    assert OKX.instrument({**market, "settle": "BTC"}).quanto


@pytest.mark.parametrize(
    "market", [{}, {"info": None}, {"info": {"instType": "SWAP", "instId": "X"}, "symbol": "X", "settle": "Y"}]
)
def test_an_entry_without_its_fields_is_named(market):
    with pytest.raises(FrameError, match="without"):
        OKX.instrument(market)


def test_a_page_of_trades_is_asked_for_by_id_and_read_oldest_first(shared: Path):
    btc = instrument("BTC-USDT", shared)
    two = Trade(15826758, 15826757, 1621446178316, Decimal(1), Decimal(1), taker_buy=True, count=2)
    request = OKX.trades_request(btc, two)
    assert request.method == "public_get_market_history_trades"
    assert request.params == {"instId": "BTC-USDT", "type": "1", "limit": "100", "after": "15826757"}
    assert "after" not in OKX.trades_request(btc, None).params
    row = {"instId": "BTC-USDT", "side": "sell", "sz": "0.119501", "px": "0.07065", "tradeId": "15826757", "ts": "1621446178316"}
    newer = Trade(15826757, 15826757, 1621446178316, Decimal("0.07065"), Decimal("0.119501"), taker_buy=False)
    older = Trade(15826756, 15826756, 1621446178316, Decimal("0.07065"), Decimal("0.119501"), taker_buy=False)
    answer = {"code": "0", "data": [row, {**row, "tradeId": "15826756"}]}
    assert OKX.trades_page(btc, answer) == (older, newer)


def test_nothing_is_older_than_the_first_trade(shared: Path):
    first = Trade(2, 0, 1621446178316, Decimal(1), Decimal(1), taker_buy=True, count=3)
    assert OKX.trades_request(instrument("BTC-USDT", shared), first) is None


@pytest.mark.parametrize(
    ("market_id", "volume", "quote_volume"),
    [("BTC-USDT", "1040.37", "1069603.34883"), ("XMR-USDT-SWAP", "10.4037", "1069603.34883")],
)
def test_a_candle_s_volume_is_in_base_units(market_id: str, volume: str, quote_volume: str, shared: Path):
    """Column 5 counts base units of spot, and contracts of all else, whose base units are in column 6."""
    row = ["1747094040000", "102806.1", "102820.4", "102806.1", "102820.5", "1040.37", "10.4037", "1069603.34883", "1"]
    (told,) = OKX.candles_page(instrument(market_id, shared), {"data": [row]})
    prices = (Decimal(price) for price in row[1:5])
    assert told.candle == HistoryCandle(1747094040000, *prices, Decimal(volume), Decimal(quote_volume))
    assert told.closed


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": [["1"]]}, {"data": [{"a": 1}]}, None, []])
def test_an_answer_that_is_no_page_is_refused(answer, shared: Path):
    btc = instrument("BTC-USDT", shared)
    for page in (OKX.candles_page, OKX.trades_page, OKX.book_page):
        with pytest.raises(FrameError):
            page(btc, answer)


def test_the_websocket_sends_books_itself(shared: Path):
    btc = instrument("BTC-USDT", shared)
    assert OKX.book_request(btc) is None
    assert OKX.book_rule(btc) == BookRule(continues="previous", depth=400)


def test_requests_lead_ccxt_to_the_endpoints(shared: Path):
    asked: list[str] = []
    exchange = ccxt.okx({"number": str, "rateLimit": 0.001})
    exchange.fetch = lambda url, *_: asked.append(url) or {}
    btc = instrument("BTC-USDT", shared)
    for request in (OKX.trades_request(btc, None), OKX.candles_request(btc, 60_000)):
        getattr(exchange, request.method)(request.params)
    assert [url.partition("/api/v5/")[2] for url in asked] == [
        "market/history-trades?instId=BTC-USDT&type=1&limit=100",
        "market/candles?instId=BTC-USDT&bar=1m&after=60000&limit=300",
    ]
