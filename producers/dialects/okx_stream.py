"""Frames of OKX's websocket as events (https://www.okx.com/docs-v5/en/).

A trade, `count` trades of one taker order at one price told as one, the last of which has `tradeId`; ids rise by one:

    {"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"130639474","px":"42219.9",
     "sz":"0.12060306","side":"buy","ts":"1630048897897","count":"3"}]}

A change of a book, which continues the one whose `seqId` is its `prevSeqId`; levels are price, amount, nothing, orders:

    {"arg":{"channel":"books","instId":"NEAR-USDT"},"action":"update","data":[{"asks":[],"bids":[["1.781","14694.07","0","31"]],
     "ts":"1765201257205","checksum":1923732318,"seqId":9690930617,"prevSeqId":9690930615}]}
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

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
    Level,
    Marked,
    Quoted,
    Refused,
    Told,
    Trade,
    TradesPushed,
    integer,
    number,
    positive,
    rate,
)
from producers.dialects import okx_shapes as shapes
from schemas.market import HistoryCandle, NoticeKind

CHANNELS: Final = {
    Kind.TRADES: "trades",
    Kind.QUOTES: "tickers",
    Kind.BOOK: "books",
    Kind.CANDLES: "candle1m",
    Kind.MARK: "mark-price",
    Kind.FUNDING: "funding-rate",
    Kind.INTEREST: "open-interest",
}
_KINDS: Final = {name: kind for kind, name in CHANNELS.items()}
STATUS: Final = "status"

# Channels that OKX has and that nothing here reads.
_UNREAD: Final = {
    "trades-all", "option-trades", "bbo-tbt", "books5", "price-limit", "opt-summary", "estimated-price", "index-tickers",
    "liquidation-orders", "adl-warning", "economic-calendar",
}  # fmt: skip
_UNREAD_PREFIXES: Final = ("candle", "index-candle", "mark-price-candle", "sprd-")
_UNREAD_EVENTS: Final = {"unsubscribe", "channel-conn-count", "login"}
_SERVICE_UPGRADE: Final = "64008"
# Of `status`: the websocket, and trading. The others (bots, copy trading) leave market data alone.
_CONCERNING: Final = {"0", "5", "8", "9"}
_STATES: Final[dict[str, NoticeKind]] = {"ongoing": "maintenance", "completed": "resumed"}
# An error names its channel in its text: `channel:trades,instId:BTC-USDT doesn't exist`, or the request as it was sent.
_NAMED: Final = re.compile(r'"?channel"?\s*:\s*"?([\w-]+)"?\s*(?:,\s*"?instId"?\s*:\s*"?([\w-]+))?')
_PUSHED_TRADES: Final = b'{"arg":{"channel":"trades","'

# The same prices come again and again: what was read once is not read again.
_number: Final[Callable[[str], Decimal]] = lru_cache(maxsize=1 << 13)(number)
_positive: Final[Callable[[str], Decimal]] = lru_cache(maxsize=1 << 13)(positive)

_Row = TypeVar("_Row")


def parse(frame: bytes) -> tuple[Event, ...]:
    """What one frame says; `pong` is the answer to `ping`. Raises FrameError."""
    if frame.startswith(_PUSHED_TRADES):
        return _trades_pushed(_decoded(shapes.decode_trades, frame))
    if frame == b"pong":
        return (Ignored("pong"),)
    found = _decoded(shapes.decode_frame, frame)
    if found.event:
        return (_event(found),)
    channel = found.arg.channel
    if not channel or not bytes(found.data):
        raise FrameError("neither an event nor data of a channel")
    read = _READERS.get(channel)
    if read is not None:
        return read(found)
    if channel in _UNREAD or channel.startswith(_UNREAD_PREFIXES):
        return (Ignored(channel),)
    raise FrameError(f"unknown channel {channel!r:.60}")


def trades(market_id: str, rows: Sequence[shapes.TradeRow]) -> tuple[Trade, ...]:
    """Trades in the order of their rows. Raises FrameError."""
    found = []
    for row in rows:
        last, count = row.trade_id, row.count
        if row.inst_id != market_id:
            raise FrameError(f"a trade of {row.inst_id!r:.60} among those of {market_id!r:.60}")
        if not 1 <= count <= last + 1:
            raise FrameError(f"count {count} of trade {last} cannot be")
        found.append(Trade(last, last - count + 1, row.ts, _positive(row.px), _positive(row.sz), row.side == "buy", count))
    return tuple(found)


def candle(row: Sequence[str], *, spot: bool) -> tuple[HistoryCandle, bool]:
    """A candle of [ts, open, high, low, close, vol, volCcy, volCcyQuote, confirm], and whether it is closed. Raises FrameError.

    `vol` counts base units of spot and contracts of everything else, whose base units are in `volCcy`.
    """
    if len(row) != 9 or row[8] not in ("0", "1"):
        raise FrameError(f"a candle of {len(row)} columns, or neither open nor closed: {row!r:.60}")
    opened, high, low, close = (_positive(price) for price in row[1:5])
    return HistoryCandle(integer(row[0]), opened, high, low, close, number(row[5 if spot else 6]), number(row[7])), row[8] == "1"


def _decoded(decode: Callable[[Any], _Row], data: bytes | msgspec.Raw) -> _Row:
    try:
        return decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise FrameError(f"not a frame of OKX: {error}") from None


def _rows(frame: shapes.Frame, decode: Callable[[Any], list[_Row]]) -> list[_Row]:
    """The rows of a frame; if they name their instrument, it is the frame's."""
    rows, market_id = _decoded(decode, frame.data), frame.arg.inst_id
    if not rows:
        raise FrameError(f"nothing of {frame.arg.channel!r:.60}")
    if any(getattr(row, "inst_id", market_id) != market_id for row in rows):
        raise FrameError(f"another instrument among those of {market_id!r:.60}")
    return rows


