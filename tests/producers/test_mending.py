"""Which holes are asked for, when, and which may be published."""

from msgspec import structs

from producers.dialect import Ids, Trade
from producers.gaps import Hole
from producers.mending import AGAIN_S, JOIN_S, PATIENCE_S, REORDER_S, Mending
from producers.outcome import BEING_FETCHED, NOTHING, OPEN_END, Repair, Repaired, Unfinished
from schemas.market import Gap
from tests.producers.tape import START, trade, trades


def hole(after: int, before: int | None, opened: float = 0.0) -> Hole:
    made = Hole(after, trade(after), trade(after).time, opened)
    if before is not None:
        made.narrow(before, trade(before))
    return made


def mending(*holes: Hole, ids: Ids = Ids.CONSECUTIVE) -> Mending:
    made = Mending(ids, fresh=False)
    made.joined = 0.0
    for one in holes:
        made.add(one)
    return made


def wanted(one: Mending, now: float, floor: Trade | None = None) -> Repair | None:
    return one.wanted("BTC-USDT", now, START, floor)


def edges(repair: Repair | None) -> tuple[int | None, int | None] | None:
    return None if repair is None else (repair.after and repair.after.id, repair.before and repair.before.id)


def test_a_hole_is_asked_for_when_overtaken_trades_had_time_to_come():
    one = mending(hole(10, 20))
    assert wanted(one, REORDER_S - 0.01) is None
    assert edges(wanted(one, REORDER_S)) == (10, 20)
    assert wanted(one, 99.0) is None


def test_an_open_end_is_asked_for_when_a_new_subscription_stays_quiet():
    one = mending(hole(10, None))
    assert wanted(one, JOIN_S - 0.01) is None
    assert edges(wanted(one, JOIN_S)) == (10, None)
    lost = mending(hole(10, None))
    lost.joined = None
    assert wanted(lost, 99.0) is None


def test_holes_close_to_each_other_are_one_question():
    one = mending(hole(10, 20), hole(30, 40), hole(90_000, 90_010))
    assert edges(wanted(one, 1.0)) == (10, 40)


def test_where_ids_do_not_count_it_goes_back_to_what_was_confirmed():
    """What was lost before the hole comes first."""
    assert edges(wanted(mending(hole(10, 20), ids=Ids.RISING), 1.0, trade(4))) == (4, 20)
    assert edges(wanted(mending(hole(10, 20), ids=Ids.RISING), 1.0, trade(12))) == (10, 20)


def test_a_failing_rest_is_asked_ever_more_slowly_and_blocks_for_a_minute():
    one = mending(hole(10, 20))
    now, times, given_up = 1.0, [], []
    while now < PATIENCE_S + 60.0:
        repair = wanted(one, now)
        if repair is not None:
            times.append(now)
            failed = Repaired(repair, bottom=False, failure="no answer", again=True)
            given_up += [(each.reason, now) for each in one.answered(failed, (), now)]
        now += 0.25
    assert times[1] - times[0] == 2 * AGAIN_S
    assert times[3] - times[2] > times[2] - times[1]
    ((reason, at),) = given_up
    assert reason == "no answer"
    assert at > PATIENCE_S
    assert one.blocked is None
    assert one.holes


def test_what_is_done_waits_for_what_is_below_it_unless_that_was_given_up():
    first, second = hole(10, 20), hole(30, 32)
    one = mending(first, second)
    second.take([trade(31)])
    one.complete(second)
    assert second.done
    assert one.ready() == []
    first.reason = "no answer"
    assert one.ready() == [second]
    assert one.holes == [first]


def test_an_answer_without_anything_closes_no_open_end():
    one = mending(hole(10, None))
    repair = wanted(one, JOIN_S)
    assert repair is not None
    list(one.answered(Repaired(repair, bottom=False, failure="no answer", again=True), (), 2.0))
    assert one.ready() == []


def test_answers_that_do_not_meet_leave_what_is_between_them():
    """The first was cut off when the connection was lost; the second does not reach back to it."""
    one = mending(hole(10, None), ids=Ids.RISING)
    repair = wanted(one, JOIN_S)
    assert repair is not None
    one.joined = None
    list(one.answered(Repaired(repair), trades(10, 14), 2.0))
    assert one.ready() == []
    one.joined = 3.0
    one.holes[0].narrow(30, trade(30))
    repair = wanted(one, 9.0)
    assert repair is not None
    list(one.answered(Repaired(repair, bottom=False, failure="no further"), trades(20, 31), 9.5))
    (done,) = one.ready()
    assert [(gap.after_id, gap.before_id, gap.reason) for gap in done.missing] == [(14, 20, "no further")]


def test_a_gap_within_another_is_not_fetched_twice():
    """A process died while it put one in the other's place."""
    outer = Gap(10, 20, trade(10).time, trade(20).time + 1, BEING_FETCHED)
    inner = structs.replace(outer, after_id=13)
    one = mending()
    for gap in (outer, inner):
        one.resume(Unfinished(gap), trade(25), 0.0)
    assert [each.after for each in one.holes] == [10]
    assert one.take_orphans() == [inner]
    assert one.take_orphans() == []


def test_a_gap_that_ends_above_everything_known_has_an_open_end_again():
    one = mending()
    one.resume(Unfinished(Gap(NOTHING, 15, START, START + 1, BEING_FETCHED)), None, 0.0)
    assert one.open_end is not None
    assert (one.open_end.after, one.open_end.before, one.open_end.left) == (NOTHING, OPEN_END, None)


def test_what_was_given_up_is_taken_back_only_as_a_whole():
    one = mending(ids=Ids.RISING)
    one.give_up(Gap(10, 20, START, START + 1, "gone"))
    assert one.gave_up(15)
    assert not one.take_back(15, reached=12)
    assert one.take_back(15, reached=10)
    assert not one.gave_up(15)
    assert one.take_back(25, reached=22)
