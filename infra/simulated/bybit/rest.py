"""One request to Bybit v5's public REST API: path and query in, body out.

    GET /v5/market/time -> {"retCode":0,"retMsg":"OK","result":{..},"retExtInfo":{},"time":1672053054358}

What is refused is answered with HTTP 200 too, and a `retCode` other than 0. Lists come newest first. There is no way back
beyond the newest trades: 60 of spot, 1000 of the others.
"""

from collections.abc import Callable, Mapping
from typing import Any

from infra.simulated.bybit.board import INTERVALS, Boards, opening
from infra.simulated.bybit.encoding import book_data, kline_row, trade_rows, update_of
from infra.simulated.bybit.naming import CATEGORIES, category, instrument_row
from infra.simulated.bybit.tickers import ticker_row
from infra.simulated.exchange import Answer, Query
from infra.simulated.feeds import Moment
from infra.simulated.figures import plain
from infra.simulated.marks import FUNDING_MS, funding_rate, open_interest

Result = dict[str, Any]
_TRADES = {"spot": (60, 60)}  # most and usual trades of a request
_MOST_TRADES, _USUAL_TRADES = 1000, 500
_DEPTHS = {"spot": (200, 1)}
_MOST_DEPTH, _USUAL_DEPTH = 500, 25
_INTEREST_MS = {"5min": 300_000, "15min": 900_000, "30min": 1_800_000, "1h": 3_600_000, "4h": 14_400_000, "1d": 86_400_000}


