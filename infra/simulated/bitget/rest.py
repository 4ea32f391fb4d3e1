"""One request to Bitget v2's public REST API: path and query in, status and body out.

    GET /api/v2/public/time -> {"code":"00000","msg":"success","requestTime":..,"data":{"serverTime":"1700111073740"}}

Spot is below `/api/v2/spot`, contracts are below `/api/v2/mix` and named by a `productType` too. What is refused is answered
with HTTP 400. Trades come newest first, candles oldest first; `fills-history` pages by `idLessThan`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from infra.simulated.bitget.board import PERIODS, SPOT_PERIODS, Boards, opening
from infra.simulated.bitget.encoding import candle_row, first_not_below, trade_rows
from infra.simulated.bitget.naming import PRODUCTS, coin_row, contract_row, inst_type, symbol, symbol_row
from infra.simulated.bitget.tickers import funding_text, row
from infra.simulated.exchange import Answer, Query
from infra.simulated.feeds import Moment
from infra.simulated.listing import Contract
from infra.simulated.marks import FUNDING_MS, funding_rate, next_funding

_WEEK_MS = 7 * 86_400_000
_DEPTH = 150


class RefusedError(Exception):
    """A request that Bitget refuses, with its own code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def answer(boards: Boards, path: str, query: Query, now: Moment) -> Answer:
    """Return the answer for a path such as `/api/v2/public/time`."""
    call = _CALLS.get(path)
    if call is None:
        return Answer(404, envelope("40404", "Request URL NOT FOUND", None, now.told))
    try:
        return Answer(200, envelope("00000", "success", call(_Asked(boards, query, path, now)), now.told))
    except RefusedError as refusal:
        return Answer(400, envelope(refusal.code, str(refusal), None, now.told))


def envelope(code: str, message: str, data: Any, told_ms: int) -> dict[str, Any]:
    """Return what every answer is wrapped in."""
    return {"code": code, "msg": message, "requestTime": told_ms, "data": data}


class _Asked:
    """What was asked for, and how it is looked up."""

    def __init__(self, boards: Boards, query: Query, path: str, now: Moment) -> None:
        self.boards, self.board, self.query, self.now = boards, boards.board, query, now
        self.spot = path.startswith("/api/v2/spot/")
        self.last = path.rpartition("/")[2]

    def product(self) -> str:
        """Return among what the instrument is traded."""
        if self.spot:
            return "SPOT"
        wanted = (self.query.get("productType") or "").upper()
        if not wanted:
            raise RefusedError("40019", "Parameter productType cannot be empty")
        if wanted not in PRODUCTS:
            raise RefusedError("40020", "Parameter productType error")
        return wanted

    def name(self) -> str:
        """Return the instrument."""
        product, wanted = self.product(), (self.query.get("symbol") or "").upper()
        if not wanted:
            raise RefusedError("40019", "Parameter symbol cannot be empty")
        name = self.boards.names.get((product, wanted))
        if name is None:
            raise RefusedError("40034", f"Parameter {wanted} does not exist")
        return name

    def number(self, field: str, default: int) -> int:
        """Return a whole number."""
        written = self.query.get(field)
        if not written:
            return default
        if not (written.isascii() and written.isdigit()):
            raise RefusedError("40020", f"Parameter {field} error")
        return int(written)

    def limit(self, most: int, usual: int) -> int:
        """Return how many rows are wanted; more than there may be is no error at this venue's lists of trades."""
        return min(most, max(1, self.number("limit", usual)))


def _time(asked: _Asked) -> dict[str, str]:
    return {"serverTime": str(asked.now.told)}


def _symbols(asked: _Asked) -> list[Any]:
    wanted = asked.query.get("symbol")
    if wanted:
        return [symbol_row(asked.board.listings[asked.name()])]
    return [symbol_row(one) for one in asked.board.listings.values() if one.contract is Contract.SPOT]


def _contracts(asked: _Asked) -> list[Any]:
    product = asked.product()
    if asked.query.get("symbol"):
        return [contract_row(asked.board.listings[asked.name()])]
    return [contract_row(one) for one in asked.board.listings.values() if inst_type(one) == product]


def _coins(asked: _Asked) -> list[Any]:
    coins = {coin: None for one in asked.board.listings.values() for coin in (one.base, one.quote)}
    return [coin_row(coin, number) for number, coin in enumerate(coins, start=1)]


def _none(asked: _Asked) -> list[Any]:  # noqa: ARG001 - every call has the same signature
    """Margin trading, which there is none of."""
    return []


def _tickers(asked: _Asked) -> list[Any]:
    product = asked.product()
    if asked.last == "ticker" or asked.query.get("symbol"):
        names = [asked.name()]
    else:
        names = [name for (kind, _), name in asked.boards.names.items() if kind == product]
    rows = (row(asked.board, name, asked.now.ms, asked.now.told) for name in names)
    return [one for one in rows if one is not None]


def _fills(asked: _Asked) -> list[dict[str, str]]:
    name, limit = asked.name(), asked.limit(500 if asked.spot else 100, 100)
    tape = asked.board.tape(name, asked.now.ms)
    known = tape.through(asked.now.ms)
    return trade_rows(asked.board.figures[name], tape.slice(max(0, known - limit), known), named=True)


