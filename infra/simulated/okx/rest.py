"""One request to OKX v5's public REST API, without the server: path and query in, status and body out.

    GET /api/v5/public/time -> 200 {"code":"0","data":[{"ts":"1621247923668"}],"msg":""}
    GET /api/v5/market/ticker?instId=X -> 200 {"code":"51001","data":[],"msg":"Instrument ID ... doesn't exist."}

Lists come newest first. `after` asks for what is older than an id or time, `before` for what is newer; with `before`
alone the newest rows are returned, not those next to it. A limit above the maximum counts as the maximum.
"""

from collections.abc import Callable, Mapping
from typing import Any

from infra.simulated.board import Board
from infra.simulated.exchange import Query
from infra.simulated.feeds import Moment
from infra.simulated.listing import Contract
from infra.simulated.marks import FUNDING_MS, next_funding
from infra.simulated.okx.encoding import candle_row, funding_row, interest_row, level_rows, ticker_row, trade_rows
from infra.simulated.okx.naming import INSTRUMENT_TYPES, inst_type, instrument_row
from infra.simulated.okx.periods import BARS, opening

Body = dict[str, Any]
Rows = list[Any]

MISSING: tuple[int, Body] = (
    404,
    {"code": 404, "data": {}, "detailMsg": "", "error_code": "404", "error_message": "Not Found", "msg": "Not Found"},
)
_RECENT_BARS = 1440  # how far `candles` reaches back; older ones are in `history-candles`


