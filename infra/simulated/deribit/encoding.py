"""Rows as Deribit writes them: numbers are JSON numbers, an amount is in USD or, of options, in coins."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from infra.simulated.bars import Bar
from infra.simulated.deribit.naming import instrument_name
from infra.simulated.figures import Figures, prices_before
from infra.simulated.quotes import Level
from infra.simulated.tape import Tape, Trades

_NUMBERS = msgspec.json.Encoder(decimal_format="number")
_IDS = 64  # how many instruments of a currency share its trade ids


Worth = Callable[[int], tuple[Decimal, Decimal]]
"""What an instrument is worth at a time besides its trades: the mark price in its own unit, and the index in USD."""


def text(message: Any) -> str:
    """Return JSON in which decimals are numbers with all their digits."""
    return _NUMBERS.encode(message).decode()


def notification(channel: str, data: Any) -> str:
    """Return what is pushed on a channel."""
    return text({"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}})


def trade_rows(figures: Figures, number: int, tape: Tape, trades: Trades, worth: Worth) -> list[dict[str, Any]]:
    """Return trades in their order, as the websocket and REST alike tell them.

    `number` is the instrument's own: ids are of the whole currency.
    """
    name, contract = instrument_name(figures.listing), _contract(figures)
    volatility = {} if figures.listing.strike is None else {"iv": implied_volatility(figures)}
    rows = []
    columns = zip(*(column.tolist() for column in trades), prices_before(tape, trades), strict=True)
    for trade_id, time, price, size, buy, before in columns:
        (mark, index), amount = worth(time), figures.size(size)
        rows.append(
            {
                "timestamp": time,
                "price": figures.price(price),
                "amount": amount,
                "direction": "buy" if buy else "sell",
                "index_price": index,
                "instrument_name": name,
                "trade_seq": trade_id,
                "mark_price": mark,
                "tick_direction": tick_direction(price, before, bought=bool(buy)),
                "contracts": amount / contract,
                "trade_id": str(trade_id * _IDS + number % _IDS),
                **volatility,
            }
        )
    return rows


def tick_direction(price: int, before: int, *, bought: bool) -> int:
    """Return 0 for up and 2 for down; 1 and 3 for neither, as the side that took it decides."""
    if price == before:
        return 1 if bought else 3
    return 0 if price > before else 2


def implied_volatility(figures: Figures) -> Decimal:
    """Return the volatility, in percent, that stands for an option's price: its own and always the same."""
    strike = figures.listing.strike or Decimal(0)
    return Decimal(4500 + int(strike) % 977) / 100


def level_rows(figures: Figures, levels: Sequence[Level]) -> list[list[Decimal]]:
    """Return levels of a whole book: price and amount."""
    return [[figures.price(level.price), figures.size(level.size)] for level in levels]


def candle(figures: Figures, bar: Bar) -> dict[str, Any]:
    """Return what `chart.trades` pushes of a candle: `volume` is in coins, `cost` in USD."""
    base, quote = figures.volume(bar)
    prices = {"open": bar.open, "high": bar.high, "low": bar.low, "close": bar.close}
    return {
        "tick": bar.open_time,
        **{field: figures.price(ticks) for field, ticks in prices.items()},
        "volume": base,
        "cost": quote,
    }


def _contract(figures: Figures) -> Decimal:
    return figures.listing.lot if figures.listing.strike is None else Decimal(1)
