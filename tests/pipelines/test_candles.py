"""One-minute candles follow from the trades and the watermarks alone."""

import csv
import gzip
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack, structs

from pipelines.candles import Candles
from schemas import exact
from schemas.market import Gap, HistoryCandle
from tests.pipelines.strategies import deliveries, tapes
from tests.pipelines.tape import MINUTE, START, Trade, fresh, heartbeat, minutes, naive, record, row


@given(data=st.data(), contract=st.sampled_from([("1", False), ("0.001", False), ("100", True), ("10", True)]))
def test_any_delivery_gives_the_candles_of_the_sorted_list(data, contract):
    """However the tape is cut, repeated and interleaved with heartbeats, each candle equals the naive reference exactly."""
    size, inverse = contract
    tape = data.draw(tapes())
    records = data.draw(deliveries(tape, size, inverse=inverse))

    assert [row(candle) for candle in minutes(*records)] == naive(tape, records[-1].watermark, size, inverse=inverse)


@given(data=st.data())
def test_packed_state_goes_on_as_if_never_packed(data):
    """Packing and unpacking the open minutes between any two records changes nothing."""
    records = data.draw(deliveries(data.draw(tapes())))
    candles, out = fresh(), []
    for each in records:
        candles = msgpack.decode(msgpack.encode(candles), type=Candles)
        out += [closed.candle("1m", each) for closed in candles.fold(each).closed]

    assert out == minutes(*records)


def test_a_minute_closes_when_the_watermark_reaches_its_end():
    """One millisecond before the end it is open; a trade of the next minute does not close it either."""
    candles = fresh()
    assert candles.fold(record(Trade(1, START), Trade(2, START + MINUTE + 5), watermark=START + MINUTE - 1)).closed == []

    assert [closed.bar.trades for closed in candles.fold(heartbeat(START + MINUTE)).closed] == [1]


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (record(Trade(1, START)), "complete"),
        (record(Trade(1, START + 1)), "partial"),
        (record(Trade(1, START + 5), watermark=START), "complete"),
        (record(Trade(1, START + 5), watermark=0), "partial"),
        (heartbeat(START - 20_000), "complete"),
        (heartbeat(START + 20_000), "partial"),
    ],
)
def test_the_first_candle_is_partial_unless_known_from_its_start(first, status):
    """What counts is the earliest time the first record vouches for: its watermark or its first trade."""
    candles = minutes(first, record(Trade(2, START + 30_000)), heartbeat(START + MINUTE))

    assert [candle.status for candle in candles] == [status]


def test_nothing_is_made_up_before_the_first_trade():
    """Heartbeats alone give no candles: there is no close to repeat."""
    assert minutes(heartbeat(START), heartbeat(START + 10 * MINUTE)) == []


def test_a_minute_without_trades_is_flat_at_the_last_close():
    """Synthetic candles have the last close four times, no volume and no trades."""
    candles = minutes(record(Trade(1, START, "7"), Trade(2, START, "8")), heartbeat(START + 3 * MINUTE))

    eight, none = Decimal(8), Decimal(0)
    assert [row(candle) for candle in candles[1:]] == [
        (START + at * MINUTE, eight, eight, eight, eight, none, none, none, 0, "synthetic") for at in (1, 2)
    ]