def _event(frame: shapes.Frame) -> Event:
    code = str(frame.code)
    if frame.event == "subscribe":
        kind = _KINDS.get(frame.arg.channel)
        return Acknowledged(channels=(Channel(kind, frame.arg.inst_id),)) if kind else Ignored(f"subscribe {frame.arg.channel}")
    if frame.event == "error":
        return _refused(frame, code)
    if frame.event == "notice":
        return Announced("closing" if code == _SERVICE_UPGRADE else "other", code, frame.msg)
    if frame.event == "channel-conn-count-error":
        return Refused(frame.event, f"too many connections have the channel {frame.channel}")
    if frame.event in _UNREAD_EVENTS:
        return Ignored(frame.event)
    raise FrameError(f"unknown event {frame.event!r:.60}")


def _refused(frame: shapes.Frame, code: str) -> Event:
    """An error on the channels that it names, else on its request; nothing depends on what we subscribe to besides."""
    named = [(frame.arg.channel, frame.arg.inst_id)] if frame.arg.channel else _NAMED.findall(frame.msg)
    channels = tuple(Channel(_KINDS[name], market_id) for name, market_id in named if name in _KINDS and market_id)
    if {name for name, _ in named} == {STATUS}:
        return Ignored(f"error on {STATUS}: {code}")
    request = int(frame.id) if not channels and frame.id.isascii() and frame.id.isdigit() and len(frame.id) < 19 else None
    return Refused(code, frame.msg, request, channels)


def _trades_pushed(frame: shapes.TradesFrame) -> tuple[Event, ...]:
    if not frame.data:
        raise FrameError("a frame without trades")
    return (TradesPushed(frame.arg.inst_id, trades(frame.arg.inst_id, frame.data)),)


def _read_trades(frame: shapes.Frame) -> tuple[Event, ...]:
    return _trades_pushed(shapes.TradesFrame(frame.arg, _decoded(shapes.trade_rows, frame.data)))


