"""Frames of Upbit as events."""

import csv
import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from producers.dialect import (
    BookPushed,
    CandlePushed,
    Event,
    FrameError,
    Ignored,
    Quoted,
    Refused,
    Told,
    Trade,
    TradesPushed,
)
from producers.dialects.upbit_stream import parse
from schemas.market import HistoryCandle
from tests.producers.dialects.samples import samples

SIMPLE = (
    '{"ty":"trade","cd":"KRW-LAMB","tms":1618678262712,"td":"2021-04-17","ttm":"16:51:02","ttms":1618678262000,"tp":127.0,'
    '"tv":46.48838371,"ab":"BID","pcp":123.00000000,"c":"RISE","cp":4.00000000,"sid":1618678262000003,"st":"REALTIME"}'
)
DEFAULT = (
    '{"type":"trade","code":"KRW-LAMB","timestamp":1618678262712,"trade_timestamp":1618678262000,"trade_price":127.0,'
    '"trade_volume":46.48838371,"ask_bid":"BID","sequential_id":1618678262000003,"stream_type":"REALTIME"}'
)
BOOK = (
    '{"ty":"orderbook","cd":"BTC-XTZ","tms":1618678266975,"tas":1734.5,"tbs":2802.2,"obu":[{"ap":0.00012221,"bp":0.00011802,'
    '"as":300.0,"bs":75.05997935},{"ap":0.00012222,"bp":0,"as":56.9,"bs":0}],"st":"REALTIME","lv":0}'
)
LONG_BOOK = (
    '{"type":"orderbook","code":"BTC-XTZ","timestamp":1618678266975,"orderbook_units":[{"ask_price":0.00012221,'
    '"bid_price":0.00011802,"ask_size":300.0,"bid_size":75.05997935},{"ask_price":0.00012222,"bid_price":0,"ask_size":56.9,'
    '"bid_size":0}],"stream_type":"SNAPSHOT"}'
)
CANDLE = (
    '{"type":"candle.1m","code":"KRW-ETH","candle_date_time_utc":"2025-01-02T04:28:00","opening_price":142009000.00000000,'
    '"high_price":142009001,"low_price":142008000.0,"trade_price":142009000,"candle_acc_trade_volume":0.00606119,'
    '"candle_acc_trade_price":860743.5307100000000000,"timestamp":1735792085824,"stream_type":"REALTIME"}'
)
SHORT_CANDLE = (
    '{"ty":"candle.1m","cd":"KRW-ETH","cdttmu":"2025-01-02T04:28:00","op":142009000.00000000,"hp":142009001,"lp":142008000.0,'
    '"tp":142009000,"catv":0.00606119,"catp":860743.53071,"tms":1735792140000,"st":"REALTIME"}'
)
TICKER = (
    '{"ty":"ticker","cd":"BTC-ETH","tp":0.02161249,"tv":2.12,"ab":"ASK","ttms":1584482323000,"tms":1584482323378,"st":"SNAPSHOT"}'
)


def traded(price: str = "127.0", amount: str = "46.48838371", *, buy: bool = True, snapshot: bool = False) -> tuple[Event, ...]:
    trade = Trade(1618678262000003, 1618678262000003, 1618678262000, Decimal(price), Decimal(amount), taker_buy=buy)
    return (TradesPushed("KRW-LAMB", (trade,), 1618678262712, snapshot),)


def minute(*, closed: bool) -> tuple[Event, ...]:
    prices = (Decimal(price) for price in ("142009000", "142009001", "142008000", "142009000"))
    candle = HistoryCandle(1735792080000, *prices, Decimal("0.00606119"), Decimal("860743.53071"))
    return (CandlePushed("KRW-ETH", candle, trades=None, closed=closed),)


