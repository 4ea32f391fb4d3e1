"""What Upbit's public websocket says: https://docs.upbit.com/kr/reference/websocket-trade and its neighbours.

Frames are binary and hold JSON whose numbers are numbers. With the format SIMPLE, which is asked for here, names are short:

    {"ty":"trade","cd":"KRW-LAMB","tms":1618678262712,"td":"2021-04-17","ttm":"16:51:02","ttms":1618678262000,"tp":127.0,
     "tv":46.48838371,"ab":"BID","pcp":123.00000000,"c":"RISE","cp":4.00000000,"sid":1618678262000003,"st":"REALTIME"}
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from producers import dialect
from producers.dialect import Event, FrameError, Ignored, Kind, Trade, checked
from schemas.exact import INT64_MAX
from schemas.market import HistoryCandle

TYPES: Final[dict[Kind, str]] = {
    Kind.TRADES: "trade",
    Kind.QUOTES: "orderbook",
    Kind.BOOK: "orderbook",
    Kind.CANDLES: "candle.1m",
}
# Types that Upbit has and that nothing here reads.
UNREAD: Final = {"myOrder", "myAsset"}
UNREAD_PREFIXES: Final = ("candle.",)

_SIDES: Final = {"BID": True, "ASK": False}
_SNAPSHOT: Final = {"SNAPSHOT": True, "REALTIME": False, "": False}
_MINUTE: Final = 60_000
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
_MOST: Final = 10**18  # of a whole number: as many digits as fit 64 bits
_SUM_DIGITS: Final = 40  # of a volume that adds up products of price and amount

_Whole = Annotated[int, Meta(ge=0, le=INT64_MAX)]
_Number = Any  # an int, a Decimal of the venue's digits, or what is refused

# The names of the format DEFAULT, and what SIMPLE makes of them.
_SHORT: Final = {
    "code": "cd", "timestamp": "tms", "stream_type": "st", "trade_timestamp": "ttms", "trade_price": "tp", "trade_volume": "tv",
    "ask_bid": "ab", "sequential_id": "sid", "orderbook_units": "obu", "ask_price": "ap", "ask_size": "as", "bid_price": "bp",
    "bid_size": "bs", "level": "lv", "candle_date_time_utc": "cdttmu", "opening_price": "op", "high_price": "hp",
    "low_price": "lp", "candle_acc_trade_volume": "catv", "candle_acc_trade_price": "catp",
}  # fmt: skip


class _Error(Struct, frozen=True):
    name: str
    message: str = ""


class _Head(Struct):
    type: str = ""
    ty: str = ""
    status: str = ""
    error: _Error | None = None


class _Trade(Struct):
    code: str
    timestamp: _Whole
    trade_timestamp: _Whole
    trade_price: _Number
    trade_volume: _Number
    ask_bid: str
    sequential_id: _Whole
    stream_type: str = ""


class _Unit(Struct):
    ask_price: _Number
    ask_size: _Number
    bid_price: _Number
    bid_size: _Number


class _Book(Struct):
    code: str
    timestamp: _Whole
    orderbook_units: list[_Unit]
    level: _Number = 0


class _Candle(Struct):
    code: str
    timestamp: _Whole
    candle_date_time_utc: str
    opening_price: _Number
    high_price: _Number
    low_price: _Number
    trade_price: _Number
    candle_acc_trade_volume: _Number
    candle_acc_trade_price: _Number


class _Ticker(Struct):
    code: str
    timestamp: _Whole
    trade_timestamp: _Whole
    trade_price: _Number
    trade_volume: _Number


def _short(shape: type[Struct], **types: Any) -> type[Struct]:
    """The same shape under its short names; `types` of the fields that have shapes of their own."""
    fields: list[Any] = []
    for field in msgspec.structs.fields(shape):
        default = () if field.default is msgspec.NODEFAULT else (field.default,)
        fields.append((field.name, types.get(field.name, field.type), *default))
    return msgspec.defstruct(f"{shape.__name__}Short", fields, rename=_SHORT)


def _decoder(shape: type[Struct]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape, float_hook=Decimal)


_head = msgspec.json.Decoder(_Head)
_trade, _short_trade = _decoder(_Trade), _decoder(_short(_Trade))


def parse(frame: bytes) -> tuple[Event, ...]:
    """What one frame says. Raises FrameError."""
    if frame.startswith(b'{"ty":"trade",'):
        return _read_trade(_decode(_short_trade, frame))
    told: _Head = _decode(_head, frame)
    if told.error is not None:
        return (dialect.Refused(told.error.name, told.error.message),)
    name = told.type or told.ty
    if name in READERS:
        read, long, short = READERS[name]
        return read(_decode(long if told.type else short, frame))
    if name in UNREAD or name.startswith(UNREAD_PREFIXES):
        return (Ignored(name),)
    if told.status and not name:
        return (Ignored(f"status {told.status}"),)
    raise FrameError(f"unknown type {name!r:.60}")


def trade(trade_id: int, time: int, price: _Number, amount: _Number, side: str) -> Trade:
    """A trade, pushed or over REST. Raises FrameError."""
    buy = _SIDES.get(side)
    if buy is None:
        raise FrameError(f"side {side!r:.60} of trade {trade_id}")
    return Trade(trade_id, trade_id, time, _positive(price), _positive(amount), buy)


def candle(utc: str, prices: tuple[_Number, ...], volume: _Number, quote_volume: _Number) -> HistoryCandle:
    """The minute that a time is in, with its prices from open to close. Raises FrameError."""
    try:
        if not _TIME.fullmatch(utc):
            raise ValueError
        open_time = int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        raise FrameError(f"not a time: {utc!r:.60}") from None
    opened, high, low, close = (_positive(price) for price in prices)
    return HistoryCandle(open_time // _MINUTE * _MINUTE, opened, high, low, close, _sum(volume), _sum(quote_volume))


def _decode(decoder: msgspec.json.Decoder[Any], frame: bytes) -> Any:
    try:
        return decoder.decode(frame)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError) as error:
        raise FrameError(f"not a frame of Upbit: {error}") from None


def _exact(value: _Number) -> Decimal:
    """A number from JSON as it was written; strings are none."""
    if type(value) is Decimal:
        return checked(value)
    if type(value) is int and 0 <= value < _MOST:
        return Decimal(value)
    raise FrameError(f"not a number: {value!r:.60}")


def _positive(value: _Number) -> Decimal:
    number = _exact(value)
    if not number:
        raise FrameError("a price or amount of zero")
    return number


def _sum(value: _Number) -> Decimal:
    """As `_exact`, of more digits: a sum of products."""
    if type(value) is not Decimal:
        return _exact(value)
    if value.is_signed() or not -_SUM_DIGITS < value.adjusted() < _SUM_DIGITS or len(value.as_tuple().digits) > _SUM_DIGITS:
        raise FrameError(f"not a volume: {value!s:.60}")
    return value


def _read_trade(row: Any) -> tuple[Event, ...]:
    snapshot = _SNAPSHOT.get(row.stream_type)
    if snapshot is None:
        raise FrameError(f"unknown stream type {row.stream_type!r:.60}")
    one = trade(row.sequential_id, row.trade_timestamp, row.trade_price, row.trade_volume, row.ask_bid)
    return (dialect.TradesPushed(row.code, (one,), row.timestamp, snapshot),)


def _read_book(row: Any) -> tuple[Event, ...]:
    """Every push is the whole book, the best levels first; where there are fewer on one side, Upbit fills it up with zeros."""
    if row.level:
        return (Ignored("a book of grouped prices"),)
    units = row.orderbook_units
    bids = _levels([(unit.bid_price, unit.bid_size) for unit in units])
    asks = _levels([(unit.ask_price, unit.ask_size) for unit in units])
    (bid, bid_amount), (ask, ask_amount) = (side[0] if side else (Decimal(0), Decimal(0)) for side in (bids, asks))
    quoted = dialect.Quoted(row.code, row.timestamp, bid, bid_amount, ask, ask_amount)
    return (quoted, dialect.BookPushed(row.code, row.timestamp, bids, asks, snapshot=True))


def _levels(pairs: list[tuple[_Number, _Number]]) -> tuple[dialect.Level, ...]:
    levels = [(_exact(price), _exact(amount)) for price, amount in pairs]
    return tuple(level for level in levels if level[0] and level[1])


def _read_candle(row: Any) -> tuple[Event, ...]:
    """Upbit has no flag for a minute that is final: it may be told once more after its end."""
    prices = row.opening_price, row.high_price, row.low_price, row.trade_price
    minute = candle(row.candle_date_time_utc, prices, row.candle_acc_trade_volume, row.candle_acc_trade_price)
    return (dialect.CandlePushed(row.code, minute, None, closed=minute.open_time + _MINUTE <= row.timestamp),)


def _read_ticker(row: Any) -> tuple[Event, ...]:
    price, amount = _exact(row.trade_price) or None, _exact(row.trade_volume) or None
    return (dialect.Told(row.code, row.timestamp, price=price, amount=amount, trade_time=row.trade_timestamp),)


_Reader = tuple[Callable[[Any], tuple[Event, ...]], msgspec.json.Decoder[Any], msgspec.json.Decoder[Any]]
READERS: Final[dict[str, _Reader]] = {
    "trade": (_read_trade, _trade, _short_trade),
    "orderbook": (_read_book, _decoder(_Book), _decoder(_short(_Book, orderbook_units=list[_short(_Unit)]))),  # type: ignore[misc]
    "candle.1m": (_read_candle, _decoder(_Candle), _decoder(_short(_Candle))),
    "ticker": (_read_ticker, _decoder(_Ticker), _decoder(_short(_Ticker))),
}
