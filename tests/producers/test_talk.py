"""Whether a connection is alive, and when another is to take over from it."""

from msgspec import structs

from producers.dialect import Acknowledged
from producers.requests import Refusals
from producers.talk import BEFORE_S, OVERLAP_AGAIN_S, OVERLAP_S, PONG_S, QUIET_S, Talk
from tests.producers.toy import START, Toy, line


def talk(now: float = 0.0, **different) -> Talk:
    dialect = Toy(**different)
    return Talk(dialect, line(dialect), Refusals(), START, now)


def pings(one: Talk, seconds: int, heard_every: int) -> list[int]:
    found = []
    for now in range(1, seconds + 1):
        if now % heard_every == 0:
            one.heard = float(now)
        if one.ping(float(now)):
            found.append(now)
    return found


def test_a_busy_connection_is_pinged_as_often_as_the_venue_wants_it():
    assert pings(talk(), 65, heard_every=1) == [20, 40, 60]


def test_a_quiet_connection_is_pinged_sooner_and_once_until_it_answers():
    one = talk()
    assert pings(one, 30, heard_every=1000) == [QUIET_S + 1]
    one.heard = 31.0
    assert one.ping(36.5)


def test_a_connection_that_does_not_answer_is_dead():
    one = talk()
    assert not one.dead(1_000.0)
    assert one.ping(6.0)
    assert not one.dead(6.0 + PONG_S)
    assert one.dead(6.1 + PONG_S)
    one.heard = 10.0
    assert not one.dead(6.1 + PONG_S)


def test_a_connection_that_we_do_not_read_is_not_dead_and_is_still_kept_alive():
    one = talk()
    one.ping(6.0)
    found = []
    for now in range(7, 70):
        one.unread(float(now))
        assert not one.dead(float(now))
        if one.ping(float(now)):
            found.append(now)
    assert found == [26, 46, 66]


def test_another_takes_over_before_the_venue_ends_the_connection():
    limits = structs.replace(Toy.limits, lifetime_s=86_400.0)
    one = talk(now=100.0, limits=limits)
    assert not one.overlap(100.0 + 86_400 - BEFORE_S - 1)
    assert one.overlap(100.0 + 86_400 - BEFORE_S)
    assert not one.overlap(100.0 + 86_400 - BEFORE_S + OVERLAP_AGAIN_S - 1)
    assert one.overlap(100.0 + 86_400 - BEFORE_S + OVERLAP_AGAIN_S)


def test_a_short_life_is_left_at_its_half():
    one = talk(limits=structs.replace(Toy.limits, lifetime_s=60.0))
    assert not one.overlap(29.0)
    assert one.overlap(30.0)


def test_a_connection_that_the_venue_never_ends_is_never_left():
    assert not talk().overlap(10.0**9)


def test_an_announced_end_is_answered_at_once():
    one = talk()
    one.closing(50.0)
    assert one.overlap(50.0)


def test_the_second_takes_over_when_it_brings_all_that_the_first_does():
    first, second = talk(), talk(now=10.0)
    for one, now in ((first, 0.0), (second, 10.0)):
        one.requests.due(now)
    first.requests.acknowledged(Acknowledged(request=1))
    assert not second.takes_over(first, 10.0 + OVERLAP_S)
    second.requests.acknowledged(Acknowledged(request=1))
    assert not second.takes_over(first, 9.9 + OVERLAP_S)
    assert second.takes_over(first, 10.0 + OVERLAP_S)
