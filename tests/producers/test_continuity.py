"""The continuity of one instrument: live trades flow, gaps are named at once, and a watermark claims what is known."""

import pytest
from msgspec import structs

from producers.continuity import Counts, Position, Repaired, Stream
from producers.dialect import Ids, Told
from producers.gaps import ABSENT
from producers.mending import PATIENCE_S
from producers.outcome import BEING_FETCHED, NOT_RECORDED
from schemas import codec
from schemas.market import DeadLetter, Gap, Trades
from tests.producers.saying import REACH, RECEIVED, answer, arrive, asked, following, said
from tests.producers.tape import BTC, MINUTE, START, trade, trades

HOUR = 3_600_000


class TestLive:
    """What arrives is published at once."""

    def test_trades_in_order_are_one_record_of_the_burst(self):
        stream = following(trade(1))
        (record,) = stream.arrived(trades(2, 4), RECEIVED, 77, 2.0).records
        assert isinstance(record, Trades)
        assert (record.ids, record.kind, record.received, record.event_time) == ((2, 3, 4), "live", RECEIVED, 77)
        assert record.watermark == stream.watermark == trade(4).time

    def test_a_trade_that_stands_for_several_continues_from_the_first_of_them(self):
        stream = following(trade(1))
        (record,) = arrive(stream, [structs.replace(trade(4, count=3), count=3), trade(5)]).records
        assert (record.ids, record.counts) == ((4, 5), (3, 1))

    def test_a_burst_told_in_disorder_is_published_in_order(self):
        assert said(arrive(following(trade(1)), [trade(4), trade(2), trade(3)])) == [("live", (2, 3, 4))]

    @pytest.mark.parametrize("ids", [Ids.CONSECUTIVE, Ids.RISING])
    def test_known_trades_are_dropped_and_counted(self, ids):
        counts = Counts()
        stream = Stream(BTC, ids, REACH, "live", Position(trade(5), trade(5).time), counts, 0.0)
        stream.joined(START, RECEIVED, 0.0)
        arrive(stream, [trade(6)])
        assert said(arrive(stream, [trade(4), trade(5), trade(6), trade(7), trade(7)])) == [("live", (7,))]
        assert counts.duplicates == 4

    def test_a_burst_too_long_for_a_record_is_complete_with_its_last(self):
        stream = following(trade(1))
        told = [structs.replace(trade(number), time=START + 1_000 + number) for number in range(2, 900)]
        first, last = arrive(stream, told).records
        assert (len(first.ids), first.watermark, last.watermark) == (500, trade(1).time, told[-1].time)


