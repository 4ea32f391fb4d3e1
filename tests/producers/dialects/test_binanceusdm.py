"""Binance USDⓈ-M futures: what is other than on spot."""

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import ccxt
import pytest

from producers.dialect import BookPushed, Channel, FrameError, Funded, Ignored, Kind, Marked, Quoted, Request, Trade
from producers.dialects.binanceusdm import BinanceUsdm
from schemas.market import Instrument
from tests.producers.dialects.binance_samples import check_samples

USDM = BinanceUsdm()
BTC = Instrument(
    venue="binanceusdm",
    symbol="BTC/USDT:USDT",
    market_id="BTCUSDT",
    type="swap",
    base="BTC",
    quote="USDT",
    settle="USDT",
    contract_size=Decimal(1),
    inverse=False,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.001"),
    min_amount=Decimal("0.001"),
    active=True,
    expiry=None,
    valid_from=1569398400000,
)
MARK = (
    '{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT","p":"11794.15000000",'
    '"i":"11784.62659091","P":"11784.25641265","r":"-0.00038167","T":1562306400000}}'
)
MARKED = Marked("BTCUSDT", 1562305380000, Decimal("11794.15"), Decimal("11784.62659091"))

MEANINGS = {
    "mark, index and funding": (MARK, (MARKED, Funded("BTCUSDT", 1562305380000, Decimal("-0.00038167"), 1562306400000))),
    "a contract that expires has no funding": (
        MARK.replace("-0.00038167", "").replace("1562306400000", "0"),
        (MARKED,),
    ),
    "a contract without an index": (
        MARK.replace("11784.62659091", "0.00000000").replace("-0.00038167", ""),
        (Marked("BTCUSDT", 1562305380000, Decimal("11794.15")),),
    ),
    "a quote has a time": (
        (
            '{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":6,"s":"BTCUSDT","b":"7.6110","B":"2","a":"7.6120","A":"297",'
            '"T":1626992741012,"E":1626992741017}}'
        ),
        (Quoted("BTCUSDT", 1626992741012, Decimal("7.611"), Decimal(2), Decimal("7.612"), Decimal(297)),),
    ),
    "a change of a book names the one before it": (
        (
            '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1626992741142,"T":1626992741093,"s":"BTCUSDT","U":157,'
            '"u":160,"pu":149,"b":[["0.2443","3688"]],"a":[]}}'
        ),
        (
            BookPushed(
                "BTCUSDT",
                1626992741093,
                bids=((Decimal("0.2443"), Decimal(3688)),),
                asks=(),
                snapshot=False,
                first=157,
                last=160,
                previous=149,
            ),
        ),
    ),
    "what was settled outside the book is no trade": (
        (
            '{"stream":"ethusdt@trade","data":{"e":"trade","E":1596034530241,"T":1596034530235,"s":"ETHUSDT","t":73701056,'
            '"p":"2366.55","q":"0.070","X":"INSURANCE_FUND","m":true}}'
        ),
        (Ignored("a trade of kind INSURANCE_FUND"),),
    ),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_a_frame_means(case):
    text, events = MEANINGS[case]
    assert USDM.parse(text.encode()) == events


@pytest.mark.parametrize("rate", ["--1", "1e-5", "NaN", "-"])
def test_a_rate_that_is_no_number_is_refused(rate):
    with pytest.raises(FrameError, match="not a number"):
        USDM.parse(MARK.replace("-0.00038167", rate).encode())


UNREADABLE = {"candle": ["missing required field `i`", "missing required field `i`"]}


@pytest.mark.parametrize(
    "kind",
    [
        "book_delta",
        "book_snapshot",
        "book_ticker",
        "candle",
        "funding",
        "instruments_push",
        "liquidation",
        "mark_index",
        "ticker",
        "trade",
    ],
)
def test_every_collected_sample_gives_what_is_in_it(kind: str, shared: Path):
    check_samples(USDM.parse, shared / "wire" / "binance_usdm" / f"{kind}.json", UNREADABLE.get(kind, []))


def test_changes_of_a_recorded_book_follow_one_another(shared: Path):
    (recording,) = json.loads((shared / "wire" / "binance_usdm" / "sequence_book.json").read_text())
    events = [event for one in recording["message"] for event in USDM.parse(json.dumps(one["frame"]).encode())]
    books = [event for event in events if isinstance(event, BookPushed)]
    assert len(books) > 10
    assert all(later.previous == earlier.last for earlier, later in pairwise(books))
    assert USDM.book_rule(BTC).continues == "previous"


def test_books_and_quotes_have_an_address_of_their_own():
    paths = {kind: USDM.path(Channel(kind, "BTCUSDT"), BTC) for kind in Kind}
    assert paths == {
        Kind.TRADES: "/market/stream",
        Kind.QUOTES: "/public/stream",
        Kind.BOOK: "/public/stream",
        Kind.CANDLES: "/market/stream",
        Kind.MARK: "/market/stream",
        Kind.FUNDING: "/market/stream",
        Kind.INTEREST: None,
    }


def test_mark_price_and_funding_are_one_stream():
    """It is asked for once, and kept for one of the two when the other is given up."""
    mark, funding = Channel(Kind.MARK, "BTCUSDT"), Channel(Kind.FUNDING, "BTCUSDT")
    (message,) = USDM.subscribe([funding, mark], (), 1)
    assert json.loads(message.text)["params"] == ["btcusdt@markPrice@1s"]
    assert set(message.channels) == {mark, funding}
    assert USDM.unsubscribe([funding], [mark], 2) == ()
    (message,) = USDM.unsubscribe([funding, mark], (), 2)
    assert json.loads(message.text) == {"method": "UNSUBSCRIBE", "params": ["btcusdt@markPrice@1s"], "id": 2}


def test_a_book_over_rest_has_its_time_and_the_number_that_changes_go_on_from(shared: Path):
    answer = {
        "lastUpdateId": 1027024,
        "E": 1589436922972,
        "T": 1589436922959,
        "bids": [["10", "1"]],
        "asks": [["11", "1"]],
    }
    bids, asks = ((Decimal(10), Decimal(1)),), ((Decimal(11), Decimal(1)),)
    assert USDM.book_page(BTC, answer) == BookPushed("BTCUSDT", 1589436922959, bids, asks, snapshot=True, last=1027024)


def test_pages_of_trades_and_candles_are_read(shared: Path):
    """Of the collected answers, those with aggregates hold consecutive ones."""
    folder = shared / "wire" / "binance_usdm"
    answers = [sample["message"] for sample in json.loads((folder / "rest_recent_trades.json").read_text())]
    pages = [USDM.trades_page(BTC, answer) for answer in answers if "a" in answer[0]]
    assert [len(page) for page in pages] == [len(answer) for answer in answers if "a" in answer[0]]
    assert all(later.id == earlier.id + 1 for page in pages for earlier, later in pairwise(page))
    first = pages[0][0]
    assert first == Trade(19427407, 19427407, 1602819697783, Decimal("49.73"), Decimal("0.001"), taker_buy=False)
    (row,) = json.loads((folder / "rest_klines.json").read_text())[0]["message"]
    (told,) = USDM.candles_page(BTC, [row])
    assert (told.candle.open_time, told.candle.volume, told.candle.quote_volume, told.closed) == (
        1607444700000,
        Decimal("492.363"),
        Decimal("9302145.6608"),
        False,
    )


def test_requests_lead_ccxt_to_the_endpoints():
    asked: list[str] = []
    exchange = ccxt.binanceusdm({"number": str, "rateLimit": 0.001})
    exchange.fetch = lambda url, *_: asked.append(url) or []
    newest = USDM.trades_request(BTC, None)
    assert newest == Request("fapipublic_get_aggtrades", {"symbol": "BTCUSDT", "limit": "1000"})
    for request in (newest, USDM.candles_request(BTC, 60_000), USDM.book_request(BTC)):
        getattr(exchange, request.method)(request.params)
    assert [url.removeprefix("https://fapi.binance.com/fapi/v1/") for url in asked] == [
        "aggTrades?symbol=BTCUSDT&limit=1000",
        "klines?symbol=BTCUSDT&interval=1m&endTime=60000&limit=1000",
        "depth?symbol=BTCUSDT&limit=1000",
    ]


PERPETUAL = {
    "symbol": "BTCUSDT",
    "contractType": "PERPETUAL",
    "deliveryDate": 4133404800000,
    "onboardDate": 1569398400000,
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "marginAsset": "USDT",
    "pricePrecision": 2,
    "quantityPrecision": 3,
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "556.80", "maxPrice": "4529764", "tickSize": "0.10"},
        {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
    ],
}


def instrument(entry: dict) -> Instrument:
    exchange = ccxt.binanceusdm({"number": str})
    exchange.options.update(crossMarginPairsData=[], isolatedMarginPairsData=[])
    return USDM.instrument(exchange.parse_market(exchange.parse_json(json.dumps(entry))))


def test_a_perpetual_does_not_expire():
    assert instrument(PERPETUAL) == BTC


def test_a_future_expires():
    quarter = {
        **PERPETUAL,
        "symbol": "BTCUSDT_220325",
        "contractType": "CURRENT_QUARTER",
        "deliveryDate": 1648195200000,
        "onboardDate": "1640332800000",
        "status": "SETTLING",
    }
    found = instrument(quarter)
    assert (found.symbol, found.type, found.expiry) == ("BTC/USDT:USDT-220325", "future", 1648195200000)
    assert (found.valid_from, found.active, found.settle, found.quanto) == (1640332800000, False, "USDT", False)
    assert USDM.path(Channel(Kind.FUNDING, found.market_id), found) is None


def test_a_contract_that_is_not_linear_is_named(shared: Path):
    entry = {**PERPETUAL, "contractStatus": "TRADING"}
    del entry["status"]
    with pytest.raises(FrameError, match="without 'status'"):
        instrument(entry)