def _read_tickers(frame: shapes.Frame) -> tuple[Event, ...]:
    """The last row: an older quote is of no use to anybody. What there is none of is empty or 0."""
    row = _rows(frame, shapes.ticker_rows)[-1]
    sides = (_number(text or "0") for text in (row.bid_px, row.bid_sz, row.ask_px, row.ask_sz))
    last, amount = _number(row.last or "0"), _number(row.last_sz or "0")
    quoted = Quoted(row.inst_id, row.ts, *sides)
    return (quoted, Told(row.inst_id, row.ts, price=last, amount=amount or None)) if last else (quoted,)


def _levels(rows: Sequence[tuple[str, str, str, str]]) -> tuple[Level, ...]:
    return tuple([(_positive(price), _number(amount)) for price, amount, _, _ in rows])


def _read_book(frame: shapes.Frame) -> tuple[Event, ...]:
    """Its checksum means nothing any more: it is always 0."""
    if frame.action not in ("snapshot", "update"):
        raise FrameError(f"a book that is neither snapshot nor update but {frame.action!r:.60}")
    whole = frame.action == "snapshot"
    return tuple(
        BookPushed(
            market_id=frame.arg.inst_id,
            time=row.ts,
            bids=_levels(row.bids),
            asks=_levels(row.asks),
            snapshot=whole,
            last=row.seq_id,
            previous=None if whole else row.prev_seq_id,
        )
        for row in _rows(frame, shapes.book_rows)
    )


def _read_candles(frame: shapes.Frame) -> tuple[Event, ...]:
    market_id = frame.arg.inst_id
    spot = market_id.count("-") == 1  # BTC-USDT, but BTC-USDT-SWAP
    candles = [candle(row, spot=spot) for row in _rows(frame, shapes.candle_rows)]
    return tuple(CandlePushed(market_id, told, trades=None, closed=closed) for told, closed in candles)


def _read_mark(frame: shapes.Frame) -> tuple[Event, ...]:
    return tuple(Marked(row.inst_id, row.ts, positive(row.mark_px)) for row in _rows(frame, shapes.mark_rows))


def _read_funding(frame: shapes.Frame) -> tuple[Event, ...]:
    return tuple(
        Funded(row.inst_id, row.ts, rate(row.funding_rate), row.funding_time) for row in _rows(frame, shapes.funding_rows)
    )


def _read_interest(frame: shapes.Frame) -> tuple[Event, ...]:
    return tuple(Held(row.inst_id, row.ts, number(row.oi)) for row in _rows(frame, shapes.interest_rows))


def _read_status(frame: shapes.Frame) -> tuple[Event, ...]:
    events = []
    for row in _rows(frame, shapes.status_rows):
        kind = _STATES.get(row.state, "other") if row.service_type in _CONCERNING else "other"
        events.append(Announced(kind, row.state, f"{row.title}, from {row.begin} to {row.end}"))
    return tuple(events)


def _read_instruments(frame: shapes.Frame) -> tuple[Event, ...]:
    """One that changed is named; a list of many is one announcement."""
    rows = _decoded(shapes.instrument_rows, frame.data)  # none of them is named by the channel
    if len(rows) == 1:
        return (Announced("listing", rows[0].state, f"{rows[0].inst_id} is {rows[0].state}", rows[0].inst_id),)
    return (Announced("listing", "", f"{len(rows)} instruments"),)


_READERS: Final[dict[str, Callable[[shapes.Frame], tuple[Event, ...]]]] = {
    "trades": _read_trades,
    "tickers": _read_tickers,
    **dict.fromkeys(("books", "books-l2-tbt", "books50-l2-tbt"), _read_book),
    "candle1m": _read_candles,
    "mark-price": _read_mark,
    "funding-rate": _read_funding,
    "open-interest": _read_interest,
    STATUS: _read_status,
    "instruments": _read_instruments,
}
