"""The market clock runs at its speed, stands when told, and never jumps."""

import pytest

from infra.simulated.clock import ClockState, MarketClock


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def test_market_time_is_the_start_and_speed_times_what_elapsed(seconds: Seconds) -> None:
    clock = MarketClock(1_000_000, 60.0, monotonic=seconds)
    seconds.now += 1.5
    assert clock.now_ms() == 1_000_000 + 90_000


def test_a_held_clock_stands_until_it_is_released(seconds: Seconds) -> None:
    clock = MarketClock(1_000_000, 60.0, ClockState.HOLD, seconds)
    seconds.now += 5
    assert clock.now_ms() == 1_000_000
    clock.release()
    seconds.now += 1
    assert (clock.now_ms(), clock.state) == (1_060_000, ClockState.RUN)


def test_a_change_of_speed_goes_on_from_the_same_time(seconds: Seconds) -> None:
    clock = MarketClock(0, 10.0, monotonic=seconds)
    seconds.now += 2
    clock.set_speed(1.0)
    seconds.now += 2
    assert clock.now_ms() == 22_000


def test_a_paused_clock_is_not_released_by_a_subscriber_but_runs_on_when_told(seconds: Seconds) -> None:
    clock = MarketClock(0, 10.0, ClockState.HOLD, seconds)
    clock.set_state(ClockState.PAUSE)
    clock.release()
    seconds.now += 2
    assert clock.now_ms() == 0
    clock.set_state(ClockState.RUN)
    seconds.now += 2
    assert clock.now_ms() == 20_000


def test_a_stopped_clock_stays_stopped(seconds: Seconds) -> None:
    clock = MarketClock(0, 10.0, monotonic=seconds)
    seconds.now += 1
    clock.set_state(ClockState.STOP)
    seconds.now += 1
    assert clock.now_ms() == 10_000
    with pytest.raises(ValueError, match="stopped"):
        clock.set_state(ClockState.RUN)


def test_a_speed_of_nothing_is_refused(seconds: Seconds) -> None:
    with pytest.raises(ValueError, match="above 0"):
        MarketClock(0, 1.0, monotonic=seconds).set_speed(0)