class TestMissing:
    """A break in consecutive ids."""

    def test_it_is_told_at_once_and_nobody_waits(self):
        stream = following(trade(1))
        assert said(arrive(stream, [trade(2), trade(5), trade(6)])) == [
            ("live", (2,)),
            (BEING_FETCHED, 2, 5),
            ("live", (5, 6)),
        ]
        assert said(arrive(stream, [trade(7)])) == [("live", (7,))]
        assert stream.open_gaps == (Gap(2, 5, trade(2).time, trade(5).time + 1, BEING_FETCHED),)

    def test_the_watermark_waits_at_it_and_catches_up(self):
        stream = following(trade(1))
        arrive(stream, [trade(5)])
        stream.told(Told("BTC-USDT", START + MINUTE, trade_id=5), RECEIVED, 2.5)
        assert stream.watermark == trade(1).time
        out = stream.repaired(answer(asked(stream), 2, 4), RECEIVED, 3.0)
        assert said(out) == [("repair", (2, 3, 4)), ("closed", 1, 5), MINUTE - 100]
        assert [record.watermark - START for record in out.records] == [1_000, 1_000, MINUTE - 100]

    def test_trades_that_were_overtaken_fill_it_without_rest(self):
        stream = following(trade(1))
        arrive(stream, [trade(4)])
        assert said(arrive(stream, [trade(3)])) == []
        assert said(arrive(stream, [trade(2), trade(5)])) == [("live", (5,)), ("repair", (2, 3)), ("closed", 1, 4)]
        assert stream.tick(0, RECEIVED, 5.0).wanted == []

    def test_rest_is_asked_when_they_had_time_to_come(self):
        stream = following(trade(1))
        arrive(stream, [trade(4)], 2.0)
        assert stream.tick(0, RECEIVED, 2.2).wanted == []
        wanted = asked(stream, 2.4)
        assert (wanted.after.id, wanted.before.id, wanted.history) == (1, 4, False)
        assert stream.tick(0, RECEIVED, 9.0).wanted == []

    def test_gaps_close_to_each_other_are_asked_for_together_and_filled_in_order(self):
        stream = following(trade(1))
        arrive(stream, [trade(3), trade(6), trade(2_500)])
        wanted = asked(stream)
        assert (wanted.after.id, wanted.before.id) == (1, 6)
        out = stream.repaired(answer(wanted, 2, 5), RECEIVED, 10.5)
        assert said(out)[:4] == [("repair", (2,)), ("closed", 1, 3), ("repair", (4, 5)), ("closed", 3, 6)]
        assert (out.wanted[0].after.id, out.wanted[0].before.id) == (6, 2_500)

    def test_what_is_repaired_keeps_its_order_when_a_later_gap_is_filled_first(self):
        stream = following(trade(1))
        arrive(stream, [trade(3), trade(5)])
        assert said(arrive(stream, [trade(4)])) == []
        assert said(stream.repaired(answer(asked(stream), 2, 2), RECEIVED, 10.5))[:4] == [
            ("repair", (2,)),
            ("closed", 1, 3),
            ("repair", (4,)),
            ("closed", 3, 5),
        ]

    @pytest.mark.parametrize("found", [[], [2, 3], [7, 8], [4, 5, 8], [2, 5, 8]])
    def test_what_the_venue_does_not_have_stays_open_exactly_around_it(self, found):
        stream = following(trade(1))
        arrive(stream, [trade(9)])
        wanted = asked(stream)
        out = stream.repaired(Repaired(wanted, tuple(trade(one) for one in found), since=wanted.since), RECEIVED, 3.0)
        gaps = {}
        for record in out.records:
            if record.gap is not None:
                gaps.pop(record.gap.after_id, None)
                if record.gap.open:
                    gaps[record.gap.after_id] = record.gap
        inside = [one for gap in gaps.values() for one in range(gap.after_id + 1, gap.before_id)]
        assert sorted(inside) == sorted(set(range(2, 9)) - set(found))
        assert {gap.reason for gap in gaps.values()} == {ABSENT}
        assert [one for record in out.records for one in record.ids] == found
        assert stream.watermark == trade(9).time
        assert stream.open_gaps == ()

    def test_a_venue_that_fails_is_asked_again_and_candles_wait_for_a_minute(self):
        stream = following(trade(1))
        arrive(stream, [trade(5)], 2.0)
        wanted = asked(stream, 3.0)
        failed = Repaired(wanted, bottom=False, failure="cannot be fetched: 500", again=True, since=wanted.since)
        assert said(stream.repaired(failed, RECEIVED, 4.0)) == []
        assert stream.watermark == trade(1).time
        asked(stream, 10.0)
        late = 2.0 + PATIENCE_S + 1.0
        assert said(stream.repaired(failed, RECEIVED, late)) == [("cannot be fetched: 500", 1, 5)]
        assert said(arrive(stream, [trade(6)], late))[0] == ("live", (6,))
        assert stream.watermark == trade(6).time
        assert said(stream.repaired(answer(asked(stream, late + 60), 2, 4), RECEIVED, late + 61)) == [
            ("repair", (2, 3, 4)),
            ("closed", 1, 5),
        ]

    def test_a_trade_told_as_one_with_known_ones_is_taken_apart_over_rest(self):
        stream = following(trade(3))
        assert said(arrive(stream, [trade(5, count=4)])) == [(BEING_FETCHED, 3, 6)]
        assert said(arrive(stream, [trade(6)])) == [("live", (6,))]
        assert said(stream.repaired(answer(asked(stream), 4, 5), RECEIVED, 3.0))[:2] == [("repair", (4, 5)), ("closed", 3, 6)]

    def test_a_trade_of_a_gap_that_was_given_up_is_set_aside(self):
        stream = following(trade(1))
        arrive(stream, [trade(4)])
        stream.repaired(Repaired(asked(stream)), RECEIVED, 3.0)
        assert said(arrive(stream, [trade(2)])) == [("dead", "trade 2: told after it had been given up")]


