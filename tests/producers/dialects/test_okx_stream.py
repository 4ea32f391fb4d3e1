"""Frames of OKX as events."""

import csv
import gzip
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from producers.dialect import (
    Acknowledged,
    Announced,
    BookPushed,
    CandlePushed,
    Channel,
    Event,
    FrameError,
    Funded,
    Held,
    Ignored,
    Kind,
    Marked,
    Quoted,
    Refused,
    Told,
    Trade,
    TradesPushed,
)
from producers.dialects.okx_stream import parse
from schemas.market import HistoryCandle


def pushed(channel: str, row: Any, market_id: str = "BTC-USDT", **more: str) -> str:
    """A frame of a channel with one row, as OKX writes it."""
    return json.dumps({"arg": {"channel": channel, "instId": market_id}, **more, "data": [row]}, separators=(",", ":"))


TRADE = (
    '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"130639474","px":"42219.9",'
    '"sz":"0.12060306","side":"buy","ts":"1630048897897","count":"3"}]}'
)
ONE_TRADE = TRADE.replace(',"count":"3"', "")
TICKER = (
    '{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"instType":"SPOT","instId":"BTC-USDT","last":"91517.2",'
    '"lastSz":"0.00269444","askPx":"91527.3","askSz":"1.54613591","bidPx":"91527.2","bidSz":"0.0135","ts":"1765201256914"}]}'
)
BOOK = (
    '{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[],"bids":[["1.781","14694.07","0","31"],'
    '["1.78","0","0","0"]],"ts":"1765201257205","checksum":0,"seqId":9690930617,"prevSeqId":9690930615}]}'
)
CANDLE = ["1757076060000", "2", "5", "1", "4", "3.1", "34.9", "349.9", "0"]
MARK = pushed("mark-price", {"instType": "SWAP", "instId": "BTC-USDT", "markPx": "36.232", "ts": "1640131204676"})
STATUS = {"title": "Upgrade", "state": "ongoing", "begin": "1", "end": "2", "serviceType": "0", "system": "unified"}
AT = 1765201256914
QUOTED = Quoted("BTC-USDT", AT, Decimal("91527.2"), Decimal("0.0135"), Decimal("91527.3"), Decimal("1.54613591"))


def traded(count: int) -> tuple[Event, ...]:
    trade = Trade(
        130639474, 130639475 - count, 1630048897897, Decimal("42219.9"), Decimal("0.12060306"), taker_buy=True, count=count
    )
    return (TradesPushed("BTC-USDT", (trade,)),)


def book(**parts: Any) -> tuple[Event, ...]:
    bids = ((Decimal("1.781"), Decimal("14694.07")), (Decimal("1.78"), Decimal(0)))
    return (BookPushed("BTC-USDT", 1765201257205, bids, (), **parts),)


def minute(volume: str, market_id: str, *, closed: bool) -> tuple[Event, ...]:
    candle = HistoryCandle(1757076060000, Decimal(2), Decimal(5), Decimal(1), Decimal(4), Decimal(volume), Decimal("349.9"))
    return (CandlePushed(market_id, candle, trades=None, closed=closed),)


def refused(code: str, message: str, *channels: Channel, request: int | None = None) -> tuple[Event, ...]:
    return (Refused(code, message, request, channels),)


TRADES_CHANNEL = Channel(Kind.TRADES, "BTC-USDT")
NO_CHANNEL = "Wrong URL or channel:trades,instId:BTC-USDT doesn't exist. Please use the correct URL."
MALFORMED = 'Invalid request: {"op": "subscribe", "args":[{ "channel" : "trades", "instId" : "BTC-USDT"}]}'

