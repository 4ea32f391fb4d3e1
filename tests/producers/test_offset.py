"""How far a venue's clock is behind ours."""

from hypothesis import given
from hypothesis import strategies as st

from producers.offset import WINDOW_S, Offset


def test_nothing_is_known_before_anything_is_heard():
    assert Offset().ms is None


def test_rest_tells_it_less_half_of_the_way_there_and_back():
    offset = Offset()
    offset.asked(time=10_000, sent=12_000, received=12_200)
    assert offset.ms == 2_100


@given(st.integers(-10_000, 10_000), st.lists(st.tuples(st.integers(0, 900), st.floats(0, WINDOW_S)), min_size=1))
def test_the_message_that_came_fastest_is_the_closest_bound(offset, told):
    one = Offset()
    for way, now in told:
        one.seen(time=50_000, received=50_000 + offset + way, now=now)
    assert one.ms == offset + min(way for way, _ in told)


def test_what_was_long_ago_is_forgotten_as_clocks_drift():
    one = Offset()
    one.seen(0, 10, 0.0)
    one.seen(0, 50, WINDOW_S + 1)
    assert one.ms == 10
    one.seen(0, 60, 2 * WINDOW_S + 2)
    assert one.ms == 50


def test_the_smaller_bound_counts():
    one = Offset()
    one.asked(0, 100, 140)
    one.seen(0, 150, 0.0)
    assert one.ms == 120
    one.seen(0, 90, 1.0)
    assert one.ms == 90