class TestGaps:
    """A hole in the feed is told, never flattened over."""

    GAP = Gap(after_id=1, before_id=9, since=START + 50_000, until=START + 3 * MINUTE + 10_000, reason="reconnected")

    def test_candles_that_a_gap_touches_are_partial_and_empty_ones_are_absent(self):
        """Minutes 0 and 3 have trades on one side of the hole; of minutes 1 and 2 nothing is known."""
        candles = minutes(
            record(Trade(1, START)),
            record(Trade(9, START + 3 * MINUTE + 10_000), gap=self.GAP),
            heartbeat(START + 6 * MINUTE),
        )

        assert [(candle.open_time - START, candle.status) for candle in candles] == [
            (0, "partial"),
            (3 * MINUTE, "partial"),
            (4 * MINUTE, "synthetic"),
            (5 * MINUTE, "synthetic"),
        ]

    def test_nothing_is_repeated_after_a_hole_until_the_next_trade(self):
        """The price before the hole is not the price after it."""
        candles = minutes(
            record(Trade(1, START)), heartbeat(START + 3 * MINUTE, gap=structs.replace(self.GAP, until=START + 2 * MINUTE)),
            record(Trade(9, START + 5 * MINUTE)), heartbeat(START + 7 * MINUTE),
        )  # fmt: skip

        assert [candle.open_time - START for candle in candles] == [0, 5 * MINUTE, 6 * MINUTE]

    def test_a_trade_of_an_open_gap_is_not_known(self):
        """It counts once, in its place by id, and its repetition does not count."""
        candles = fresh()
        candles.fold(record(Trade(1, START, "10")))
        candles.fold(record(Trade(9, START + 40_000, "12"), gap=structs.replace(self.GAP, until=START + 40_000), watermark=START))
        for _ in range(2):
            candles.fold(record(Trade(5, START + 20_000, "15"), watermark=START))
        candle = candles.fold(heartbeat(START + MINUTE)).closed[0].candle("1m", heartbeat(0))

        assert (candle.trades, candle.high, candle.close) == (3, 15, 12)

    @pytest.mark.parametrize(("closed", "status"), [(True, "complete"), (False, "partial")])
    def test_a_gap_that_is_closed_before_its_minute_leaves_no_trace(self, closed, status):
        """Whoever fetches the trades says when all of them are there; while the gap is open, its candle is partial."""
        gap = Gap(1, 4, START, START + 30_000, "being fetched")
        candles = minutes(
            record(Trade(1, START)),
            heartbeat(START, gap=gap),
            record(Trade(4, START + 30_000), watermark=START),
            record(Trade(2, START + 1), Trade(3, START + 2), watermark=START, kind="repair"),
            *([heartbeat(START, gap=structs.replace(gap, open=False))] if closed else []),
            heartbeat(START + MINUTE),
        )

        assert [(candle.trades, candle.status) for candle in candles] == [(4, status)]

    def test_an_open_end_is_narrowed_by_the_first_trade_after_it(self):
        """A connection was lost in the first minute and found again in the third: the fourth is whole."""
        gap = Gap(1, 2**63 - 1, START + 1, 2**63 - 1, "being fetched")
        candles = minutes(
            record(Trade(1, START)),
            heartbeat(START, gap=gap),
            heartbeat(START, gap=structs.replace(gap, before_id=9, until=START + 2 * MINUTE + 1)),
            record(Trade(9, START + 2 * MINUTE), watermark=START),
            heartbeat(START, gap=structs.replace(gap, before_id=9, until=START + 2 * MINUTE + 1, reason="not to be had")),
            record(Trade(10, START + 3 * MINUTE), watermark=START + 4 * MINUTE),
        )

        assert [(candle.open_time - START, candle.status) for candle in candles] == [
            (0, "partial"),
            (2 * MINUTE, "partial"),
            (3 * MINUTE, "complete"),
        ]

    def test_what_is_found_of_a_gap_whose_candle_has_closed_is_late(self):
        """It is turned away by name, not taken for known."""
        candles = fresh()
        candles.fold(record(Trade(1, START), watermark=START + MINUTE))
        candles.fold(heartbeat(START + MINUTE, gap=Gap(1, 9, START + 1, START + 2, "being fetched")))
        candles.fold(record(Trade(9, START + MINUTE)))
        folded = candles.fold(record(Trade(5, START + 1), watermark=START + MINUTE, kind="repair"))

        assert [one.trade.ids for one in folded.rejected] == [(5,)]

    def test_a_gap_does_not_reach_behind_the_watermark(self):
        """What a watermark vouched for stays complete."""
        candles = minutes(
            record(Trade(1, START)),
            heartbeat(START + 2 * MINUTE),
            record(Trade(9, START + 3 * MINUTE), gap=structs.replace(self.GAP, since=START, until=START + 90_000)),
            heartbeat(START + 4 * MINUTE),
        )

        assert [candle.status for candle in candles] == ["complete", "synthetic", "synthetic", "complete"]


