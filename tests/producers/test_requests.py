"""Subscriptions: paced, acknowledged, refused by name, asked for again, and never in one another's way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from producers.dialect import Acknowledged, Channel, Kind, Limits, Message, Refused
from producers.requests import ACKNOWLEDGE_S, DOUBT_S, FIRST_RETRY_S, LONGEST_RETRY_S, Answer, Refusals, Requests
from tests.producers.toy import Toy, asked

QUICK = Limits(channels=1000, messages_per_s=float("inf"), connects_per_minute=60)


def channels(count: int) -> list[Channel]:
    return [Channel(Kind.TRADES, f"M{number}") for number in range(count)]


def requests(count: int = 4, refusals: Refusals | None = None, **different) -> Requests:
    return Requests(Toy(limits=QUICK, **different), channels(count), refusals or Refusals(), 0.0)


def names(said: tuple[list[Message], tuple[Channel, ...]]) -> list[list[str]]:
    return [[name.removeprefix("trades:") for name in asked(message.text)] for message in said[0]]


def test_everything_is_asked_for_behind_the_greeting_at_the_venue_s_pace():
    greeting = Message("hello", 1)
    slow = structs.replace(QUICK, messages_per_s=2.0)
    one = Requests(Toy(limits=slow, parts=2, said_first=(greeting,)), channels(4), Refusals(), 0.0)
    said = [(now / 10, message) for now in range(20) for message in one.due(now / 10)[0]]
    assert [(now, message.text if message is greeting else asked(message.text)) for now, message in said] == [
        (0.0, "hello"),
        (0.5, ["trades:M0", "trades:M1"]),
        (1.0, ["trades:M2", "trades:M3"]),
    ]
    assert [message.request for _, message in said] == [1, 2, 3]


def test_a_pause_gives_no_right_to_a_burst():
    slow = structs.replace(QUICK, messages_per_s=1.0)
    one = Requests(Toy(limits=slow, parts=1), channels(5), Refusals(), 0.0)
    assert [len(one.due(now)[0]) for now in (0.0, 10.0, 10.9, 11.0)] == [1, 1, 0, 1]


def test_an_acknowledged_request_grants_all_of_its_channels():
    one = requests(parts=2)
    one.due(0.0)
    assert one.acknowledged(Acknowledged(request=2)) == Answer(tuple(channels(4)[2:]))
    assert not one.settled
    assert one.acknowledged(Acknowledged(request=1)) == Answer(tuple(channels(4)[:2]))
    assert one.settled


def test_channels_are_acknowledged_one_by_one_where_the_venue_names_them():
    one = requests(2)
    one.due(0.0)
    first, second = channels(2)
    assert one.acknowledged(Acknowledged(channels=(second,))) == Answer((second,))
    assert not one.settled
    assert one.acknowledged(Acknowledged(channels=(first,))) == Answer((first,))
    assert one.settled
    assert one.acknowledged(Acknowledged(channels=(first,))) == Answer()


def test_what_a_venue_leaves_out_of_its_acknowledgement_is_refused():
    one = requests(3)
    one.due(0.0)
    answer = one.acknowledged(Acknowledged(request=1, channels=(channels(3)[0], channels(3)[2])))
    assert answer.granted == (channels(3)[0], channels(3)[2])
    assert (answer.refused, answer.code) == ((channels(3)[1],), "missing")
    assert one.settled


def test_an_acknowledgement_of_what_was_never_asked_for_grants_nothing():
    one = requests(1)
    one.due(0.0)
    assert one.acknowledged(Acknowledged(request=7)) == Answer()
    assert one.acknowledged(Acknowledged(channels=(Channel(Kind.BOOK, "X"),))) == Answer()


@given(st.integers(1, 40), st.data())
def test_whichever_channels_are_broken_they_alone_are_refused_though_the_venue_refuses_whole_requests(count, data):
    broken = data.draw(st.sets(st.integers(0, count - 1), max_size=5))
    numbered = data.draw(st.booleans())
    one, refused, granted, now = requests(count), set(), set(), 0.0
    for _ in range(400):
        now += 0.1
        for message in one.due(now)[0]:
            number = message.request if numbered else None
            if any(f"trades:M{at}" in asked(message.text) for at in broken):
                answer = one.refused(Refused("400", "no such market", request=number))
            else:
                answer = one.acknowledged(Acknowledged(request=message.request))
            refused.update(answer.refused)
            granted.update(answer.granted)
    assert one.settled
    assert refused == {channels(count)[at] for at in broken}
    assert granted == one.granted == set(channels(count)) - refused


def test_a_refusal_that_names_its_channel_leaves_the_others_be():
    one = requests(3)
    one.due(0.0)
    bad = channels(3)[1]
    assert one.refused(Refused("60018", "does not exist", channels=(bad,))) == Answer((), (bad,), "60018", "does not exist")
    assert one.acknowledged(Acknowledged(request=1)).granted == (channels(3)[0], channels(3)[2])


def test_a_refusal_of_nobody_knows_what_is_said_to_be_that():
    one = requests(1)
    one.due(0.0)
    one.acknowledged(Acknowledged(request=1))
    assert one.refused(Refused("1", "too much")).unknown
    assert one.granted == set(channels(1))


def test_what_is_not_answered_is_asked_for_once_again_and_then_refused_if_others_were_granted():
    one = requests(2, parts=1)
    one.due(0.0)
    one.acknowledged(Acknowledged(request=1))
    assert one.overdue(ACKNOWLEDGE_S) == Answer((), (), "not acknowledged", "no answer within 5 s, twice")
    assert one.due(ACKNOWLEDGE_S)[0] == []
    late = ACKNOWLEDGE_S + 0.1
    assert one.overdue(late).refused == ()
    assert names(one.due(late)) == [["M1"]]
    assert one.overdue(late + ACKNOWLEDGE_S - 0.1).refused == ()
    assert one.overdue(late + ACKNOWLEDGE_S + 0.1).refused == (channels(2)[1],)
    assert one.settled


def test_a_venue_that_answers_nothing_at_all_is_left():
    one = requests(2)
    one.due(0.0)
    assert one.overdue(5.1) is not None
    one.due(5.1)
    assert one.overdue(10.3) is None


def test_answers_that_we_do_not_read_are_not_overdue():
    one = requests(2)
    one.due(0.0)
    one.unread(100.0)
    assert one.overdue(104.0) is not None
    assert one.due(104.0)[0] == []


def test_what_was_refused_is_asked_for_again_by_itself_at_growing_intervals_across_connections():
    refusals, now, waits = Refusals(), 0.0, []
    good, bad = channels(2)
    for _ in range(12):
        one = Requests(Toy(limits=QUICK), (good, bad), refusals, now)
        (said,), _ = one.due(now)
        one.acknowledged(Acknowledged(channels=(good,)))
        while bad not in said.channels:
            now += 1.0
            one.retry(now)
            said = next(iter(one.due(now)[0]), said)
        assert one.refused(Refused("1", "no", channels=(bad,))).refused == (bad,)
        assert now == sum(waits)
        waits.append(refusals.refused(bad, now))
    assert waits[:3] == [FIRST_RETRY_S, 2 * FIRST_RETRY_S, 4 * FIRST_RETRY_S]
    assert waits[-1] == LONGEST_RETRY_S


def test_a_channel_that_is_granted_at_last_is_forgotten_as_refused():
    refusals = Refusals()
    bad = channels(1)[0]
    for _ in range(3):
        refusals.refused(bad, 0.0)
    assert refusals.waiting(39.0) == {bad}
    one = Requests(Toy(limits=QUICK), channels(1), refusals, 41.0)
    one.due(41.0)
    one.acknowledged(Acknowledged(request=1))
    assert refusals.refused(bad, 50.0) == FIRST_RETRY_S


def test_where_the_venue_acknowledges_nothing_to_ask_is_enough():
    one = requests(2, acknowledges=False)
    said, granted = one.due(0.0)
    assert granted == said[0].channels == tuple(channels(2))
    assert not one.settled
    assert one.overdue(DOUBT_S + 0.1) == Answer()
    assert one.settled


def test_where_the_venue_acknowledges_nothing_a_refusal_is_of_what_was_asked_for_just_now():
    one = requests(4, acknowledges=False)
    one.due(0.0)
    one.refused(Refused("NO_CODES", "no such market"))
    assert one.granted == set()
    assert names(one.due(0.1)) == [["M0", "M1"]]
    assert names(one.due(1.0)) == []
    assert names(one.due(0.2 + DOUBT_S)) == [["M2", "M3"]]
    one.overdue(1.0 + 2 * DOUBT_S)
    assert one.granted == set(channels(4))


def test_where_requests_replace_one_another_each_names_all_that_is_held():
    one = requests(4, acknowledges=False, replaces=True)
    one.due(0.0)
    one.overdue(3.0)
    one.anew(channels(4)[:1])
    assert names(one.due(3.0)) == [["M1", "M2", "M3"], ["M1", "M2", "M3", "M0"]]
    assert one.granted == set(channels(4))


def test_to_ask_anew_is_to_give_up_first():
    one = requests(2)
    one.due(0.0)
    one.acknowledged(Acknowledged(request=1))
    one.anew(channels(2)[1:])
    give_up, ask = one.due(1.0)[0]
    assert (give_up.text, give_up.channels) == ('{"unsubscribe": ["trades:M1"], "id": 2}', ())
    assert ask.channels == (channels(2)[1],)
    assert one.granted == set(channels(2)[:1])
    assert one.acknowledged(Acknowledged(request=2)) == Answer()
    assert one.acknowledged(Acknowledged(request=3)).granted == (channels(2)[1],)


def test_a_channel_that_comes_with_another_s_stream_is_granted_without_a_request(monkeypatch: pytest.MonkeyPatch):
    dialect = Toy(limits=QUICK)
    monkeypatch.setattr(dialect, "subscribe", lambda wanted, held, request: ())
    one = Requests(dialect, channels(1), Refusals(), 0.0)
    assert one.due(0.0) == ([], tuple(channels(1)))
    assert one.settled
