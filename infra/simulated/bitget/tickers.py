"""Tickers as Bitget writes them: those of contracts carry mark, index, funding and open interest."""

from decimal import Decimal
from typing import Any

from infra.simulated.bars import DAY, Bar
from infra.simulated.bitget.naming import symbol
from infra.simulated.board import Board
from infra.simulated.figures import plain
from infra.simulated.listing import Contract
from infra.simulated.marks import next_funding
from infra.simulated.quotes import Quote

Fields = dict[str, Any]


def pushed(board: Board, name: str, now_ms: int) -> Fields | None:
    """Return what the websocket says of a ticker, but for its time; None before anything was traded within a day."""
    found = _found(board, name, now_ms)
    if found is None:
        return None
    fields = {"instId": symbol(board.listings[name]), **_common(board, name, *found, now_ms)}
    if board.listings[name].contract is Contract.SPOT:
        return fields | {"changeUtc24h": _changes(board, name, found[0], now_ms)}
    dated = {"symbolType": "1", "symbol": symbol(board.listings[name]), "deliveryPrice": "0"}
    return fields | _worth(board, name, now_ms) | {"nextFundingTime": str(next_funding(now_ms)), **dated}


def row(board: Board, name: str, now_ms: int, told_ms: int) -> Fields | None:
    """Return a row of the tickers over REST; None before anything was traded within a day."""
    found = _found(board, name, now_ms)
    if found is None:
        return None
    day, quote = found
    fields = _common(board, name, day, quote, now_ms)
    opened = fields.pop("open24h")
    more = {
        "symbol": symbol(board.listings[name]),
        "usdtVolume": fields["quoteVolume"],
        "changeUtc24h": _changes(board, name, day, now_ms),
        "ts": str(told_ms),
    }
    if board.listings[name].contract is Contract.SPOT:
        return fields | more | {"open": opened}
    dated = {"deliveryStartTime": None, "deliveryTime": None, "deliveryStatus": "delivery_normal"}
    return fields | more | _worth(board, name, now_ms) | dated | {"open24h": opened}


def _found(board: Board, name: str, now_ms: int) -> tuple[Bar, Quote] | None:
    day, quote = board.day(name, now_ms), board.quote(name, now_ms)
    return None if day is None or quote is None else (day, quote)


def _common(board: Board, name: str, day: Bar, quote: Quote, now_ms: int) -> Fields:
    figures = board.figures[name]
    base, turnover = figures.volume(day)
    return {
        "lastPr": figures.short_price(day.close),
        "open24h": figures.short_price(day.open),
        "high24h": figures.short_price(day.high),
        "low24h": figures.short_price(day.low),
        "change24h": _ratio(day.close, day.open),
        "bidPr": figures.short_price(quote.bid.price),
        "askPr": figures.short_price(quote.ask.price),
        "bidSz": figures.short_size(quote.bid.size),
        "askSz": figures.short_size(quote.ask.size),
        "baseVolume": plain(base),
        "quoteVolume": plain(turnover),
        "openUtc": figures.short_price(_day_open(board, name, now_ms)),
    }


def _worth(board: Board, name: str, now_ms: int) -> Fields:
    figures, mark = board.figures[name], board.mark(name, now_ms)
    assert mark is not None, "where something was traded there is a mark"
    return {
        "markPrice": figures.short_price(mark.mark),
        "indexPrice": figures.short_price(mark.index),
        "fundingRate": funding_text(board.funding(name, now_ms)),
        "holdingAmount": figures.short_size(board.interest(name, now_ms)),
    }


def funding_text(rate: float) -> str:
    """Write a funding rate, a fraction, without an exponent."""
    return plain(Decimal(f"{rate:.6f}"))


def _changes(board: Board, name: str, day: Bar, now_ms: int) -> str:
    return _ratio(day.close, _day_open(board, name, now_ms))


def _ratio(price: int, before: int) -> str:
    return plain(Decimal(f"{(price - before) / before:.5f}"))


def _day_open(board: Board, name: str, now_ms: int) -> int:
    """The first price of the UTC day, or the last before it when nothing was traded yet."""
    tape = board.tape(name, now_ms)
    first = min(tape.before(now_ms // DAY * DAY), tape.through(now_ms) - 1)
    return int(tape.slice(first, first + 1).prices[0])