class TestImpossible:
    """One trade that cannot be does not take others with it."""

    @pytest.mark.parametrize("time", [0, -5, RECEIVED // 1000 + HOUR + 1, trade(1).time - HOUR - 1])
    def test_it_is_set_aside_and_leaves_a_gap(self, time):
        stream = following(trade(1))
        out = arrive(stream, [trade(2), structs.replace(trade(3), time=time), trade(4)])
        letter = next(record for record in out.records if isinstance(record, DeadLetter))
        assert codec.decode_as(Trades, letter.payload).times == (time,)
        assert "impossible time" in letter.reason
        assert [words for words in said(out) if words[0] != "dead"] == [
            ("live", (2,)),
            (BEING_FETCHED, 2, 4),
            ("live", (4,)),
        ]

    def test_a_venue_may_be_a_little_behind_or_ahead(self):
        stream = following(trade(1))
        ahead = structs.replace(trade(2), time=RECEIVED // 1000 + HOUR)
        assert said(arrive(stream, [ahead, structs.replace(trade(3), time=RECEIVED // 1000)])) == [("live", (2, 3))]

    def test_any_year_is_believed_when_nothing_is_known_yet(self):
        stream = Stream(BTC, Ids.CONSECUTIVE, REACH, "replay", None, Counts(), 0.0)
        assert said(arrive(stream, [structs.replace(trade(1), time=1)])) == [("replay", (1,))]

    def test_ids_that_begin_again_are_told_from_repetitions(self):
        stream = following(trade(1000))
        out = arrive(stream, [structs.replace(trade(5), time=trade(1000).time + MINUTE + 1)])
        assert said(out) == [("dead", "trade 5: later than trade 1000: ids have begun again")]

    def test_an_id_beyond_reach_is_set_aside(self):
        stream = following(trade(1))
        wild = structs.replace(trade(2), id=10**15, first_id=10**15)
        assert said(arrive(stream, [wild, trade(2)])) == [("dead", f"trade {10**15}: far beyond trade 1"), ("live", (2,))]


class TestReplay:
    """A recording has no REST: what is missing is said once, and what comes late is put in its place."""

    def test_a_break_is_a_gap_for_good_unless_it_is_filled(self):
        stream = following(None, kind="replay")
        assert said(arrive(stream, [trade(1), trade(4)])) == [
            ("replay", (1,)),
            (NOT_RECORDED, 1, 4),
            ("replay", (4,)),
        ]
        assert stream.watermark == trade(4).time
        assert said(arrive(stream, [trade(2), trade(3)])) == [("replay", (2, 3)), ("closed", 1, 4)]
        assert stream.tick(0, RECEIVED, 99.0).wanted == []

    def test_trades_alone_move_the_watermark_whatever_their_ids(self):
        stream = following(None, Ids.RISING, kind="replay")
        assert said(arrive(stream, [trade(1), trade(9)])) == [("replay", (1, 9))]
        assert said(arrive(stream, [trade(5)])) == [(BEING_FETCHED, 1, 9), ("replay", (5,)), ("closed", 1, 9)]
        assert stream.watermark == trade(9).time

    def test_its_end_leaves_the_last_minute_partial(self):
        stream = following(None, kind="replay")
        arrive(stream, [trade(70)])
        assert said(stream.close("it ends", RECEIVED)) == [("it ends", 70, 71), 2 * MINUTE]


def test_a_heartbeat_is_due_when_a_minute_ends_and_when_much_time_has_passed():
    stream = following(trade(1))
    assert said(stream.told(Told("BTC-USDT", trade(1).time + 10_099, trade_id=1), RECEIVED, 2.0)) == []
    assert said(stream.told(Told("BTC-USDT", trade(1).time + 10_100, trade_id=1), RECEIVED, 2.1)) == [11_000]
    near = following(trade(59))
    assert said(near.told(Told("BTC-USDT", START + MINUTE + 100, trade_id=59), RECEIVED, 2.0)) == [MINUTE]