class RefusedError(Exception):
    """A request that Bybit refuses, with its own code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def answer(boards: Boards, path: str, query: Query, now: Moment) -> Answer:
    """Return the answer for a path such as `/v5/market/time`."""
    call = _CALLS.get(path)
    if call is None:
        return Answer(404, {"retCode": 404, "retMsg": f"path not found: {path}"})
    try:
        return Answer(200, envelope(0, "OK", call(boards, query, now), now.told))
    except RefusedError as refusal:
        return Answer(200, envelope(refusal.code, str(refusal), {}, now.told))


def envelope(code: int, message: str, result: Result, told_ms: int) -> dict[str, Any]:
    """Return what every answer is wrapped in."""
    return {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": told_ms}


def _time(boards: Boards, query: Query, now: Moment) -> Result:  # noqa: ARG001 - every call has the same signature
    return {"timeSecond": str(now.told // 1000), "timeNano": str(now.told * 1_000_000)}


def _status(boards: Boards, query: Query, now: Moment) -> Result:  # noqa: ARG001 - none is planned
    return {"list": []}


def _instruments(boards: Boards, query: Query, now: Moment) -> Result:  # noqa: ARG001 - the list never changes
    wanted, status = _category(query), query.get("status") or "Trading"
    listings = boards.board.listings.values()
    rows = [instrument_row(one, number) for number, one in enumerate(listings, start=1) if category(one) == wanted]
    for field, key in (("symbol", "symbol"), ("baseCoin", "baseCoin"), ("status", "status")):
        asked = status if field == "status" else query.get(field)
        rows = [row for row in rows if asked in {None, "", row[key]}]
    paged = {} if wanted == "spot" else {"nextPageCursor": ""}
    return {"category": wanted, "list": rows, **paged}


def _tickers(boards: Boards, query: Query, now: Moment) -> Result:
    wanted = _category(query)
    if query.get("symbol"):
        names = [_name(boards, query)]
    else:
        names = [name for (kind, _), name in boards.names.items() if kind == wanted]
    rows = [row for name in names if (row := ticker_row(boards.board, name, now.ms)) is not None]
    return {"category": wanted, "list": rows}


def _trades(boards: Boards, query: Query, now: Moment) -> Result:
    name, wanted = _name(boards, query), _category(query)
    most, usual = _TRADES.get(wanted, (_MOST_TRADES, _USUAL_TRADES))
    limit = _limit(query, most, usual)
    tape = boards.board.tape(name, now.ms)
    known = tape.through(now.ms)
    return {"category": wanted, "list": trade_rows(boards.board.figures[name], tape.slice(max(0, known - limit), known))}


def _book(boards: Boards, query: Query, now: Moment) -> Result:
    name = _name(boards, query)
    depth = _limit(query, *_DEPTHS.get(_category(query), (_MOST_DEPTH, _USUAL_DEPTH)))
    view = boards.board.book(name, depth, now.ms)
    sides = ([], []) if view is None else (view.asks, view.bids)
    data = book_data(boards.board.figures[name], sides, update_of(now.ms), now.ms)
    return data | {"ts": now.told, "cts": now.told}


def _klines(boards: Boards, query: Query, now: Moment) -> Result:
    """With a start alone the oldest rows from there are returned, else the newest up to the end."""
    name, interval = _name(boards, query), query.get("interval") or ""
    if interval not in INTERVALS:
        raise RefusedError(10001, "Invalid period!")
    step, limit = INTERVALS[interval][0], _limit(query, 1000, 200)
    newest, oldest = opening(interval, now.ms), 0
    if query.get("start"):
        oldest = opening(interval, _number(query, "start") + step - 1)
    if query.get("end"):
        newest = min(newest, opening(interval, _number(query, "end")))
    elif oldest:
        newest = min(newest, oldest + (limit - 1) * step)
    bars = boards.board.bars(name, max(oldest, newest - (limit - 1) * step), newest, step, now.ms)
    rows = [kline_row(boards.board.figures[name], bar) for bar in reversed(bars)]
    return {"symbol": query["symbol"], "category": _category(query), "list": rows}


def _funding(boards: Boards, query: Query, now: Moment) -> Result:
    name, limit = _contract(boards, query), _limit(query, 200, 200)
    end = min(now.ms, _number(query, "endTime") if query.get("endTime") else now.ms)
    times = range(end // FUNDING_MS * FUNDING_MS, max(0, end - limit * FUNDING_MS), -FUNDING_MS)
    since = _number(query, "startTime") if query.get("startTime") else 0
    rows = [
        {
            "symbol": query["symbol"],
            "fundingRate": f"{funding_rate(boards.board.listings[name], time - 1):.8f}",
            "fundingRateTimestamp": str(time),
        }
        for time in times
        if time >= since
    ]
    return {"category": _category(query), "list": rows}


def _interest(boards: Boards, query: Query, now: Moment) -> Result:
    name, limit = _contract(boards, query), _limit(query, 200, 50)
    step = _INTEREST_MS.get(query.get("intervalTime") or "")
    if step is None:
        raise RefusedError(10001, "params error: intervalTime invalid")
    newest = now.ms // step * step
    listing, figures = boards.board.listings[name], boards.board.figures[name]
    rows = [
        {"openInterest": plain(figures.size(open_interest(listing, time))), "timestamp": str(time)}
        for time in range(newest, newest - limit * step, -step)
    ]
    return {"symbol": query["symbol"], "category": _category(query), "list": rows, "nextPageCursor": ""}


def _category(query: Query) -> str:
    wanted = query.get("category") or ""
    if wanted not in CATEGORIES:
        raise RefusedError(10001, "params error: category invalid" if wanted else "params error: category is empty")
    return wanted


def _name(boards: Boards, query: Query) -> str:
    wanted, symbol = _category(query), query.get("symbol")
    if not symbol:
        raise RefusedError(10001, "params error: symbol is empty")
    name = boards.names.get((wanted, symbol))
    if name is None:
        raise RefusedError(10001, "Not supported symbols" if wanted == "spot" else "params error: symbol invalid")
    return name


def _contract(boards: Boards, query: Query) -> str:
    name = _name(boards, query)
    if boards.board.listings[name].expiry is not None or _category(query) == "spot":
        raise RefusedError(10001, "params error: symbol invalid")
    return name


def _limit(query: Query, most: int, usual: int) -> int:
    return min(most, max(1, _number(query, "limit"))) if query.get("limit") else usual


def _number(query: Query, field: str) -> int:
    written = query.get(field) or ""
    if not (written.isascii() and written.isdigit()):
        raise RefusedError(10001, f"params error: {field} invalid")
    return int(written)


_CALLS: Mapping[str, Callable[[Boards, Query, Moment], Result]] = {
    "/v5/market/time": _time,
    "/v5/system/status": _status,
    "/v5/market/instruments-info": _instruments,
    "/v5/market/tickers": _tickers,
    "/v5/market/recent-trade": _trades,
    "/v5/market/orderbook": _book,
    "/v5/market/kline": _klines,
    "/v5/market/funding/history": _funding,
    "/v5/market/open-interest": _interest,
}
