"""Profit of a position, exact to the last decimal."""

from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.execution import position
from consumers.gateway.paper import Terms
from schemas.trading import Fill, Order

LINEAR = Terms(Decimal("0.01"), inverse=False, fee_rate=Decimal(0), currency="USDT")
INVERSE = Terms(Decimal(100), inverse=True, fee_rate=Decimal(0), currency="BTC")


def fill(side: str, price: Decimal, fee: str = "0", leg: str = "entry", amount: str = "3") -> Fill:
    """Of three contracts."""
    names = ("okx", "BTC/USDT:USDT", "paper", "rsi-trend")
    return Fill("f", "t1", *names, leg, side, price, Decimal(amount), Decimal(fee), "USDT", 7, 1000)


def entry(side: str) -> Order:
    """A filled entry."""
    names = ("okx", "BTC/USDT:USDT", "paper", "rsi-trend", "signal")
    return Order("t1", 2, *names, "entry", side, "market", "closed", Decimal(3), None, Decimal(3), Decimal(1), None, 1000)


def opened(side: str, price: Decimal, fee: str = "0") -> position.Position:
    """With levels that play no part here."""
    return position.opened(entry(side), fill(side, price, fee), Decimal(1), Decimal(2))


@pytest.mark.parametrize(
    ("side", "leave", "terms", "realized"),
    [
        ("buy", "110", LINEAR, "0.3"),
        ("buy", "90", LINEAR, "-0.3"),
        ("sell", "110", LINEAR, "-0.3"),
        ("sell", "90", LINEAR, "0.3"),
        ("buy", "125", INVERSE, "0.6"),
        ("buy", "80", INVERSE, "-0.75"),
        ("sell", "125", INVERSE, "-0.6"),
        ("sell", "80", INVERSE, "0.75"),
    ],
)
def test_realized(side: str, leave: str, terms: Terms, realized: str) -> None:
    """Three contracts from 100: a long gains when the price rises, whatever the contract's form."""
    held = opened(side, Decimal(100))
    closed = position.closed(held, fill("sell", Decimal(leave), leg="target"), terms)
    assert closed.realized == Decimal(realized)
    assert (closed.status, closed.amount, closed.exit_reason, closed.revision) == ("closed", 0, "target", 2)


def test_fees_are_part_of_it() -> None:
    """An open position has lost its entry's fee; a closed one both fees."""
    held = opened("buy", Decimal(100), "0.5")
    assert (held.realized, held.fees) == (Decimal("-0.5"), Decimal("0.5"))
    closed = position.closed(held, fill("sell", Decimal(110), "0.25", "target"), LINEAR)
    assert (closed.realized, closed.fees) == (Decimal("-0.45"), Decimal("0.75"))


@given(st.decimals("0.00000001", "9999999", places=8), st.decimals("0.00000001", "9999999", places=8))
def test_nothing_is_rounded(paid: Decimal, got: Decimal) -> None:
    """Linear profit equals the fraction."""
    closed = position.closed(opened("buy", paid), fill("sell", got, leg="stop"), LINEAR)
    assert Fraction(closed.realized) == (Fraction(got) - Fraction(paid)) * 3 / 100


@pytest.mark.parametrize("change", [{"status": "closed"}, {"amount": Decimal(2)}])
def test_only_an_open_position_is_closed_and_only_whole(change: dict[str, object]) -> None:
    """Anything else is a fault of the fold and raises."""
    held = msgspec.structs.replace(opened("buy", Decimal(100)), **change)
    with pytest.raises(ValueError, match="cannot be closed"):
        position.closed(held, fill("sell", Decimal(110), leg="stop"), LINEAR)
