"""A tape keeps every trade in order and finds them by time and by id."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.simulated.tape import Tape, Trades


def trades(ids: list[int], times: list[int]) -> Trades:
    ones = np.ones(len(ids), dtype=np.int64)
    return Trades(np.array(ids, dtype=np.int64), np.array(times, dtype=np.int64), ones, ones, ones)


@given(st.lists(st.lists(st.integers(0, 50), max_size=700), max_size=5), st.integers(-1, 5000))
def test_positions_are_those_of_a_plain_list(batches: list[list[int]], time: int) -> None:
    """Whatever the batches, before and through count as a loop over all trades would."""
    tape, all_times = Tape(), list[int]()
    for steps in batches:
        times = (np.cumsum(steps) + (all_times[-1] if all_times else 0)).astype(int).tolist()
        tape.append(trades(list(range(len(all_times), len(all_times) + len(times))), times))
        all_times += times
    assert len(tape) == len(all_times)
    assert tape.slice(0, len(tape)).times.tolist() == all_times
    assert tape.before(time) == sum(one < time for one in all_times)
    assert tape.through(time) == sum(one <= time for one in all_times)


def test_ids_need_not_follow_each_other_to_be_found() -> None:
    tape = Tape()
    tape.append(trades([5, 8, 9], [1, 1, 2]))
    assert [tape.position(trade_id) for trade_id in (1, 5, 6, 8, 9, 10)] == [0, 0, 1, 1, 2, 3]


@pytest.mark.parametrize(("ids", "times"), [([4], [9]), ([3], [10]), ([4, 4], [10, 10]), ([5, 4], [10, 10])])
def test_trades_that_run_backwards_are_refused(ids: list[int], times: list[int]) -> None:
    tape = Tape()
    tape.append(trades([3], [10]))
    with pytest.raises(ValueError, match="order"):
        tape.append(trades(ids, times))
