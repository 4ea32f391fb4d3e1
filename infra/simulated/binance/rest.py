"""Requests to Binance's public REST API, without the server: path and query in, status and body out.

    GET /api/v3/time -> 200 {"serverTime":1499827319559}
    GET /api/v3/depth?symbol=X -> 400 {"code":-1121,"msg":"Invalid symbol."}

Lists come oldest first. Aggregate trades go from an id (inclusive) or between two times; without either, the newest come.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from infra.simulated.binance.encoding import funding_end, update
from infra.simulated.binance.streams import BOOK_DEPTH, INTERVALS, Streams
from infra.simulated.exchange import Query
from infra.simulated.feeds import Moment
from infra.simulated.marks import FUNDING_MS
from infra.simulated.tape import Tape, Trades

_MOST_TRADES: Final = 1000
Call = Callable[[Streams, Query, Moment], Any]


class RefusedError(Exception):
    """A request that Binance refuses. `code` is Binance's own."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


def answer(streams: Streams, call: str, query: Query, now: Moment) -> tuple[int, Any] | None:
    """Return the HTTP status and the body of a call of this market by its name; None where there is no such call."""
    found = _CALLS.get(call) or (_FUTURES.get(call) if streams.product.futures else None)
    if found is None:
        return None
    try:
        return 200, found(streams, query, now)
    except RefusedError as refusal:
        return refusal.status, {"code": refusal.code, "msg": str(refusal)}


def _ping(streams: Streams, query: Query, now: Moment) -> dict[str, Any]:  # noqa: ARG001 - every call has the same signature
    return {}


def _time(streams: Streams, query: Query, now: Moment) -> dict[str, Any]:  # noqa: ARG001 - every call has the same signature
    return {"serverTime": now.told}


def _exchange_info(streams: Streams, query: Query, now: Moment) -> dict[str, Any]:
    product, limits = (
        streams.product,
        [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}],
    )
    names = [_symbol(streams, query)] if query.get("symbol") else list(streams.board.listings)
    rows = [product.row(streams.board.listings[name]) for name in names]
    head: dict[str, Any] = {"timezone": "UTC", "serverTime": now.told}
    if not product.futures:
        return {**head, "rateLimits": limits, "exchangeFilters": [], "symbols": rows, "sors": []}
    assets = [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}]
    return {**head, "futuresType": "U_MARGINED", "rateLimits": limits, "exchangeFilters": [], "assets": assets, "symbols": rows}


def _depth(streams: Streams, query: Query, now: Moment) -> dict[str, Any]:
    name, depth = _symbol(streams, query), _number(query, "limit", 500 if streams.product.futures else 100)
    view, writer = streams.board.book(name, min(depth, BOOK_DEPTH), now.ms), streams.writers[name]
    streams.snapshots[name].append(now.ms)
    stamp = {"E": now.told, "T": now.told} if streams.product.futures else {}
    bids, asks = ([], []) if view is None else (writer.levels(view.bids), writer.levels(view.asks))
    return {"lastUpdateId": update(now.ms), **stamp, "bids": bids, "asks": asks}


def _trades(streams: Streams, query: Query, now: Moment) -> list[dict[str, Any]]:
    name, limit = _symbol(streams, query), _limit(query, 500, _MOST_TRADES)
    tape = streams.board.tape(name, now.ms)
    known = tape.through(now.ms)
    return _trade_rows(streams, name, tape.slice(max(0, known - limit), known))


def _historical_trades(streams: Streams, query: Query, now: Moment) -> list[dict[str, Any]]:  # noqa: ARG001 - every call has the same signature
    raise RefusedError(-2014, "API-key format invalid.", 401)


def _aggregate_trades(streams: Streams, query: Query, now: Moment) -> list[dict[str, Any]]:
    name = _symbol(streams, query)
    made, writer = streams.aggregates[name], streams.writers[name]
    trades = _window(made.tape(now.ms), query, now, streams.product.window_ms)
    firsts, lasts = (column.tolist() for column in made.spans(trades.ids))
    rows = zip(*(column.tolist() for column in trades), firsts, lasts, strict=True)
    best = {} if streams.product.futures else {"M": True}
    return [
        {"a": a, "p": writer.price(p), "q": writer.size(q), "f": f, "l": last, "T": t, "m": not buy, **best}
        for a, t, p, q, buy, f, last in rows
    ]


def _window(tape: Tape, query: Query, now: Moment, longest: int) -> Trades:
    """Return the trades from an id, or between two times (both inclusive), or the newest."""
    limit, known = _limit(query, 500, _MOST_TRADES), tape.through(now.ms)
    first, last = query.get("startTime"), query.get("endTime")
    if query.get("fromId"):
        if first or last:
            raise RefusedError(-1128, "Combination of optional parameters invalid.")
        low = tape.position(_number(query, "fromId", 0))
        return tape.slice(low, max(low, min(known, low + limit)))
    high = min(known, tape.through(_number(query, "endTime", 0))) if last else known
    if not first:
        return tape.slice(max(0, high - limit), high)
    if last and _number(query, "endTime", 0) - _number(query, "startTime", 0) > longest:
        raise RefusedError(-1127, f"More than {longest // 3_600_000} hours between startTime and endTime.")
    low = tape.before(_number(query, "startTime", 0))
    return tape.slice(low, max(low, min(high, low + limit)))


