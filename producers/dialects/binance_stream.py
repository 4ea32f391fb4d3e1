"""What the websockets of Binance's spot and futures markets share: requests, and frames as events.

Spot: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
Futures: https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams

Trades `f` to `l` of one taker order at one price, told as the aggregate `a`; aggregates rise by one:

    {"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1618677373913,"s":"BTCUSDT","a":749094,"p":"2.27600000",
     "q":"21.96300000","f":1135632,"l":1135633,"T":1618677373912,"m":false,"M":true}}

A change of a book. It adjoins the one that ended with `U` - 1; futures name in `pu` the one that must have come before:

    {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1626992741142,"T":1626992741093,"s":"BTCUSDT","U":600859601246,
     "u":600859602316,"pu":600859581808,"b":[["0.2443","3688"]],"a":[["0.2465","0"]]}}
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

from producers.bursts import Run, whole
from producers.dialect import (
    Acknowledged,
    Announced,
    BookPushed,
    CandlePushed,
    Channel,
    Event,
    FrameError,
    Funded,
    Ignored,
    Kind,
    Level,
    Marked,
    Message,
    Quoted,
    Refused,
    Trade,
    TradesPushed,
    number,
    positive,
    rate,
)
from producers.dialects import binance_shapes as shapes
from schemas.market import HistoryCandle

_STREAMS: Final = 200  # of one request
_MARKET: Final = "MARKET"  # the kind of a futures trade that went through the book
_MINUTE: Final = "1m"
_HEAD: Final = 64  # bytes within which a combined stream's frame names it

# Events that Binance has and that nothing here reads. Statistics count single trades, which tell nothing about aggregates.
_UNREAD: Final = {
    "24hrTicker", "24hrMiniTicker", "1hTicker", "4hTicker", "1dTicker", "avgPrice", "forceOrder", "compositeIndex",
    "assetIndexUpdate", "continuous_kline", "eventStreamTerminated",
}  # fmt: skip

# The same prices come again and again: what was read once is not read again.
_number: Final[Callable[[str], Decimal]] = lru_cache(maxsize=1 << 13)(number)
_positive: Final[Callable[[str], Decimal]] = lru_cache(maxsize=1 << 13)(positive)

_Found = TypeVar("_Found")
_Reader = Callable[[bytes | msgspec.Raw], tuple[Event, ...]]


def requests(
    method: str, streams: Mapping[Kind, str], channels: Sequence[Channel], held: Sequence[Channel], request: int
) -> tuple[Message, ...]:
    """Requests for the streams of channels, of at most two hundred each, in the order of `streams`.

    Two kinds may come on one stream: it is named once, and not at all when what is `held` has it.
    """
    order = list(streams)
    wanted: dict[str, list[Channel]] = {}
    for channel in sorted(channels, key=lambda one: order.index(one.kind)):
        wanted.setdefault(_stream(streams, channel), []).append(channel)
    for channel in held:
        wanted.pop(_stream(streams, channel), None)
    names, messages = list(wanted), []
    for number_, begin in enumerate(range(0, len(names), _STREAMS), request):
        part = names[begin : begin + _STREAMS]
        text = msgspec.json.encode({"method": method, "params": part, "id": number_}).decode()
        messages.append(Message(text, number_, tuple(channel for name in part for channel in wanted[name])))
    return tuple(messages)


def parse(frame: bytes) -> tuple[Event, ...]:
    """What one frame says, within a combined stream's wrapper or without. Raises FrameError."""
    if frame.startswith(b'{"stream":"'):
        at = frame.find(b"@")
        if frame.startswith(b"@aggTrade", at):
            return _aggregate(_decoded(shapes.wrapped_aggregate, frame).data)
        if frame.startswith(b"@bookTicker", at):
            return _quote(_decoded(shapes.wrapped_quote, frame).data)
    return _any(frame)


def burst(frames: Sequence[bytes]) -> tuple[dict[str, Run], list[bytes]]:
    """The aggregates in combined streams' frames as columns; everything else, and what is broken, is left to `parse`."""
    decode, found, rest = shapes.wrapped_aggregate, defaultdict[str, list[shapes.Aggregate]](list), []
    for frame in frames:
        if frame.find(b'@aggTrade"', 0, _HEAD) < 0:
            rest.append(frame)
            continue
        try:
            told = decode(frame).data
        except (msgspec.MsgspecError, ValueError, RecursionError):
            rest.append(frame)
            continue
        found[told.s].append(told)
    try:
        return {market_id: _run(told) for market_id, told in found.items()}, rest
    except FrameError:  # it is said of the one frame whose fault it is
        return {}, list(frames)


def _run(told: Sequence[shapes.Aggregate]) -> Run:
    counts = [one.l - one.f + 1 for one in told]
    if min(counts) < 1:
        raise FrameError("trades that cannot be")
    prices, price_places = whole([one.p for one in told])
    amounts, amount_places = whole([one.q for one in told])
    ids, times = [one.a for one in told], [one.T for one in told]
    return Run(ids, times, prices, price_places, amounts, amount_places, [not one.m for one in told], counts, told[-1].E)


