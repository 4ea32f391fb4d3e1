"""Trades become columns of whole numbers, and records of at most five hundred of them."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from producers import columns
from producers.dialect import Trade
from schemas import exact
from tests.producers.tape import BTC, START, ids, trades


def _trade(trade_id: int, price: str, amount: str) -> Trade:
    return Trade(trade_id, trade_id, START, Decimal(price), Decimal(amount), taker_buy=True)


def test_the_scale_is_what_the_batch_needs_and_no_more():
    """Trailing zeros do not count, so that equal trades give equal bytes however they were written."""
    record = columns.record(BTC, "live", 7, START, [_trade(1, "1.50", "100.000"), _trade(2, "2.25", "3")])
    assert (record.price_scale, record.prices) == (2, (150, 225))
    assert (record.amount_scale, record.amounts) == (0, (100, 3))


def test_a_record_without_trades_is_a_heartbeat():
    record = columns.record(BTC, "live", 7, START)
    assert (record.ids, record.price_scale, record.amount_scale, record.watermark) == ((), 0, 0, START)


def test_a_record_carries_at_most_five_hundred_trades_and_the_watermark_follows():
    made = list(columns.records(BTC, "repair", 7, START, trades(1, 1201)))
    assert [len(record.ids) for record in made] == [500, 500, 201]
    assert [record.watermark for record in made] == [record.times[-1] for record in made]
    assert ids(made) == list(range(1, 1202))


def test_the_watermark_does_not_move_back():
    (made,) = columns.records(BTC, "live", 7, START + 90_000, trades(1, 3))
    assert made.watermark == START + 90_000


def test_trades_that_share_no_scale_go_into_records_of_their_own():
    """Eighteen digits before the point and eighteen after it do not fit one 64-bit scale."""
    made = list(columns.records(BTC, "live", 7, START, [_trade(1, "9" * 18, "1"), _trade(2, "0." + "0" * 16 + "1", "1")]))
    assert [record.ids for record in made] == [(1,), (2,)]
    assert [record.price_scale for record in made] == [0, 17]


_numbers = st.decimals(min_value=Decimal("0.000000001"), max_value=Decimal(10**8), places=9, allow_nan=False)


@given(st.lists(st.tuples(_numbers, _numbers), min_size=1, max_size=30))
def test_every_price_and_amount_comes_back_exactly(numbers):
    told = [Trade(at, at, START, price, amount, taker_buy=False) for at, (price, amount) in enumerate(numbers, start=1)]
    made = list(columns.records(BTC, "live", 7, START, told))
    prices = [exact.from_scaled(price, record.price_scale) for record in made for price in record.prices]
    amounts = [exact.from_scaled(amount, record.amount_scale) for record in made for amount in record.amounts]
    assert list(zip(prices, amounts, strict=True)) == numbers
