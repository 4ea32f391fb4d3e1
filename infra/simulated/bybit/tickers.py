"""Tickers as Bybit writes them: those of contracts carry mark, index, funding and open interest, those of spot no quote."""

from datetime import UTC, datetime
from decimal import Decimal

from infra.simulated.bars import Bar
from infra.simulated.board import Board
from infra.simulated.bybit.encoding import tick_direction, volumes
from infra.simulated.bybit.naming import symbol
from infra.simulated.figures import plain
from infra.simulated.listing import Contract
from infra.simulated.marks import next_funding

HOUR = 3_600_000
Fields = dict[str, str]


def ticker(board: Board, name: str, now_ms: int) -> Fields | None:
    """Return every field of a ticker as the websocket tells it; None before anything was traded within a day."""
    listing, day = board.listings[name], board.day(name, now_ms)
    if day is None:
        return None
    return _spot(board, name, day, now_ms) if listing.contract is Contract.SPOT else _contract(board, name, day, now_ms)


def ticker_row(board: Board, name: str, now_ms: int) -> Fields | None:
    """Return the row of `GET /v5/market/tickers`: of spot with the quote too."""
    fields = ticker(board, name, now_ms)
    if fields is None:
        return None
    if board.listings[name].contract is Contract.SPOT:
        return fields | _quote(board, name, now_ms)
    told = {field: value for field, value in fields.items() if field not in {"tickDirection", "fundingIntervalHour"}}
    dated = {"predictedDeliveryPrice": "", "basisRate": "", "deliveryFeeRate": "", "deliveryTime": "0", "basis": ""}
    expiry = board.listings[name].expiry
    return {**dated, **told} | ({} if expiry is None else {"deliveryTime": str(expiry)})


def _day(board: Board, name: str, day: Bar) -> Fields:
    figures = board.figures[name]
    traded, turnover = volumes(figures, day)
    return {
        "symbol": symbol(figures.listing),
        "lastPrice": figures.fixed_price(day.close),
        "highPrice24h": figures.fixed_price(day.high),
        "lowPrice24h": figures.fixed_price(day.low),
        "prevPrice24h": figures.fixed_price(day.open),
        "volume24h": traded,
        "turnover24h": turnover,
        "price24hPcnt": f"{(day.close - day.open) / day.open:.6f}",
    }


def _quote(board: Board, name: str, now_ms: int) -> Fields:
    figures, quote = board.figures[name], board.quote(name, now_ms)
    if quote is None:
        return {}
    return {
        "bid1Price": figures.fixed_price(quote.bid.price),
        "bid1Size": figures.fixed_size(quote.bid.size),
        "ask1Price": figures.fixed_price(quote.ask.price),
        "ask1Size": figures.fixed_size(quote.ask.size),
    }


def _spot(board: Board, name: str, day: Bar, now_ms: int) -> Fields:
    mark = board.mark(name, now_ms)
    return _day(board, name, day) | {"usdIndexPrice": board.figures[name].fixed_price(day.close if mark is None else mark.index)}


def _contract(board: Board, name: str, day: Bar, now_ms: int) -> Fields:
    figures, mark, listing = board.figures[name], board.mark(name, now_ms), board.listings[name]
    tape = board.tape(name, now_ms)
    known, hour = tape.through(now_ms), tape.before(now_ms - HOUR)
    last = tape.slice(max(0, known - 2), known)
    index = day.close if mark is None else mark.index
    marked = day.close if mark is None else mark.mark
    held = board.interest(name, now_ms)
    worth = held * listing.lot * listing.contract_size
    price = marked * listing.tick
    fields = _day(board, name, day) | {
        "tickDirection": tick_direction(int(last.prices[-1]), int(last.prices[0]), bought=bool(last.buys[-1])),
        "prevPrice1h": figures.fixed_price(int(tape.slice(max(0, hour - 1), max(1, hour)).prices[0])),
        "markPrice": figures.fixed_price(marked),
        "indexPrice": figures.fixed_price(index),
        "openInterest": figures.fixed_size(held),
        "openInterestValue": plain(round(worth / price if listing.contract is Contract.INVERSE else worth * price, 2)),
    }
    if listing.expiry is None:
        fields |= {
            "nextFundingTime": str(next_funding(now_ms)),
            "fundingRate": plain(Decimal(f"{board.funding(name, now_ms):.8f}")),
            "fundingIntervalHour": "8",
        }
    else:
        delivery = datetime.fromtimestamp(listing.expiry / 1000, UTC)
        fields |= {
            "deliveryTime": f"{delivery:%Y-%m-%dT%H:%M:%SZ}",
            "basisRate": f"{(marked - index) / index:.8f}",
            "deliveryFeeRate": "0.0005",
            "predictedDeliveryPrice": "0.00",
            "basis": plain((marked - index) * listing.tick),
            "nextFundingTime": "",
            "fundingRate": "",
        }
    return fields | _quote(board, name, now_ms)
