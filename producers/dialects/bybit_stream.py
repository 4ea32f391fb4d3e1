"""What Bybit's public websockets say, API v5: https://bybit-exchange.github.io/docs/v5/websocket/public/trade and its neighbours.

A trade; spot ids are numbers that rise, those of contracts are names:

    {"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{"T":1672304486865,"s":"BTCUSDT","S":"Buy",
     "v":"0.001","p":"16578.50","L":"PlusTick","i":"20f43950-d8dd-5b31-9112-a178eb6023af","BT":false}]}
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from producers import dialect
from producers.dialect import Channel, Event, FrameError, Ignored, Kind, Trade, integer, number, positive
from schemas.exact import INT64_MAX
from schemas.ids import name_id
from schemas.market import HistoryCandle, NoticeKind

TOPICS: Final[dict[Kind, str]] = {
    Kind.TRADES: "publicTrade",
    Kind.QUOTES: "orderbook.1",
    Kind.BOOK: "orderbook.50",
    Kind.CANDLES: "kline.1",
    Kind.MARK: "tickers",
    Kind.FUNDING: "tickers",
    Kind.INTEREST: "tickers",
}
_KINDS: Final = {topic: tuple(kind for kind in Kind if TOPICS[kind] == topic) for topic in TOPICS.values()}
_SIDES: Final = {"Buy": True, "Sell": False}
_STATES: Final[dict[str, NoticeKind]] = {"ongoing": "maintenance", "completed": "resumed"}
_MARKET_DATA: Final = 5  # among the services that a maintenance names
_TRADES_BEGIN: Final = b'{"topic":"publicTrade.'

# What Bybit has beside the above, by the first word of its topic, and nothing here reads.
UNREAD: Final = {
    "orderbook", "kline", "allLiquidation", "liquidation", "priceLimit", "insurance", "adlAlert", "kline_lt", "tickers_lt", "lt",
    "greeks", "spread", "order", "position", "execution", "wallet",
}  # fmt: skip

_Whole = Annotated[int, Meta(ge=0, le=INT64_MAX)]


class _Request(Struct, frozen=True):
    op: str = ""


class _Frame(Struct):
    topic: str = ""
    type: str = ""
    ts: _Whole = 0
    data: msgspec.Raw = msgspec.Raw()
    op: str = ""
    success: bool | None = None
    ret_msg: str = ""
    req_id: str = ""
    code: int = msgspec.field(default=0, name="retCode")
    message: str = msgspec.field(default="", name="retMsg")
    request: _Request = _Request()


class _Trade(Struct, rename={"time": "T", "symbol": "s", "side": "S", "amount": "v", "price": "p", "name": "i"}):
    time: _Whole
    symbol: str
    side: str
    amount: str
    price: str
    name: str


class _Trades(Struct):
    """A frame of trades, read in one go: there are more of them than of all others."""

    topic: str
    data: list[_Trade]
    ts: _Whole = 0


class _Book(Struct, rename={"symbol": "s", "bids": "b", "asks": "a"}):
    symbol: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    u: _Whole


class _Candle(Struct):
    start: _Whole
    open: str
    high: str
    low: str
    close: str
    volume: str
    turnover: str
    confirm: bool


class _Ticker(Struct, rename="camel"):
    symbol: str
    last_price: str = ""
    mark_price: str = ""
    index_price: str = ""
    funding_rate: str = ""
    next_funding_time: str = ""
    open_interest: str = ""


class _Status(Struct, rename="camel"):
    title: str
    state: str
    begin: str = ""
    end: str = ""
    service_types: tuple[int, ...] = ()


class _Outcome(Struct, rename="camel"):
    success_topics: tuple[str, ...] = ()
    fail_topics: tuple[str, ...] = ()


_frame = msgspec.json.Decoder(_Frame)
_trades = msgspec.json.Decoder(_Trades)
_book = msgspec.json.Decoder(_Book)
_candles = msgspec.json.Decoder(list[_Candle])
_ticker = msgspec.json.Decoder(_Ticker)
_statuses = msgspec.json.Decoder(list[_Status])
_outcome = msgspec.json.Decoder(_Outcome)


def parse(frame: bytes) -> tuple[Event, ...]:
    """What one frame says. Raises FrameError."""
    if frame.startswith(_TRADES_BEGIN):
        return _read_trades(_decode(_trades, frame))
    told: _Frame = _decode(_frame, frame)
    if not told.topic:
        return _answer(told)
    name, _, market_id = told.topic.rpartition(".")
    read = READERS.get(name)
    if read is not None:
        return read(market_id, told) or (Ignored(f"{name} of nothing"),)
    if name == TOPICS[Kind.TRADES]:
        return _read_trades(_decode(_trades, frame))
    head = told.topic.partition(".")[0]
    if head in UNREAD:
        return (Ignored(head),)
    raise FrameError(f"unknown topic {told.topic!r:.60}")


def trade(name: str, time: int, price: str, amount: str, side: str) -> Trade:
    """A trade by its number, or by a digest of its name. Raises FrameError."""
    buy = _SIDES.get(side)
    if buy is None:
        raise FrameError(f"side {side!r:.60} of trade {name!r:.60}")
    if name.isdecimal():
        trade_id = integer(name)
    elif len(name) == 36 and name.count("-") == 4:
        trade_id = name_id(name)
    else:
        raise FrameError(f"neither a number nor a name: {name!r:.60}")
    return Trade(trade_id, trade_id, time, positive(price), positive(amount), buy)


def candle(start: int, prices: Sequence[str], volume: Decimal, turnover: Decimal, *, swapped: bool) -> HistoryCandle:
    """A minute with its prices from open to close; `swapped` when the volume counts quote units and the turnover base units."""
    opened, high, low, close = (positive(price) for price in prices)
    return HistoryCandle(start, opened, high, low, close, *((turnover, volume) if swapped else (volume, turnover)))


def _decode(decoder: msgspec.json.Decoder[Any], text: bytes | msgspec.Raw) -> Any:
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise FrameError(f"not a frame of Bybit: {error}") from None


def _channels(topics: Sequence[str]) -> tuple[Channel, ...]:
    parts = [topic.rpartition(".") for topic in topics]
    return tuple(Channel(kind, market_id) for name, _, market_id in parts for kind in _KINDS.get(name, ()))


def _answer(told: _Frame) -> tuple[Event, ...]:
    """What comes without a topic answers a request: by its number, or by topics as the options' websocket does."""
    if told.type == "COMMAND_RESP":
        return _outcomes(_decode(_outcome, told.data))
    operation = told.op or told.request.op
    request = integer(told.req_id) if told.req_id.isdecimal() else None
    if told.success is False or told.code:
        return (dialect.Refused(str(told.code or operation), told.ret_msg or told.message, request),)
    if operation in ("ping", "pong", "auth"):
        return (Ignored(operation),)
    if operation in ("subscribe", "unsubscribe") and told.success:
        return (dialect.Acknowledged(request),)
    raise FrameError(f"neither a topic nor an answer: {operation!r:.60}")


