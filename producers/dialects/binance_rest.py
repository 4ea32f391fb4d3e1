"""What Binance's spot and futures markets share over REST: pages of trades and candles, books, and the rules of a market."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from producers.dialect import BookPushed, FrameError, Request, Trade, VenueCandle, number, positive
from producers.dialects import binance_stream
from producers.dialects.binance_shapes import Levels, Whole
from schemas.market import HistoryCandle, Instrument

TRADES_PAGE: Final = 1_000
_CANDLES_PAGE: Final = 1_000
_BOOK_LEVELS: Final = 1_000


class _AggregateRow(Struct):
    """As pushed, without its names."""

    a: Whole
    p: str
    q: str
    f: int
    l: int  # noqa: E741 - the venue's spelling
    T: Whole
    m: bool


class _Book(Struct):
    last_update_id: Whole = field(name="lastUpdateId")
    bids: Levels
    asks: Levels
    T: Whole = 0


class Steps(Struct, frozen=True):
    """What prices and amounts of a market are multiples of, and the least amount."""

    tick_size: Decimal
    lot_size: Decimal
    min_amount: Decimal


def trades_request(method: str, instrument: Instrument, before: Trade | None) -> Request | None:
    """`GET aggTrades`: the newest, or a thousand ids; `fromId` is the first of them. The first aggregate of all has the id 0."""
    params = {"symbol": instrument.market_id, "limit": str(TRADES_PAGE)}
    if before is None:
        return Request(method, params)
    if before.first_id <= 0:
        return None
    first = max(0, before.first_id - TRADES_PAGE)
    return Request(method, {**params, "fromId": str(first), "limit": str(before.first_id - first)})


def trades_page(answer: Any) -> tuple[Trade, ...]:
    """Aggregates, oldest first. Some had no amount in the past: those are no trades, and their ids stay missing."""
    found = []
    for row in _converted(answer, list[_AggregateRow]):
        if not number(row.q):
            continue
        count = row.l - row.f + 1
        if row.f < 0 or count < 1:
            raise FrameError(f"trades {row.f} to {row.l} cannot be")
        found.append(Trade(row.a, row.a, row.T, positive(row.p), positive(row.q), not row.m, count))
    return tuple(found)


def candles_request(method: str, instrument: Instrument, before: int) -> Request:
    """`GET klines`, with the one that opens at `before`: its being there says that the one before it is closed."""
    # ccxt weighs requests by their `limit`, and therefore needs it as a number.
    params: dict[str, Any] = {"symbol": instrument.market_id, "interval": "1m", "endTime": str(before), "limit": _CANDLES_PAGE}
    return Request(method, params)


def candles_page(answer: Any) -> tuple[VenueCandle, ...]:
    """Rows of [open time, open, high, low, close, volume, close time, quote volume, ...], oldest first.

    None of them says whether it is closed. All are that have one after them.
    """
    candles = [_candle(row) for row in _converted(answer, list[list[Any]])]
    newest = max((candle.open_time for candle in candles), default=0)
    return tuple(VenueCandle(candle, closed=candle.open_time < newest) for candle in candles)


def book_request(method: str, instrument: Instrument) -> Request:
    """`GET depth`: pushes are changes only. `limit` is a number, as for candles."""
    params: dict[str, Any] = {"symbol": instrument.market_id, "limit": _BOOK_LEVELS}
    return Request(method, params)


def book_page(instrument: Instrument, answer: Any) -> BookPushed:
    """`GET depth`; spot tells no time."""
    book: _Book = _converted(answer, _Book)
    bids, asks = binance_stream.levels(book.bids), binance_stream.levels(book.asks)
    return BookPushed(instrument.market_id, book.T, bids, asks, snapshot=True, last=book.last_update_id)


def steps(info: Mapping[str, Any], amount_digits: str, price_digits: str) -> Steps:
    """From the filters of a market; where it has none, from the names of its fields that count decimal places."""
    filters = {rule["filterType"]: rule for rule in info.get("filters", ())}
    price, lot = filters.get("PRICE_FILTER"), filters.get("LOT_SIZE")
    finest = Decimal(1).scaleb(-whole(info[amount_digits]))
    return Steps(
        tick_size=number(price["tickSize"]) if price else Decimal(1).scaleb(-whole(info[price_digits])),
        lot_size=number(lot["stepSize"]) if lot else finest,
        min_amount=number(lot["minQty"]) if lot else finest,
    )


def whole(value: Any) -> int:
    """A whole number, which ccxt may have left a string. Raises FrameError."""
    found: int = _converted(value, Whole)
    return found


def _candle(row: list[Any]) -> HistoryCandle:
    if len(row) < 8:
        raise FrameError(f"a candle of {len(row)} columns")
    opened, high, low, close = (positive(price) for price in row[1:5])
    return HistoryCandle(whole(row[0]), opened, high, low, close, number(row[5]), number(row[7]))


def _converted(value: Any, shape: Any) -> Any:
    try:
        return msgspec.convert(value, shape, strict=False)
    except (msgspec.MsgspecError, ValueError) as error:
        raise FrameError(f"not an answer of Binance: {error}") from None
