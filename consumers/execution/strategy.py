"""The RSI-trend strategy: one position at a time in one market, long or short, with a stop and a target.

It trades the signals of one timeframe and leaves the others alone. A signal becomes a market entry, or a refusal that
says why. Once the entry is filled, a stop and a target rest at the venue for the whole amount; the first to fill
cancels the other. A stopped strategy enters nothing and takes back an entry that is still waiting; an open position
keeps its exits.

After a gap in the feed, entries are refused until a candle that opened after the gap gives the signal. A signal is decided as
of its own time, so none is ever refused for its age; its entry is bounded by the time it expires.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from consumers.execution.market import Market, is_spot
from schemas import exact, ids
from schemas.signals import Signal
from schemas.trading import Fill, Intent, Leg, Order, Position, Side

_ATTEMPT: Final = 1

ENTRY_SIDE: Final[dict[str, Side]] = {"long": "buy", "short": "sell"}
EXIT_SIDE: Final[dict[Side, Side]] = {"buy": "sell", "sell": "buy"}


@dataclass(frozen=True)
class StrategySettings:
    """What one strategy of one account was told: the worth of a position in quote units, and percents of the entry's price."""

    account: str
    position_quote: Decimal
    stop_percent: Decimal
    target_percent: Decimal
    fee_rate: Decimal
    name: str = "rsi-trend"
    timeframe: str = "1m"


@dataclass(frozen=True)
class Refused:
    """Why there is no entry: a fixed reason, and the facts of this case."""

    reason: str
    detail: str


def decide(
    signal: Signal, market: Market, settings: StrategySettings, *, running: bool, entry: Order | None, held: Position | None
) -> Intent | Refused:
    """The entry that a signal asks for, or why not. `entry` is one still waiting, `held` the position held."""
    if not running:
        return Refused("strategy stopped", f"{settings.name} was stopped by command")
    if held is not None:
        return Refused("position open", f"{held.side} since {held.opened}")
    if entry is not None:
        return Refused("entry pending", f"order {entry.client_order_id} waits since {entry.time}")
    if signal.open_time < market.gap_until:
        return Refused("market data has a gap", f"until {market.gap_until}, the candle opened at {signal.open_time}")
    if signal.side == "short" and is_spot(signal.symbol):
        return Refused("spot cannot be sold short", f"{signal.symbol} is a spot market")
    return _entry(signal, market, settings)


def _entry(signal: Signal, market: Market, settings: StrategySettings) -> Intent | Refused:
    amount = size(signal.price, market, settings.position_quote)
    if not amount:
        return Refused("amount too small", f"{settings.position_quote} buys less than one lot at {signal.price}")
    return Intent(
        client_order_id=ids.client_order_id(settings.account, settings.name, signal.id, "entry", _ATTEMPT),
        venue=signal.venue,
        symbol=signal.symbol,
        account=settings.account,
        strategy=settings.name,
        cause=signal.id,
        leg="entry",
        attempt=_ATTEMPT,
        side=ENTRY_SIDE[signal.side],
        type="market",
        amount=amount,
        price=None,
        reduce_only=False,
        time=signal.time,
    )


def size(price: Decimal, market: Market, position_quote: Decimal) -> Decimal:
    """Native amount worth at most `position_quote` quote units at `price`, in whole lots; 0 when that is less than one.

    An inverse contract is worth `contract_size` quote units at any price.
    """
    unit = market.contract_size if market.inverse else exact.EXACT.multiply(price, market.contract_size)
    lot = exact.EXACT.multiply(unit, market.lot_size)
    return _steps(int(exact.EXACT.divide_int(position_quote, lot)), market.lot_size) if lot > 0 else Decimal(0)


def exit_prices(side: Side, price: Decimal, tick: Decimal, settings: StrategySettings) -> tuple[Decimal, Decimal]:
    """Stop and target of a position entered by `side` at `price`, in whole ticks.

    Both are rounded against ourselves: the stop towards the entry, so that it never risks more than was asked, the
    target away from it, so that it never takes less; no price is below one tick.
    """
    ticks, risk, gain = Fraction(price) / Fraction(tick), Fraction(settings.stop_percent), Fraction(settings.target_percent)
    if side == "buy":
        stop, target = math.ceil(ticks * (100 - risk) / 100), math.ceil(ticks * (100 + gain) / 100)
    else:
        stop, target = math.floor(ticks * (100 + risk) / 100), math.floor(ticks * (100 - gain) / 100)
    return _steps(max(1, stop), tick), _steps(max(1, target), tick)


def _steps(count: int, step: Decimal) -> Decimal:
    """So many ticks or lots, without trailing zeros."""
    places = exact.places(step)
    return exact.from_scaled(count * exact.to_scaled(step, places), places)


def exits(entry: Order, fill: Fill, stop_price: Decimal, target_price: Decimal) -> tuple[Intent, Intent]:
    """The stop and the target of the position that `fill` opened, caused by its entry order."""
    return _exit(entry, fill, "stop", stop_price), _exit(entry, fill, "target", target_price)


def _exit(entry: Order, fill: Fill, leg: Leg, price: Decimal) -> Intent:
    return Intent(
        client_order_id=ids.client_order_id(entry.account, entry.strategy, entry.client_order_id, leg, _ATTEMPT),
        venue=entry.venue,
        symbol=entry.symbol,
        account=entry.account,
        strategy=entry.strategy,
        cause=entry.client_order_id,
        leg=leg,
        attempt=_ATTEMPT,
        side=EXIT_SIDE[entry.side],
        type="stop" if leg == "stop" else "limit",
        amount=fill.amount,
        price=price,
        reduce_only=True,
        time=fill.time,
    )
