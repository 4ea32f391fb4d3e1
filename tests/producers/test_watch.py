"""When REST is asked for the newest trades."""

from itertools import pairwise

from producers.dialect import Ids
from producers.watch import MINUTE, VERIFY_S, Watch
from tests.producers.tape import START


def test_trades_whose_ids_do_not_count_are_verified_every_four_seconds():
    watch = Watch(Ids.RISING, 100, 0)
    assert not watch.due(START, 50.0)
    watch.unconfirmed = 1
    assert watch.due(START, 50.0)
    watch.asked(50.0)
    watch.answered(50.2, failed=False)
    watch.unconfirmed = 1
    assert not watch.due(START, 50.0 + VERIFY_S - 0.1)
    assert watch.due(START, 50.0 + VERIFY_S)


def test_half_of_what_rest_reaches_is_verified_at_once():
    watch = Watch(Ids.NAMED, 60, 0)
    watch.asked(10.0)
    watch.answered(10.1, failed=False)
    watch.unconfirmed = 29
    assert not watch.due(START, 10.2)
    watch.unconfirmed = 30
    assert watch.full()
    assert watch.due(START, 10.2)


def test_trades_whose_ids_count_need_no_verification():
    watch = Watch(Ids.CONSECUTIVE, 60, 0)
    watch.unconfirmed = 1_000
    assert not watch.full()
    assert not watch.due(START, 50.0)


def test_a_minute_that_has_ended_is_confirmed_once_a_second():
    watch = Watch(Ids.CONSECUTIVE, 60, 0)
    watch.see(START + MINUTE + 999, 1.0)
    assert not watch.due(START, 1.0)
    watch.see(START + MINUTE + 1_000, 1.1)
    assert watch.due(START, 1.1)
    assert not watch.due(START + MINUTE, 1.1)
    watch.asked(1.1)
    assert not watch.due(START, 9.0)
    watch.answered(1.5, failed=False)
    assert not watch.due(START, 2.0)
    assert watch.due(START, 2.2)


def test_a_venue_that_says_nothing_has_a_clock_that_runs_on():
    watch = Watch(Ids.CONSECUTIVE, 60, 0)
    watch.see(START + 30_000, 0.0)
    assert not watch.due(START, 31.9)
    assert watch.due(START, 32.1)
    assert watch.seen(32.1) == 0
    assert watch.seen(0.9) == START + 30_000


def test_a_rest_that_fails_is_asked_less_and_less():
    watch = Watch(Ids.RISING, 60, 0)
    watch.unconfirmed = 1
    now, times = 10.0, []
    while now < 100.0:
        if watch.due(START, now):
            times.append(now)
            watch.asked(now)
            watch.answered(now, failed=True)
        now += 0.5
    waits = [later - before for before, later in pairwise(times)]
    assert waits == sorted(waits)
    assert max(waits) <= 30.5
    assert watch.failing(100.0) == 90.0
    watch.answered(100.0, failed=False)
    assert watch.failing(101.0) == 0.0
