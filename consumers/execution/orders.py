"""The life of an order, as a table of what may follow what."""

from decimal import Decimal
from typing import Final, Literal

import msgspec

from schemas.trading import Fill, Intent, Order

Status = Literal["open", "closed", "canceled", "rejected"]

TRANSITIONS: Final[dict[Status | None, frozenset[Status]]] = {
    None: frozenset({"open", "rejected"}),
    "open": frozenset({"closed", "canceled"}),
    "closed": frozenset(),
    "canceled": frozenset(),
    "rejected": frozenset(),
}


class IllegalTransitionError(RuntimeError):
    """An order was asked for what its state does not allow: the fold is wrong and must not go on."""

    def __init__(self, client_order_id: str, before: Status | None, after: str) -> None:
        super().__init__(f"order {client_order_id} is {before or 'new'} and cannot become {after}")


def accept(intent: Intent) -> Order:
    """The open order an intent becomes, at its first revision."""
    return Order(
        client_order_id=intent.client_order_id,
        revision=1,
        venue=intent.venue,
        symbol=intent.symbol,
        account=intent.account,
        strategy=intent.strategy,
        cause=intent.cause,
        leg=intent.leg,
        side=intent.side,
        type=intent.type,
        status="open",
        amount=intent.amount,
        price=intent.price,
        filled=Decimal(0),
        average=None,
        reason=None,
        time=intent.time,
    )


def close(order: Order, fill: Fill) -> Order:
    """The order after the fill that completes it. Raises IllegalTransitionError."""
    _check(order, "closed")
    if (fill.client_order_id, fill.amount) != (order.client_order_id, order.amount):
        raise IllegalTransitionError(order.client_order_id, order.status, f"closed by {fill.amount} of {order.amount}")
    return msgspec.structs.replace(
        order, revision=order.revision + 1, status="closed", filled=fill.amount, average=fill.price, time=fill.time
    )


def cancel(order: Order, reason: str, time: int) -> Order:
    """The order taken back at `time` (epoch ms). Raises IllegalTransitionError."""
    _check(order, "canceled")
    return msgspec.structs.replace(order, revision=order.revision + 1, status="canceled", reason=reason, time=time)


def _check(order: Order, after: Status) -> None:
    if after not in TRANSITIONS[order.status]:
        raise IllegalTransitionError(order.client_order_id, order.status, after)