BID, ASKS = (
    (Decimal("0.00011802"), Decimal("75.05997935")),
    ((Decimal("0.00012221"), Decimal(300)), (Decimal("0.00012222"), Decimal("56.9"))),
)
WHOLE = (
    Quoted("BTC-XTZ", 1618678266975, *BID, *ASKS[0]),
    BookPushed("BTC-XTZ", 1618678266975, (BID,), ASKS, snapshot=True),
)
MEANINGS: dict[str, tuple[str, tuple[Event, ...]]] = {
    "a trade under short names": (SIMPLE, traded()),
    "a trade under long names": (DEFAULT, traded()),
    "a trade in a frame written another way": (SIMPLE.replace('{"ty"', '{ "ty"'), traded()),
    "a sale": (SIMPLE.replace("BID", "ASK"), traded(buy=False)),
    "the last trade, on subscribing": (SIMPLE.replace("REALTIME", "SNAPSHOT"), traded(snapshot=True)),
    "a trade of whole numbers": (SIMPLE.replace("127.0", "127").replace("46.48838371", "46"), traded("127", "46")),
    "a small amount, with an exponent": (SIMPLE.replace("46.48838371", "8.428e-05"), traded(amount="0.00008428")),
    "a book, filled up with zeros": (BOOK, WHOLE),
    "a book under long names": (LONG_BOOK, WHOLE),
    "an empty book": (
        '{"ty":"orderbook","cd":"BTC-X","tms":7,"obu":[]}',
        (Quoted("BTC-X", 7, *[Decimal(0)] * 4), BookPushed("BTC-X", 7, (), (), snapshot=True)),
    ),
    "a book of grouped prices": (BOOK.replace('"lv":0', '"lv":10000.0'), (Ignored("a book of grouped prices"),)),
    "a minute, whose sum has many digits": (CANDLE, minute(closed=False)),
    "a minute that has ended, under short names": (SHORT_CANDLE, minute(closed=True)),
    "five minutes": (CANDLE.replace("1m", "5m"), (Ignored("candle.5m"),)),
    "a ticker": (
        TICKER,
        (Told("BTC-ETH", 1584482323378, price=Decimal("0.02161249"), amount=Decimal("2.12"), trade_time=1584482323000),),
    ),
    "an order of ours": ('{"type":"myOrder","code":"KRW-BTC"}', (Ignored("myOrder"),)),
    "a refusal": (
        '{"error":{"name":"WRONG_FORMAT","message":"invalid format"}}',
        (Refused("WRONG_FORMAT", "invalid format"),),
    ),
    "the answer to a ping": ('{"status":"UP"}', (Ignored("status UP"),)),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_a_frame_means(case: str):
    text, events = MEANINGS[case]
    assert parse(text.encode()) == events


BROKEN = {
    "no JSON": ("<html>", "not a frame of Upbit"),
    "cut short": (SIMPLE[:-20], "not a frame of Upbit"),
    "nothing in it": ("{}", "unknown type ''"),
    "an unknown type": (DEFAULT.replace('"trade"', '"moon"'), "unknown type 'moon'"),
    "an unknown type of stream": (SIMPLE.replace("REALTIME", "REPLAY"), "unknown stream type 'REPLAY'"),
    "a trade without a price": (SIMPLE.replace('"tp":127.0,', ""), "missing required field `tp`"),
    "a price as a string": (SIMPLE.replace("127.0", '"127.0"'), "not a number: '127.0'"),
    "a price that is a list": (SIMPLE.replace("127.0", "[127.0]"), "not a number"),
    "a price that is nothing": (SIMPLE.replace("127.0", "null"), "not a number: None"),
    "a price that is true": (SIMPLE.replace("127.0", "true"), "not a number: True"),
    "a price below zero": (SIMPLE.replace("127.0", "-127.0"), "not a number"),
    "a price of whole numbers below zero": (SIMPLE.replace("127.0", "-127"), "not a number"),
    "a price of zero": (SIMPLE.replace("127.0", "0.0"), "zero"),
    "a price that is none": (SIMPLE.replace("127.0", "NaN"), "not a frame of Upbit"),
    "a price beyond 64 bits": (SIMPLE.replace("127.0", "9" * 19), "not a number"),
    "a price of more digits than that": (SIMPLE.replace("127.0", "1.000000000000000001"), "not a number"),
    "a huge price": (SIMPLE.replace("127.0", "1e400"), "not a number"),
    "a price beyond all decimals": (SIMPLE.replace("127.0", "1e999999999999999999999"), "not a frame of Upbit"),
    "a price of five thousand digits": (SIMPLE.replace("127.0", "9" * 5000), "not a frame of Upbit"),
    "a minute of huge volume": (CANDLE.replace("0.00606119", "1e400"), "not a volume"),
    "a minute below zero": (CANDLE.replace("0.00606119", "-1.0"), "not a volume"),
    "a side there is not": (SIMPLE.replace("BID", "HOLD"), "side 'HOLD'"),
    "a time that is none": (CANDLE.replace("04:28:00", "24:28:00"), "not a time: '2025-01-02T24:28:00'"),
    "a time of another form": (CANDLE.replace("2025-01-02T", "2025-W01-2T"), "not a time"),
    "brackets without end": ('{"type":' + "[" * 100_000, "not a frame of Upbit"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_frame_says_what_is_wrong(case: str):
    text, reason = BROKEN[case]
    with pytest.raises(FrameError, match=reason):
        parse(text.encode())


# What the collected samples are, in their order: the first event that they give, what is ignored, or why there is none.
SAMPLES = {
    "book_snapshot": ["Quoted"] * 7,
    "candle": ["candle.5m", "candle.60m", "CandlePushed"],
    "error": ["Refused"],
    "ping_pong": ["status UP"],
    "sequence_book": ["Quoted"] * 40,
    "ticker": ["Told"],
    "trade": ["TradesPushed"] * 6,
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_collected_sample_is_understood(kind: str, shared: Path):
    found = [sample for sample in samples(shared, "upbit") if sample.kind == kind]
    for sample, expected in zip(found, SAMPLES[kind], strict=True):
        events = parse(sample.text)
        first = events[0]
        assert (first.what if isinstance(first, Ignored) else type(first).__name__) == expected
        if not isinstance(first, (Ignored, Refused)):
            assert numbers(events) == told(json.loads(sample.text, parse_float=Decimal))


def told(message: dict[str, Any]) -> list[Any]:
    """The numbers of a sample, read in another way than the dialect does."""
    row = {LONG.get(name, name): value for name, value in message.items()}
    if row["type"] == "trade":
        return [row["sequential_id"], row["trade_timestamp"], row["trade_price"], row["trade_volume"], row["ask_bid"] == "BID"]
    if row["type"] == "orderbook":
        units = [{LONG.get(name, name): value for name, value in unit.items()} for unit in row["orderbook_units"]]
        return [[(unit[f"{side}_price"], unit[f"{side}_size"]) for unit in units] for side in ("bid", "ask")]
    if row["type"] == "ticker":
        return [row["trade_price"], row["trade_volume"], row["trade_timestamp"]]
    names = ("opening_price", "high_price", "low_price", "trade_price", "candle_acc_trade_volume", "candle_acc_trade_price")
    return [row[name] for name in names]


LONG = {
    "ty": "type", "sid": "sequential_id", "ttms": "trade_timestamp", "tp": "trade_price", "tv": "trade_volume", "ab": "ask_bid",
    "obu": "orderbook_units", "bp": "bid_price", "bs": "bid_size", "ap": "ask_price", "as": "ask_size",
}  # fmt: skip


def numbers(events: tuple[Event, ...]) -> list[Any]:
    match events[-1]:
        case TradesPushed(_, (one,)):
            return [one.id, one.time, one.price, one.amount, one.taker_buy]
        case BookPushed(_, _, bids, asks):
            return [list(bids), list(asks)]
        case Told(_, _, _, price, amount, time):
            return [price, amount, time]
        case CandlePushed(_, candle):
            return [getattr(candle, name) for name in HistoryCandle.__struct_fields__[1:]]
    raise AssertionError(events)


def test_the_trades_of_a_recording_are_those_that_another_program_found_in_it(shared: Path):
    with gzip.open(shared / "captures" / "truth" / "trades.csv.gz", "rt") as rows:
        expected = {
            (row["symbol"], int(row["trade_id"]), int(row["ts_ms"]), row["price"], Decimal(row["amount"]), row["side"] == "buy")
            for row in csv.DictReader(rows)
            if row["exchange"] == "upbit"
        }
    found = []
    with gzip.open(shared / "captures" / "upbit.ws.ndjson.gz", "rt") as lines:
        for line in lines:
            for event in parse(json.loads(line)["data"].encode()):
                if isinstance(event, TradesPushed):
                    found += [
                        (event.market_id, one.id, one.time, f"{one.price:f}", one.amount, one.taker_buy) for one in event.trades
                    ]
    assert len(found) == len(expected) == 167
    assert set(found) == expected
