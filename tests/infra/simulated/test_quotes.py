"""A quote surrounds the last trade, which took one side of it."""

from hypothesis import given
from hypothesis import strategies as st

from infra.simulated.listing import LISTINGS
from infra.simulated.quotes import quote_after

TIMES = st.integers(1_700_000_000_000, 1_800_000_000_000)


@given(st.integers(3, 10_000_000), st.booleans(), TIMES)
def test_the_last_trade_took_the_side_it_took(price: int, bought: bool, now: int) -> None:
    quote = quote_after(LISTINGS[0], price, bought, now)
    assert (quote.ask.price if bought else quote.bid.price) == price
    assert 1 <= quote.ask.price - quote.bid.price <= 2
    assert quote == quote_after(LISTINGS[0], price, bought, now)