def _fills_history(asked: _Asked) -> list[dict[str, str]]:
    """The newest older than an id, within a week."""
    name, limit = asked.name(), asked.limit(1000, 500)
    end = min(asked.now.ms, asked.number("endTime", asked.now.ms))
    start = asked.number("startTime", max(0, end - _WEEK_MS))
    if end - start > _WEEK_MS:
        raise RefusedError("40017", "Parameter verification failed: startTime and endTime are within 7 days")
    tape = asked.board.tape(name, asked.now.ms)
    low, high = tape.before(start), tape.through(end)
    if asked.query.get("idLessThan"):
        high = min(high, tape.position(first_not_below(asked.number("idLessThan", 0))))
    return trade_rows(asked.board.figures[name], tape.slice(max(low, high - limit), max(low, high)), named=True)


def _candles(asked: _Asked) -> list[list[str]]:
    name, wanted = asked.name(), asked.query.get("granularity") or ""
    periods = SPOT_PERIODS if asked.spot else PERIODS
    if wanted not in periods:
        raise RefusedError("40020", "Parameter granularity error")
    period, history = periods[wanted], asked.last == "history-candles"
    limit = asked.limit(200 if history else 1000, 100)
    if history and asked.spot and not asked.query.get("endTime"):
        raise RefusedError("40019", "Parameter endTime cannot be empty")
    newest = min(opening(period, asked.now.ms), opening(period, asked.number("endTime", asked.now.ms)))
    oldest = max(newest - (limit - 1) * period[0], opening(period, asked.number("startTime", 0) + period[0] - 1))
    bars = asked.board.bars(name, oldest, newest, period[0], asked.now.ms)
    rows = [candle_row(asked.board.figures[name], bar) for bar in bars]
    return rows if asked.spot else [one[:7] for one in rows]


def _book(asked: _Asked) -> dict[str, Any]:
    """Spot tells texts, contracts numbers."""
    name = asked.name()
    view = asked.board.book(name, asked.limit(_DEPTH, 100), asked.now.ms)
    figures, told = asked.board.figures[name], {"ts": str(asked.now.told)}
    sides = {"asks": [] if view is None else view.asks, "bids": [] if view is None else view.bids}
    if asked.spot:
        rows = {side: [[figures.short_price(p), figures.short_size(s)] for p, s, _ in levels] for side, levels in sides.items()}
        return {**rows, **told}
    numbers = {side: [[float(figures.price(p)), float(figures.size(s))] for p, s, _ in levels] for side, levels in sides.items()}
    return {**numbers, **told, "scale": f"{figures.listing.tick.normalize():f}", "precision": "scale0", "isMaxPrecision": "NO"}


def _funding(asked: _Asked) -> list[dict[str, str]]:
    name = asked.name()
    return [
        {
            "symbol": symbol(asked.board.listings[name]),
            "fundingRate": funding_text(asked.board.funding(name, asked.now.ms)),
            "fundingRateInterval": "8",
            "nextUpdate": str(next_funding(asked.now.ms)),
            "minFundingRate": "-0.003",
            "maxFundingRate": "0.003",
        }
    ]


def _funding_history(asked: _Asked) -> list[dict[str, str]]:
    name, size, page = asked.name(), min(100, asked.number("pageSize", 20)), max(1, asked.number("pageNo", 1))
    last = asked.now.ms // FUNDING_MS - (page - 1) * size
    return [
        {
            "symbol": symbol(asked.board.listings[name]),
            "fundingRate": funding_text(funding_rate(asked.board.listings[name], number * FUNDING_MS - 1)),
            "fundingTime": str(number * FUNDING_MS),
        }
        for number in range(last, max(0, last - size), -1)
    ]


def _funding_time(asked: _Asked) -> list[dict[str, str]]:
    named = {"symbol": symbol(asked.board.listings[asked.name()])}
    return [{**named, "nextFundingTime": str(next_funding(asked.now.ms)), "ratePeriod": "8"}]


def _interest(asked: _Asked) -> dict[str, Any]:
    name = asked.name()
    held = asked.board.figures[name].short_size(asked.board.interest(name, asked.now.ms))
    rows = [{"symbol": symbol(asked.board.listings[name]), "size": held}]
    return {"openInterestList": rows, "ts": str(asked.now.told)}


_CALLS: Mapping[str, Callable[[_Asked], Any]] = {
    "/api/v2/public/time": _time,
    "/api/v2/spot/public/symbols": _symbols,
    "/api/v2/spot/public/coins": _coins,
    "/api/v2/margin/currencies": _none,
    "/api/v2/mix/market/contracts": _contracts,
    "/api/v2/mix/market/ticker": _tickers,
    "/api/v2/mix/market/merge-depth": _book,
    "/api/v2/spot/market/orderbook": _book,
    "/api/v2/mix/market/current-fund-rate": _funding,
    "/api/v2/mix/market/history-fund-rate": _funding_history,
    "/api/v2/mix/market/funding-time": _funding_time,
    "/api/v2/mix/market/open-interest": _interest,
    **{
        f"/api/v2/{part}/market/{page}": call
        for part in ("spot", "mix")
        for page, call in {
            "tickers": _tickers,
            "fills": _fills,
            "fills-history": _fills_history,
            "candles": _candles,
            "history-candles": _candles,
        }.items()
    },
}
