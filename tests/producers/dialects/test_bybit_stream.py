"""Frames of Bybit as events."""

import gzip
import json
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
from producers.dialects.bybit_stream import parse
from schemas.ids import name_id
from schemas.market import HistoryCandle
from tests.producers.dialects.samples import samples

NAME = "20f43950-d8dd-5b31-9112-a178eb6023af"
AT = 1672304486868
TRADE = (
    '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{"T":1672304486865,"s":"BTCUSDT","S":"Buy",'
    f'"v":"0.001","p":"16578.50","L":"PlusTick","i":"{NAME}","BT":false,"seq":1783284617}}]}}'
)
BOOK = (
    '{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1672304486868,"data":{"s":"BTCUSDT","b":[["30247.20","30.028"],'
    '["30240.00","0"]],"a":[],"u":177400507,"seq":66544703342},"cts":1687940967464}'
)
QUOTE = (
    '{"topic":"orderbook.1.BTCUSDT","type":"snapshot","ts":1672304486868,"data":{"s":"BTCUSDT","b":[["28552.00","0.047"]],'
    '"a":[["28552.10","25.433"]],"u":7003305,"seq":50193540681}}'
)
CANDLE = (
    '{"topic":"kline.1.BTCUSDT","data":[{"start":1672304460000,"end":1672304519999,"interval":"1","open":"2","close":"4",'
    '"high":"5","low":"1","volume":"3","turnover":"11.5","confirm":false,"timestamp":1672304486868}],"ts":1672304486868,'
    '"type":"snapshot"}'
)
TICKER = (
    '{"topic":"tickers.BTCUSD","type":"snapshot","data":{"symbol":"BTCUSD","lastPrice":"28560.00","markPrice":"28561.00",'
    '"indexPrice":"28566.94","openInterest":"449736676","nextFundingTime":"1680681600000","fundingRate":"-0.0001",'
    '"bid1Price":"28560.00","bid1Size":"340549","ask1Price":"28560.50","ask1Size":"70817"},"cs":20856433578,"ts":1672304486868}'
)
STATUS = {"title": "t06", "state": "ongoing", "begin": "1751596902000", "end": "1751597011000", "serviceTypes": [2, 5]}


def status(**changed: Any) -> str:
    return json.dumps({"topic": "system.status", "ts": AT, "data": [STATUS | changed]})


def traded(trade_id: int, price: str = "16578.50", amount: str = "0.001", *, buy: bool = True) -> tuple[Event, ...]:
    trade = Trade(trade_id, trade_id, 1672304486865, Decimal(price), Decimal(amount), taker_buy=buy)
    return (TradesPushed("BTCUSDT", (trade,), AT),)


def book(**parts: Any) -> tuple[Event, ...]:
    bids = ((Decimal("30247.20"), Decimal("30.028")), (Decimal("30240.00"), Decimal(0)))
    return (BookPushed("BTCUSDT", AT, bids, (), **parts),)


def minute(volume: str, quote_volume: str, *, closed: bool = False) -> tuple[Event, ...]:
    prices = (Decimal(price) for price in "2514")
    candle = HistoryCandle(1672304460000, *prices, Decimal(volume), Decimal(quote_volume))
    return (CandlePushed("BTCUSDT", candle, trades=None, closed=closed),)


