"""One request to OKX v5's public REST API, without the server: path and query in, status and body out.

    GET /api/v5/public/time -> 200 {"code":"0","data":[{"ts":"1621247923668"}],"msg":""}
    GET /api/v5/market/ticker?instId=X -> 200 {"code":"51001","data":[],"msg":"Instrument ID ... doesn't exist."}

Lists come newest first. `after` asks for what is older than an id or time, `before` for what is newer; with `before`
alone the newest rows are returned, not those next to it. A limit above the maximum counts as the maximum.
"""

from collections.abc import Callable, Mapping
from typing import Any

from infra.simulated.okx.board import BARS, Board, opening
from infra.simulated.okx.encoding import candle_row, level_rows, trade_rows
from infra.simulated.okx.naming import INSTRUMENT_TYPES, inst_type, instrument_row
from infra.simulated.quotes import book_around

Query = Mapping[str, str]
Body = dict[str, Any]
Rows = list[Any]

_RECENT_BARS = 1440  # how far `candles` reaches back; older ones are in `history-candles`


class RefusedError(Exception):
    """A request that OKX refuses. `status` is of HTTP, `code` OKX's own."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def answer(board: Board, path: str, query: Query, now_ms: int) -> tuple[int, Body]:
    """Return the HTTP status and the body for a path below `/api/v5/`."""
    call = _CALLS.get(path)
    if call is None:
        missing = {"error_code": "404", "error_message": "Not Found", "msg": "Not Found"}
        return 404, {"code": 404, "data": {}, "detailMsg": "", **missing}
    try:
        return 200, {"code": "0", "msg": "", "data": call(board, query, now_ms)}
    except RefusedError as refusal:
        return refusal.status, {"code": refusal.code, "msg": str(refusal), "data": []}


def _time(board: Board, query: Query, now_ms: int) -> Rows:  # noqa: ARG001 - every call has the same signature
    return [{"ts": str(now_ms)}]


def _status(board: Board, query: Query, now_ms: int) -> Rows:  # noqa: ARG001 - no maintenance is ever planned
    return []


def _instruments(board: Board, query: Query, now_ms: int) -> Rows:  # noqa: ARG001 - the list never changes
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


def _ticker(board: Board, query: Query, now_ms: int) -> Rows:
    row = board.ticker(_instrument(board, query), now_ms)
    return [] if row is None else [row]


def _tickers(board: Board, query: Query, now_ms: int) -> Rows:
    wanted = _type(query)
    names = [name for name, listing in board.listings.items() if inst_type(listing) == wanted]
    return [row for name in names if (row := board.ticker(name, now_ms)) is not None]


def _books(board: Board, query: Query, now_ms: int) -> Rows:
    name, depth = _instrument(board, query), min(400, _number(query, "sz", 1))
    quote = board.quote(name, now_ms)
    if quote is None:
        return []
    asks, bids = book_around(board.listings[name], quote, depth, now_ms)
    numbers = board.numbers[name]
    return [{"asks": level_rows(numbers, asks), "bids": level_rows(numbers, bids), "ts": str(now_ms)}]


def _trades(board: Board, query: Query, now_ms: int) -> Rows:
    name, limit = _instrument(board, query), _limit(query, 500)
    tape = board.tape(name, now_ms)
    known = tape.through(now_ms)
    return trade_rows(board.numbers[name], tape.slice(max(0, known - limit), known))


def _history_trades(board: Board, query: Query, now_ms: int) -> Rows:
    """Page by trade id (type 1) or by time (type 2): only `after` can be a time, `before` is always an id."""
    name, limit, kind = _instrument(board, query), _limit(query, 100), query.get("type") or "1"
    if kind not in {"1", "2"}:
        raise RefusedError(400, "51000", "Parameter type error")
    tape = board.tape(name, now_ms)
    high = tape.through(now_ms)
    if query.get("after"):
        after = _number(query, "after", 0)
        high = min(high, tape.position(after) if kind == "1" else tape.before(after))
    low = tape.position(_number(query, "before", 0) + 1) if query.get("before") else 0
    return trade_rows(board.numbers[name], tape.slice(max(low, high - limit), max(low, high)))


def _candles(board: Board, query: Query, now_ms: int) -> Rows:
    newest = opening(_bar(query), now_ms)
    return _candle_rows(board, query, now_ms, newest, oldest=newest - (_RECENT_BARS - 1) * BARS[_bar(query)][0])


def _history_candles(board: Board, query: Query, now_ms: int) -> Rows:
    """Closed candles only, as far back as there are any."""
    return _candle_rows(board, query, now_ms, opening(_bar(query), now_ms) - BARS[_bar(query)][0], oldest=0)


def _candle_rows(board: Board, query: Query, now_ms: int, newest: int, oldest: int) -> Rows:
    name, bar, limit = _instrument(board, query), _bar(query), _limit(query, 300)
    step = BARS[bar][0]
    if query.get("after"):
        newest = min(newest, opening(bar, _number(query, "after", 0) - 1))
    if query.get("before"):
        oldest = max(oldest, opening(bar, _number(query, "before", 0)) + step)
    made = board.bars(name, bar, max(oldest, newest - (limit - 1) * step), newest, now_ms)
    numbers = board.numbers[name]
    return [candle_row(numbers, one, closed=one.open_time + step <= now_ms) for one in reversed(made)]


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


_CALLS: Mapping[str, Callable[[Board, Query, int], Rows]] = {
    "public/time": _time,
    "public/instruments": _instruments,
    "system/status": _status,
    "market/ticker": _ticker,
    "market/tickers": _tickers,
    "market/books": _books,
    "market/trades": _trades,
    "market/history-trades": _history_trades,
    "market/candles": _candles,
    "market/history-candles": _history_candles,
}
