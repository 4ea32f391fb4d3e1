"""Quotes and books are in order on both sides."""

from hypothesis import given
from hypothesis import strategies as st

from infra.simulated.listing import LISTINGS
from infra.simulated.quotes import book_around, quote_after

TIMES = st.integers(1_700_000_000_000, 1_800_000_000_000)


@given(st.integers(3, 10_000_000), st.booleans(), TIMES)
def test_the_last_trade_took_the_side_it_took(price: int, bought: bool, now: int) -> None:
    quote = quote_after(LISTINGS[0], price, bought, now)
    assert (quote.ask.price if bought else quote.bid.price) == price
    assert 1 <= quote.ask.price - quote.bid.price <= 2
    assert quote == quote_after(LISTINGS[0], price, bought, now)


@given(st.integers(3, 10_000), st.integers(1, 400), TIMES)
def test_a_book_is_sorted_and_has_no_price_below_one_tick(price: int, depth: int, now: int) -> None:
    asks, bids = book_around(LISTINGS[0], quote_after(LISTINGS[0], price, bought=True, now_ms=now), depth, now)
    ask_prices, bid_prices = [level.price for level in asks], [level.price for level in bids]
    assert ask_prices == sorted(set(ask_prices))
    assert bid_prices == sorted(set(bid_prices), reverse=True)
    assert len(asks) == depth
    assert 1 <= min(bid_prices) <= max(bid_prices) < min(ask_prices)
    assert min(level.size for level in asks + bids) > 0
