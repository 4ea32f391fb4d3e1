"""After failures in a row nobody asks for a while, then one asks for all."""

from producers.breaker import FAILURES, Breaker


def broken() -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES):
        assert breaker.wait(0.0) == 0.0
        breaker.failed(0.0)
    return breaker


def test_failures_that_are_not_in_a_row_change_nothing():
    """An answer in between begins the count anew."""
    breaker = Breaker()
    for _ in range(3 * FAILURES):
        breaker.failed(0.0)
        breaker.succeeded()
    breaker.failed(0.0)
    assert breaker.wait(0.0) == 0.0


def test_after_a_pause_one_alone_may_try():
    """The others wait for what comes of it."""
    breaker = broken()
    assert breaker.wait(0.2) == 0.3
    assert breaker.wait(0.5) == 0.0
    assert breaker.wait(0.5) > 0.0
    breaker.succeeded()
    assert breaker.wait(0.5) == 0.0


def test_the_pause_doubles_up_to_ten_seconds():
    """However long the other side is away, it is noticed ten seconds after it has come back."""
    breaker, now, pauses = broken(), 0.0, []
    for _ in range(7):
        pauses.append(breaker.wait(now))
        now += pauses[-1]
        assert breaker.wait(now) == 0.0
        breaker.failed(now)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_one_who_gave_up_leaves_the_trial_to_the_next():
    """A cancelled request says nothing of the other side."""
    breaker = broken()
    assert breaker.wait(1.0) == 0.0
    breaker.gave_up()
    assert breaker.wait(1.0) == 0.0


def test_those_who_were_on_their_way_when_it_broke_do_not_prolong_the_pause():
    """Only the one who tries does."""
    breaker = broken()
    breaker.failed(0.4)
    assert breaker.wait(0.5) == 0.0
