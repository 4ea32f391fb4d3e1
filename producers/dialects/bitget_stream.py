"""What Bitget's public websocket says, v2: https://www.bitget.com/api-doc/spot/websocket/public/Trades-Channel and others.

Trades, the newest first; the first push on a channel (`snapshot`) repeats old ones:

    {"action":"snapshot","arg":{"instType":"SPOT","channel":"trade","instId":"BTCUSDT"},"data":[{"ts":"1701910980366",
     "price":"43854.01","size":"0.0535","side":"buy","tradeId":"1116461060594286593"}],"ts":1701910980730}

The websocket of unified accounts says `topic` and `symbol` instead of `channel` and `instId`, and shortens the names in its rows.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from producers import dialect
from producers.dialect import Channel, Event, FrameError, Ignored, Kind, Trade, integer, number, positive
from schemas.exact import INT64_MAX
from schemas.market import HistoryCandle

CHANNELS: Final[dict[Kind, str]] = {
    Kind.TRADES: "trade",
    Kind.QUOTES: "ticker",
    Kind.BOOK: "books",
    Kind.CANDLES: "candle1m",
    Kind.MARK: "ticker",
    Kind.FUNDING: "ticker",
    Kind.INTEREST: "ticker",
}
_KINDS: Final = {
    **{channel: tuple(kind for kind in Kind if CHANNELS[kind] == channel) for channel in CHANNELS.values()},
    "publicTrade": (Kind.TRADES,),
}
_PUSH_BEGIN: Final = b'{"action":'
_TRADES: Final = b'"channel":"trade"'
# What our names of instruments begin with, by `instType` (in small letters on the unified websocket): see `named`.
_PRODUCTS: Final = ("USDT-FUTURES", "USDC-FUTURES", "COIN-FUTURES")
_PREFIXES: Final = {"SPOT": "", "spot": ""} | {name: f"{part}:" for part in _PRODUCTS for name in (part, part.lower())}
_SIDES: Final = {"buy": True, "Buy": True, "sell": False, "Sell": False}
_WHOLE: Final = {"snapshot": True, "update": False}
MINUTE: Final = 60_000

# Channels that Bitget has and that nothing here reads.
UNREAD: Final = {
    "books1", "books5", "books15", "books50", "kline", "liquidation", "adl-notification", "index-price", "auction", "account",
    "equity", "fill", "fast-fill", "positions", "positions-history", "orders", "orders-algo",
}  # fmt: skip
UNREAD_PREFIXES: Final = ("candle",)

_Whole = Annotated[int, Meta(ge=0, le=INT64_MAX)]
_Rows = list[tuple[str, str]]
Row = TypeVar("Row")


class _Arg(Struct, frozen=True, rename="camel"):
    inst_type: str = ""
    channel: str = ""
    inst_id: str = ""
    topic: str = ""
    symbol: str = ""

    @property
    def name(self) -> str:
        return self.channel or self.topic


class _Frame(Struct):
    event: str = ""
    action: str = ""
    arg: _Arg = _Arg()
    data: msgspec.Raw = msgspec.Raw()
    ts: _Whole = 0
    code: str | int = ""
    msg: str = ""


class _Trade(Struct, rename="camel"):
    trade_id: _Whole
    ts: _Whole
    price: str
    size: str
    side: str


class _UnifiedTrade(Struct, rename={"trade_id": "i", "ts": "T", "price": "p", "size": "v", "side": "S"}):
    trade_id: _Whole
    ts: _Whole
    price: str
    size: str
    side: str


class _Trades(Struct, Generic[Row]):
    """A frame of trades, read in one go: there are more of them than of all others."""

    action: str
    arg: _Arg
    data: list[Row]
    ts: _Whole = 0


class _Ticker(Struct, rename="camel"):
    """Of two names for one value the second is that of unified accounts."""

    inst_id: str = ""
    ts: str = ""
    last_pr: str = ""
    last_price: str = ""
    bid_pr: str = ""
    bid1_price: str = ""
    bid_sz: str = ""
    bid1_size: str = ""
    ask_pr: str = ""
    ask1_price: str = ""
    ask_sz: str = ""
    ask1_size: str = ""
    mark_price: str = ""
    index_price: str = ""
    funding_rate: str = ""
    next_funding_time: str = ""
    holding_amount: str = ""
    open_interest: str = ""


class _Book(Struct):
    ts: str
    bids: _Rows = []
    asks: _Rows = []
    b: _Rows = []
    a: _Rows = []
    checksum: int = 0
    seq: int | str = 0
    pseq: int | str = 0


_by_id = attrgetter("id")
_frame = msgspec.json.Decoder(_Frame)
# Not strict: ids and times are whole numbers in strings.
_trades = msgspec.json.Decoder(_Trades[_Trade], strict=False)
_unified_trades = msgspec.json.Decoder(_Trades[_UnifiedTrade], strict=False)
_tickers = msgspec.json.Decoder(list[_Ticker])
_books = msgspec.json.Decoder(list[_Book])
_candles = msgspec.json.Decoder(list[list[str]])


def parse(frame: bytes) -> tuple[Event, ...]:
    """What one frame says; `pong` is the answer to `ping`. Raises FrameError."""
    if frame.startswith(_PUSH_BEGIN) and _TRADES in frame:
        return _read_trades(_decode(_trades, frame))
    if frame in (b"pong", b"ping"):
        return (Ignored(frame.decode()),)
    told: _Frame = _decode(_frame, frame)
    if told.event:
        return (_event(told),)
    name = told.arg.name
    read = READERS.get(name)
    if read is not None:
        return read(_market_id(told.arg), told) or (Ignored(f"{name} of nothing"),)
    if Kind.TRADES in _KINDS.get(name, ()):
        return _read_trades(_decode(_trades if told.arg.channel else _unified_trades, frame))
    if name in UNREAD or name.startswith(UNREAD_PREFIXES):
        return (Ignored(name),)
    raise FrameError(f"neither an event nor a known channel: {name!r:.60}")


def names(market_id: str) -> tuple[str, str]:
    """The `instType` and `instId` in one of our names."""
    product, _, inst_id = market_id.rpartition(":")
    return product or "SPOT", inst_id


def named(product: str, inst_id: str) -> str:
    """Our name of an instrument: `BTCUSDT` of spot, `USDT-FUTURES:BTCUSDT` of others, which Bitget calls by the same `instId`."""
    return inst_id if product == "SPOT" else f"{product}:{inst_id}"


def trade(trade_id: int, time: int, price: str, amount: str, side: str) -> Trade:
    """A trade, pushed or over REST. Raises FrameError."""
    buy = _SIDES.get(side)
    if buy is None:
        raise FrameError(f"side {side!r:.60} of trade {trade_id}")
    return Trade(trade_id, trade_id, time, positive(price), positive(amount), buy)


def candle(row: Sequence[str]) -> HistoryCandle:
    """A minute as [ts, open, high, low, close, base volume, quote volume, maybe the same in USDT]. Raises FrameError."""
    if not 7 <= len(row) <= 8:
        raise FrameError(f"a candle of {len(row)} columns instead of 7 or 8")
    opened, high, low, close = (positive(price) for price in row[1:5])
    return HistoryCandle(integer(row[0]), opened, high, low, close, number(row[5]), number(row[6]))


def _decode(decoder: msgspec.json.Decoder[Any], text: bytes | msgspec.Raw) -> Any:
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise FrameError(f"not a frame of Bitget: {error}") from None


def _market_id(arg: _Arg) -> str:
    prefix, inst_id = _PREFIXES.get(arg.inst_type), arg.inst_id or arg.symbol
    if prefix is None or not inst_id:
        raise FrameError(f"no instrument: {inst_id!r:.60} of {arg.inst_type!r:.60}")
    return prefix + inst_id


def _channels(arg: _Arg) -> tuple[Channel, ...]:
    """All that a channel serves, of spot the quotes alone; none where it is not one that anybody here asks for."""
    kinds = _KINDS.get(arg.name, ()) if arg.inst_type in _PREFIXES and (arg.inst_id or arg.symbol) else ()
    return tuple(Channel(kind, _market_id(arg)) for kind in (kinds if _PREFIXES.get(arg.inst_type) else kinds[:1]))


def _event(told: _Frame) -> Event:
    if told.event == "subscribe":
        return dialect.Acknowledged(channels=_channels(told.arg))
    if told.event == "error":
        return dialect.Refused(str(told.code), told.msg, channels=_channels(told.arg))
    if told.event in ("unsubscribe", "login"):
        return Ignored(told.event)
    raise FrameError(f"unknown event {told.event!r:.60}")


def _read_trades(told: _Trades[Any]) -> tuple[Event, ...]:
    trades = [trade(row.trade_id, row.ts, row.price, row.size, row.side) for row in reversed(told.data)]
    trades.sort(key=_by_id)
    pushed = dialect.TradesPushed(_market_id(told.arg), tuple(trades), told.ts, _is_whole(told.action))
    return (pushed if trades else Ignored("no trades"),)


def _is_whole(action: str) -> bool:
    whole = _WHOLE.get(action)
    if whole is None:
        raise FrameError(f"neither a snapshot nor an update: {action!r:.60}")
    return whole


def _read_ticker(market_id: str, told: _Frame) -> tuple[Event, ...]:
    """The last row: an older one is of no use to anybody."""
    events: list[Event] = []
    for row in _decode(_tickers, told.data)[-1:]:
        if row.inst_id and row.inst_id != names(market_id)[1]:
            raise FrameError(f"a ticker of {row.inst_id!r:.60} among those of {market_id!r:.60}")
        events += _ticker(market_id, integer(row.ts) if row.ts else told.ts, row)
    return tuple(events)


def _ticker(market_id: str, time: int, row: _Ticker) -> list[Event]:
    """A side without orders is told as an empty string, as is what an instrument does not have."""
    events: list[Event] = []
    bid, ask, last = row.bid_pr or row.bid1_price, row.ask_pr or row.ask1_price, row.last_pr or row.last_price
    if bid or ask:
        texts = bid, row.bid_sz or row.bid1_size, ask, row.ask_sz or row.ask1_size
        events.append(dialect.Quoted(market_id, time, *(number(text or "0") for text in texts)))
    if price := _above_zero(last):
        events.append(dialect.Told(market_id, time, price=price))
    if mark := _above_zero(row.mark_price):
        events.append(dialect.Marked(market_id, time, mark, _above_zero(row.index_price)))
    if row.funding_rate:
        ends = integer(row.next_funding_time or "0") or None
        events.append(dialect.Funded(market_id, time, dialect.rate(row.funding_rate), ends))
    if held := row.holding_amount or row.open_interest:
        events.append(dialect.Held(market_id, time, number(held)))
    return events


def _above_zero(text: str) -> Decimal | None:
    """A price that there may not be yet."""
    return (number(text) or None) if text else None


def _levels(rows: _Rows) -> tuple[dialect.Level, ...]:
    return tuple((positive(price), number(amount)) for price, amount in rows)


def _read_book(market_id: str, told: _Frame) -> tuple[dialect.BookPushed, ...]:
    """`seq` and `pseq`, where Bitget tells them, number the changes; 0 is none. So is a checksum of 0, as snapshots have it."""
    events, whole = [], _is_whole(told.action)
    for row in _decode(_books, told.data):
        sides = _levels(row.bids or row.b), _levels(row.asks or row.a)
        last, previous = (integer(str(told_number)) or None for told_number in (row.seq, row.pseq))
        checksum = row.checksum or None
        events.append(dialect.BookPushed(market_id, integer(row.ts), *sides, whole, None, last, previous, checksum))
    return tuple(events)


def _read_candles(market_id: str, told: _Frame) -> tuple[Event, ...]:
    """Bitget has no flag for a minute that is final: here it is one that had ended when it was told."""
    minutes = [candle(row) for row in _decode(_candles, told.data)]
    return tuple(dialect.CandlePushed(market_id, one, None, one.open_time + MINUTE <= told.ts) for one in minutes)


READERS: Final[dict[str, Callable[[str, _Frame], tuple[Event, ...]]]] = {
    "ticker": _read_ticker,
    "books": _read_book,
    "candle1m": _read_candles,
}
