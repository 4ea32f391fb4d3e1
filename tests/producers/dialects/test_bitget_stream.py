"""Frames of Bitget as events."""

import gzip
import json
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from producers.books import Book, Status
from producers.dialect import (
    Acknowledged,
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
from producers.dialects.bitget import Bitget
from producers.dialects.bitget_stream import parse
from schemas.market import HistoryCandle
from tests.producers.dialects.samples import samples

BITGET = Bitget()
AT, SENT = 1701910980366, 1701910980730
FUTURES = "USDT-FUTURES:BTCUSDT"


def pushed(channel: str, *rows: str, action: str = "update", product: str = "SPOT", named: str = "instId") -> str:
    """A frame of a channel as Bitget writes it; `named` as the websocket of unified accounts does."""
    arg = f'{{"instType":"{product}","{"channel" if named == "instId" else "topic"}":"{channel}","{named}":"BTCUSDT"}}'
    return f'{{"action":"{action}","arg":{arg},"data":[{",".join(rows)}],"ts":{SENT}}}'


ROW = f'{{"ts":"{AT}","price":"43854.01","size":"0.0535","side":"buy","tradeId":"1116461060594286593"}}'
OLDER = ROW.replace("86593", "86592").replace("buy", "sell")
SHORT = f'{{"i":"1116461060594286593","p":"43854.01","v":"0.0535","S":"buy","T":"{AT}","L":"1","isRPI":"no"}}'
BOUGHT = Trade(1116461060594286593, 1116461060594286593, AT, Decimal("43854.01"), Decimal("0.0535"), taker_buy=True)
SOLD = Trade(1116461060594286592, 1116461060594286592, AT, Decimal("43854.01"), Decimal("0.0535"), taker_buy=False)
TICKER = (
    f'{{"instId":"BTCUSDT","lastPr":"27000.5","bidPr":"27000","askPr":"27000.5","bidSz":"2.71","askSz":"8.76","ts":"{AT}",'
    '"fundingRate":"-0.000010","nextFundingTime":"1695722400000","markPrice":"27000.0","indexPrice":"25702.4",'
    '"holdingAmount":"929.502"}'
)
BOOK = f'{{"asks":[["5.085","144.6"]],"bids":[["5.081","0"]],"checksum":-1258619028,"ts":"{AT}"}}'
NUMBERED = f'{{"a":[["5.085","144.6"]],"b":[["5.081","0"]],"checksum":0,"seq":451057502090,"pseq":451057497631,"ts":"{AT}"}}'
CANDLE = '["1701910920000","2","5","1","4","3","11.5","11.5"]'
TRADE = pushed("trade", ROW)
SIDES = (((Decimal("5.081"), Decimal(0)),), ((Decimal("5.085"), Decimal("144.6")),))
QUOTE = (Decimal(27000), Decimal("2.71"), Decimal("27000.5"), Decimal("8.76"))
OF_TICKER = tuple(Channel(kind, FUTURES) for kind in (Kind.QUOTES, Kind.MARK, Kind.FUNDING, Kind.INTEREST))


def event(name: str, channel: str, product: str = "SPOT", **more: Any) -> str:
    return json.dumps({"event": name, "arg": {"instType": product, "channel": channel, "instId": "BTCUSDT"}, **more})


def minute(open_time: int) -> HistoryCandle:
    return HistoryCandle(open_time, *(Decimal(price) for price in "2514"), Decimal(3), Decimal("11.5"))


MEANINGS: dict[str, tuple[str, tuple[Event, ...]]] = {
    "a trade": (TRADE, (TradesPushed("BTCUSDT", (BOUGHT,), SENT),)),
    "trades, which come newest first": (pushed("trade", ROW, OLDER), (TradesPushed("BTCUSDT", (SOLD, BOUGHT), SENT),)),
    "the last trades, on subscribing": (
        pushed("trade", ROW, OLDER, action="snapshot"),
        (TradesPushed("BTCUSDT", (SOLD, BOUGHT), SENT, snapshot=True),),
    ),
    "a trade of futures, which are called like spot": (
        pushed("trade", ROW, product="USDT-FUTURES"),
        (TradesPushed(FUTURES, (BOUGHT,), SENT),),
    ),
    "a trade in the shape of unified accounts": (
        pushed("publicTrade", SHORT, product="usdt-futures", named="symbol"),
        (TradesPushed(FUTURES, (BOUGHT,), SENT),),
    ),
    "a ticker of futures": (
        pushed("ticker", TICKER, action="snapshot", product="USDT-FUTURES"),
        (
            Quoted(FUTURES, AT, *QUOTE),
            Told(FUTURES, AT, price=Decimal("27000.5")),
            Marked(FUTURES, AT, Decimal("27000.0"), Decimal("25702.4")),
            Funded(FUTURES, AT, Decimal("-0.000010"), 1695722400000),
            Held(FUTURES, AT, Decimal("929.502")),
        ),
    ),
    "a ticker without bids or trades": (
        pushed("ticker", f'{{"bidPr":"","bidSz":"","askPr":"7","askSz":"1","lastPr":"0","ts":"{AT}"}}'),
        (Quoted("BTCUSDT", AT, Decimal(0), Decimal(0), Decimal(7), Decimal(1)),),
    ),
    "a change of a book": (
        pushed("books", BOOK),
        (BookPushed("BTCUSDT", AT, *SIDES, snapshot=False, checksum=-1258619028),),
    ),
    "a whole book, whose checksum is none": (
        pushed("books", BOOK.replace("-1258619028", "0"), action="snapshot"),
        (BookPushed("BTCUSDT", AT, *SIDES, snapshot=True),),
    ),
    "a change of a book with its numbers": (
        pushed("books", NUMBERED, product="spot", named="symbol"),
        (BookPushed("BTCUSDT", AT, *SIDES, snapshot=False, last=451057502090, previous=451057497631),),
    ),
    "a whole book, numbered by a string": (
        pushed("books", NUMBERED.replace("451057502090", '"451057502090"').replace("451057497631", "0"), action="snapshot"),
        (BookPushed("BTCUSDT", AT, *SIDES, snapshot=True, last=451057502090),),
    ),
    "minutes, one of which has ended": (
        pushed("candle1m", CANDLE, CANDLE.replace("0920000", "0980000")),
        (
            CandlePushed("BTCUSDT", minute(1701910920000), None, closed=True),
            CandlePushed("BTCUSDT", minute(1701910980000), None, closed=False),
        ),
    ),
    "an acknowledgement": (event("subscribe", "trade"), (Acknowledged(channels=(Channel(Kind.TRADES, "BTCUSDT"),)),)),
    "an acknowledgement for all that a ticker tells": (
        event("subscribe", "ticker", "USDT-FUTURES"),
        (Acknowledged(channels=OF_TICKER),),
    ),
    "a refusal": (
        event("error", "books", code=30001, msg="books,BTCUSDT doesn't exist", op="subscribe"),
        (Refused("30001", "books,BTCUSDT doesn't exist", channels=(Channel(Kind.BOOK, "BTCUSDT"),)),),
    ),
    "the answer to a ping": ("pong", (Ignored("pong"),)),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_a_frame_means(case: str):
    text, events = MEANINGS[case]
    assert parse(text.encode()) == events


BROKEN = {
    "a pong and more": ("pong!", "not a frame of Bitget"),
    "an unknown channel": (pushed("moon-phases"), "known channel: 'moon-phases'"),
    "an unknown action": (TRADE.replace("update", "partial"), "neither a snapshot nor an update: 'partial'"),
    "a market of the former protocol": (TRADE.replace('"SPOT"', '"sp"'), "no instrument: 'BTCUSDT' of 'sp'"),
    "no market": (TRADE.replace(',"instId":"BTCUSDT"', ""), "no instrument: ''"),
    "a trade without its number": (TRADE.replace("tradeId", "id"), "missing required field `tradeId`"),
    "a number with an underscore": (TRADE.replace('"1116461060594286593"', '"1_1"'), "not a frame of Bitget"),
    "a number beyond 64 bits": (TRADE.replace("1116461060594286593", "9" * 19), "not a frame of Bitget"),
    "a price as a number": (TRADE.replace('"43854.01"', "43854.01"), "Expected `str`"),
    "a price with an exponent": (TRADE.replace("43854.01", "4e4"), "not a number"),
    "a price of zero": (TRADE.replace("43854.01", "0"), "zero"),
    "an amount below zero": (TRADE.replace("0.0535", "-0.0535"), "not a number"),
    "a side there is not": (TRADE.replace('"buy"', '"hold"'), "side 'hold'"),
    "a ticker of another market": (pushed("ticker", TICKER.replace("BTC", "ETH")), "'ETHUSDT' among those of 'BTCUSDT'"),
    "a minute of six columns": (pushed("candle1m", '["1","2","5","1","4","3"]'), "a candle of 6 columns"),
    "brackets without end": ('{"data":' + "[" * 100_000, "not a frame of Bitget"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_frame_says_what_is_wrong(case: str):
    text, reason = BROKEN[case]
    with pytest.raises(FrameError, match=reason):
        parse(text.encode())


# What the collected samples are, in their order: the first event that they give, what is ignored, or why there is none.
SAMPLES = {
    "ack": ["Acknowledged"] * 14 + ["unsubscribe"] * 3,
    "book_delta": ["BookPushed"] * 2,
    "book_snapshot": [
        "BookPushed",
        "books1",
        "books1",
        "books15",
        "BookPushed",
        "books1",
        "books1",
        "books15",
        "books5",
        "books5",
    ],
    "candle": ["candle1H", "candle1D", "candle1H", "candle1D", "candle1W", "CandlePushed"],
    "error": ["Refused"] * 2,
    "liquidation": ["liquidation"],
    "login": ["neither an event", "login"],
    "other_push": ["adl-notification"],
    "ping_pong": ["ping"],
    "ticker": ["Quoted"] * 6 + ["Expected `str`"],
    "trade": ["TradesPushed"] * 7,
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_collected_sample_is_understood_or_named(kind: str, shared: Path):
    found = [sample.text for sample in samples(shared, "bitget") if sample.kind == kind]
    for frame, expected in zip(found, SAMPLES[kind], strict=True):
        assert expected in outcome(frame)


def outcome(frame: bytes) -> str:
    try:
        first = parse(frame)[0]
    except FrameError as error:
        return str(error)
    return first.what if isinstance(first, Ignored) else type(first).__name__


def told(message: Any) -> list[Any]:
    """The numbers of a sample of trades, books, tickers or minutes, read in another way than the dialect does."""
    rows, channel = message["data"], message["arg"].get("channel") or message["arg"]["topic"]
    if channel == "candle1m":
        return [(int(row[0]), *map(Decimal, row[1:7])) for row in rows]
    if channel.startswith("books"):
        sides = ("bids", "asks") if "bids" in rows[0] else ("b", "a")
        return [[[tuple(map(Decimal, level)) for level in row[side]] for side in sides] for row in rows]
    if channel == "ticker":
        names = ("lastPr", "lastPrice", "bidPr", "bid1Price", "askPr", "ask1Price", "bidSz", "bid1Size", "askSz", "ask1Size")
        extra = ("markPrice", "indexPrice", "fundingRate", "holdingAmount")
        return [sorted(Decimal(row[name]) for name in (*names, *extra) if name in row) for row in rows]
    keys = ("tradeId", "ts", "price", "size", "side") if channel == "trade" else ("i", "T", "p", "v", "S")
    return [
        (int(i), int(t), Decimal(p), Decimal(v), side == "buy")
        for i, t, p, v, side in ([row[key] for key in keys] for row in rows[::-1])
    ]


def numbers(events: tuple[Event, ...]) -> list[Any]:
    match events[0]:
        case TradesPushed(_, trades):
            return [(one.id, one.time, one.price, one.amount, one.taker_buy) for one in trades]
        case BookPushed(_, _, bids, asks):
            return [[list(bids), list(asks)]]
        case CandlePushed():
            return [tuple(getattr(one.candle, name) for name in HistoryCandle.__struct_fields__) for one in events]
    return [sorted(number for one in events for number in decimals(one))]


def decimals(event: Event) -> list[Decimal]:
    return [value for name in event.__struct_fields__ if isinstance(value := getattr(event, name), Decimal)]


def test_every_collected_trade_book_ticker_and_minute_gives_its_own_numbers(shared: Path):
    compared = 0
    for sample in samples(shared, "bitget"):
        if sample.kind in ("trade", "ticker", "book_delta", "book_snapshot", "candle") and sample.name != "ticker[6]":
            events = parse(sample.text)
            if not isinstance(events[0], Ignored):
                assert numbers(events) == told(json.loads(sample.text)), sample.name
                compared += 1
    assert compared == 18


@pytest.mark.parametrize(("level", "status"), [("3.40:1.50", Status.LIVE), ("3.4:1.5", Status.BROKEN)])
def test_the_digits_of_a_book_are_kept_for_its_checksum(level: str, status: Status):
    """It is taken over the venue's own texts, bids and asks in turn."""
    taken = zlib.crc32(f"{level}:3.5:1".encode())
    checksum = taken - 2**32 if taken >= 2**31 else taken
    book = Book(BITGET.book_rule(None))  # type: ignore[arg-type]
    whole = f'{{"asks":[["3.5","1"]],"bids":[["3.3","7"]],"checksum":0,"ts":"{AT}"}}'
    change = f'{{"asks":[],"bids":[["3.3","0"],["3.40","1.50"]],"checksum":{checksum},"ts":"{AT}"}}'
    book.apply(*parse(pushed("books", whole, action="snapshot").encode()))
    assert book.apply(*parse(pushed("books", change).encode())) is status


def test_a_recording_of_the_former_protocol_gives_no_market_data(shared: Path):
    """It calls its markets `sp` and `mc`: none of them is one that is known here."""
    with gzip.open(shared / "captures" / "bitget.ws.ndjson.gz", "rt") as lines:
        frames = [json.loads(line)["data"].encode() for line in lines]
    set_aside = 0
    for frame in frames:
        try:
            events = parse(frame)
        except FrameError:
            set_aside += 1
        else:
            assert events == (Acknowledged(),)
    assert (len(frames), set_aside) == (694, 654)
