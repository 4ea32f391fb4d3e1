"""What a hole holds, and what of it is missing."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.gaps import Hole
from producers.outcome import OPEN_END
from tests.producers.tape import START, trade


def hole(after: int = 10, before: int | None = 20) -> Hole:
    made = Hole(after, trade(after), trade(after).time, 0.0)
    if before is not None:
        made.narrow(before, trade(before))
    return made


def test_an_open_end_is_narrowed_and_forgets_what_lies_beyond():
    one = hole(before=None)
    assert (one.before, one.until) == (OPEN_END, OPEN_END)
    one.take([trade(12), trade(25)])
    one.narrow(20, trade(20))
    assert (one.before, one.until, list(one.found)) == (20, trade(20).time + 1, [12])


@pytest.mark.parametrize(("told", "held"), [(10, False), (11, True), (19, True), (20, False)])
def test_it_holds_what_lies_between_its_neighbours(told, held):
    assert hole().holds(trade(told)) == held


def test_a_trade_told_as_one_with_a_neighbour_is_not_part_of_it():
    assert not hole().holds(trade(12, count=3))
    assert hole().holds(trade(12, count=2))


@given(st.sets(st.integers(5, 25)))
def test_the_runs_and_what_was_found_are_all_of_it(found):
    one = hole()
    one.take(trade(number) for number in found)
    runs = [number for gap in one.runs() for number in range(gap.after_id + 1, gap.before_id)]
    assert sorted([*runs, *one.found]) == list(range(11, 20))
    for gap in one.runs():
        assert gap.since == trade(gap.after_id).time
        assert gap.until == trade(gap.before_id).time + 1


@given(st.lists(st.tuples(st.integers(5, 25), st.integers(0, 9)), max_size=5))
def test_what_rest_did_not_tell_is_named_by_the_trades_around_it(told):
    """Ids that do not count: only what was told in one piece is known to be whole."""
    one = hole()
    whole: set[int] = set()
    for low, width in told:
        one.take(trade(number) for number in range(low, low + width + 1, 2))
        one.cover(low, low + width)
        whole.update(range(low, low + width))  # between two ids that one piece holds
    missing = [gap for gap in one.uncovered() if gap.before_id - gap.after_id > 1]
    steps = [number for number in range(10, 20) if number not in whole]
    for number in steps:
        inside = [gap for gap in one.uncovered() if gap.after_id <= number and number + 1 <= gap.before_id]
        assert inside or number in one.found or number + 1 in one.found
    assert bool(missing) <= bool(steps)
    assert all(before.before_id <= after.after_id or before.before_id <= after.before_id for before, after in pairwise(missing))


def test_pieces_that_share_an_id_are_one():
    one = hole()
    one.cover(10, 13)
    one.cover(15, 20)
    assert len(one.uncovered()) == 1
    one.cover(13, 15)
    assert (one.spans, one.uncovered()) == ([(10, 20)], [])


def test_of_trades_told_in_two_groupings_one_is_published():
    one = hole()
    one.take([trade(14, count=3), trade(13), trade(14)])
    assert [each.id for each in one.in_order()] == [13]
    one = hole()
    one.take([trade(13, count=2), trade(14)])
    assert [each.id for each in one.in_order()] == [13, 14]


def test_it_is_told_with_its_reason():
    one = hole()
    assert one.blocking
    one.reason = "no answer"
    assert (one.gap().reason, one.gap(open=False).open, one.blocking) == ("no answer", False, False)
    assert one.gap().since == START + 10_000
