"""Deribit's methods, the same over the websocket and over REST: name and parameters in, result or error out.

    public/get_last_trades_by_instrument {"instrument_name":"BTC-PERPETUAL","start_seq":7,"count":100,"sorting":"asc"}

Over REST parameters are texts. Trades come newest first unless a start or `sorting` says otherwise.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from infra.simulated.deribit.board import RESOLUTIONS, DeribitBoard
from infra.simulated.deribit.encoding import candle, level_rows, trade_rows
from infra.simulated.deribit.naming import currency_row, instrument_row
from infra.simulated.deribit.parameters import Parameters, RpcError
from infra.simulated.feeds import Moment
from infra.simulated.marks import FUNDING_MS, funding_rate

VERSION = "1.2.26"
MOST_TRADES, MOST_CANDLES = 1000, 5000
_DEPTHS = (1, 5, 10, 20, 50, 100, 1000, 10000)
_HOUR = 3_600_000

Method = Callable[[DeribitBoard, Parameters, Moment], Any]


def call(board: DeribitBoard, method: str, params: Mapping[str, Any], now: Moment) -> Any:
    """Return the result of a method. Raises RpcError."""
    found = METHODS.get(method)
    if found is None:
        raise RpcError(-32601, "Method not found")
    return found(board, Parameters(params), now)


def reply(request: object, now: Moment, **outcome: Any) -> dict[str, Any]:
    """Return what a result or an error is wrapped in; `request` is the number of the request, None where it had none."""
    numbered = {} if request is None else {"id": request}
    taken = {"usIn": now.told * 1000, "usOut": now.told * 1000 + 181, "usDiff": 181, "testnet": False}
    return {"jsonrpc": "2.0", **numbered, **outcome, **taken}


def error(refusal: RpcError) -> dict[str, Any]:
    """Return the error of an answer."""
    return {"message": str(refusal), **({"data": refusal.data} if refusal.data else {}), "code": refusal.code}


def parsed(written: str | bytes) -> dict[str, Any] | None:
    """Return a request that was written as JSON; None when it is none."""
    try:
        request = json.loads(written)
    except ValueError:
        return None
    return request if isinstance(request, dict) else None


def _test(board: DeribitBoard, params: Parameters, now: Moment) -> Any:  # noqa: ARG001 - every method has the same signature
    return {"version": VERSION}


def _time(board: DeribitBoard, params: Parameters, now: Moment) -> Any:  # noqa: ARG001 - every method has the same signature
    return now.told


def _status(board: DeribitBoard, params: Parameters, now: Moment) -> Any:  # noqa: ARG001 - every method has the same signature
    return {"locked": "false"}


def _currencies(board: DeribitBoard, params: Parameters, now: Moment) -> Any:  # noqa: ARG001 - the list never changes
    return [currency_row(coin) for coin in dict.fromkeys(one.base for one in board.board.listings.values())]


def _instruments(board: DeribitBoard, params: Parameters, now: Moment) -> Any:
    if params.flag("expired"):
        return []
    names = board.among(params.text("kind", "any"), params.text("currency", "any"))
    return [instrument_row(board.board.listings[name], board.numbers[name], now.ms) for name in names]


def _instrument(board: DeribitBoard, params: Parameters, now: Moment) -> Any:
    name = params.instrument(board)
    return instrument_row(board.board.listings[name], board.numbers[name], now.ms)


def _trades(board: DeribitBoard, params: Parameters, now: Moment) -> Any:
    name = params.instrument(board)
    tape = board.board.tape(name, now.ms)
    low, high = 0, tape.through(now.ms)
    if params.given("start_seq"):
        low = tape.position(params.number("start_seq", 0))
    if params.given("end_seq"):
        high = min(high, tape.position(params.number("end_seq", 0) + 1))
    if params.given("start_timestamp"):
        low = max(low, tape.before(params.number("start_timestamp", 0)))
    if params.given("end_timestamp"):
        high = min(high, tape.through(params.number("end_timestamp", 0)))
    high, count = max(low, high), params.number("count", 10)
    if not 1 <= count <= MOST_TRADES:
        raise RpcError.invalid("count", "wrong format")
    sorting, begun = params.text("sorting", "default"), params.given("start_seq") or params.given("start_timestamp")
    rising = sorting == "asc" or (sorting == "default" and begun)
    part = tape.slice(low, min(high, low + count)) if rising else tape.slice(max(low, high - count), high)
    rows = trade_rows(board.board.figures[name], board.numbers[name], tape, part, board.worth(name))
    return {"trades": rows if rising else rows[::-1], "has_more": high - low > count}


def _currency_trades(board: DeribitBoard, params: Parameters, now: Moment) -> Any:
    """The newest of all the instruments of a currency."""
    count = min(MOST_TRADES, params.number("count", 10))
    since, until = params.number("start_timestamp", 0), min(now.ms, params.number("end_timestamp", now.ms))
    rows, more = [], False
    for name in board.among(params.text("kind", "any"), params.required("currency")):
        tape = board.board.tape(name, now.ms)
        low, high = tape.before(since), tape.through(until)
        part = tape.slice(max(low, high - count), max(low, high))
        rows += trade_rows(board.board.figures[name], board.numbers[name], tape, part, board.worth(name))
        more = more or high - low > count
    rows.sort(key=lambda row: (row["timestamp"], int(row["trade_id"])), reverse=True)
    return {"trades": rows[:count], "has_more": more or len(rows) > count}


def _book(board: DeribitBoard, params: Parameters, now: Moment) -> Any:
    name, depth = params.instrument(board), params.number("depth", 5)
    if depth not in _DEPTHS:
        raise RpcError.invalid("depth", "unacceptable value")
    view, figures = board.board.book(name, min(depth, 1000), now.ms), board.board.figures[name]
    sides = {
        "change_id": now.ms,
        "bids": [] if view is None else level_rows(figures, view.bids),
        "asks": [] if view is None else level_rows(figures, view.asks),
    }
    return (board.ticker(name, now.ms, now.told) or {"timestamp": now.told, "instrument_name": name}) | sides


def _ticker(board: DeribitBoard, params: Parameters, now: Moment) -> Any:
    return board.ticker(params.instrument(board), now.ms, now.told) or {}


def _summaries(board: DeribitBoard, params: Parameters, now: Moment) -> Any:
    names = board.among(params.text("kind", "any"), params.required("currency"))
    return [row for name in names if (row := board.summary(name, now.ms, now.told)) is not None]


def _summary(board: DeribitBoard, params: Parameters, now: Moment) -> Any:
    row = board.summary(params.instrument(board), now.ms, now.told)
    return [] if row is None else [row]


def _chart(board: DeribitBoard, params: Parameters, now: Moment) -> Any:
    name, resolution = params.instrument(board), params.required("resolution")
    if resolution not in RESOLUTIONS:
        raise RpcError.invalid("resolution", "unacceptable value")
    step = RESOLUTIONS[resolution]
    start, end = (params.number(field, None) for field in ("start_timestamp", "end_timestamp"))
    newest = min(end, now.ms) // step * step
    oldest = max(-(-start // step) * step, newest - (MOST_CANDLES - 1) * step)
    rows = [candle(board.board.figures[name], bar) for bar in board.board.bars(name, oldest, newest, step, now.ms)]
    columns = {f"{field}s" if field == "tick" else field: [row[field] for row in rows] for field in _CANDLE}
    return {**columns, "status": "ok" if rows else "no_data"}


def _funding_value(board: DeribitBoard, params: Parameters, now: Moment) -> Any:
    name = params.instrument(board)
    return round(board.board.funding(name, min(now.ms, params.number("end_timestamp", now.ms))), 10)


def _funding_history(board: DeribitBoard, params: Parameters, now: Moment) -> Any:
    name = params.instrument(board)
    listing, worth = board.board.listings[name], board.worth(name)
    start, end = (params.number(field, None) for field in ("start_timestamp", "end_timestamp"))
    first, last = -(-start // _HOUR), min(end, now.ms) // _HOUR
    return [
        {
            "timestamp": hour * _HOUR,
            "index_price": worth(hour * _HOUR)[1],
            "prev_index_price": worth((hour - 1) * _HOUR)[1],
            "interest_8h": funding_rate(listing, hour * _HOUR),
            "interest_1h": round(funding_rate(listing, hour * _HOUR) * _HOUR / FUNDING_MS, 10),
        }
        for hour in range(max(first, last - 743), last + 1)
    ]


def _index(board: DeribitBoard, params: Parameters, now: Moment) -> Any:
    name = board.indexed(params.required("index_name"))
    if name is None:
        raise RpcError.invalid("index_name", "unacceptable value")
    index = board.worth(name)(now.ms)[1]
    return {"index_price": index, "estimated_delivery_price": index}


_CANDLE = ("volume", "cost", "tick", "open", "low", "high", "close")
METHODS: Mapping[str, Method] = {
    "public/test": _test,
    "public/hello": _test,
    "public/get_time": _time,
    "public/status": _status,
    "public/get_currencies": _currencies,
    "public/get_instruments": _instruments,
    "public/get_instrument": _instrument,
    "public/get_last_trades_by_instrument": _trades,
    "public/get_last_trades_by_instrument_and_time": _trades,
    "public/get_last_trades_by_currency": _currency_trades,
    "public/get_last_trades_by_currency_and_time": _currency_trades,
    "public/get_order_book": _book,
    "public/ticker": _ticker,
    "public/get_book_summary_by_currency": _summaries,
    "public/get_book_summary_by_instrument": _summary,
    "public/get_tradingview_chart_data": _chart,
    "public/get_funding_rate_value": _funding_value,
    "public/get_funding_rate_history": _funding_history,
    "public/get_index_price": _index,
}