class TestJumps:
    """A long silence is not filled."""

    def test_a_day_is_filled_and_a_minute_more_is_not(self):
        """1,440 quiet minutes in one jump are synthetic candles, 1,441 are nothing."""
        for quiet, expected in ((1440, 1441), (1441, 1)):
            assert len(minutes(record(Trade(1, START)), heartbeat(START + (quiet + 1) * MINUTE))) == expected

    def test_after_a_jump_the_instrument_starts_afresh(self):
        """The next candle is partial and nothing of before is repeated."""
        later = START + 3 * 1440 * MINUTE
        candles = minutes(
            record(Trade(1, START)), record(Trade(2, later), received=later * 1000), heartbeat(later + 2 * MINUTE, kind="replay")
        )

        assert [(candle.open_time, candle.status) for candle in candles[1:]] == [
            (later, "partial"),
            (later + MINUTE, "synthetic"),
        ]

    def test_a_jump_of_a_thousand_years_takes_no_time(self):
        """A recording may contain any time; the loop does not walk it."""
        assert len(minutes(record(Trade(1, START)), heartbeat(START + 10**15, kind="replay"))) == 1


class TestTurnedAway:
    """Trades that cannot count are named."""

    def test_a_late_trade_is_rejected_once(self):
        """It is no part of a closed candle, and its repetition is known."""
        candles = fresh()
        candles.fold(record(Trade(1, START), watermark=START + MINUTE))
        late = record(Trade(2, START + 1), Trade(3, START + MINUTE), watermark=START + MINUTE)
        folded = candles.fold(late)

        assert [(one.trade.ids, one.reason.split(":")[0]) for one in folded.rejected] == [((2,), "late")]
        assert folded.columns.ids == [3]
        assert candles.fold(late).rejected == []

    @pytest.mark.parametrize(
        ("trade", "word"),
        [
            (Trade(2, 0), "time"),
            (Trade(2, -5), "time"),
            (Trade(2, START + 86_400_001), "time"),
            (Trade(2, START, "0"), "price"),
            (Trade(2, START, "-1"), "price"),
            (Trade(2, START, "1", "-1"), "amount"),
        ],
    )
    def test_an_impossible_trade_touches_no_candle(self, trade, word):
        """Times before 1970 or a day after receipt, prices and negative amounts that no market has."""
        candles = fresh()
        candles.fold(record(Trade(1, START)))
        folded = candles.fold(record(trade, Trade(3, START + 1), watermark=START))

        assert [one.trade.ids for one in folded.rejected] == [(2,)]
        assert word in folded.rejected[0].reason
        assert folded.columns.ids == [3]