def _decoded(decode: Callable[[Any], _Found], data: bytes | msgspec.Raw) -> _Found:
    try:
        return decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise FrameError(f"not a frame of Binance: {error}") from None


def _stream(streams: Mapping[Kind, str], channel: Channel) -> str:
    return f"{channel.market_id.lower()}@{streams[channel.kind]}"


def _any(frame: bytes) -> tuple[Event, ...]:
    found = _decoded(shapes.frame, frame)
    request = found.id if isinstance(found.id, int) else None
    if found.error is not None:
        return (Refused(str(found.error.code), found.error.msg, request),)
    if found.code is not None:
        return (Refused(str(found.code), found.msg, request),)
    if bytes(found.result):
        granted = request is not None and bytes(found.result) == b"null"
        return (Acknowledged(request) if granted else Ignored("an answer"),)
    if bytes(found.event):
        return (Ignored("an event of a user's stream"),)
    data = found.data if bytes(found.data) else frame
    if bytes(data).startswith(b"["):
        return (Ignored(f"a list of {found.stream:.60}"),)
    return _data(data)


def _data(data: bytes | msgspec.Raw) -> tuple[Event, ...]:
    found = _decoded(shapes.tagged, data)
    if found.last_update_id is not None:
        return (Ignored("a part of a book"),)
    if found.e in _UNREAD:
        return (Ignored(found.e),)
    read = _READERS.get(found.e)
    if read is None:
        raise FrameError(f"unknown event {found.e!r:.60}")
    return read(data)


def _aggregate(found: shapes.Aggregate) -> tuple[Event, ...]:
    count = found.l - found.f + 1
    if count < 1:
        raise FrameError(f"trades {found.f} to {found.l} cannot be")
    trade = Trade(found.a, found.a, found.T, _positive(found.p), _positive(found.q), not found.m, count)
    return (TradesPushed(found.s, (trade,), found.E),)


def _single(found: shapes.Single) -> tuple[Event, ...]:
    """Insurance funds and liquidations settle futures' trades outside the book: those make no candles."""
    if found.X != _MARKET:
        return (Ignored(f"a trade of kind {found.X:.30}"),)
    trade = Trade(found.t, found.t, found.T, _positive(found.p), _positive(found.q), not found.m)
    return (TradesPushed(found.s, (trade,), found.E),)


def _quote(found: shapes.Quote) -> tuple[Event, ...]:
    sides = _number(found.b), _number(found.B), _number(found.a), _number(found.A)
    return (Quoted(found.s, found.T, *sides),)


def levels(rows: Sequence[tuple[str, str]]) -> tuple[Level, ...]:
    """Levels of a side in the order of their rows. Raises FrameError."""
    return tuple([(_positive(price), _number(amount)) for price, amount in rows])


def _depth(found: shapes.Depth) -> tuple[Event, ...]:
    if found.u < found.U:
        raise FrameError(f"changes {found.U} to {found.u} cannot be")
    return (
        BookPushed(
            market_id=found.s,
            time=found.T or found.E,
            bids=levels(found.b),
            asks=levels(found.a),
            snapshot=False,
            first=found.U,
            last=found.u,
            previous=found.pu,
        ),
    )


def _candle(found: shapes.Candle) -> tuple[Event, ...]:
    bar = found.k
    if bar.i != _MINUTE:
        return (Ignored(f"a candle of {bar.i:.30}"),)
    prices = _positive(bar.o), _positive(bar.h), _positive(bar.l), _positive(bar.c)
    candle = HistoryCandle(bar.t, *prices, number(bar.v), number(bar.q))
    return (CandlePushed(found.s, candle, bar.n, bar.x),)


def _mark(found: shapes.Mark) -> tuple[Event, ...]:
    """Where there is no index it is 0 or empty; where there is no funding its rate is empty."""
    index = number(found.i or "0")
    marked = Marked(found.s, found.E, positive(found.p), index or None)
    return (marked, Funded(found.s, found.E, rate(found.r), found.T or None)) if found.r else (marked,)


def _contract(found: shapes.Contract) -> tuple[Event, ...]:
    return (Announced("listing", found.cs, f"{found.s} is {found.cs}", found.s),)


def _shutdown(found: shapes.Tagged) -> tuple[Event, ...]:
    return (Announced("closing", found.e, "the server is about to shut down"),)


def _reader(decode: Callable[[Any], _Found], tell: Callable[[_Found], tuple[Event, ...]]) -> _Reader:
    return lambda data: tell(_decoded(decode, data))


_READERS: Final[dict[str, _Reader]] = {
    "aggTrade": _reader(shapes.aggregate, _aggregate),
    "trade": _reader(shapes.single, _single),
    "bookTicker": _reader(shapes.quote, _quote),
    "": _reader(shapes.quote, _quote),  # as spot has it
    "depthUpdate": _reader(shapes.depth, _depth),
    "kline": _reader(shapes.candle, _candle),
    "markPriceUpdate": _reader(shapes.mark, _mark),
    "contractInfo": _reader(shapes.contract, _contract),
    "serverShutdown": _reader(shapes.tagged, _shutdown),
}
