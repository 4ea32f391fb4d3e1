"""Frames of Binance as events, and requests for streams, on spot and futures alike."""

import json
from decimal import Decimal

import pytest

from producers.dialect import (
    Acknowledged,
    Announced,
    BookPushed,
    CandlePushed,
    Channel,
    FrameError,
    Ignored,
    Kind,
    Quoted,
    Refused,
    Trade,
    TradesPushed,
)
from producers.dialects.binance import STREAMS
from producers.dialects.binance_stream import parse, requests
from schemas.market import HistoryCandle

AGGREGATE = (
    '{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1618677373913,"s":"BTCUSDT","a":749094,"p":"2.27600000",'
    '"q":"21.96300000","f":1135632,"l":1135634,"T":1618677373912,"m":false,"M":true}}'
)
SINGLE = (
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1672515782136,"s":"BTCUSDT","t":12345,"p":"0.001","q":"100",'
    '"T":1672515782135,"m":true,"M":true}}'
)
QUOTE = '{"stream":"btcusdt@bookTicker","data":{"u":400900217,"s":"BTCUSDT","b":"25.3519","B":"31.21","a":"25.3652","A":"40.66"}}'
DEPTH = (
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1633998512068,"s":"BTCUSDT","U":157,"u":160,'
    '"b":[["0.0024","10"],["0.0023","0.00000000"]],"a":[]}}'
)
KLINE = (
    '{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1633998534486,"s":"BTCUSDT","k":{"t":1633998480000,"T":1633998539999,'
    '"s":"BTCUSDT","i":"1m","f":1,"L":2,"o":"2","c":"4","h":"5","l":"1","v":"177.0","n":2,"x":true,"q":"11.5","V":"1","Q":"1"}}}'
)
PUSHED = TradesPushed(
    "BTCUSDT",
    (Trade(749094, 749094, 1618677373912, Decimal("2.276"), Decimal("21.963"), taker_buy=True, count=3),),
    1618677373913,
)
MINUTE = HistoryCandle(1633998480000, Decimal(2), Decimal(5), Decimal(1), Decimal(4), Decimal(177), Decimal("11.5"))


def unwrapped(text: str) -> str:
    """As it comes on a raw stream."""
    return json.dumps(json.loads(text)["data"], separators=(",", ":"))


