"""Lasting faults hold for as long as they were told to, each kind by itself."""

import pytest

from infra.simulated.faults import ONCE, Fault, FaultKind, Faults


def test_a_fault_ends_by_itself_or_when_it_is_cleared() -> None:
    faults = Faults()
    silence = Fault(FaultKind.SILENCE, seconds=2.0)
    faults.begin(silence, 10.0)
    assert faults.holding(FaultKind.SILENCE, 11.9) == silence
    assert faults.left(FaultKind.SILENCE, 11.5) == pytest.approx(0.5)
    assert faults.holding(FaultKind.SILENCE, 12.0) is None
    assert faults.left(FaultKind.SILENCE, 12.5) == 0
    faults.begin(silence, 20.0)
    faults.clear()
    assert faults.holding(FaultKind.SILENCE, 20.1) is None


def test_kinds_hold_side_by_side_and_a_new_one_replaces_the_old() -> None:
    faults = Faults()
    faults.begin(Fault(FaultKind.RATE_LIMIT, seconds=60.0), 0.0)
    faults.begin(Fault(FaultKind.STALE, count=5, seconds=60.0), 0.0)
    faults.begin(Fault(FaultKind.STALE, count=9, seconds=5.0), 1.0)
    assert faults.any_of((FaultKind.SILENCE, FaultKind.RATE_LIMIT), 30.0)
    assert not faults.any_of((FaultKind.SILENCE, FaultKind.STALE), 30.0)
    stale = faults.holding(FaultKind.STALE, 5.9)
    assert stale is not None
    assert stale.count == 9


def test_what_strikes_once_is_what_does_not_last() -> None:
    assert {kind.value for kind in ONCE} == {
        "disconnect", "notice", "garbage", "binary", "huge", "skip", "duplicate", "reorder", "book_break",
    }  # fmt: skip
