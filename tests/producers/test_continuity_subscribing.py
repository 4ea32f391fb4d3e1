"""A start, a lost connection, a subscription told again: what may be missing is named, fetched and closed."""

import pytest

from producers.continuity import Counts, Position, Repair, Repaired, Stream, Unfinished
from producers.dialect import Ids, Told
from producers.outcome import BEING_FETCHED, NOTHING, OPEN_END
from schemas.market import Gap, HistoryCandle
from tests.producers.saying import REACH, RECEIVED, answer, arrive, asked, audit, following, page, said
from tests.producers.tape import BTC, MINUTE, START, trade, trades


class TestSubscribing:
    """A start, a lost connection, a subscription told again."""

    def test_a_start_goes_on_after_the_last_trade(self):
        stream = Stream(BTC, Ids.CONSECUTIVE, REACH, "live", Position(trade(10), trade(10).time + 500), Counts(), 0.0)
        (record,) = stream.joined(START + 30_000, RECEIVED, 0.0).records
        assert record.gap == Gap(10, OPEN_END, trade(10).time + 500, OPEN_END, BEING_FETCHED)
        assert said(arrive(stream, [trade(20)])) == [(BEING_FETCHED, 10, 20), ("live", (20,))]
        assert said(stream.repaired(answer(asked(stream), 11, 19), RECEIVED, 3.0))[:2] == [
            ("repair", tuple(range(11, 20))),
            ("closed", 10, 20),
        ]

    @pytest.mark.parametrize("how", ["trade", "snapshot", "ticker"])
    def test_when_nothing_was_missed_rest_is_not_asked(self, how):
        stream = following(trade(10))
        assert said(stream.left(RECEIVED, 3.0)) == [(BEING_FETCHED, 10, OPEN_END)]
        assert said(stream.joined(START + 20_000, RECEIVED, 4.0)) == []
        match how:
            case "trade":
                out = arrive(stream, [trade(11)], 4.1)
                assert said(out) == [("closed", 10, OPEN_END), ("live", (11,))]
            case "snapshot":
                out = arrive(stream, [trade(10)], 4.1, snapshot=True)
                assert said(out) == [("closed", 10, OPEN_END)]
            case _:
                out = stream.told(Told("BTC-USDT", START + 20_000, trade_id=10), RECEIVED, 4.1)
                assert said(out)[0] == ("closed", 10, OPEN_END)
        assert [one for one in stream.tick(0, RECEIVED, 6.0).wanted if isinstance(one, Repair)] == []

    def test_a_quiet_stream_is_asked_for_after_a_second(self):
        stream = following(trade(10))
        stream.left(RECEIVED, 3.0)
        assert stream.tick(0, RECEIVED, 9.0).wanted == []
        stream.joined(START + 20_000, RECEIVED, 10.0)
        assert stream.tick(0, RECEIVED, 10.5).wanted == []
        wanted = asked(stream, 11.5)
        assert (wanted.after.id, wanted.before) == (10, None)
        out = stream.repaired(answer(wanted, 9, 13, complete_to=START + 21_000), RECEIVED, 12.0)
        assert said(out)[:2] == [("repair", (11, 12, 13)), ("closed", 10, OPEN_END)]
        assert (stream.last, stream.watermark) == (trade(13), START + 21_000)
        assert said(arrive(stream, [trade(12), trade(13), trade(14)])) == [("live", (14,))]

    def test_an_answer_from_before_the_connection_was_lost_again_closes_nothing(self):
        stream = following(trade(10))
        stream.left(RECEIVED, 3.0)
        stream.joined(START + 20_000, RECEIVED, 4.0)
        wanted = asked(stream, 6.0)
        stream.left(RECEIVED, 6.5)
        assert said(stream.repaired(answer(wanted, 9, 13), RECEIVED, 7.0)) == []
        stream.joined(START + 40_000, RECEIVED, 8.0)
        assert said(arrive(stream, [trade(20)], 8.1)) == [(BEING_FETCHED, 10, 20), ("live", (20,))]

    def test_trades_faster_than_the_acknowledgement_are_part_of_it(self):
        stream = Stream(BTC, Ids.CONSECUTIVE, REACH, "live", Position(trade(10), trade(10).time), Counts(), 0.0)
        assert said(arrive(stream, [trade(12)])) == [
            (BEING_FETCHED, 10, OPEN_END),
            (BEING_FETCHED, 10, 12),
            ("live", (12,)),
        ]
        assert said(stream.joined(START + 13_000, RECEIVED, 2.1)) == []

    def test_a_snapshot_of_old_trades_fills_what_it_can(self):
        """Newest first, some of them known; what lies before them is asked for."""
        stream = following(trade(10))
        stream.left(RECEIVED, 3.0)
        stream.joined(START + 30_000, RECEIVED, 4.0)
        out = arrive(stream, [trade(16), trade(15), trade(14)], 4.1, snapshot=True)
        assert said(out) == [(BEING_FETCHED, 10, 14), ("live", (14, 15, 16))]
        assert arrive(stream, [trade(9), trade(8)], 4.2, snapshot=True).records == []

    def test_a_snapshot_that_goes_back_to_what_is_known_leaves_nothing_to_ask_where_ids_do_not_count(self):
        stream = following(trade(10), Ids.RISING)
        stream.left(RECEIVED, 3.0)
        stream.joined(START + 30_000, RECEIVED, 4.0)
        told = [trade(16), trade(13), trade(10), trade(7)]
        assert said(arrive(stream, told, 4.1, snapshot=True)) == [("closed", 10, OPEN_END), ("live", (13, 16))]

    def test_what_was_being_fetched_when_the_process_died_is_fetched_after_it(self):
        """Two of four trades had been published."""
        gap = Gap(10, 15, trade(10).time, trade(15).time + 1, BEING_FETCHED)
        position = Position(trade(16), trade(10).time, (), (Unfinished(gap, trade(12)),))
        stream = Stream(BTC, Ids.CONSECUTIVE, REACH, "live", position, Counts(), 0.0)
        stream.joined(START + 17_000, RECEIVED, 0.0)
        arrive(stream, [trade(17)], 0.1)
        wanted = asked(stream, 1.0)
        assert (wanted.after.id, wanted.before.id) == (12, 15)
        assert said(stream.repaired(answer(wanted, 11, 14), RECEIVED, 1.1))[:2] == [("repair", (13, 14)), ("closed", 10, 15)]


