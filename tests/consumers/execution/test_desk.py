"""Orders at the venue, as the desk sees them."""

from decimal import Decimal

from consumers.execution.desk import Desk
from consumers.gateway.paper import latency
from schemas.trading import Intent, Order
from tests.consumers.execution.scenario import Log


def intent(order_id: str, leg: str) -> Intent:
    """A market entry, or a stop."""
    kind, price = ("market", None) if leg == "entry" else ("stop", Decimal(1))
    names = ("okx", "BTC/USDT", "paper", "rsi-trend", "c")
    return Intent(order_id, *names, leg, 1, "buy", kind, Decimal(1), price, reduce_only=leg != "entry", time=1000)


def test_place_publishes_the_intent_first() -> None:
    """The intent, then its open order, which rests from its latency on until it expires."""
    desk = Desk()
    asked, order = desk.place(intent("t1", "entry"), until=2000)
    assert (asked, order.status) == (intent("t1", "entry"), "open")
    (resting,) = desk.resting
    assert (resting.order, resting.since, resting.until) == (order, 1000 + latency("t1"), 2000)
    assert desk.entry() == order


def test_signal_is_new_once() -> None:
    """Several of one time are told apart by their ids; one of an earlier time is a copy."""
    log, desk = Log(), Desk()
    first, twin, later = log.signal("long"), log.signal("short"), log.signal("long", at=1)
    assert [desk.is_new(one) for one in (first, twin, first, later, twin, later)] == [True, True, False, True, False, False]


def test_take_lifts_one_order_once() -> None:
    """What was taken is gone; what is not there is None."""
    desk = Desk()
    desk.place(intent("t1", "entry"))
    desk.place(intent("t2", "stop"))
    taken = desk.take("t1")
    assert taken is not None
    assert (taken.client_order_id, desk.take("t1"), desk.entry()) == ("t1", None, None)
    assert [one.order.client_order_id for one in desk.resting] == ["t2"]


def test_cancel_all_leaves_nothing() -> None:
    """Every order is canceled with the reason."""
    desk = Desk()
    desk.place(intent("t1", "stop"))
    desk.place(intent("t2", "stop"))
    canceled = desk.cancel_all("why", 1500)
    assert [(one.client_order_id, one.status, one.reason) for one in canceled if isinstance(one, Order)] == [
        ("t1", "canceled", "why"),
        ("t2", "canceled", "why"),
    ]
    assert desk.resting == ()
