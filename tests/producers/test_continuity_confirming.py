"""The watermark passes what somebody vouches for: ids that count, the venue's ticker, or REST."""

import pytest
from msgspec import structs

from producers.continuity import Audited, Counts, Position, Stream
from producers.dialect import Ids, Told, Trade
from producers.outcome import BEING_FETCHED, OPEN_END
from tests.producers.saying import REACH, RECEIVED, answer, arrive, asked, audit, following, page, said
from tests.producers.tape import BTC, MINUTE, START, trade, trades


class TestConfirmed:
    """The watermark of a quiet stream, and of one whose ids do not show what is missing."""

    def test_a_ticker_that_knows_no_other_trade_moves_it(self):
        stream = following(trade(1))
        assert said(stream.told(Told("BTC-USDT", START + 61_100, trade_id=1), RECEIVED, 2.0)) == [61_000]

    @pytest.mark.parametrize(
        "told",
        [
            Told("BTC-USDT", START + 61_100, price=trade(1).price),
            Told("BTC-USDT", START + 61_100, price=trade(1).price, amount=trade(1).amount, trade_time=trade(1).time),
            Told("BTC-USDT", START + 61_100, price=trade(2).price),
            Told("BTC-USDT", START + 61_100, price=trade(1).price, amount=trade(2).amount),
            Told("BTC-USDT", START + 61_100, trade_id=2),
            Told("BTC-USDT", START + 61_100, trade_time=trade(2).time),
            Told("BTC-USDT", START + 500, trade_id=1),
            Told("BTC-USDT", START + 61_100),
        ],
    )
    def test_a_ticker_that_knows_another_or_nothing_does_not(self, told):
        stream = following(trade(1))
        assert said(stream.told(told, RECEIVED, 2.0)) == []
        assert stream.watermark == trade(1).time

    def test_a_minute_that_nobody_confirms_is_asked_for_a_second_after_its_end(self):
        stream = following(trade(1))
        assert stream.tick(START + MINUTE + 999, RECEIVED, 3.0).wanted == []
        wanted = audit(stream, START + MINUTE + 1_000, 3.5)
        assert (wanted.after.id, wanted.seen) == (1, START + MINUTE + 1_000)
        assert said(stream.audited(page(wanted, trades(1, 1), START + MINUTE), RECEIVED, 3.6)) == [MINUTE]

    def test_it_is_asked_for_also_when_the_venue_says_nothing_at_all(self):
        stream = following(trade(1))
        stream.tick(START + 30_000, RECEIVED, 3.0)
        wanted = audit(stream, START + 30_000, 36.0)
        assert wanted.seen == 0

    def test_newest_trades_that_we_lack_are_taken_from_rest_and_tell_that_we_are_deaf(self):
        stream = following(trade(1))
        wanted = audit(stream, START + MINUTE + 1_000, 3.5)
        out = stream.audited(page(wanted, trades(1, 4), START + MINUTE), RECEIVED, 3.6)
        assert said(out) == [(BEING_FETCHED, 1, OPEN_END), ("repair", (2, 3, 4)), ("closed", 1, OPEN_END)]
        assert stream.deaf == 1
        out = stream.audited(page(audit(stream, START + MINUTE + 2_000, 30.0), trades(1, 6), START + MINUTE), RECEIVED, 31.0)
        assert stream.deaf == 2
        arrive(stream, [trade(7)], 32.0)
        assert stream.deaf == 0

    def test_trades_that_may_still_be_on_their_way_tell_nothing(self):
        stream = following(trade(1))
        out = stream.audited(page(audit(stream, START + MINUTE + 1_000, 3.5), trades(1, 4), START + 2_000), RECEIVED, 3.6)
        assert (said(out), stream.deaf) == ([], 0)

    def test_a_rest_that_is_behind_confirms_nothing(self):
        stream = following(trade(5))
        out = stream.audited(page(audit(stream, START + MINUTE + 1_000, 3.5), trades(1, 4), START + MINUTE), RECEIVED, 3.6)
        assert (said(out), stream.watermark) == ([], trade(5).time)

    def test_ids_that_do_not_count_are_held_against_rest(self):
        """4 s after trades have come: one between them was lost."""
        stream = following(trade(10), Ids.RISING)
        arrive(stream, [trade(13), trade(20)], 2.0)
        assert stream.watermark == trade(10).time
        wanted = audit(stream, START + 25_000, 6.5)
        assert wanted.after.id == 10
        told = [trade(10), trade(13), trade(17), trade(20)]
        out = stream.audited(page(wanted, told, START + 24_000), RECEIVED, 6.6)
        assert said(out) == [(BEING_FETCHED, 13, 20), ("repair", (17,)), ("closed", 13, 20), 24_000]
        assert out.records[0].watermark == trade(10).time

    def test_half_of_what_rest_tells_is_enough_to_ask(self):
        stream = following(trade(10), Ids.RISING)
        out = arrive(stream, trades(11, 11 + REACH // 2), 2.0)
        (wanted,) = out.wanted
        assert wanted.after.id == 10

    def test_a_trade_that_others_have_overtaken_waits_for_rest(self):
        stream = following(trade(10), Ids.RISING)
        arrive(stream, [trade(20)], 2.0)
        assert said(arrive(stream, [trade(15)], 2.1)) == []
        out = stream.audited(page(audit(stream, START + 25_000, 6.5), [trade(10), trade(12), trade(20)], START), RECEIVED, 6.6)
        assert said(out)[:3] == [(BEING_FETCHED, 10, 20), ("repair", (12, 15)), ("closed", 10, 20)]

    def test_a_stretch_beyond_what_rest_tells_is_named(self):
        counts = Counts()
        stream = Stream(BTC, Ids.RISING, REACH, "live", Position(trade(10), trade(10).time), counts, 0.0)
        stream.joined(START, RECEIVED, 0.0)
        stream.repaired(answer(asked(stream, 2.0), 10, 10), RECEIVED, 2.1)
        arrive(stream, [trade(20), trade(30)], 3.0)
        wanted = audit(stream, START + 40_000, 9.0)
        out = stream.audited(page(wanted, [trade(30)], START + 39_000, reached=False), RECEIVED, 9.1)
        assert said(out) == [("not verified: REST does not reach back so far", 10, 30), 39_000]
        assert counts.unverified == 1

    def test_a_rest_that_fails_for_a_minute_is_not_waited_for_any_longer(self):
        stream = following(trade(10), Ids.RISING)
        arrive(stream, [trade(20)], 2.0)
        now, spoken = 6.5, []
        while now < 100.0 and not spoken:
            for one in stream.tick(START + 25_000, RECEIVED, now).wanted:
                spoken = said(stream.audited(Audited(one, failure="no answer"), RECEIVED, now))
            now += 0.5
        assert 66.0 < now < 100.0
        assert spoken == [("not verified: no answer", 10, 20), 20_000]


class TestNamed:
    """Names without order become numbers that rise, also across a restart."""

    @staticmethod
    def named(number: int, time: int) -> Trade:
        return structs.replace(trade(number, time=START + time), id=number * 7_919_777, first_id=number * 7_919_777)

    def test_the_same_trade_is_known_by_its_name(self):
        stream = following(None, Ids.NAMED)
        first = arrive(stream, [self.named(1, 30_000), self.named(2, 30_000)]).records[-1]
        assert first.ids == tuple(sorted(first.ids))
        again = arrive(stream, [self.named(2, 30_000), self.named(3, 30_000)]).records
        assert [len(record.ids) for record in again] == [1]
        assert again[0].ids[0] > first.ids[1]

    def test_after_a_restart_it_is_known_by_the_end_of_its_name(self):
        stream = following(None, Ids.NAMED)
        record = arrive(stream, [self.named(1, 30_000), self.named(2, 30_000)]).records[-1]
        recent = [
            structs.replace(self.named(at, 30_000), id=number, first_id=number)
            for at, number in zip((1, 2), record.ids, strict=True)
        ]
        position = Position(recent[-1], recent[-1].time, tuple(recent))
        stream = Stream(BTC, Ids.NAMED, REACH, "live", position, Counts(), 0.0)
        stream.joined(START + 30_001, RECEIVED, 0.0)
        told = arrive(stream, [self.named(1, 30_000), self.named(2, 30_000), self.named(3, 30_001)], 3.0)
        assert [record.times for record in told.records if record.ids] == [(START + 30_001,)]
