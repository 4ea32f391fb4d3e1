"""Times that cannot be, and the distance between two clocks."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.times import BELIEVABLE_MS, Offset, impossible

NOW = 1_767_571_200_000


@pytest.mark.parametrize(
    ("time", "before", "word"),
    [
        (NOW, None, None),
        (0, None, "impossible time 0"),
        (-1, None, "impossible"),
        (1, None, None),
        (NOW + BELIEVABLE_MS, None, None),
        (NOW + BELIEVABLE_MS + 1, None, "after it was received"),
        (NOW - BELIEVABLE_MS, NOW, None),
        (NOW - BELIEVABLE_MS - 1, NOW, "before the trade that came before it"),
        (10**18, None, "after"),
    ],
)
def test_a_time_is_held_against_its_receipt_and_what_came_before(time, before, word):
    found = impossible(time, NOW * 1000, before)
    assert (found is None) == (word is None)
    assert word is None or word in (found or "")


def test_nothing_is_known_at_first():
    assert (Offset().ms, Offset().uncertain_ms) == (None, None)


def test_the_shortest_question_counts():
    offset = Offset()
    offset.asked(NOW - 300, NOW, NOW + 2_000)
    offset.asked(NOW - 995, NOW, NOW + 10)
    assert (offset.ms, offset.uncertain_ms) == (1_000, 5)


def test_messages_alone_tell_the_least_delay():
    offset = Offset()
    for at in range(100):
        offset.seen(NOW + at - 50 - at % 7, NOW + at, at / 10)
    assert (offset.ms, offset.uncertain_ms) == (50, None)


def test_messages_narrow_what_a_question_leaves_open():
    offset = Offset()
    offset.asked(NOW - 400, NOW, NOW + 400)  # behind by 600, 200 more or less
    offset.seen(NOW - 610, NOW, 0.0)
    assert (offset.ms, offset.uncertain_ms) == (505, 105)


def test_a_stretch_of_rubbish_does_not_move_it():
    offset = Offset()
    for at in range(1_200):
        late = -3_000_000 if 500 <= at < 560 else 40
        offset.seen(NOW - late, NOW, at / 10)
    assert offset.ms == 40


@given(st.integers(-5_000, 5_000), st.integers(0, 2**32))
def test_the_truth_lies_within_its_bounds(behind, seed):
    """Whatever ways there and back take, up to a second each."""
    offset, rng = Offset(), random.Random(seed)
    for at in range(50):
        sent = NOW + at * 1_000
        there, back = rng.randrange(1_000), rng.randrange(1_000)
        offset.asked(sent + there - behind, sent, sent + there + back)
        offset.seen(sent - behind, sent + rng.randrange(1_000), float(at))
    assert offset.ms is not None
    assert offset.uncertain_ms is not None
    assert abs(offset.ms - behind) <= offset.uncertain_ms + 1