MEANINGS: dict[str, tuple[str, tuple[Event, ...]]] = {
    "an aggregated trade begins `count` ids before its own": (TRADE, traded(3)),
    "a trade without a count is one": (ONE_TRADE, traded(1)),
    "a trade written with blanks": (json.dumps(json.loads(TRADE)), traded(3)),
    "a ticker is a quote and tells of the last trade": (
        TICKER,
        (QUOTED, Told("BTC-USDT", AT, price=Decimal("91517.2"), amount=Decimal("0.00269444"))),
    ),
    "a ticker without bids": (
        TICKER.replace("91527.2", "").replace("0.0135", "").replace("91517.2", ""),
        (Quoted("BTC-USDT", AT, Decimal(0), Decimal(0), Decimal("91527.3"), Decimal("1.54613591")),),
    ),
    "a ticker whose last trade is older than a day": (
        TICKER.replace("0.00269444", "0"),
        (QUOTED, Told("BTC-USDT", AT, price=Decimal("91517.2"))),
    ),
    "a change of a book": (BOOK, book(snapshot=False, last=9690930617, previous=9690930615)),
    "a whole book": (
        BOOK.replace("update", "snapshot").replace("9690930615", "-1"),
        book(snapshot=True, last=9690930617),
    ),
    "a book as it was before sequence numbers": (
        BOOK.replace(',"seqId":9690930617,"prevSeqId":9690930615', ""),
        book(snapshot=False),
    ),
    "a candle of spot": (pushed("candle1m", CANDLE), minute("3.1", "BTC-USDT", closed=False)),
    "a candle of a contract, in base units": (
        pushed("candle1m", [*CANDLE[:-1], "1"], "BTC-USDT-SWAP"),
        minute("34.9", "BTC-USDT-SWAP", closed=True),
    ),
    "a mark price": (MARK, (Marked("BTC-USDT", 1640131204676, Decimal("36.232")),)),
    "a funding rate": (
        pushed(
            "funding-rate",
            {"instId": "X-USDT-SWAP", "fundingRate": "-0.0001", "fundingTime": "1744590349506", "ts": "1744590349000"},
            "X-USDT-SWAP",
        ),
        (Funded("X-USDT-SWAP", 1744590349000, Decimal("-0.0001"), 1744590349506),),
    ),
    "open interest in contracts": (
        pushed(
            "open-interest", {"instId": "X-USDT-SWAP", "oi": "236870", "oiCcy": "23687", "ts": "1640131202886"}, "X-USDT-SWAP"
        ),
        (Held("X-USDT-SWAP", 1640131202886, Decimal(236870)),),
    ),
    "maintenance": (pushed("status", STATUS, ""), (Announced("maintenance", "ongoing", "Upgrade, from 1 to 2"),)),
    "maintenance to come": (
        pushed("status", {**STATUS, "state": "scheduled"}, ""),
        (Announced("other", "scheduled", "Upgrade, from 1 to 2"),),
    ),
    "maintenance of the bots": (
        pushed("status", {**STATUS, "serviceType": "7"}, ""),
        (Announced("other", "ongoing", "Upgrade, from 1 to 2"),),
    ),
    "an instrument that changed": (
        pushed("instruments", {"instId": "NEW-USDT", "state": "preopen"}, ""),
        (Announced("listing", "preopen", "NEW-USDT is preopen", "NEW-USDT"),),
    ),
    "an acknowledgement": (
        '{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"},"connId":"94d38802"}',
        (Acknowledged(channels=(TRADES_CHANNEL,)),),
    ),
    "an acknowledgement of what nobody waits for": (
        '{"event":"subscribe","arg":{"channel":"status"},"connId":"94d38802"}',
        (Ignored("subscribe status"),),
    ),
    "an error on a channel that it names": (
        f'{{"id":"7","event":"error","code":"60018","msg":"{NO_CHANNEL}"}}',
        refused("60018", NO_CHANNEL, TRADES_CHANNEL),
    ),
    "an error that repeats the request": (
        json.dumps({"event": "error", "code": "60012", "msg": MALFORMED}),
        refused("60012", MALFORMED, TRADES_CHANNEL),
    ),
    "an error with its channel beside it": (
        '{"event":"error","arg":{"channel":"trades","instId":"BTC-USDT"},"code":"60012","msg":"no"}',
        refused("60012", "no", TRADES_CHANNEL),
    ),
    "an error on a request": (
        '{"id":"7","event":"error","code":60014,"msg":"too fast"}',
        refused("60014", "too fast", request=7),
    ),
    "an error on nobody knows what": ('{"event":"error","code":"60014","msg":"too fast"}', refused("60014", "too fast")),
    "an error on a channel that nothing depends on": (
        '{"event":"error","code":"60018","msg":"Wrong URL or channel:status doesn\'t exist"}',
        (Ignored("error on status: 60018"),),
    ),
    "too many connections": (
        '{"event":"channel-conn-count-error","channel":"orders","connCount":"20"}',
        refused("channel-conn-count-error", "too many connections have the channel orders"),
    ),
    "a service upgrade": (
        '{"event":"notice","msg":"The connection will soon be closed.","code":"64008","connId":"8517149b"}',
        (Announced("closing", "64008", "The connection will soon be closed."),),
    ),
    "another notice": ('{"event":"notice","msg":"hello","code":"1"}', (Announced("other", "1", "hello"),)),
    "the answer to a ping": ("pong", (Ignored("pong"),)),
    "a count of connections": (
        '{"event":"channel-conn-count","channel":"trades","connCount":"1","connId":"4adc328c"}',
        (Ignored("channel-conn-count"),),
    ),
    "a channel that nobody reads": (pushed("candle1D", CANDLE), (Ignored("candle1D"),)),
}

