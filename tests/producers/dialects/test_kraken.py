"""Kraken v2 as this venue writes it: frames to events, requests, answers over REST, market entries to instruments."""

import json
from decimal import Decimal
from typing import Any

import pytest

from producers.dialect import (
    Acknowledged,
    Announced,
    BookPushed,
    BookRule,
    CandlePushed,
    Channel,
    FrameError,
    Ids,
    Ignored,
    Kind,
    Quoted,
    Refused,
    Request,
    Told,
    Trade,
    TradesPushed,
    VenueCandle,
)
from producers.dialects.kraken import Kraken
from schemas.market import HistoryCandle, Instrument

KRAKEN = Kraken()
BTC = "BTC/USD"


def pushed(channel: str, data: str, kind: str = "update") -> str:
    return f'{{"channel":"{channel}","type":"{kind}","data":[{data}]}}'


TRADE = (
    '{"symbol":"BTC/USD","side":"buy","price":105944.2,"qty":0.00027625,"ord_type":"limit","trade_id":10218208,'
    '"timestamp":"2023-10-06T17:35:55.440295Z"}'
)
SOLD = TRADE.replace("buy", "sell").replace("10218208", "10218207")
BOUGHT = Trade(10218208, 10218208, 1696613755440, Decimal("105944.2"), Decimal("0.00027625"), taker_buy=True)
BEFORE = Trade(10218207, 10218207, 1696613755440, Decimal("105944.2"), Decimal("0.00027625"), taker_buy=False)
QUOTE = (
    '{"symbol":"BTC/USD","bid":108359.8,"bid_qty":0.01362603,"ask":108359.9,"ask_qty":17.17988863,"last":108359.8,"volume":2158}'
)
TIMED = QUOTE.replace('"volume":2158', '"timestamp":"2023-10-06T17:35:55.440295Z"')
QUOTED = (BTC, Decimal("108359.8"), Decimal("0.01362603"), Decimal("108359.9"), Decimal("17.17988863"))
BOOK = (
    '{"symbol":"BTC/USD","bids":[{"price":45281.0,"qty":0.10000000}],"asks":[{"price":45285.2,"qty":0}],"checksum":3310070434,'
    '"timestamp":"2023-10-06T17:35:55.440295Z"}'
)
CANDLE = (
    '{"symbol":"BTC/USD","interval":1,"interval_begin":"2023-10-04T16:25:00.000000000Z","open":106038.2,"high":106044.3,'
    '"low":106038.1,"close":106040.1,"volume":0.5,"vwap":106039.6,"trades":12}'
)
PRICES = (Decimal("106038.2"), Decimal("106044.3"), Decimal("106038.1"), Decimal("106040.1"))
MINUTE = HistoryCandle(1696436700000, *PRICES, volume=Decimal("0.5"), quote_volume=Decimal("53019.80"))
ALL = tuple(Channel(kind, BTC) for kind in (Kind.TRADES, Kind.QUOTES, Kind.BOOK, Kind.CANDLES))