QUOTED = Quoted("BTCUSDT", AT, Decimal("28552.00"), Decimal("0.047"), Decimal("28552.10"), Decimal("25.433"))
MEANINGS: dict[str, tuple[str, tuple[Event, ...]]] = {
    "a trade of a contract, by a digest of its name": (TRADE, traded(name_id(NAME))),
    "a trade of spot, by its number": (TRADE.replace(NAME, "2200000000067341890"), traded(2200000000067341890)),
    "a sale": (TRADE.replace("Buy", "Sell"), traded(name_id(NAME), buy=False)),
    "a trade in a frame written another way": (TRADE.replace('{"topic"', '{ "topic"'), traded(name_id(NAME))),
    "a change of a book": (BOOK, book(snapshot=False, first=177400507, last=177400507)),
    "a whole book": (BOOK.replace("delta", "snapshot"), book(snapshot=True, first=177400507, last=177400507)),
    "a whole book after a restart": (BOOK.replace("177400507", "1"), book(snapshot=True, first=1, last=1)),
    "both sides of a quote": (QUOTE, (QUOTED,)),
    "a change of both sides of a quote": (
        QUOTE.replace("snapshot", "delta").replace('"b":[', '"b":[["28551.00","0"],'),
        (QUOTED,),
    ),
    "half a quote": (QUOTE.replace("snapshot", "delta").replace('["28552.00","0.047"]', ""), (Ignored("half a quote"),)),
    "a quote of an empty side": (
        QUOTE.replace('["28552.00","0.047"]', ""),
        (Quoted("BTCUSDT", AT, Decimal(0), Decimal(0), Decimal("28552.10"), Decimal("25.433")),),
    ),
    "a minute": (CANDLE, minute("3", "11.5")),
    "a minute of an inverse contract, whose volume counts USD": (
        CANDLE.replace('"3"', '"12"').replace('"11.5"', '"3.1"'),
        minute("3.1", "12"),
    ),
    "a minute that is final": (CANDLE.replace("false", "true"), minute("3", "11.5", closed=True)),
    "five minutes": (CANDLE.replace("kline.1.", "kline.5."), (Ignored("kline"),)),
    "a whole ticker": (
        TICKER,
        (
            Told("BTCUSD", AT, price=Decimal("28560.00")),
            Marked("BTCUSD", AT, Decimal("28561.00"), Decimal("28566.94")),
            Funded("BTCUSD", AT, Decimal("-0.0001"), 1680681600000),
            Held("BTCUSD", AT, Decimal(449736676)),
        ),
    ),
    "a ticker of a contract that has never traded": (
        '{"topic":"tickers.X","ts":7,"data":{"symbol":"X","lastPrice":"","markPrice":"0","fundingRate":"","openInterest":"0"}}',
        (Held("X", 7, Decimal(0)),),
    ),
    "a change of the mark price alone": (
        '{"topic":"tickers.BTCUSD","type":"delta","data":{"symbol":"BTCUSD","markPrice":"28561.00"},"ts":1672304486868}',
        (Marked("BTCUSD", AT, Decimal("28561.00"), None),),
    ),
    "maintenance of the market data": (
        status(),
        (Announced("maintenance", "ongoing", "t06 (1751596902000 to 1751597011000)"),),
    ),
    "maintenance of something else": (
        status(serviceTypes=[1, 3]),
        (Announced("other", "ongoing", "t06 (1751596902000 to 1751597011000)"),),
    ),
    "maintenance to come": (
        status(state="scheduled"),
        (Announced("other", "scheduled", "t06 (1751596902000 to 1751597011000)"),),
    ),
    "an acknowledgement": ('{"success":true,"ret_msg":"subscribe","req_id":"17","op":"subscribe"}', (Acknowledged(17),)),
    "a refusal": (
        '{"success":false,"ret_msg":"args size >10","req_id":"17","op":"subscribe"}',
        (Refused("subscribe", "args size >10", 17),),
    ),
    "topics granted and refused": (
        '{"success":true,"data":{"failTopics":["orderbook.1.A-B"],"successTopics":["publicTrade.BTC"]},"type":"COMMAND_RESP"}',
        (
            Acknowledged(channels=(Channel(Kind.TRADES, "BTC"),)),
            Refused("failTopics", "orderbook.1.A-B", channels=(Channel(Kind.QUOTES, "A-B"),)),
        ),
    ),
    "the answer to a ping": ('{"success":true,"ret_msg":"pong","op":"ping"}', (Ignored("ping"),)),
    "liquidations": ('{"topic":"allLiquidation.ETHUSDT","data":[]}', (Ignored("allLiquidation"),)),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_a_frame_means(case: str):
    text, events = MEANINGS[case]
    assert parse(text.encode()) == events


BROKEN = {
    "no JSON": ("<html>", "not a frame of Bybit"),
    "cut short": (TRADE[:-20], "not a frame of Bybit"),
    "not UTF-8": (TRADE.replace("Buy", "\udcff"), "not a frame of Bybit"),
    "nothing in it": ("{}", "neither a topic nor an answer"),
    "an answer to nothing": ('{"success":true,"op":"moonrise"}', "neither a topic nor an answer: 'moonrise'"),
    "a topic of the former protocol": ('{"topic":"trade.BTCUSD","data":[]}', "unknown topic 'trade.BTCUSD'"),
    "a topic with too many parts": (TRADE.replace("publicTrade.BTCUSDT", "publicTrade.BTCUSDT.x"), "among what is told"),
    "a trade without a time": (TRADE.replace('"T":1672304486865,', ""), "missing required field `T`"),
    "a trade before all time": (TRADE.replace("1672304486865", "-1"), "not a frame of Bybit"),
    "a trade of another market": (TRADE.replace('"s":"BTCUSDT"', '"s":"ETHUSDT"'), "'ETHUSDT' among"),
    "a price as a number": (TRADE.replace('"16578.50"', "16578.50"), "Expected `str`"),
    "a price with an underscore": (TRADE.replace("16578.50", "16_578.50"), "not a number: '16_578.50'"),
    "a price with a blank": (TRADE.replace("16578.50", " 16578.50"), "not a number"),
    "a price with a sign": (TRADE.replace("16578.50", "+16578.50"), "not a number"),
    "a price with an exponent": (TRADE.replace("16578.50", "1.65785e4"), "not a number"),
    "a price that is none": (TRADE.replace("16578.50", "NaN"), "not a number"),
    "a price of zero": (TRADE.replace("16578.50", "0.00"), "zero"),
    "an amount below zero": (TRADE.replace("0.001", "-0.001"), "not a number"),
    "a side there is not": (TRADE.replace("Buy", "Hold"), "side 'Hold'"),
    "neither a number nor a name": (TRADE.replace(NAME, "abc"), "neither a number nor a name: 'abc'"),
    "a number beyond 64 bits": (TRADE.replace(NAME, "9" * 19), "not a whole number"),
    "a book of no kind": (BOOK.replace("delta", "order_book_diff"), "neither a snapshot nor a delta"),
    "a level of three": (BOOK.replace('"30.028"', '"30.028","1"'), "length 2"),
    "a ticker of another market": (TICKER.replace("tickers.BTCUSD", "tickers.BTC"), "'BTCUSD' among what is told of 'BTC'"),
    "brackets without end": ('{"data":' + "[" * 100_000, "not a frame of Bybit"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_frame_says_what_is_wrong(case: str):
    text, reason = BROKEN[case]
    with pytest.raises(FrameError, match=reason):
        parse(text.encode(errors="surrogateescape"))


# What the collected samples are, in their order: the event that they give, what is ignored, or why there is none.
TRADES, BOOK_OF_50, PART = "TradesPushed", "BookPushed", "half a quote"
SAMPLES = {
    "ack": ["Acknowledged"] * 13,
    "book_delta": [
        PART, "Quoted", PART, PART, "orderbook", "orderbook", BOOK_OF_50, "neither a snapshot", BOOK_OF_50, "missing", BOOK_OF_50,
        BOOK_OF_50,
    ],
    "book_snapshot": [
        "Quoted", "orderbook", BOOK_OF_50, "Quoted", "orderbook", BOOK_OF_50, BOOK_OF_50, "Expected `array`", BOOK_OF_50,
    ],
    "candle": ["kline"] * 5,
    "error": ["Refused"] * 4,
    "liquidation": ["allLiquidation"] * 2,
    "login": ["auth", "Refused", *["auth"] * 8],
    "other_push": ["greeks", "spread", "priceLimit", "adlAlert"],
    "ping_pong": ["ping", "ping", "pong", "ping", *["pong"] * 5, "ping", "pong", "ping"],
    "system_notice": ["Announced"],
    "trade": [TRADES, TRADES, "among", TRADES, TRADES, "among", TRADES, "missing", TRADES, TRADES],
}  # fmt: skip


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_collected_sample_is_understood_or_named(kind: str, shared: Path):
    found = [sample.text for sample in samples(shared, "bybit") if sample.kind == kind]
    for frame, expected in zip(found, SAMPLES[kind], strict=True):
        assert expected in outcome(frame)


def outcome(frame: bytes) -> str:
    try:
        (event,) = parse(frame)
    except FrameError as error:
        return str(error)
    return event.what if isinstance(event, Ignored) else type(event).__name__


def told(message: Any) -> list[Event]:
    """What a sample of trades, books or tickers holds, read in another way than the dialect does."""
    data, at = message["data"], message["ts"]
    if message["topic"].startswith("publicTrade"):
        rows = [(row["i"], row["T"], Decimal(row["p"]), Decimal(row["v"]), row["S"] == "Buy") for row in data]
        ids = [int(name) if name.isdecimal() else name_id(name) for name, *_ in rows]
        return [TradesPushed(data[0]["s"], tuple(Trade(one, one, *row[1:]) for one, row in zip(ids, rows, strict=True)), at)]
    if message["topic"].startswith("orderbook"):
        bids, asks = (tuple((Decimal(price), Decimal(amount)) for price, amount in data[side]) for side in "ba")
        if ".50." in message["topic"]:
            return [BookPushed(data["s"], at, bids, asks, message["type"] == "snapshot", data["u"], data["u"])]
        return [Quoted(data["s"], at, *next(bid for bid in bids if bid[1]), *next(ask for ask in asks if ask[1]))]
    symbol, ends = data["symbol"], data.get("nextFundingTime")
    row = {name: Decimal(text) for name, text in data.items() if name in READ and text}
    events: list[Event] = [Told(symbol, at, price=row["lastPrice"])] if "lastPrice" in row else []
    events += [Marked(symbol, at, row["markPrice"], row["indexPrice"])] if "markPrice" in row else []
    events += [Funded(symbol, at, row["fundingRate"], int(ends) if ends else None)] if "fundingRate" in row else []
    return events + ([Held(symbol, at, row["openInterest"])] if "openInterest" in row else [])


READ = {"lastPrice", "markPrice", "indexPrice", "fundingRate", "openInterest"}
OTHERS = {"trade[2]", "trade[5]", "trade[7]", "ticker[13]", "ticker[15]", "book_delta[7]", "book_delta[9]", "book_snapshot[7]"}


def test_every_collected_trade_book_and_ticker_gives_its_own_numbers(shared: Path):
    """But for those that are broken, or of a market that their topic does not name."""
    for sample in samples(shared, "bybit"):
        if sample.kind in ("trade", "ticker", "book_delta", "book_snapshot") and sample.name not in OTHERS:
            events = parse(sample.text)
            assert isinstance(events[0], Ignored) or list(events) == told(json.loads(sample.text)), sample.name


def test_a_recording_of_the_former_protocol_gives_no_market_data(shared: Path):
    """Its trades have numbers for sizes and stand under other topics; what it acknowledges is nothing that we asked for."""
    with gzip.open(shared / "captures" / "bybit.ws.ndjson.gz", "rt") as lines:
        frames = [json.loads(line)["data"].encode() for line in lines]
    set_aside = 0
    for frame in frames:
        try:
            events = parse(frame)
        except FrameError:
            set_aside += 1
        else:
            assert events == (Acknowledged(),)
    assert (len(frames), set_aside) == (2664, 2644)