MEANINGS = {
    "an aggregate counts its trades": (AGGREGATE, PUSHED),
    "an aggregate on a raw stream": (unwrapped(AGGREGATE), PUSHED),
    "an aggregate written with blanks": (json.dumps(json.loads(AGGREGATE)), PUSHED),
    "a single trade": (
        SINGLE,
        TradesPushed(
            "BTCUSDT", (Trade(12345, 12345, 1672515782135, Decimal("0.001"), Decimal(100), taker_buy=False),), 1672515782136
        ),
    ),
    "a quote, which has no time": (
        QUOTE,
        Quoted("BTCUSDT", 0, Decimal("25.3519"), Decimal("31.21"), Decimal("25.3652"), Decimal("40.66")),
    ),
    "a quote of an empty side": (
        QUOTE.replace("25.3519", "0.00000000").replace("31.21", "0"),
        Quoted("BTCUSDT", 0, Decimal(0), Decimal(0), Decimal("25.3652"), Decimal("40.66")),
    ),
    "a change of a book": (
        DEPTH,
        BookPushed(
            "BTCUSDT",
            1633998512068,
            bids=((Decimal("0.0024"), Decimal(10)), (Decimal("0.0023"), Decimal(0))),
            asks=(),
            snapshot=False,
            first=157,
            last=160,
        ),
    ),
    "a candle": (KLINE, CandlePushed("BTCUSDT", MINUTE, trades=2, closed=True)),
    "a candle that goes on": (KLINE.replace("true", "false"), CandlePushed("BTCUSDT", MINUTE, trades=2, closed=False)),
    "a candle of an hour": (KLINE.replace('"i":"1m"', '"i":"1h"'), Ignored("a candle of 1h")),
    "an acknowledgement": ('{"result":null,"id":7}', Acknowledged(7)),
    "a list of subscriptions": ('{"result":["btcusdt@aggTrade"],"id":3}', Ignored("an answer")),
    "a refusal": (
        '{"error":{"code":2,"msg":"Invalid request: invalid stream btcusdt@aggTrade"},"id":1}',
        Refused("2", "Invalid request: invalid stream btcusdt@aggTrade", request=1),
    ),
    "a refusal without a wrapper": (
        '{"code":3,"msg":"Invalid JSON: expected value"}',
        Refused("3", "Invalid JSON: expected value"),
    ),
    "the server ends": (
        '{"e":"serverShutdown","E":1700000000000}',
        Announced("closing", "serverShutdown", "the server is about to shut down"),
    ),
    "a part of a book, which has no name": ('{"lastUpdateId":160,"bids":[],"asks":[]}', Ignored("a part of a book")),
    "statistics of all markets": ('{"stream":"!ticker@arr","data":[{"e":"24hrTicker"}]}', Ignored("a list of !ticker@arr")),
}
BROKEN = {
    "no JSON": ("<html>", "not a frame of Binance"),
    "cut short": (AGGREGATE[:-20], "not a frame of Binance"),
    "a list": ("[]", "not a frame of Binance"),
    "nothing in it": ("{}", "missing required field"),
    "an unknown event": ('{"e":"moonrise","s":"BTCUSDT"}', "unknown event 'moonrise'"),
    "another event on the stream": (AGGREGATE.replace('"e":"aggTrade"', '"e":"trade"'), "Invalid enum value"),
    "a missing field": (AGGREGATE.replace('"a":749094,', ""), "missing required field `a`"),
    "a price of the wrong type": (AGGREGATE.replace('"2.27600000"', "2.276"), "Expected `str`"),
    "a price with an underscore": (AGGREGATE.replace("2.27600000", "2_276"), "not a number: '2_276'"),
    "a price with a blank": (AGGREGATE.replace("2.27600000", " 2.276"), "not a number"),
    "a price with a sign": (AGGREGATE.replace("2.27600000", "+2.276"), "not a number"),
    "a price of other digits": (AGGREGATE.replace("2.27600000", "٣"), "not a number"),
    "a price that is not finite": (AGGREGATE.replace("2.27600000", "NaN"), "not a number: 'NaN'"),
    "a price in exponents": (AGGREGATE.replace("2.27600000", "1e5"), "not a number: '1e5'"),
    "more digits than 64 bits hold": (AGGREGATE.replace("2.27600000", "1.000000000000000001"), "not a number"),
    "a price of zero": (AGGREGATE.replace("2.27600000", "0.0"), "a price or amount of zero"),
    "an amount of zero": (AGGREGATE.replace("21.96300000", "0.0"), "a price or amount of zero"),
    "an id below zero": (AGGREGATE.replace("749094", "-1"), ">= 0"),
    "an id beyond 64 bits": (AGGREGATE.replace("749094", "9223372036854775808"), "<= 9223372036854775807"),
    "an id that is text": (AGGREGATE.replace("749094", '"749094"'), "Expected `int`"),
    "a side that is no flag": (AGGREGATE.replace('"m":false', '"m":"no"'), "Expected `bool`"),
    "trades that end before they begin": (AGGREGATE.replace('"l":1135634', '"l":1135631'), "trades 1135632 to 1135631"),
    "changes that end before they begin": (DEPTH.replace('"u":160', '"u":156'), "changes 157 to 156"),
    "a level of three": (DEPTH.replace('["0.0024","10"]', '["0.0024","10","1"]'), "array"),
    "a level without a price": (DEPTH.replace("0.0024", "0"), "a price or amount of zero"),
    "text that is no UTF-8": (AGGREGATE.encode().replace(b"BTCUSDT", b"\xff\xfe"), "not a frame of Binance"),
    "brackets without end": ('{"data":' + "[" * 100_000, "not a frame of Binance"),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_a_frame_means(case):
    text, event = MEANINGS[case]
    assert parse(text.encode()) == (event,)


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_frame_says_what_is_wrong(case):
    frame, reason = BROKEN[case]
    with pytest.raises(FrameError, match=reason):
        parse(frame if isinstance(frame, bytes) else frame.encode())


def test_streams_are_asked_for_two_hundred_at_a_time_trades_first():
    wanted = [Channel(kind, f"COIN{at}USDT") for at in range(150) for kind in (Kind.QUOTES, Kind.TRADES)]
    first, second = requests("SUBSCRIBE", STREAMS, wanted, (), 5)
    assert json.loads(first.text)["method"] == "SUBSCRIBE"
    assert json.loads(first.text)["params"][:2] == ["coin0usdt@aggTrade", "coin1usdt@aggTrade"]
    assert [json.loads(one.text)["id"] for one in (first, second)] == [first.request, second.request] == [5, 6]
    assert [len(json.loads(one.text)["params"]) for one in (first, second)] == [200, 100]
    assert sorted((*first.channels, *second.channels)) == sorted(wanted)


def test_streams_are_given_up_by_name():
    (message,) = requests("UNSUBSCRIBE", STREAMS, [Channel(Kind.BOOK, "BTCUSDT")], [Channel(Kind.TRADES, "BTCUSDT")], 9)
    assert json.loads(message.text) == {"method": "UNSUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 9}