MEANINGS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "trades, by their ids": (pushed("trade", f"{TRADE},{SOLD}"), (TradesPushed(BTC, (BEFORE, BOUGHT)),)),
    "trades of two markets": (
        pushed("trade", f"{TRADE},{SOLD.replace('BTC', 'ETH')}"),
        (TradesPushed("ETH/USD", (BEFORE,)), TradesPushed(BTC, (BOUGHT,))),
    ),
    "the last trades, on subscribing": (pushed("trade", TRADE, "snapshot"), (TradesPushed(BTC, (BOUGHT,), snapshot=True),)),
    "a quote without a time": (pushed("ticker", QUOTE), (Quoted(BTC, 0, *QUOTED[1:]),)),
    "a quote and the last price": (
        pushed("ticker", TIMED),
        (Quoted(BTC, 1696613755440, *QUOTED[1:]), Told(BTC, 1696613755440, price=Decimal("108359.8"))),
    ),
    "no quotes at all": ('{"channel":"ticker","type":"snapshot","data":[]}', (Ignored("no quotes"),)),
    "a change of a book, its digits kept": (
        pushed("book", BOOK),
        (
            BookPushed(
                BTC,
                1696613755440,
                ((Decimal("45281.0"), Decimal("0.10000000")),),
                ((Decimal("45285.2"), Decimal(0)),),
                snapshot=False,
                checksum=3310070434,
            ),
        ),
    ),
    "a minute": (pushed("ohlc", CANDLE), (CandlePushed(BTC, MINUTE, 12, closed=False),)),
    "five minutes": (pushed("ohlc", CANDLE.replace('"interval":1', '"interval":5')), (Ignored("no candles of one minute"),)),
    "an acknowledgement": (
        '{"method":"subscribe","result":{"channel":"ticker","symbol":"BTC/USD","snapshot":true},"success":true,"req_id":1}',
        (Acknowledged(channels=(Channel(Kind.QUOTES, BTC),)),),
    ),
    "an acknowledgement of what nobody reads": (
        '{"method":"subscribe","result":{"channel":"level3","symbol":"BTC/USD"},"success":true}',
        (Ignored("subscribe"),),
    ),
    "a refused market": (
        '{"error":"Currency pair not supported BTC/USD","method":"subscribe","req_id":3,"success":false,"symbol":"BTC/USD"}',
        (Refused("", "Currency pair not supported BTC/USD", channels=ALL),),
    ),
    "a refused request": (
        '{"error":"Malformed request","method":"subscribe","req_id":3,"success":false}',
        (Refused("", "Malformed request", 3),),
    ),
    "a pong": ('{"method":"pong","req_id":3,"time_in":"2023-09-25T09:04:31.742599Z"}', (Ignored("pong"),)),
    "a sign of life": ('{"channel":"heartbeat"}', (Ignored("heartbeat"),)),
    "the system's state": (
        pushed("status", '{"version":"2.0.10","system":"online","api_version":"v2"}'),
        (Announced("resumed", "online", "system online"),),
    ),
    "maintenance": (
        pushed("status", '{"system":"maintenance"}'),
        (Announced("maintenance", "maintenance", "system maintenance"),),
    ),
    "no new orders": (pushed("status", '{"system":"cancel_only"}'), (Announced("other", "cancel_only", "system cancel_only"),)),
    "a channel that nobody reads": (pushed("instrument", ""), (Ignored("instrument"),)),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_a_frame_says(case: str) -> None:
    text, events = MEANINGS[case]
    assert KRAKEN.parse(text.encode()) == events


