"""Ids tell what is known; holes tell what is not."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.continuity import Continuity, Hole
from schemas.market import Gap


@given(st.lists(st.integers(0, 60)))
def test_every_id_of_a_hole_is_admitted_exactly_once(ids):
    """In any order, with any repetition: those of the hole once, those below it never, those above it while they rise."""
    seen = Continuity(last_id=50)
    seen.open(Gap(20, 40, 0, 10, "lost"), 0)
    admitted = [trade_id for trade_id in ids if seen.admit(trade_id)]

    inside = [trade_id for trade_id in admitted if trade_id <= 50]
    assert sorted(inside) == sorted({trade_id for trade_id in ids if 20 < trade_id < 40})
    above = [trade_id for trade_id in admitted if trade_id > 50]
    assert above == sorted(set(above))


def test_a_gap_without_ids_marks_times_alone():
    """A venue that does not count its trades still has gaps in time."""
    seen = Continuity(last_id=7)
    seen.open(Gap(7, 8, 60_000, 60_000, "silent"), 0)

    assert [seen.touches(at) for at in (0, 60_000, 120_000)] == [False, True, False]
    assert not seen.admit(7)


def test_only_so_many_holes_are_kept():
    """Endless gaps do not make the state endless: the oldest are given up."""
    seen = Continuity(last_id=10_000)
    for at in range(200):
        seen.open(Gap(at * 10, at * 10 + 9, at, at + 1, "lost"), 0)

    assert len(seen.holes) == 64
    assert seen.holes[0] == Hole(1360, 1369, 136, 137)