class RefusedError(Exception):
    """A request that OKX refuses. `status` is of HTTP, `code` OKX's own."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def answer(board: Board, path: str, query: Query, now: Moment) -> tuple[int, Body]:
    """Return the HTTP status and the body for a path below `/api/v5/`."""
    call = _CALLS.get(path)
    if call is None:
        return MISSING
    try:
        return 200, {"code": "0", "msg": "", "data": call(board, query, now)}
    except RefusedError as refusal:
        return refusal.status, {"code": refusal.code, "msg": str(refusal), "data": []}


def _time(board: Board, query: Query, now: Moment) -> Rows:  # noqa: ARG001 - every call has the same signature
    return [{"ts": str(now.told)}]


def _status(board: Board, query: Query, now: Moment) -> Rows:  # noqa: ARG001 - no maintenance is ever planned
    return []


def _instruments(board: Board, query: Query, now: Moment) -> Rows:  # noqa: ARG001 - the list never changes
    wanted = _type(query)
    if wanted == "OPTION" and not (query.get("uly") or query.get("instFamily")):
        raise RefusedError(400, "50015", "Either parameter uly or instFamily is required")
    rows = [instrument_row(listing, code) for code, listing in enumerate(board.listings.values(), start=10001)]
    rows = [row for row in rows if row["instType"] == wanted]
    for field in ("uly", "instFamily", "instId"):
        rows = [row for row in rows if query.get(field) in {None, "", row[field]}]
    if query.get("instId") and not rows:
        raise _unknown_instrument()
    return rows


def _ticker(board: Board, query: Query, now: Moment) -> Rows:
    return _ticker_rows(board, _instrument(board, query), now)


def _tickers(board: Board, query: Query, now: Moment) -> Rows:
    wanted = _type(query)
    names = [name for name, listing in board.listings.items() if inst_type(listing) == wanted]
    return [row for name in names for row in _ticker_rows(board, name, now)]


def _ticker_rows(board: Board, name: str, now: Moment) -> Rows:
    quote, day = board.quote(name, now.ms), board.day(name, now.ms)
    if quote is None or day is None:
        return []
    return [ticker_row(board.figures[name], board.tape(name, now.ms), quote, day, now.ms, now.told)]


def _books(board: Board, query: Query, now: Moment) -> Rows:
    name, depth = _instrument(board, query), min(400, _number(query, "sz", 1))
    view, figures = board.book(name, depth, now.ms), board.figures[name]
    if view is None:
        return []
    return [{"asks": level_rows(figures, view.asks), "bids": level_rows(figures, view.bids), "ts": str(now.told)}]


def _mark_price(board: Board, query: Query, now: Moment) -> Rows:
    rows = []
    for name in _chosen(board, query):
        figures, mark = board.figures[name], board.mark(name, now.ms)
        if mark is not None:
            kind = inst_type(figures.listing)
            rows.append({"instType": kind, "instId": name, "markPx": figures.short_price(mark.mark), "ts": str(now.told)})
    return rows


def _open_interest(board: Board, query: Query, now: Moment) -> Rows:
    rows = []
    for name in _chosen(board, query):
        mark = board.mark(name, now.ms)
        if mark is not None and board.listings[name].contract is not Contract.SPOT:
            rows.append(interest_row(board.figures[name], board.interest(name, now.ms), mark.mark, now.told))
    return rows


def _funding_rate(board: Board, query: Query, now: Moment) -> Rows:
    name = _swap(board, query)
    return [funding_row(board.figures[name], board.funding(name, now.ms), now.ms, now.told)]


def _funding_history(board: Board, query: Query, now: Moment) -> Rows:
    """Rates of intervals that have ended, back to a minute before each end."""
    name, limit = _swap(board, query), _limit(query, 400)
    newest = next_funding(now.ms) - FUNDING_MS
    if query.get("after"):
        newest = min(newest, next_funding(_number(query, "after", 0) - 1) - FUNDING_MS)
    oldest = max(_number(query, "before", 0) + 1, newest - (limit - 1) * FUNDING_MS, board.market.start_ms - 90 * 3 * FUNDING_MS)
    return [
        {
            "formulaType": "withRate",
            "fundingRate": (rate := f"{board.funding(name, end - 1):.16f}"),
            "fundingTime": str(end),
            "instId": name,
            "instType": "SWAP",
            "method": "current_period",
            "realizedRate": rate,
        }
        for end in range(newest, oldest - 1, -FUNDING_MS)
    ]


def _trades(board: Board, query: Query, now: Moment) -> Rows:
    name, limit = _instrument(board, query), _limit(query, 500)
    tape = board.tape(name, now.ms)
    known = tape.through(now.ms)
    return trade_rows(board.figures[name], tape.slice(max(0, known - limit), known))


def _history_trades(board: Board, query: Query, now: Moment) -> Rows:
    """Page by trade id (type 1) or by time (type 2): only `after` can be a time, `before` is always an id."""
    name, limit, kind = _instrument(board, query), _limit(query, 100), query.get("type") or "1"
    if kind not in {"1", "2"}:
        raise RefusedError(400, "51000", "Parameter type error")
    tape = board.tape(name, now.ms)
    high = tape.through(now.ms)
    if query.get("after"):
        after = _number(query, "after", 0)
        high = min(high, tape.position(after) if kind == "1" else tape.before(after))
    low = tape.position(_number(query, "before", 0) + 1) if query.get("before") else 0
    return trade_rows(board.figures[name], tape.slice(max(low, high - limit), max(low, high)))


def _candles(board: Board, query: Query, now: Moment) -> Rows:
    newest = opening(_bar(query), now.ms)
    return _candle_rows(board, query, now, newest, oldest=newest - (_RECENT_BARS - 1) * BARS[_bar(query)][0])


def _history_candles(board: Board, query: Query, now: Moment) -> Rows:
    """Closed candles only, as far back as there are any."""
    return _candle_rows(board, query, now, opening(_bar(query), now.ms) - BARS[_bar(query)][0], oldest=0)


def _candle_rows(board: Board, query: Query, now: Moment, newest: int, oldest: int) -> Rows:
    name, bar, limit = _instrument(board, query), _bar(query), _limit(query, 300)
    step = BARS[bar][0]
    if query.get("after"):
        newest = min(newest, opening(bar, _number(query, "after", 0) - 1))
    if query.get("before"):
        oldest = max(oldest, opening(bar, _number(query, "before", 0)) + step)
    made = board.bars(name, max(oldest, newest - (limit - 1) * step), newest, step, now.ms)
    figures = board.figures[name]
    return [candle_row(figures, one, closed=one.open_time + step <= now.ms) for one in reversed(made)]


def _type(query: Query) -> str:
    wanted = query.get("instType")
    if not wanted:
        raise RefusedError(400, "50014", "Parameter instType can not be empty")
    if wanted not in INSTRUMENT_TYPES:
        raise RefusedError(400, "51000", "Parameter instType error")
    return wanted


def _instrument(board: Board, query: Query) -> str:
    name = query.get("instId")
    if not name:
        raise RefusedError(400, "50014", "Parameter instId can not be empty")
    if name not in board.listings:
        raise _unknown_instrument()
    return name


def _chosen(board: Board, query: Query) -> list[str]:
    """The instruments of a kind, or one of them."""
    wanted = _type(query)
    names = [_instrument(board, query)] if query.get("instId") else list(board.listings)
    return [name for name in names if inst_type(board.listings[name]) == wanted]


def _swap(board: Board, query: Query) -> str:
    name = _instrument(board, query)
    if inst_type(board.listings[name]) != "SWAP":
        raise RefusedError(400, "51000", "Parameter instId error")
    return name


def _unknown_instrument() -> RefusedError:
    return RefusedError(200, "51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")


def _bar(query: Query) -> str:
    bar = query.get("bar") or "1m"
    if bar not in BARS:
        raise RefusedError(400, "51000", "Parameter bar error")
    return bar


def _limit(query: Query, most: int) -> int:
    return min(most, _number(query, "limit", 100))


def _number(query: Query, field: str, default: int) -> int:
    written = query.get(field)
    if not written:
        return default
    if not (written.isascii() and written.isdigit()):
        raise RefusedError(400, "51000", f"Parameter {field} error")
    return int(written)


_CALLS: Mapping[str, Callable[[Board, Query, Moment], Rows]] = {
    "public/time": _time,
    "public/instruments": _instruments,
    "public/mark-price": _mark_price,
    "public/open-interest": _open_interest,
    "public/funding-rate": _funding_rate,
    "public/funding-rate-history": _funding_history,
    "system/status": _status,
    "market/ticker": _ticker,
    "market/tickers": _tickers,
    "market/books": _books,
    "market/trades": _trades,
    "market/history-trades": _history_trades,
    "market/candles": _candles,
    "market/history-candles": _history_candles,
}