class TestHistory:
    """The venue's own candles warm everything up."""

    @staticmethod
    def told(*at: int):
        number = Decimal(5)
        rows = tuple(HistoryCandle(START + each * MINUTE, number, number, number, number, number, number) for each in at)
        return heartbeat(0, kind="history", history=rows)

    def test_history_and_trades_join_without_gap_or_overlap(self):
        """Venue minutes come first; the minute after them is complete, though its first trade is late in it."""
        candles = minutes(self.told(0, 1), record(Trade(1, START + 2 * MINUTE + 30_000)), heartbeat(START + 4 * MINUTE))

        assert [(candle.open_time - START, candle.source, candle.status, candle.trades) for candle in candles] == [
            (0, "venue", "complete", 0),
            (MINUTE, "venue", "complete", 0),
            (2 * MINUTE, "trades", "complete", 1),
            (3 * MINUTE, "trades", "synthetic", 0),
        ]

    def test_trades_of_the_venues_minutes_are_in_them_already(self):
        """They are neither counted again nor late."""
        candles = fresh()
        candles.fold(self.told(0, 1))
        folded = candles.fold(record(Trade(1, START + MINUTE + 1), watermark=START + 2 * MINUTE))

        assert (folded.columns.ids, folded.rejected, folded.closed) == ([], [], [])

    def test_history_may_come_after_the_first_trades(self):
        """Live trades do not wait for it: while their gap is open no minute closes, and then all of them come in order."""
        gap = Gap(-(2**63), 2**63 - 1, START + 2 * MINUTE, 2**63 - 1, "being fetched")
        candles = minutes(
            heartbeat(START + 2 * MINUTE, gap=gap),
            record(Trade(9, START + 2 * MINUTE + 30_000), watermark=START + 2 * MINUTE),
            self.told(0, 1),
            heartbeat(START + 2 * MINUTE, gap=structs.replace(gap, open=False)),
            heartbeat(START + 4 * MINUTE),
        )

        assert [(candle.open_time - START, candle.source, candle.status) for candle in candles] == [
            (0, "venue", "complete"),
            (MINUTE, "venue", "complete"),
            (2 * MINUTE, "trades", "complete"),
            (3 * MINUTE, "trades", "synthetic"),
        ]

    @pytest.mark.parametrize(("told", "source", "trades"), [((-1,), "trades", 1), ((-1, 0), "venue", 0)])
    def test_the_minute_that_ends_as_one_begins_is_the_venues_or_made_of_trades(self, told, source, trades):
        """The feed says that it knows everything from that minute on; the venue has closed it already, or not yet."""
        gap = Gap(-(2**63), 9, START, 2**63 - 1, "being fetched")
        candles = minutes(
            heartbeat(START, gap=gap),
            record(Trade(9, START + MINUTE + 30_000), watermark=START),
            self.told(*told),
            record(Trade(7, START + 1), Trade(8, START + MINUTE), watermark=START, kind="repair"),
            heartbeat(START, gap=structs.replace(gap, open=False)),
            heartbeat(START + 2 * MINUTE),
        )

        assert [(candle.open_time - START, candle.source, candle.trades, candle.status) for candle in candles] == [
            (-MINUTE, "venue", 0, "complete"),
            (0, source, trades, "complete"),
            (MINUTE, "trades", 2, "complete"),
        ]

    def test_history_never_replaces_what_is_known(self):
        """Told again, or told of minutes that trades have begun, it changes nothing."""
        candles = minutes(
            self.told(0, 1), record(Trade(1, START + 2 * MINUTE)), self.told(0, 1, 2, 3), heartbeat(START + 4 * MINUTE)
        )

        assert [candle.source for candle in candles] == ["venue", "venue", "trades", "trades"]


@pytest.mark.parametrize("batch", [1, 20, 500])
def test_real_trades_give_the_known_candles(shared: Path, batch: int):
    """12,477 aggregate trades of XRP/ETH, in any batching: all 2,469 candles with trades equal an independent computation."""
    with gzip.open(shared / "series/binance_xrpeth_aggtrades_2019-10-11_13.csv.gz", "rt") as file:
        tape = [
            Trade(int(each["trade_id"]), int(each["ts_ms"]), each["price"], each["amount"], each["side"] == "buy")
            for each in csv.DictReader(file)
        ]
    with gzip.open(shared / "series/binance_xrpeth_1m_from_trades_2019-10-11_13.csv.gz", "rt") as file:
        known = [
            (int(each["start_ms"]), *(exact.parse(each[name]) for name in ("open", "high", "low", "close", "volume")),
             int(each["trades"]))
            for each in csv.DictReader(file)
        ]  # fmt: skip
    records = [record(*tape[at : at + batch], kind="replay") for at in range(0, len(tape), batch)]
    candles = minutes(*records, heartbeat(tape[-1].time + MINUTE, kind="replay"))

    traded = [candle for candle in candles if candle.trades]
    assert [(each.open_time, each.open, each.high, each.low, each.close, each.volume, each.trades) for each in traded] == known
    assert len(candles) - len(traded) == 1091
