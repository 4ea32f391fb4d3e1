"""The continuity of one instrument: every trade once and in order, gaps named, and a watermark that claims what is known."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from producers.continuity import ABSENT, HEARTBEAT_MS, Counts, Position, Repair, Repaired, State, Stream
from schemas.market import Gap
from tests.producers.play import Play, steps
from tests.producers.tape import BTC, MINUTE, START, answer, ids, live, ticker, trade, trades

RECEIVED = 1_767_571_300_000_000


def test_trades_in_order_are_one_record_of_the_burst():
    stream = live(trade(1))
    (record,), repair = stream.arrived(trades(2, 4), RECEIVED, 1.0)
    assert (record.ids, record.kind, record.received, record.watermark, repair) == (
        (2, 3, 4),
        "live",
        RECEIVED,
        trade(4).time,
        None,
    )


def test_a_burst_told_in_disorder_is_published_in_order():
    stream = live(trade(1))
    records, repair = stream.arrived([trade(4), trade(2), trade(3)], RECEIVED, 1.0)
    assert (ids(records), repair) == ([2, 3, 4], None)


def test_known_trades_are_dropped_and_counted():
    counts = Counts()
    stream = Stream(BTC, "live", Position(trade(5), trade(5).time), counts, 0.0)
    stream.state = State.LIVE
    records, _ = stream.arrived([trade(4), trade(5), trade(6), trade(6)], RECEIVED, 1.0)
    assert (ids(records), counts.duplicates, counts.trades) == ([6], 3, 1)


def test_a_trade_that_stands_for_several_continues_from_the_first_of_them():
    stream = live(trade(1))
    records, repair = stream.arrived([trade(4, count=3), trade(5)], RECEIVED, 1.0)
    assert (ids(records), repair) == ([4, 5], None)


def test_missing_ids_are_asked_for_and_what_follows_waits():
    stream = live(trade(1))
    records, repair = stream.arrived([trade(2), trade(5), trade(6)], RECEIVED, 1.0)
    assert ids(records) == [2]
    assert repair == Repair("BTC-USDT", after_id=2, before_id=5, since=trade(2).time)
    assert stream.arrived([trade(7)], RECEIVED, 1.1) == ([], None)
    records, repair = stream.repaired(answer(repair, newest=9), RECEIVED)
    assert [(record.kind, record.ids) for record in records] == [("repair", (3, 4)), ("live", (5, 6, 7))]
    assert repair is None
    assert [record.gap for record in records] == [None, None]


def test_the_watermark_stands_still_while_trades_are_missing():
    stream = live(trade(1))
    stream.arrived([trade(5)], RECEIVED, 1.0)
    stream.ticker(ticker(START + MINUTE, trade(5)), 0, 1.1)
    assert stream.watermark == trade(1).time
    assert stream.heartbeat(RECEIVED) is None


def test_what_the_venue_does_not_have_is_a_gap_before_the_trades_that_follow():
    stream = live(trade(1))
    _, repair = stream.arrived([trade(5)], RECEIVED, 1.0)
    assert repair
    records, repair = stream.repaired(Repaired(repair.since), RECEIVED)
    assert [record.ids for record in records] == [(), (5,)]
    assert records[0].gap == Gap(1, 5, trade(1).time, trade(5).time + 1, ABSENT)
    assert records[0].watermark == trade(1).time
    assert repair is None


def test_what_the_venue_has_only_in_part_is_a_gap_for_the_rest():
    stream = live(trade(1))
    _, repair = stream.arrived([trade(9)], RECEIVED, 1.0)
    assert repair
    records, _ = stream.repaired(Repaired(repair.since, (trade(4), trade(5), trade(8)), failure="too far back"), RECEIVED)
    gaps = [(record.gap.after_id, record.gap.before_id, record.gap.reason) for record in records if record.gap]
    assert gaps == [(1, 4, "too far back"), (5, 8, "too far back")]
    assert ids(records) == [4, 5, 8, 9]


def test_the_next_hole_among_what_waited_is_repaired_after_the_first():
    stream = live(trade(1))
    _, repair = stream.arrived([trade(3), trade(6)], RECEIVED, 1.0)
    assert repair
    records, repair = stream.repaired(answer(repair, newest=9), RECEIVED)
    assert (ids(records), repair) == ([2, 3], Repair("BTC-USDT", 3, 6, trade(3).time))
    records, repair = stream.repaired(answer(repair, newest=9), RECEIVED)
    assert (ids(records), repair) == ([4, 5, 6], None)


def test_a_trade_told_as_one_with_known_ones_is_taken_apart_over_rest():
    stream = live(trade(3))
    records, repair = stream.arrived([trade(5, count=4)], RECEIVED, 1.0)
    assert (records, repair) == ([], Repair("BTC-USDT", 3, 6, trade(3).time))
    records, repair = stream.repaired(answer(repair, newest=5), RECEIVED)
    assert (ids(records), repair) == ([4, 5], None)


def test_a_trade_that_nobody_can_take_apart_is_a_gap():
    stream = live(trade(3))
    stream.arrived([trade(5, count=4)], RECEIVED, 1.0)
    records, _ = stream.repaired(Repaired(trade(3).time), RECEIVED)
    assert [(record.ids, record.gap and (record.gap.after_id, record.gap.before_id)) for record in records] == [((), (3, 6))]
    assert ids(stream.arrived([trade(6)], RECEIVED, 2.0)[0]) == [6]


def _joined(position: Position | None, server_time: int = START + 3 * MINUTE + 5_000) -> Stream:
    stream = Stream(BTC, "live", position, Counts(), 0.0)
    stream.join(server_time, 0.0)
    return stream


def test_a_known_stream_fetches_from_its_last_trade_before_anything_live():
    stream = _joined(Position(trade(10), trade(10).time + 500))
    assert stream.arrived([trade(20)], RECEIVED, 0.1) == ([], None)
    repair = stream.repair()
    assert repair == Repair("BTC-USDT", 10, 20, trade(10).time + 500)
    stream.arrived([trade(21)], RECEIVED, 0.2)
    records, again = stream.repaired(answer(repair, newest=21), RECEIVED)
    assert [(record.kind, record.ids) for record in records] == [("repair", tuple(range(11, 20))), ("live", (20, 21))]
    assert again is None


def test_a_fresh_stream_begins_with_the_venue_s_minutes_and_the_trades_of_its_own():
    stream = _joined(None)
    stream.arrived([trade(183)], RECEIVED, 0.1)
    repair = stream.repair()
    assert repair == Repair("BTC-USDT", None, None, START + 3 * MINUTE, history=True)
    stream.arrived([trade(186)], RECEIVED, 0.2)
    records, again = stream.repaired(answer(repair, newest=185), RECEIVED)
    assert [(record.kind, len(record.ids)) for record in records] == [("history", 0), ("repair", 6), ("live", 1)]
    assert records[0].watermark == START + 3 * MINUTE
    assert ids(records) == list(range(180, 187))
    assert again is None


def test_a_fresh_stream_keeps_its_first_minute_when_the_connection_is_lost_before_anything_was_published():
    stream = _joined(None)
    stream.repair()
    stream.join(START + 9 * MINUTE, 5.0)
    assert stream.repair().since == START + 3 * MINUTE


def test_rest_behind_the_websocket_is_asked_again_and_then_believed():
    stream = _joined(Position(trade(10), trade(10).time))
    repair = stream.repair()
    stream.arrived([trade(14)], RECEIVED, 0.2)
    records, repair = stream.repaired(answer(repair, newest=12), RECEIVED)
    assert (ids(records), repair) == ([11, 12], Repair("BTC-USDT", 12, 14, trade(12).time))
    records, repair = stream.repaired(Repaired(repair.since), RECEIVED)
    assert [record.gap and (record.gap.after_id, record.gap.before_id) for record in records] == [(12, 14), None]


def test_a_failure_is_no_gap_until_a_later_trade_shows_that_something_is_missing():
    stream = _joined(Position(trade(10), trade(10).time))
    stream.repair()
    records, repair = stream.repaired(Repaired(trade(10).time, failure="no answer"), RECEIVED)
    assert (records, repair) == ([], Repair("BTC-USDT", 10, None, trade(10).time))
    stream.arrived([trade(11)], RECEIVED, 40.0)
    records, repair = stream.repaired(Repaired(trade(10).time, failure="no answer"), RECEIVED)
    assert (ids(records), [record.gap for record in records], repair) == ([11], [None], None)


def test_a_first_start_without_rest_says_that_its_beginning_is_missing():
    stream = _joined(None)
    stream.repair()
    stream.arrived([trade(190)], RECEIVED, 0.2)
    records, repair = stream.repaired(Repaired(START + 3 * MINUTE, failure="no answer"), RECEIVED)
    assert [(record.kind, record.ids) for record in records] == [("history", ()), ("repair", ()), ("live", (190,))]
    assert records[1].gap == Gap(0, 190, START + 3 * MINUTE, trade(190).time + 1, "no answer")
    assert repair is None


def test_a_ticker_that_knows_our_last_trade_moves_the_watermark():
    stream = live(trade(1))
    stream.ticker(ticker(START + 30_000, trade(1)), 1_000, 1.0)
    assert stream.watermark == START + 29_000
    stream.ticker(ticker(START + 20_000, trade(1)), 1_000, 1.1)
    assert stream.watermark == START + 29_000


def test_a_ticker_that_tells_no_amount_knows_of_nothing_newer():
    """OKX writes a `lastSz` of 0 when it refreshes the ticker of a market without a new trade."""
    stream = live(trade(1))
    stream.ticker(structs.replace(ticker(START + 30_000, trade(1)), last_amount=Decimal(0)), 1_000, 1.0)
    assert stream.watermark == START + 29_000


def test_a_ticker_that_knows_a_later_trade_does_not():
    stream = live(trade(1))
    stream.ticker(ticker(START + 30_000, trade(2)), 1_000, 1.0)
    assert stream.watermark == trade(1).time


def test_a_suspected_stream_claims_nothing_until_the_venue_confirms():
    stream = live(trade(1))
    assert stream.silence.ask(31.0)
    stream.ticker(ticker(START + 30_000, trade(1)), 1_000, 31.1)
    assert stream.watermark == trade(1).time
    assert stream.probed(1, START + 40_000, 31.2) is None
    assert stream.watermark == START + 40_000


def test_a_newer_trade_at_the_venue_is_fetched():
    stream = live(trade(1))
    assert stream.silence.ask(31.0)
    assert stream.probed(4, START + 40_000, 31.2) == Repair("BTC-USDT", 1, None, trade(1).time)
    assert stream.watermark == trade(1).time


def test_a_heartbeat_is_due_when_a_minute_ends_and_when_much_time_has_passed():
    stream = live(trade(1))
    assert stream.heartbeat(RECEIVED) is None
    stream.ticker(ticker(trade(1).time + HEARTBEAT_MS - 1, trade(1)), 0, 1.0)
    assert stream.heartbeat(RECEIVED) is None
    stream.ticker(ticker(trade(1).time + HEARTBEAT_MS, trade(1)), 0, 1.1)
    heartbeat = stream.heartbeat(RECEIVED)
    assert heartbeat
    assert (heartbeat.ids, heartbeat.watermark) == ((), trade(1).time + HEARTBEAT_MS)
    near = live(trade(59))
    near.ticker(ticker(START + MINUTE, trade(59)), 0, 1.0)
    heartbeat = near.heartbeat(RECEIVED)
    assert heartbeat
    assert heartbeat.watermark == START + MINUTE
    assert near.heartbeat(RECEIVED) is None


def test_a_feed_that_ends_leaves_its_last_minute_partial():
    stream = live(trade(70))
    record = stream.close("it ends", RECEIVED)
    assert record
    assert record.watermark == START + 2 * MINUTE
    assert record.gap == Gap(70, 71, trade(70).time, START + 2 * MINUTE, "it ends")


def test_a_feed_that_ends_at_the_end_of_a_minute_leaves_nothing_partial():
    stream = live(trade(59))
    stream.ticker(ticker(START + MINUTE, trade(59)), 0, 1.0)
    record = stream.close("it ends", RECEIVED)
    assert record
    assert (record.watermark, record.gap) == (START + MINUTE, None)


@settings(max_examples=300)
@given(st.sampled_from([None, 0, 3, 40]), st.lists(steps, max_size=30))
def test_whatever_arrives_every_trade_is_published_once_and_in_order_or_lies_in_a_gap(position, taken):
    """Duplicates, skips, disorder, lost connections and a venue that does not answer: nothing twice, nothing silently lost."""
    play = Play(position if position != 0 else 1)
    for kind, number in taken:
        play.step(kind, number)
    play.settle()
    published = ids(play.records)
    assert published == sorted(set(published))
    gaps = [record.gap for record in play.records if record.gap]
    missing = set(range(play.first, play.at + 1)) - set(published)
    assert missing == {trade_id for gap in gaps for trade_id in range(max(play.first, gap.after_id + 1), gap.before_id)}
    if not any(kind == "fail" for kind, _ in taken):
        assert not gaps


@settings(max_examples=300)
@given(st.sampled_from([None, 3]), st.lists(steps, max_size=30))
def test_whatever_arrives_the_watermark_never_moves_back_nor_passes_a_trade_to_come(position, taken):
    play = Play(position)
    for kind, number in taken:
        play.step(kind, number)
    play.settle()
    watermark = 0
    for record in play.records:
        assert record.watermark >= watermark
        assert all(time >= watermark for time in record.times)
        watermark = record.watermark
