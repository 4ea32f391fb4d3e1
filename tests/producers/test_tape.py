"""What is published, under one rising watermark."""

from decimal import Decimal

import pytest

from producers.outcome import Counts, Outcome
from producers.tape import HEARTBEAT_MS, Tape
from schemas import codec
from schemas.market import Gap, HistoryCandle, Trades
from tests.producers.tape import BTC, MINUTE, START, trade, trades


def tape(kind: str = "live") -> tuple[Tape, Counts]:
    counts = Counts()
    return Tape(BTC, kind, counts, START), counts  # type: ignore[arg-type]


def test_live_trades_move_the_watermark_and_repaired_ones_do_not():
    one, counts = tape()
    out = Outcome()
    one.live(out, trades(5, 6), 7, 99, trade(6).time)
    one.mended(out, trades(1, 4), 7)
    assert [(record.kind, record.watermark, record.event_time) for record in out.records] == [
        ("live", trade(6).time, 99),
        ("repair", trade(6).time, 0),
    ]
    assert (counts.trades, counts.repaired) == (6, 4)


@pytest.mark.parametrize(("kind", "mended"), [("live", "repair"), ("replay", "replay")])
def test_gaps_are_told_in_the_kind_of_what_fills_them(kind, mended):
    one, _ = tape(kind)
    out = Outcome()
    gap = Gap(1, 9, START, START + 1, "lost")
    one.state(out, gap, 7)
    assert [(record.kind, record.gap, record.ids) for record in out.records] == [(mended, gap, ())]


def test_history_is_a_record_of_its_own():
    one, _ = tape()
    out = Outcome()
    candle = HistoryCandle(START, *[Decimal(1)] * 6)
    one.history(out, (candle,), 7)
    assert [(record.kind, record.history, record.watermark) for record in out.records] == [("history", (candle,), START)]


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [
        (START, START + HEARTBEAT_MS - 1, False),
        (START, START + HEARTBEAT_MS, True),
        (START + MINUTE - 1, START + MINUTE, True),
        (START + MINUTE, START + MINUTE, False),
    ],
)
def test_a_heartbeat_ends_a_minute_or_follows_ten_seconds(before, after, due):
    one, counts = tape()
    one.live(Outcome(), trades(1, 1), 7, 0, before)
    one.watermark = after
    out = Outcome()
    one.beat(out, 7)
    one.beat(out, 7)
    assert [record.watermark for record in out.records] == ([after] if due else [])
    assert counts.heartbeats == due


def test_a_trade_set_aside_can_be_read_again():
    one, counts = tape()
    out = Outcome()
    one.set_aside(out, trade(5), "impossible", 7)
    (letter,) = out.records
    assert (letter.source, letter.reason, letter.received) == ("okx|BTC/USDT", "trade 5: impossible", 7)
    assert codec.decode_as(Trades, letter.payload).ids == (5,)
    assert counts.set_aside == 1
