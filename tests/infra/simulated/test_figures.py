"""Figures are exact: as decimals, with the places of their step, and without trailing zeros."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.simulated.bars import Bar
from infra.simulated.figures import Figures, fixed_text, plain, prices_before, short_text
from infra.simulated.listing import SLOW, Contract, Listing
from infra.simulated.tape import Tape, Trades


def listing(contract: Contract, tick: str, lot: str, strike: Decimal | None = None, size: str = "1") -> Listing:
    return Listing(
        "BTC", "USDT", contract, Decimal(tick), Decimal(lot), Decimal(100), 5, SLOW, contract_size=Decimal(size), strike=strike
    )


@given(st.integers(0, 10**18), st.integers(0, 12))
def test_a_figure_is_written_exactly(units: int, places: int) -> None:
    exact = Decimal(units).scaleb(-places)
    assert Decimal(fixed_text(units, places)) == Decimal(short_text(units, places)) == exact
    assert Decimal(plain(exact)) == exact
    assert len(fixed_text(units, places).partition(".")[2]) == places
    assert "." not in short_text(units, places) or short_text(units, places)[-1] not in "0."


@pytest.mark.parametrize(
    ("tick", "ticks", "fixed", "short"),
    [
        ("0.10", 305, "30.50", "30.5"),
        ("0.5", 61, "30.5", "30.5"),
        ("1000", 97, "97000", "97000"),
        ("0.0001", 20, "0.0020", "0.002"),
    ],
)
def test_a_price_has_the_places_its_tick_is_written_with(tick: str, ticks: int, fixed: str, short: str) -> None:
    figures = Figures(listing(Contract.SPOT, tick, "0.01"))
    assert (figures.fixed_price(ticks), figures.short_price(ticks)) == (fixed, short)
    assert figures.price(ticks) == Decimal(fixed)
    assert (figures.fixed_size(120), figures.short_size(120), figures.size(120)) == ("1.20", "1.2", Decimal("1.2"))


@pytest.mark.parametrize(
    ("traded", "base", "quote"),
    [
        # 12 lots of 0.1 at 200 ticks of 0.5.
        (listing(Contract.SPOT, "0.5", "0.1"), "1.2", "120"),
        # The same in contracts of a tenth of a coin.
        (listing(Contract.LINEAR, "0.5", "0.1", size="0.1"), "0.12", "12"),
        # 12 lots of 10 USD at 100 USD are 1.2 coins.
        (listing(Contract.INVERSE, "0.5", "10"), "1.2", "120"),
        # 12 lots of 0.1 coins of an option at 100 coins each.
        (listing(Contract.INVERSE, "0.5", "0.1", strike=Decimal(90)), "1.2", "120"),
    ],
)
def test_volumes_are_in_coins_and_in_quote_currency(traded: Listing, base: str, quote: str) -> None:
    bar = Bar(0, 200, 200, 200, 200, 12, 2400, 12 / 200)
    assert Figures(traded).volume(bar) == (Decimal(base), Decimal(quote))


def test_the_price_before_a_trade_is_that_of_the_trade_before() -> None:
    tape, prices = Tape(), np.array([5, 6, 6, 4], dtype=np.int64)
    ones = np.ones(4, dtype=np.int64)
    tape.append(Trades(np.arange(10, 14, dtype=np.int64), np.arange(4, dtype=np.int64), prices, ones, ones))
    assert prices_before(tape, tape.slice(0, 4)) == [5, 5, 6, 6]
    assert prices_before(tape, tape.slice(2, 4)) == [6, 6]
