"""The random market is the same for the same seed however it is asked, and moves enough to trade on."""

import random
from itertools import pairwise

import numpy as np
import pytest

from infra.simulated.bars import bars
from infra.simulated.listing import LISTINGS, Listing, listings
from infra.simulated.market import MINUTE, Market, random_market, trades_of
from infra.simulated.tape import Trades

START = 1_767_571_200_000
HISTORY = 500


def through(market: Market, listing: Listing, time: int) -> list[list[int]]:
    tape = market.tape(listing, time)
    return [column.tolist() for column in tape.slice(0, tape.through(time))]


def test_what_trades_does_not_depend_on_how_the_market_is_asked() -> None:
    """Asked at random moments in a random order, or once at the end, or with fewer neighbours: the same trades."""
    end = START + 90 * MINUTE
    polled, once = random_market(7, listings(8), START), random_market(7, listings(8), START)
    alone = random_market(7, listings(2), START)
    dice = random.Random(1)
    for moment in sorted(dice.randrange(START - MINUTE, end) for _ in range(200)):
        polled.tape(dice.choice(polled.listings), moment)
    for listing in once.listings:
        assert through(polled, listing, end) == through(once, listing, end)
    assert through(alone, alone.listings[1], end) == through(once, once.listings[1], end)


def test_another_seed_is_another_market() -> None:
    one, other = (through(random_market(seed, listings(1), START), LISTINGS[0], START) for seed in (1, 2))
    assert one[2] != other[2]


@pytest.mark.parametrize("listing", LISTINGS[:8], ids=lambda listing: listing.name)
def test_trades_come_in_order_with_ids_one_apart(listing: Listing) -> None:
    market = random_market(3, [listing], START)
    tape = market.tape(listing, START + 60 * MINUTE)
    trades = tape.slice(0, len(tape))
    assert set(np.diff(trades.ids).tolist()) == {1}
    assert trades.ids[0] >= 100_000_000
    assert np.diff(trades.times).min() >= 0
    assert (np.diff(trades.times) == 0).any()  # some share a millisecond
    assert trades.prices.min() > 0
    assert trades.sizes.min() > 0
    assert set(trades.buys.tolist()) == {0, 1}
    assert trades.times[0] >= START - HISTORY * MINUTE


def test_active_markets_trade_about_as_often_as_the_table_says() -> None:
    for listing in (LISTINGS[0], LISTINGS[4]):
        tape = random_market(5, [listing], START).tape(listing, START)
        assert 0.9 < tape.before(START) / HISTORY / (1.24 * listing.temper.rate) < 1.1


def test_the_quiet_market_is_silent_for_many_minutes_at_times() -> None:
    quiet = LISTINGS[5]
    for seed in range(10):
        trades = next_hours(seed, quiet, 24)
        assert np.diff(trades.times).max() > 10 * MINUTE


def test_the_bursty_market_has_three_bursts_an_hour_of_a_thousand_trades_a_second() -> None:
    trades = next_hours(11, LISTINGS[2], 4)
    seconds = np.bincount((trades.times - START) // 1000)
    peaks = np.convolve(seconds, [1, 1])  # a burst may straddle a second's border
    crowded = np.flatnonzero(peaks > 900)
    assert len([here for before, here in pairwise([-10, *crowded.tolist()]) if here - before > 5]) == 12


def next_hours(seed: int, listing: Listing, hours: int) -> Trades:
    """The trades of some hours from the start."""
    batches = list(trades_of(seed, listing, START, START + hours * 60 * MINUTE))
    return Trades(*(np.concatenate(columns) for columns in zip(*batches, strict=True)))


def test_trading_ends_after_its_length() -> None:
    market = random_market(7, listings(4), START, length=30)
    longer = random_market(7, listings(4), START, length=45)
    for listing in market.listings:
        end = START + 30 * MINUTE
        tape = market.tape(listing, START + 500 * MINUTE)
        assert tape.through(START + 500 * MINUTE) == tape.before(end)
        assert tape.slice(0, len(tape)).ids.tolist() == through(longer, listing, end - 1)[0]


def crossings(closes: list[int]) -> int:
    """How often Wilder's RSI(14) leaves oversold upwards or overbought downwards."""
    steps = [later - earlier for earlier, later in pairwise(closes)]
    gain = sum(max(step, 0) for step in steps[:14]) / 14
    loss = sum(max(-step, 0) for step in steps[:14]) / 14
    values = []
    for step in steps[14:]:
        gain, loss = (gain * 13 + max(step, 0)) / 14, (loss * 13 + max(-step, 0)) / 14
        values.append(100 * gain / (gain + loss))
    return sum(before < 30 <= here or before > 70 >= here for before, here in pairwise(values))


def test_on_every_seed_each_active_market_leaves_its_extremes_regularly() -> None:
    """Over 50 seeds: a crossing every 20 to 30 minutes on average, and no 500 minutes with fewer than 10."""
    active = [one for one in LISTINGS[:8] if one.temper.rate >= 1]
    counts = []
    for seed in range(50):
        market = random_market(seed, active, START)
        for listing in active:
            tape = market.tape(listing, START)
            made = bars(tape, listing, START - HISTORY * MINUTE, START - MINUTE, MINUTE, START)
            counts.append(crossings([bar.close for bar in made]))
    assert min(counts) >= 10
    assert 20 < HISTORY * len(counts) / sum(counts) < 30


def test_a_stop_of_one_percent_or_a_target_of_two_is_met_within_hours() -> None:
    """From any minute, a long position is stopped or reaches its target within five hours, mostly within one."""
    waits = []
    for listing in (LISTINGS[0], LISTINGS[1], LISTINGS[3]):
        market = random_market(9, [listing], START)
        made = bars(market.tape(listing, START), listing, START - HISTORY * MINUTE, START - MINUTE, MINUTE, START)
        for entered in range(0, 200, 10):
            price = made[entered].close
            later = enumerate(made[entered + 1 :], start=1)
            waits.append(next(wait for wait, bar in later if bar.low < price * 0.99 or bar.high > price * 1.02))
    assert max(waits) < 300
    assert sorted(waits)[len(waits) // 2] < 60


def test_a_quote_surrounds_the_last_price_and_flickers_where_nothing_trades() -> None:
    quiet = LISTINGS[5]
    market = random_market(7, [quiet], START)
    tape = market.tape(quiet, START)
    last = int(tape.slice(tape.through(START) - 1, tape.through(START)).prices[0])
    quotes = [market.quote(quiet, START + moment) for moment in range(0, 4000, 200)]
    assert len(set(quotes)) == len(quotes)
    for quote in quotes:
        assert quote is not None
        assert quote.bid.price < quote.ask.price
        assert last in {quote.bid.price, quote.ask.price}
    assert market.quote(quiet, START - HISTORY * MINUTE - 1) is None
