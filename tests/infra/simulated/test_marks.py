"""Marks lie within the quote, funding within its bounds, and all of it follows from the time."""

from hypothesis import given
from hypothesis import strategies as st

from infra.simulated.listing import LISTINGS
from infra.simulated.marks import FUNDING_MS, funding_rate, mark_at, next_funding, open_interest
from infra.simulated.quotes import quote_after

TIMES = st.integers(1_700_000_000_000, 1_800_000_000_000)


@given(st.integers(1000, 10_000_000), TIMES)
def test_a_mark_lies_within_the_quote_and_the_index_near_it(price: int, now: int) -> None:
    quote = quote_after(LISTINGS[3], price, bought=True, now_ms=now)
    mark = mark_at(LISTINGS[3], quote, now)
    assert quote.bid.price <= mark.mark <= quote.ask.price
    assert abs(mark.index - mark.mark) <= mark.mark * 0.0005 + 1


@given(TIMES)
def test_funding_is_bounded_and_stands_for_a_minute(now: int) -> None:
    rate = funding_rate(LISTINGS[3], now)
    assert -0.0003 <= rate <= 0.0005
    assert rate == funding_rate(LISTINGS[3], now // 60_000 * 60_000)
    assert next_funding(now) % FUNDING_MS == 0
    assert 0 < next_funding(now) - now <= FUNDING_MS


@given(TIMES)
def test_open_interest_moves_every_three_seconds(now: int) -> None:
    lots = open_interest(LISTINGS[3], now)
    assert lots == open_interest(LISTINGS[3], now // 3000 * 3000)
    assert LISTINGS[3].lots * 45_000 <= lots <= LISTINGS[3].lots * 55_000
