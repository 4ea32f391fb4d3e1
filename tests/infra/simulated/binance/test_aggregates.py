"""Aggregates stand for every trade exactly once, and are the same whenever they are asked for."""

import random

import numpy as np

from infra.simulated.binance.aggregates import Aggregates
from infra.simulated.binance.product import SPOT
from infra.simulated.market import MINUTE, Market, random_market

START = 1_767_571_200_000
BURSTY = SPOT.listings[2]


def market() -> Market:
    return random_market(7, [BURSTY], START)


def aggregates(one: Market) -> Aggregates:
    return Aggregates(lambda now_ms: one.tape(BURSTY, now_ms))


def test_each_aggregate_goes_on_where_the_one_before_ended() -> None:
    one = market()
    made = aggregates(one)
    tape, source = made.tape(START), one.tape(BURSTY, START)
    told = tape.slice(0, len(tape))
    firsts, lasts = made.spans(told.ids)
    trades = source.slice(0, len(source))
    assert np.diff(told.ids).tolist() == [1] * (len(told.ids) - 1)
    assert (firsts[0], lasts[-1]) == (trades.ids[0], trades.ids[-1])
    assert (firsts[1:] == lasts[:-1] + 1).all()
    assert (lasts > firsts).sum() > 100


def test_an_aggregate_is_of_one_millisecond_one_price_and_one_side_and_as_large_as_can_be() -> None:
    one = market()
    made = aggregates(one)
    tape, source = made.tape(START), one.tape(BURSTY, START)
    told, trades = tape.slice(0, len(tape)), source.slice(0, len(source))
    firsts, lasts = (column - trades.ids[0] for column in made.spans(told.ids))
    for column, inside in ((told.times, trades.times), (told.prices, trades.prices), (told.buys, trades.buys)):
        assert (column == inside[firsts]).all()
        assert (column == inside[lasts]).all()
    assert told.sizes.tolist() == np.add.reduceat(trades.sizes, firsts).tolist()
    same = (np.diff(told.times) == 0) & (np.diff(told.prices) == 0) & (np.diff(told.buys) == 0)
    assert not same.any()


def test_it_does_not_matter_when_they_are_asked_for() -> None:
    end = START + 60 * MINUTE
    one, other = aggregates(market()), aggregates(market())
    dice = random.Random(1)
    for moment in sorted(dice.randrange(START - MINUTE, end) for _ in range(50)):
        one.tape(moment)
    first, second = one.tape(end), other.tape(end)
    assert first.slice(0, first.through(end)).ids.tolist() == second.slice(0, second.through(end)).ids.tolist()
    assert first.slice(0, first.through(end)).sizes.tolist() == second.slice(0, second.through(end)).sizes.tolist()
