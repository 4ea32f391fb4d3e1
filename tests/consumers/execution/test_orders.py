"""The life cycle of an order as a table: every step that is not in it is refused."""

from collections.abc import Callable
from decimal import Decimal
from typing import get_args

import msgspec
import pytest

from consumers.execution import orders
from schemas.trading import Fill, Intent, Order

NAMES = ("okx", "BTC/USDT", "paper", "rsi-trend")
INTENT = Intent("t1", *NAMES, "s1", "entry", 1, "buy", "market", Decimal(2), None, reduce_only=False, time=1000)
FILL = Fill("f1", "t1", *NAMES, "entry", "buy", Decimal(100), Decimal(2), Decimal(0), "USDT", 7, 1010)
STEPS: dict[str, Callable[[Order], Order]] = {
    "closed": lambda order: orders.close(order, FILL),
    "canceled": lambda order: orders.cancel(order, "why", 1010),
}


def test_accepted_order_is_its_intent() -> None:
    """What was asked for is what rests, at revision 1, nothing filled."""
    order = orders.accept(INTENT)
    shared = set(Intent.__struct_fields__) & set(Order.__struct_fields__)
    assert {name: getattr(order, name) for name in shared} == {name: getattr(INTENT, name) for name in shared}
    assert (order.revision, order.status, order.filled, order.average, order.reason) == (1, "open", 0, None, None)


@pytest.mark.parametrize("before", [status for status in orders.TRANSITIONS if status is not None])
@pytest.mark.parametrize("after", STEPS)
def test_transitions(before: orders.Status, after: orders.Status) -> None:
    """A step in the table makes the next revision; any other raises and names the order."""
    order = msgspec.structs.replace(orders.accept(INTENT), status=before)
    if after in orders.TRANSITIONS[before]:
        reached = STEPS[after](order)
        assert (reached.status, reached.revision, reached.time) == (after, 2, 1010)
    else:
        with pytest.raises(orders.IllegalTransitionError, match=f"order t1 is {before} and cannot become {after}"):
            STEPS[after](order)


def test_fill_completes_the_order() -> None:
    """A closed order shows what was filled and at what price."""
    closed = orders.close(orders.accept(INTENT), FILL)
    assert (closed.filled, closed.average) == (Decimal(2), Decimal(100))


@pytest.mark.parametrize("change", [{"amount": Decimal(1)}, {"client_order_id": "t2"}])
def test_fill_of_something_else_is_refused(change: dict[str, object]) -> None:
    """Half a fill, or another order's, closes nothing."""
    with pytest.raises(orders.IllegalTransitionError):
        orders.close(orders.accept(INTENT), msgspec.structs.replace(FILL, **change))


def test_table_knows_every_status() -> None:
    """The statuses of the record and of the table are the same."""
    assert set(orders.TRANSITIONS) - {None} == set(get_args(Order.__annotations__["status"]))
