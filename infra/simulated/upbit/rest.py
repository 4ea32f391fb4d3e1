"""One request to Upbit's public REST API: path and query in, status and body out.

    GET /v1/trades/ticks?market=KRW-BTC&count=1 -> [{"market":"KRW-BTC","sequential_id":..}]
    GET /v1/ticker -> 400 {"error":{"name":400,"message":"Missing request parameter error. Check the required parameters!"}}

Lists come newest first. Trades are asked for one UTC day at a time: the newest day that has some, or one `days_ago`; within
it `to` and `cursor` go back. Candles exist only where something was traded.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from infra.simulated.bars import DAY, MINUTE
from infra.simulated.exchange import Answer, Query
from infra.simulated.feeds import Moment
from infra.simulated.upbit.board import UNITS, UpbitBoard, moment
from infra.simulated.upbit.encoding import body, book_row, position, trade_rows
from infra.simulated.upbit.naming import market_row, policy_row
from infra.simulated.upbit.talk import DEPTH

MOST_TRADES, MOST_CANDLES, MOST_DAYS_AGO = 500, 200, 7
_CLOCK = re.compile(r"(\d\d):?(\d\d):?(\d\d)")
_LEFT = {"Remaining-Req": "group=default; min=1800; sec=29"}
_WEEK = 7 * DAY

Rows = list[Any]


class RefusedError(Exception):
    """A request that Upbit refuses; the status is the error's name too."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def answer(board: UpbitBoard, path: str, query: Query, now: Moment) -> Answer:
    """Return the answer for a path such as `/v1/market/all`."""
    call = _CALLS.get(path)
    if call is None:
        return refused(404, 404, "no Route matched with those values")
    try:
        return Answer(200, body(call(board, query, now)).decode(), _LEFT)
    except RefusedError as refusal:
        return refused(refusal.status, refusal.status, str(refusal))


def refused(status: int, name: int | str, message: str) -> Answer:
    """Return an error."""
    return Answer(status, {"error": {"name": name, "message": message}}, _LEFT)


def _markets(board: UpbitBoard, query: Query, now: Moment) -> Rows:  # noqa: ARG001 - the list never changes
    details = (query.get("isDetails") or query.get("is_details")) == "true"
    return [market_row(listing, details=details) for listing in board.board.listings.values()]


def _policies(board: UpbitBoard, query: Query, now: Moment) -> Rows:  # noqa: ARG001 - the list never changes
    return [policy_row(board.board.listings[name]) for name in _names(board, query, "markets")]


def _tickers(board: UpbitBoard, query: Query, now: Moment) -> Rows:
    names = _names(board, query, "markets")
    return [row for name in names if (row := board.ticker_row(name, now.ms, now.told)) is not None]


def _all_tickers(board: UpbitBoard, query: Query, now: Moment) -> Rows:
    wanted = _given(query, "quote_currencies").upper().split(",")
    names = [name for name, listing in board.board.listings.items() if listing.quote in wanted]
    return [row for name in names if (row := board.ticker_row(name, now.ms, now.told)) is not None]


def _books(board: UpbitBoard, query: Query, now: Moment) -> Rows:
    rows = []
    for name in _names(board, query, "markets"):
        view = board.board.book(name, min(DEPTH, _number(query, "count", DEPTH)), now.ms)
        if view is not None:
            row = book_row(board.board.figures[name], view.asks, view.bids, now.told)
            rows.append({"market": name, **row, "level": 0})
    return rows


def _ticks(board: UpbitBoard, query: Query, now: Moment) -> Rows:
    (name,) = _names(board, query, "market")[:1]
    tape, count = board.board.tape(name, now.ms), min(MOST_TRADES, max(1, _number(query, "count", 1)))
    known, ago = tape.through(now.ms), _number(query, "days_ago", 0) or _number(query, "daysAgo", 0)
    if ago > MOST_DAYS_AGO:
        raise RefusedError(400, "days_ago is out of range")
    if not known:
        return []
    newest = int(tape.slice(known - 1, known).times[0])
    day = (now.ms if ago else newest) // DAY * DAY - ago * DAY
    low, high = tape.before(day), min(known, tape.before(day + DAY))
    if query.get("to"):
        found = _CLOCK.fullmatch(query["to"])
        if found is None:
            raise RefusedError(400, "to is not a time of day")
        hours, minutes, seconds = map(int, found.groups())
        high = min(high, tape.before(day + (hours * 60 + minutes) * MINUTE + (seconds + 1) * 1000))
    if query.get("cursor"):
        high = min(high, position(tape, _number(query, "cursor", 0)))
    return trade_rows(board.board.figures[name], name, tape, tape.slice(max(low, high - count), max(low, high)))


def _candles(board: UpbitBoard, query: Query, now: Moment, length: int) -> Rows:
    (name,) = _names(board, query, "market")[:1]
    before = now.ms + 1
    if query.get("to"):
        found = moment(query["to"].strip().replace(" ", "T"))
        if found is None:
            raise RefusedError(400, "to is not a date and time")
        before = min(before, found)
    count = min(MOST_CANDLES, max(1, _number(query, "count", 1)))
    return board.candles(name, length, before, count, now.ms)


def _of_minutes(unit: int) -> Callable[[UpbitBoard, Query, Moment], Rows]:
    return lambda board, query, now: [{**row, "unit": unit} for row in _candles(board, query, now, unit * MINUTE)]


def _of_days(board: UpbitBoard, query: Query, now: Moment) -> Rows:
    rows = _candles(board, query, now, DAY)
    for row in rows:
        before = board.board.figures[row["market"]].price(board.closing(row["market"], row["timestamp"], now.ms))
        price = row["trade_price"]
        row |= {"prev_closing_price": before, "change_price": price - before, "change_rate": round((price - before) / before, 10)}
    return rows


def _of_weeks(board: UpbitBoard, query: Query, now: Moment) -> Rows:
    return [{**row, "first_day_of_period": row["candle_date_time_utc"][:10]} for row in _candles(board, query, now, _WEEK)]


def _names(board: UpbitBoard, query: Query, field: str) -> list[str]:
    names = _given(query, field).upper().split(",")
    if any(name not in board.board.listings for name in names):
        raise RefusedError(404, "Code not found")
    return names


def _given(query: Query, field: str) -> str:
    written = query.get(field)
    if not written:
        raise RefusedError(400, "Missing request parameter error. Check the required parameters!")
    return written


def _number(query: Query, field: str, default: int) -> int:
    written = query.get(field)
    if not written:
        return default
    if not (written.isascii() and written.isdigit()):
        raise RefusedError(400, f"{field} is not a number")
    return int(written)


_CALLS: Mapping[str, Callable[[UpbitBoard, Query, Moment], Rows]] = {
    "/v1/market/all": _markets,
    "/v1/ticker": _tickers,
    "/v1/ticker/all": _all_tickers,
    "/v1/orderbook": _books,
    "/v1/orderbook/instruments": _policies,
    "/v1/trades/ticks": _ticks,
    "/v1/candles/seconds": lambda board, query, now: _candles(board, query, now, 1000),
    "/v1/candles/days": _of_days,
    "/v1/candles/weeks": _of_weeks,
    **{f"/v1/candles/minutes/{unit}": _of_minutes(unit) for unit in UNITS},
}