class TestFresh:
    """Nothing of this instrument was ever published."""

    CANDLE = HistoryCandle(START + 2 * MINUTE, *[BTC.contract_size] * 6)

    def test_live_trades_do_not_wait_for_the_past(self):
        stream = Stream(BTC, Ids.CONSECUTIVE, REACH, "live", None, Counts(), 0.0)
        out = stream.joined(START + 3 * MINUTE + 5_000, RECEIVED, 0.0)
        assert said(out) == [(BEING_FETCHED, NOTHING, OPEN_END)]
        (wanted,) = out.wanted
        assert wanted == Repair("BTC-USDT", None, None, START + 2 * MINUTE, history=True, seen=START + 3 * MINUTE + 5_000)
        assert said(arrive(stream, [trade(186)], 0.1)) == [(BEING_FETCHED, NOTHING, 186), ("live", (186,))]
        found = Repaired(wanted, tuple(trades(170, 186)), since=START + 3 * MINUTE, history=(self.CANDLE,))
        assert said(stream.repaired(found, RECEIVED, 0.5)) == [
            ("history", 1),
            ("repair", tuple(range(180, 186))),
            ("closed", NOTHING, 186),
            3 * MINUTE + 6_000,
        ]
        assert not stream.fresh

    def test_trades_of_the_minute_that_the_venue_tells_as_a_whole_are_not_published(self):
        stream = Stream(BTC, Ids.CONSECUTIVE, REACH, "live", None, Counts(), 0.0)
        stream.joined(START + 3 * MINUTE + 5_000, RECEIVED, 0.0)
        assert arrive(stream, [trade(178), trade(179)], 0.1, snapshot=True).records == []

    def test_it_begins_with_the_first_connection_however_often_that_is_lost(self):
        stream = Stream(BTC, Ids.CONSECUTIVE, REACH, "live", None, Counts(), 0.0)
        stream.joined(START + 3 * MINUTE + 5_000, RECEIVED, 0.0)
        stream.left(RECEIVED, 1.0)
        stream.joined(START + 9 * MINUTE, RECEIVED, 500.0)
        assert stream.watermark == START + 2 * MINUTE

    def test_a_venue_without_any_trade_is_complete_all_the_same(self):
        stream = Stream(BTC, Ids.RISING, REACH, "live", None, Counts(), 0.0)
        (wanted,) = stream.joined(START + 5_000, RECEIVED, 0.0).wanted
        assert said(stream.repaired(Repaired(wanted, since=START), RECEIVED, 1.0)) == [("closed", NOTHING, OPEN_END)]
        out = stream.audited(page(audit(stream, START + MINUTE + 2_000), [], START + MINUTE + 1_000), RECEIVED, 101.0)
        assert said(out) == [MINUTE + 1_000]
