"""How quiet a stream may be before the venue is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.silence import ASK_AGAIN_S, DOUBT_S, LEAST_S, MOST_S, UNLEARNED_S, Silence


def _learned(interval: float, count: int = 200) -> tuple[Silence, float]:
    silence, now = Silence(0.0), 0.0
    for _ in range(count):
        now += interval
        silence.arrived(now)
    return silence, now


def test_before_anything_is_learned_ten_seconds_are_waited():
    silence = Silence(0.0)
    assert not silence.ask(UNLEARNED_S)
    assert silence.ask(UNLEARNED_S + 0.1)


def test_ten_times_the_usual_interval_is_suspicious():
    silence, now = _learned(1.0)
    assert not silence.ask(now + 9.9)
    assert silence.ask(now + 10.1)
    assert silence.suspected


def test_a_fast_stream_is_given_three_seconds_and_a_slow_one_a_minute():
    fast, slow = _learned(0.01)[0], _learned(100.0)[0]
    assert (fast.limit, slow.limit) == (LEAST_S, MOST_S)


def test_the_rate_is_forgotten_and_learned_anew():
    """A market that slows down is not suspected for ever."""
    silence, now = _learned(0.1)
    for _ in range(100):
        now += 3.0
        silence.arrived(now)
    assert 29.0 < silence.limit <= 30.0


def test_trades_end_a_suspicion():
    silence, now = _learned(1.0)
    assert silence.ask(now + 11)
    silence.arrived(now + 12)
    assert not silence.suspected
    assert not silence.ask(now + 13)


def test_a_confirmation_that_nobody_needed_leaves_a_silence_that_has_just_begun_alone():
    silence, now = _learned(1.0)
    silence.confirmed(now + 8)
    assert not silence.ask(now + 9)
    assert silence.ask(now + 11)


def test_a_confirmation_doubles_the_patience_until_trades_come():
    silence, now = _learned(1.0)
    silence.ask(now + 11)
    silence.confirmed(now + 11)
    assert not silence.suspected
    assert not silence.ask(now + 30)
    assert silence.ask(now + 32)
    silence.arrived(now + 33)
    assert silence.limit == pytest.approx(42)  # ten times what is learned now: a tenth of 33 and nine tenths of 1


def test_a_question_without_an_answer_is_repeated():
    silence, now = _learned(1.0)
    assert silence.ask(now + 11)
    assert not silence.ask(now + 12)
    assert silence.ask(now + 11 + ASK_AGAIN_S)


def test_a_trade_that_only_a_ticker_told_of_is_waited_for_and_then_asked_for():
    silence, now = _learned(1.0)
    silence.told(now + 1, known=False)
    silence.told(now + 1 + DOUBT_S, known=False)
    assert not silence.ask(now + 1 + DOUBT_S)
    assert silence.ask(now + 1.1 + DOUBT_S)


def test_a_ticker_that_knows_our_last_trade_ends_the_doubt_and_not_the_silence():
    silence, now = _learned(1.0)
    silence.told(now + 1, known=False)
    silence.told(now + 2, known=True)
    assert not silence.ask(now + 9)
    assert silence.ask(now + 11)


def test_a_new_connection_keeps_what_was_learned():
    silence, now = _learned(1.0)
    silence.restart(now + 1000)
    assert silence.limit < 11
    assert not silence.ask(now + 1009)


@given(st.lists(st.floats(0.0, 1000.0), max_size=50))
def test_the_limit_stays_within_its_bounds(intervals):
    silence, now = Silence(0.0), 0.0
    for interval in intervals:
        now += interval
        silence.arrived(now)
        assert LEAST_S <= silence.limit <= MOST_S