BROKEN = {
    "no JSON": ("<html>", "not a frame of OKX"),
    "cut short": (TRADE[:-20], "not a frame of OKX"),
    "a list": ("[]", "not a frame of OKX"),
    "nothing in it": ("{}", "neither an event nor data"),
    "no data": ('{"arg":{"channel":"trades","instId":"BTC-USDT"}}', "missing required field `data`"),
    "no data of another channel": ('{"arg":{"channel":"books","instId":"BTC-USDT"}}', "neither an event nor data"),
    "no trades": ('{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[]}', "without trades"),
    "no tickers": ('{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[]}', "nothing of 'tickers'"),
    "an unknown channel": (TRADE.replace('"trades"', '"moon-phases"'), "unknown channel 'moon-phases'"),
    "an unknown event": ('{"event":"moonrise"}', "unknown event 'moonrise'"),
    "a missing field": ('{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT"}]}', "tradeId"),
    "a price of the wrong type": (TRADE.replace('"42219.9"', "42219.9"), "not a frame of OKX"),
    "a price that is no number": (TRADE.replace("42219.9", "4_2"), "not a number: '4_2'"),
    "a price that is not finite": (TRADE.replace("42219.9", "NaN"), "not a number: 'NaN'"),
    "a price in exponents": (TRADE.replace("42219.9", "1e400"), "not a number: '1e400'"),
    "more digits than 64 bits hold": (TRADE.replace("42219.9", "1.000000000000000001"), "not a number"),
    "a price of zero": (TRADE.replace("42219.9", "0.0"), "a price or amount of zero"),
    "a negative amount": (TRADE.replace("0.12060306", "-1"), "not a number: '-1'"),
    "an id that is no number": (TRADE.replace("130639474", "\u0661\u0662"), "Expected `int`"),
    "an id below zero": (TRADE.replace("130639474", "-1"), ">= 0"),
    "a side there is not": (TRADE.replace('"buy"', '"hold"'), "Invalid enum value 'hold'"),
    "a count of nothing": (TRADE.replace('"count":"3"', '"count":"0"'), "count 0"),
    "a trade of another instrument": (TRADE.replace('[{"instId":"BTC-USDT"', '[{"instId":"ETH-USDT"'), "'ETH-USDT' among"),
    "a ticker of another instrument": (TICKER.replace('"instId":"BTC-USDT",', '"instId":"ETH-USDT",'), "another instrument"),
    "a book that is nothing": (BOOK.replace("update", "undo"), "neither snapshot nor update but 'undo'"),
    "a level without a price": (BOOK.replace("1.781", "0"), "a price or amount of zero"),
    "a level of three": (BOOK.replace('"0","31"', '"31"'), "array"),
    "a candle of seven columns": (pushed("candle1m", CANDLE[:7]), "a candle of 7 columns"),
    "a candle that is neither open nor closed": (pushed("candle1m", [*CANDLE[:8], "2"]), "neither open nor closed"),
    "text that is no UTF-8": (TRADE.encode().replace(b"BTC", b"\xff\xfe"), "not a frame of OKX"),
    "brackets without end": ('{"data":' + "[" * 100_000, "not a frame of OKX"),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_a_frame_means(case):
    text, events = MEANINGS[case]
    assert parse(text.encode()) == events


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_frame_says_what_is_wrong(case):
    frame, reason = BROKEN[case]
    with pytest.raises(FrameError, match=reason):
        parse(frame if isinstance(frame, bytes) else frame.encode())


def test_the_recordings_give_every_trade_of_the_truth(shared: Path):
    """Every frame of them is understood. Three connections told the same trades."""
    with gzip.open(shared / "captures" / "okx.ws.ndjson.gz", "rt") as lines:
        events = [event for line in lines for event in parse(json.loads(line)["data"].encode())]
    assert Counter(type(event) for event in events) == {
        BookPushed: 2726,
        TradesPushed: 114,
        Quoted: 123,
        Told: 123,
        Acknowledged: 78,
        Ignored: 30,
    }
    with gzip.open(shared / "captures" / "truth" / "trades.csv.gz", "rt", newline="") as rows:
        truth = {
            (row["symbol"], int(row["trade_id"])): (row["price"], row["amount"], row["side"], row["ts_ms"], row["fills"])
            for row in csv.DictReader(rows)
            if row["exchange"] == "okx"
        }
    told = {
        (event.market_id, trade.id): (
            format(trade.price, "f"),
            format(trade.amount, "f"),
            "buy" if trade.taker_buy else "sell",
            str(trade.time),
            str(trade.count),
        )
        for event in events
        if isinstance(event, TradesPushed)
        for trade in event.trades
    }
    assert told == truth
