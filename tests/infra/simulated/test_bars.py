"""Bars say what their trades say, to the last digit."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.simulated.bars import DAY, MINUTE, Bar, DayStatistics, bar_of, bars, joined
from infra.simulated.listing import LISTINGS
from infra.simulated.tape import Tape, Trades

SPOT, INVERSE = LISTINGS[0], LISTINGS[4]
ROWS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 10**7), st.integers(1, 10**12)), min_size=1, max_size=60)


def trades(rows: list[tuple[int, int, int]], start: int = 0) -> Trades:
    steps, prices, sizes = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    ids = np.arange(len(rows), dtype=np.int64)
    return Trades(ids, start + np.cumsum(steps), prices, sizes, np.ones(len(rows), dtype=np.int64))


@given(ROWS)
def test_a_bar_is_exact_where_sixty_four_bits_would_overflow(rows: list[tuple[int, int, int]]) -> None:
    prices, sizes = [row[1] for row in rows], [row[2] for row in rows]
    bar = bar_of(trades(rows), INVERSE, 5)
    assert bar[:7] == (
        5,
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        sum(sizes),
        sum(price * size for price, size in zip(prices, sizes, strict=True)),
    )
    exact = sum(Fraction(size, price) for price, size in zip(prices, sizes, strict=True))
    assert bar.inverse == pytest.approx(float(exact))


@given(ROWS, st.integers(0, 20 * MINUTE))
def test_bars_are_those_of_a_loop_over_trades(rows: list[tuple[int, int, int]], now: int) -> None:
    """Also at a moment in the middle of a bar, and with minutes in which nothing was traded."""
    tape = Tape()
    tape.append(trades(rows))
    times = np.cumsum([row[0] for row in rows]).tolist()
    expected, last = [], None
    for open_time in range(0, min(19 * MINUTE, now) + 1, MINUTE):
        inside = [row for time, row in zip(times, rows, strict=True) if open_time <= time < open_time + MINUTE and time <= now]
        if inside:
            prices = [row[1] for row in inside]
            last = prices[-1]
            expected.append((open_time, prices[0], max(prices), min(prices), last, sum(row[2] for row in inside)))
        elif last is not None:
            expected.append((open_time, last, last, last, last, 0))
    made = bars(tape, SPOT, 0, 19 * MINUTE, MINUTE, now)
    assert [bar[:6] for bar in made] == expected


@given(ROWS, st.integers(1, 59))
def test_bars_that_follow_each_other_join_to_the_bar_over_both(rows: list[tuple[int, int, int]], cut: int) -> None:
    if cut >= len(rows):
        return
    whole, older, newer = (bar_of(trades(part), SPOT, 0) for part in (rows, rows[:cut], rows[cut:]))
    assert joined(older, newer) == whole


def test_day_statistics_forget_what_is_a_day_old() -> None:
    """Asked minute after minute, or all at once: the same figures, of the last 24 hours alone."""
    rows = [(30_000, 1000 + number % 700, 1 + number % 13) for number in range(3200)]
    tape = Tape()
    tape.append(trades(rows))
    asked = DayStatistics(SPOT)
    assert asked.at(tape, 10_000) is None
    for now in range(25_000, 3200 * 30_000, 3_333_333):
        begun = tape.before(now // MINUTE * MINUTE - DAY)
        expected = bar_of(tape.slice(begun, tape.through(now)), SPOT, 0) if tape.through(now) else None
        bar = asked.at(tape, now)
        assert (bar and bar[1:]) == (expected and expected[1:])
    assert isinstance(bar, Bar)