BROKEN = {
    "a price of zero": pushed("trade", TRADE.replace("105944.2", "0")),
    "a time that is none": pushed("trade", TRADE.replace("2023-10-06", "2023-13-06")),
    "a time in another zone": pushed("trade", TRADE.replace("295Z", "295+09:00")),
    "no time": pushed("trade", TRADE.replace("timestamp", "time")),
    "an amount below zero": pushed("book", BOOK.replace("0.10000000", "-0.1")),
    "no checksum": pushed("book", BOOK.replace("checksum", "sum")),
    "a kind that is none": pushed("trade", TRADE, "correction"),
    "an object instead of rows": pushed("trade", TRADE).replace("[", "").replace("]", ""),
    "of Kraken's futures": '{"feed":"heartbeat","time":1700000000000}',
    "nothing": "{}",
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_is_refused_with_a_reason(case: str) -> None:
    with pytest.raises(FrameError, match=r"."):
        KRAKEN.parse(BROKEN[case].encode())


def instrument(**changed: Any) -> Instrument:
    info = {
        "altname": "XBTUSD",
        "wsname": "XBT/USD",
        "pair_decimals": "1",
        "lot_decimals": 8,
        "ordermin": "0.0001",
        "tick_size": "0.1",
        "status": "online",
        **changed,
    }
    return KRAKEN.instrument({"symbol": "BTC/USD", "base": "BTC", "quote": "USD", "settle": None, "info": info})


def test_an_instrument_has_the_websockets_name() -> None:
    made = instrument()
    assert (made.market_id, made.type, made.contract_size, made.inverse) == ("BTC/USD", "spot", 1, False)
    assert (made.tick_size, made.lot_size, made.min_amount) == (Decimal("0.1"), Decimal("0.00000001"), Decimal("0.0001"))
    assert made.active
    assert not instrument(status="cancel_only").active
    assert instrument(wsname="ADA/XDG").market_id == "ADA/DOGE"


def test_what_is_no_instrument_is_refused() -> None:
    with pytest.raises(FrameError):
        instrument(wsname=None)
    with pytest.raises(FrameError):
        KRAKEN.instrument({})


def test_each_kind_is_a_request_of_its_own_and_trades_come_first() -> None:
    wanted = [Channel(kind, market_id) for market_id in (BTC, "ETH/USD") for kind in (Kind.BOOK, Kind.TRADES)]
    trades, books = KRAKEN.subscribe(wanted, (), 4)
    assert json.loads(trades.text) == {
        "method": "subscribe",
        "params": {"channel": "trade", "snapshot": True, "symbol": [BTC, "ETH/USD"]},
        "req_id": 4,
    }
    assert json.loads(books.text)["params"] == {"channel": "book", "depth": 25, "symbol": [BTC, "ETH/USD"]}
    assert (trades.request, books.request) == (4, 5)
    (ended,) = KRAKEN.unsubscribe([Channel(Kind.QUOTES, BTC)], (), 9)
    assert json.loads(ended.text)["method"] == "unsubscribe"
    assert ended.channels == (Channel(Kind.QUOTES, BTC),)


def test_a_request_names_a_hundred_markets_at_most() -> None:
    messages = KRAKEN.subscribe([Channel(Kind.TRADES, f"A{number}/USD") for number in range(250)], (), 1)
    assert [len(message.channels) for message in messages] == [100, 100, 50]


def test_spot_has_no_marks_and_all_trades_are_numbered() -> None:
    assert KRAKEN.path(Channel(Kind.MARK, BTC), instrument()) is None
    assert KRAKEN.path(Channel(Kind.CANDLES, BTC), instrument()) == "/v2"
    assert KRAKEN.ids(instrument()) is Ids.CONSECUTIVE
    assert KRAKEN.book_rule(instrument()) == BookRule("counted", checksum="kraken", depth=25)
    assert KRAKEN.book_request(instrument()) is None


TRADES = (
    '{"error":[],"result":{"XXBTZUSD":[["105944.20000","0.00027625",1696613755.4402951,"s","l","",10218207],'
    '["105944.20000","0.00027625",1696613755.4402951,"b","m","",10218208]],"last":"1762820035982277754"}}'
)


@pytest.mark.parametrize("numbers", [{"parse_float": Decimal}, {"parse_float": str, "parse_int": str}, {}])
def test_a_page_of_trades_is_exact_however_its_numbers_come(numbers: dict[str, Any]) -> None:
    assert KRAKEN.trades_page(instrument(), json.loads(TRADES, **numbers)) == (BEFORE, BOUGHT)


def test_older_trades_are_read_from_a_minute_before_the_oldest_known() -> None:
    newest = {"pair": "XBTUSD", "count": "1000"}
    assert KRAKEN.trades_request(instrument(), None) == Request("public_get_trades", newest)
    assert KRAKEN.trades_request(instrument(), BEFORE) == Request("public_get_trades", {**newest, "since": "1696613695440000000"})


@pytest.mark.parametrize(
    "answer", [None, {"result": {}}, {"result": {"a": [[1]], "last": "1"}}, {"error": ["EQuery"], "result": []}]
)
def test_an_answer_that_is_none_is_refused(answer: Any) -> None:
    with pytest.raises(FrameError):
        KRAKEN.trades_page(instrument(), answer)
    with pytest.raises(FrameError):
        KRAKEN.candles_page(instrument(), answer)


def test_a_page_of_minutes_knows_which_are_closed() -> None:
    row = ["106038.2", "106044.3", "106038.1", "106040.1", "106039.6", "0.5", "12"]
    answer = {"result": {"XXBTZUSD": [["1696436700", *row], ["1696436760", *row]], "last": "1696436700"}}
    first, second = KRAKEN.candles_page(instrument(), answer)
    assert (first, second.closed) == (VenueCandle(MINUTE, closed=True), False)
    assert KRAKEN.candles_request(instrument(), 1696436820000).params["pair"] == "XBTUSD"