def _outcomes(outcome: _Outcome) -> tuple[Event, ...]:
    granted = dialect.Acknowledged(channels=_channels(outcome.success_topics))
    if not outcome.fail_topics:
        return (granted,)
    return (granted, dialect.Refused("failTopics", ", ".join(outcome.fail_topics), channels=_channels(outcome.fail_topics)))


def _same(market_id: str, told: str) -> None:
    if told != market_id:
        raise FrameError(f"{told!r:.60} among what is told of {market_id!r:.60}")


def _read_trades(told: _Trades) -> tuple[Event, ...]:
    market_id = told.topic.partition(".")[2]
    trades = []
    for row in told.data:
        _same(market_id, row.symbol)
        trades.append(trade(row.name, row.time, row.price, row.amount, row.side))
    return (dialect.TradesPushed(market_id, tuple(trades), told.ts),) if trades else (Ignored("no trades"),)


def _levels(rows: Sequence[tuple[str, str]]) -> tuple[dialect.Level, ...]:
    return tuple((positive(price), number(amount)) for price, amount in rows)


def _read_book(market_id: str, told: _Frame) -> tuple[dialect.BookPushed]:
    """`u` 1 is a whole book after a restart of the venue, whatever its type is called."""
    row: _Book = _decode(_book, told.data)
    _same(market_id, row.symbol)
    if told.type not in ("snapshot", "delta"):
        raise FrameError(f"neither a snapshot nor a delta: {told.type!r:.60}")
    whole = told.type == "snapshot" or row.u == 1
    return (dialect.BookPushed(market_id, told.ts, _levels(row.bids), _levels(row.asks), whole, row.u, row.u),)


