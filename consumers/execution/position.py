"""A position from its entry's fill to its exit's, with profit exact to the last decimal."""

from decimal import Decimal

import msgspec

from consumers.gateway.paper import Terms, notional
from schemas import exact, ids
from schemas.trading import Fill, Order, Position


def opened(entry: Order, fill: Fill, stop_price: Decimal, target_price: Decimal) -> Position:
    """The position that the fill of an entry makes; what it has cost so far is the entry's fee."""
    return Position(
        id=ids.position_id(entry.account, entry.strategy, entry.cause),
        revision=1,
        venue=entry.venue,
        symbol=entry.symbol,
        account=entry.account,
        strategy=entry.strategy,
        side="long" if fill.side == "buy" else "short",
        status="open",
        amount=fill.amount,
        entry_price=fill.price,
        exit_price=None,
        stop_price=stop_price,
        target_price=target_price,
        realized=exact.EXACT.minus(fill.fee),
        fees=fill.fee,
        cause=entry.cause,
        exit_reason=None,
        opened=fill.time,
        time=fill.time,
    )


def closed(position: Position, fill: Fill, terms: Terms) -> Position:
    """The position after the fill of one of its exits, which is always of the whole amount."""
    if position.status != "open" or fill.amount != position.amount:
        raise ValueError(f"position {position.id} of {position.amount} cannot be closed by a fill of {fill.amount}")
    fees = exact.EXACT.add(position.fees, fill.fee)
    gain = profit(position, fill.price, terms)
    return msgspec.structs.replace(
        position,
        revision=position.revision + 1,
        status="closed",
        amount=Decimal(0),
        exit_price=fill.price,
        realized=exact.EXACT.subtract(gain, fees).normalize(exact.EXACT),
        fees=fees.normalize(exact.EXACT),
        exit_reason=fill.leg,
        time=fill.time,
    )


def profit(position: Position, price: Decimal, terms: Terms) -> Decimal:
    """Before fees, were the position closed at `price`; in quote units, or base units for an inverse contract."""
    paid = notional(position.entry_price, position.amount, terms)
    worth = notional(price, position.amount, terms)
    # An inverse contract's worth in base units falls as its price rises.
    gains = (position.side == "long") != terms.inverse
    return exact.EXACT.subtract(worth, paid) if gains else exact.EXACT.subtract(paid, worth)
