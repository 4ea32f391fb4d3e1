"""Ids tell what is known; holes tell what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.continuity import Continuity, Hole
from schemas.market import Gap

END = 2**63 - 1
MINUTE = 60_000


def gap(after: int, before: int, reason: str = "being fetched", *, closed: bool = False) -> Gap:
    return Gap(after, before, after * 1000, before * 1000, reason, not closed)


@given(st.lists(st.integers(0, 60)))
def test_every_id_of_a_hole_is_admitted_once_in_order(ids):
    """Those of the hole once while they rise, those below it never, those above it while they rise."""
    seen = Continuity(last_id=50)
    seen.note(gap(20, 40), 0)
    admitted = [trade_id for trade_id in ids if seen.admit(trade_id)]

    for part in ([one for one in admitted if one <= 50], [one for one in admitted if one > 50]):
        assert part == sorted(set(part))
    assert all(20 < one < 40 or one > 50 for one in admitted)
    first = next((one for one in ids if 20 < one < 40), None)
    assert first is None or first in admitted


@given(st.data())
def test_whole_columns_are_known_exactly_as_one_by_one(data):
    """The short way says yes only where every id is new, and remembers the same."""
    holes = data.draw(st.lists(st.tuples(st.integers(0, 40), st.integers(2, 20)), max_size=3))
    short, long = Continuity(last_id=50), Continuity(last_id=50)
    for after, width in holes:
        short.note(gap(after, after + width), 0)
        long.note(gap(after, after + width), 0)
    for ids in data.draw(st.lists(st.lists(st.integers(0, 70), min_size=1, max_size=5, unique=True).map(sorted), max_size=6)):
        known = [hole.known for hole in short.holes], short.last_id
        if short.follow(ids[0], ids[-1]):
            assert [long.admit(one) for one in ids] == [True] * len(ids)
            assert short == long
        else:
            assert ([hole.known for hole in short.holes], short.last_id) == known
            assert [short.admit(one) for one in ids] == [long.admit(one) for one in ids]


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ([gap(20, END)], [(20, END)]),
        ([gap(20, END), gap(20, 30)], [(20, 30)]),
        ([gap(20, END), gap(20, 30), gap(20, 30, "gone")], [(20, 30)]),
        ([gap(20, END), gap(20, 30), gap(20, 30, closed=True)], []),
        ([gap(20, 30), gap(40, 45), gap(20, 30, closed=True)], [(40, 45)]),
        ([gap(20, 30), gap(25, 28, "gone"), gap(20, 30, closed=True)], [(25, 28)]),
        ([gap(20, 30, closed=True)], []),
    ],
)
def test_a_gap_is_opened_narrowed_and_closed(told, left):
    """The same `after_id` means the same gap."""
    seen = Continuity(last_id=50)
    for one in told:
        seen.note(one, 0)

    assert [(hole.after, hole.before) for hole in seen.holes] == left


def test_a_narrowed_gap_remembers_what_filled_it():
    """Trades that were told before it was narrowed are known."""
    seen = Continuity(last_id=20)
    seen.note(gap(20, END), 0)
    assert seen.admit(22)
    seen.note(gap(20, 30), 0)

    assert not seen.admit(22)
    assert seen.admit(23)


def test_a_gap_without_ids_marks_times_alone():
    """A venue that does not count its trades still has gaps in time."""
    seen = Continuity(last_id=7)
    seen.note(Gap(7, 8, 60_000, 60_000, "silent"), 0)

    assert [seen.touches(at) for at in (0, 60_000, 120_000)] == [False, True, False]
    assert not seen.admit(7)


def test_only_so_many_holes_are_kept_apart():
    """Endless gaps do not make the state endless: the oldest become one, which covers them and cannot be closed."""
    seen = Continuity(last_id=10_000)
    for at in range(200):
        seen.note(Gap(at * 10, at * 10 + 9, at * MINUTE, at * MINUTE + 1, "lost"), 0)
    for at in range(200):
        seen.note(Gap(at * 10, at * 10 + 9, at * MINUTE, at * MINUTE + 1, "lost", open=False), 0)

    assert seen.holes == [Hole(0, 1369, 0, 136 * MINUTE + 1, 0, lasting=True)]
    assert [seen.touches(at * MINUTE) for at in (0, 100, 136, 137)] == [True, True, True, False]
    assert seen.admit(1364)