def _read_quote(market_id: str, told: _Frame) -> tuple[Event, ...]:
    """A book of one level: a snapshot tells both sides, a delta what changed, so that one side alone is no quote."""
    (book,) = _read_book(market_id, told)
    bids, asks = ([level for level in side if level[1]] for side in (book.bids, book.asks))
    if not (book.snapshot or len(bids) == len(asks) == 1):
        return (Ignored("half a quote"),)
    (bid, bid_amount), (ask, ask_amount) = (side[0] if side else (Decimal(0), Decimal(0)) for side in (bids, asks))
    return (dialect.Quoted(market_id, told.ts, bid, bid_amount, ask, ask_amount),)


def _read_candles(market_id: str, told: _Frame) -> tuple[Event, ...]:
    """Inverse contracts count their volume in quote units. No field says which these are; volume times price does."""
    events = []
    for row in _decode(_candles, told.data):
        close, volume, turnover = positive(row.close), number(row.volume), number(row.turnover)
        swapped = abs(volume - turnover * close) < abs(turnover - volume * close)
        minute = candle(row.start, (row.open, row.high, row.low, row.close), volume, turnover, swapped=swapped)
        events.append(dialect.CandlePushed(market_id, minute, None, row.confirm))
    return tuple(events)


def _read_ticker(market_id: str, told: _Frame) -> tuple[Event, ...]:
    """A whole ticker, or what has changed of it: each event needs no more than this frame carries."""
    row: _Ticker = _decode(_ticker, told.data)
    _same(market_id, row.symbol)
    events: list[Event] = []
    if last := _above_zero(row.last_price):
        events.append(dialect.Told(market_id, told.ts, price=last))
    if mark := _above_zero(row.mark_price):
        events.append(dialect.Marked(market_id, told.ts, mark, _above_zero(row.index_price)))
    if row.funding_rate:
        ends = integer(row.next_funding_time or "0") or None
        events.append(dialect.Funded(market_id, told.ts, dialect.rate(row.funding_rate), ends))
    if row.open_interest:
        events.append(dialect.Held(market_id, told.ts, number(row.open_interest)))
    return tuple(events)


def _above_zero(text: str) -> Decimal | None:
    """A price that there may not be yet."""
    return (number(text) or None) if text else None


def _read_status(market_id: str, told: _Frame) -> tuple[Event, ...]:
    """Of all markets: maintenance of the market data. That of other services stops nothing here."""
    del market_id
    events = []
    for row in _decode(_statuses, told.data):
        ours = _MARKET_DATA in row.service_types or not row.service_types
        kind = _STATES.get(row.state, "other") if ours else "other"
        events.append(dialect.Announced(kind, row.state, f"{row.title} ({row.begin} to {row.end})"))
    return tuple(events)


READERS: Final[dict[str, Callable[[str, _Frame], tuple[Event, ...]]]] = {
    "orderbook.1": _read_quote,
    "orderbook.50": _read_book,
    "kline.1": _read_candles,
    "tickers": _read_ticker,
    "system": _read_status,
}