def _klines(streams: Streams, query: Query, now: Moment) -> list[list[Any]]:
    """Bars by the time they opened at; the newest is the open one."""
    name, interval = _symbol(streams, query), query.get("interval") or ""
    if interval not in INTERVALS:
        raise RefusedError(-1120, "Invalid interval.")
    step, limit = INTERVALS[interval], _limit(query, 500, streams.product.kline_limit)
    newest = min(_number(query, "endTime", now.ms), now.ms) // step * step
    oldest = newest - (limit - 1) * step
    if query.get("startTime"):
        oldest = -(-_number(query, "startTime", 0) // step) * step
        newest = min(newest, oldest + (limit - 1) * step)
    writer, tape = streams.writers[name], streams.board.tape(name, now.ms)
    return [writer.kline_row(bar, step, tape, now) for bar in streams.board.bars(name, oldest, newest, step, now.ms)]


def _day(streams: Streams, query: Query, now: Moment) -> Any:
    def row(name: str) -> dict[str, Any] | None:
        board, day, quote = streams.board, streams.board.day(name, now.ms), streams.board.quote(name, now.ms)
        if day is None or quote is None:
            return None
        return streams.writers[name].day(day, board.tape(name, now.ms), quote, now)

    return _one_or_all(streams, query, row)


def _best(streams: Streams, query: Query, now: Moment) -> Any:
    def row(name: str) -> dict[str, Any] | None:
        quote, writer = streams.board.quote(name, now.ms), streams.writers[name]
        if quote is None:
            return None
        told = {"symbol": name, "bidPrice": writer.price(quote.bid.price), "bidQty": writer.size(quote.bid.size)}
        told |= {"askPrice": writer.price(quote.ask.price), "askQty": writer.size(quote.ask.size)}
        return {**told, "time": now.told} if streams.product.futures else told

    return _one_or_all(streams, query, row)


def _price(streams: Streams, query: Query, now: Moment) -> Any:
    def row(name: str) -> dict[str, Any] | None:
        day = streams.board.day(name, now.ms)
        if day is None:
            return None
        told = {"symbol": name, "price": streams.writers[name].price(day.close)}
        return {**told, "time": now.told} if streams.product.futures else told

    return _one_or_all(streams, query, row)


def _premium(streams: Streams, query: Query, now: Moment) -> Any:
    def row(name: str) -> dict[str, Any] | None:
        mark = streams.board.mark(name, now.ms)
        return None if mark is None else streams.writers[name].premium(mark, streams.board.funding(name, now.ms), now)

    return _one_or_all(streams, query, row)


def _interest(streams: Streams, query: Query, now: Moment) -> dict[str, Any]:
    name = _symbol(streams, query)
    size = streams.writers[name].size(streams.board.interest(name, now.ms))
    return {"openInterest": size, "symbol": name, "time": now.told}


def _funding(streams: Streams, query: Query, now: Moment) -> list[dict[str, Any]]:
    """Rates of intervals that have ended, oldest first; the history of the market bounds them."""
    name, limit = _symbol(streams, query), _limit(query, 100, 1000)
    if streams.board.listings[name].expiry is not None:
        return []
    newest = min(funding_end(now.ms), funding_end(_number(query, "endTime", now.ms)))
    oldest = newest - (limit - 1) * FUNDING_MS
    if query.get("startTime"):
        oldest = -(-_number(query, "startTime", 0) // FUNDING_MS) * FUNDING_MS
        newest = min(newest, oldest + (limit - 1) * FUNDING_MS)
    board = streams.board
    return [
        streams.writers[name].funding(end, board.funding(name, end - 1), board.mark(name, end))
        for end in range(oldest, newest + 1, FUNDING_MS)
    ]


def _funding_info(streams: Streams, query: Query, now: Moment) -> list[Any]:  # noqa: ARG001 - every call has the same signature
    """No contract's interval differs from the usual eight hours."""
    return []


def _trade_rows(streams: Streams, name: str, trades: Trades) -> list[dict[str, Any]]:
    writer = streams.writers[name]
    best = {} if streams.product.futures else {"isBestMatch": True}
    return [
        {
            "id": number,
            "price": writer.price(price),
            "qty": writer.size(lots),
            "quoteQty": writer.turnover(price * lots),
            "time": time,
            "isBuyerMaker": not buy,
            **best,
        }
        for number, time, price, lots, buy in zip(*(column.tolist() for column in trades), strict=True)
    ]


def _one_or_all(streams: Streams, query: Query, row: Callable[[str], dict[str, Any] | None]) -> Any:
    """Answer with the row of one symbol, or the list of all."""
    if query.get("symbol"):
        return row(_symbol(streams, query)) or {}
    return [one for name in streams.board.listings if (one := row(name)) is not None]


def _symbol(streams: Streams, query: Query) -> str:
    name = query.get("symbol")
    if not name:
        raise RefusedError(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
    if name not in streams.board.listings:
        raise RefusedError(-1121, "Invalid symbol.")
    return name


def _limit(query: Query, default: int, most: int) -> int:
    return max(1, min(most, _number(query, "limit", default)))


def _number(query: Query, field: str, default: int) -> int:
    written = query.get(field)
    if not written:
        return default
    if not (written.isascii() and written.isdigit()):
        raise RefusedError(-1100, f"Illegal characters found in parameter '{field}'; legal range is '^[0-9]{{1,20}}$'.")
    return int(written)


_CALLS: Final[Mapping[str, Call]] = {
    "ping": _ping,
    "time": _time,
    "exchangeInfo": _exchange_info,
    "depth": _depth,
    "trades": _trades,
    "historicalTrades": _historical_trades,
    "aggTrades": _aggregate_trades,
    "klines": _klines,
    "ticker/24hr": _day,
    "ticker/bookTicker": _best,
    "ticker/price": _price,
}
_FUTURES: Final[Mapping[str, Call]] = {
    "premiumIndex": _premium,
    "openInterest": _interest,
    "fundingRate": _funding,
    "fundingInfo": _funding_info,
}
