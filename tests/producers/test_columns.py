"""Trades become columns of whole numbers, and records of at most five hundred of them."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from producers.columns import Columns
from producers.dialect import Trade
from schemas import exact
from schemas.market import Gap
from tests.producers.tape import BTC, START, ids, trades

LIVE = Columns(BTC, "live")  # a tick of 0.1 and a lot of 0.00000001


def _trade(trade_id: int, price: str, amount: str, count: int = 1) -> Trade:
    return Trade(trade_id, trade_id, START, Decimal(price), Decimal(amount), taker_buy=True, count=count)


def test_the_scales_are_those_of_the_instrument():
    """The same trade is the same number in every record, however it was written."""
    (record,) = LIVE.records([_trade(1, "1.50", "100.000"), _trade(2, "2", "3")], 7, START)
    assert (record.price_scale, record.prices) == (1, (15, 20))
    assert (record.amount_scale, record.amounts) == (8, (10_000_000_000, 300_000_000))


def test_a_trade_between_two_ticks_makes_its_record_finer():
    for told in ([_trade(1, "1.55", "1")], [_trade(1, "1.55", "1"), _trade(2, "3.1", "1")]):
        (record,) = LIVE.records(told, 7, START)
        assert (record.price_scale, record.prices[0]) == (2, 155)


def test_a_number_too_long_for_the_scale_makes_its_record_coarser():
    (record,) = LIVE.records([_trade(1, "1", "9" * 18)], 7, START)
    assert (record.amount_scale, record.amounts) == (0, (int("9" * 18),))


def test_counts_are_told_where_one_is_not_one():
    (one,) = LIVE.records(trades(1, 3), 7, START)
    (more,) = LIVE.records([_trade(1, "1", "1"), _trade(4, "1", "1", count=3)], 7, START)
    (alone,) = LIVE.records([_trade(4, "1", "1", count=3)], 7, START)
    assert (one.counts, more.counts, alone.counts) == ((), (1, 3), (3,))


def test_a_record_without_trades_carries_what_else_there_is():
    gap = Gap(1, 9, START, START + 1, "lost")
    bare = LIVE.bare(7, START, kind="repair", gap=gap)
    assert (bare.kind, bare.ids, bare.gap, bare.watermark, bare.received) == ("repair", (), gap, START, 7)


def test_a_record_carries_at_most_five_hundred_trades_and_the_last_reaches_the_watermark():
    made = LIVE.records(trades(1, 1201), 7, START, reached=START + 5, kind="repair", event_time=9)
    assert [len(record.ids) for record in made] == [500, 500, 201]
    assert [record.watermark - START for record in made] == [0, 0, 5]
    assert {(record.kind, record.event_time) for record in made} == {("repair", 9)}
    assert ids(made) == list(range(1, 1202))


def test_the_watermark_does_not_move_back():
    (made,) = LIVE.records(trades(1, 3), 7, START + 90_000, reached=START)
    assert made.watermark == START + 90_000


def test_no_trades_are_no_records():
    assert LIVE.records([], 7, START) == []


def test_trades_that_share_no_scale_go_into_records_of_their_own():
    """Eighteen digits before the point and eighteen after it do not fit one 64-bit scale."""
    made = LIVE.records([_trade(1, "9" * 18, "1"), _trade(2, "0." + "0" * 16 + "1", "1")], 7, START)
    assert [record.ids for record in made] == [(1,), (2,)]
    assert [record.price_scale for record in made] == [0, 17]


_numbers = st.decimals(min_value=Decimal("0.000000001"), max_value=Decimal(10**8), places=9, allow_nan=False)
_coarse = st.decimals(min_value=Decimal("0.1"), max_value=Decimal(10**8), places=1, allow_nan=False)


@given(st.lists(st.tuples(_numbers | _coarse, _numbers), min_size=1, max_size=30), st.integers(1, 10))
def test_every_price_and_amount_comes_back_exactly_however_batched(numbers, size):
    told = [Trade(at, at, START, price, amount, taker_buy=False) for at, (price, amount) in enumerate(numbers, start=1)]
    made = [record for at in range(0, len(told), size) for record in LIVE.records(told[at : at + size], 7, START)]
    prices = [exact.from_scaled(price, record.price_scale) for record in made for price in record.prices]
    amounts = [exact.from_scaled(amount, record.amount_scale) for record in made for amount in record.amounts]
    assert list(zip(prices, amounts, strict=True)) == numbers


def test_one_trade_and_many_make_the_same_columns():
    coarse = Columns(structs.replace(BTC, tick_size=Decimal(5), lot_size=Decimal(1)), "live")
    for columns in (LIVE, coarse):
        for trade in trades(1, 20):
            (one,) = columns.records([trade], 7, START)
            (two,) = columns.records([trade, trade], 7, START)
            assert (one.price_scale, one.amount_scale) == (two.price_scale, two.amount_scale)
            assert (one.prices * 2, one.amounts * 2, one.times * 2) == (two.prices, two.amounts, two.times)
