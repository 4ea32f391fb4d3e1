"""The judge: what a producer might do wrong is found, each by its own check."""

from collections.abc import Callable

import pytest
from msgspec import structs

from schemas import codec
from schemas.market import Gap, Trades
from tests.faults.verdict import FETCHING, MINUTE, Row, candles, ordered, reported_late, told, whole
from tests.pipelines.tape import START, Trade, record

LEDGER = [Row(number, START + number * 1_000, f"{100 + number}", "2", "buy" if number % 2 else "sell") for number in range(1, 60)]


def trades(first: int, last: int, **fields) -> Trades:
    """Of the ledger, from one id to another."""
    rows = [row for row in LEDGER if first <= int(row.id) <= last]
    made = [Trade(int(row.id), row.time, row.price, row.amount, row.side == "buy") for row in rows]
    return record(*made, **{"watermark": rows[0].time, "received": rows[-1].time * 1_000, **fields})


def gap(
    after: int, before: int, reason: str = FETCHING, *, seconds: float, is_open: bool = True, watermark: int = START + 1_000
) -> Trades:
    """A record that tells of a gap, so many seconds after the market's start."""
    told_gap = Gap(after, before, START + after * 1_000, START + before * 1_000 + 1, reason, is_open)
    return record(gap=told_gap, watermark=watermark, received=START * 1_000 + int(seconds * 1e6))


SOUND = [
    record(watermark=START),
    trades(1, 20),
    gap(20, 31, seconds=31),
    trades(31, 40, watermark=START + 20_000),
    trades(21, 30, kind="repair", watermark=START + 20_000, received=START * 1_000 + 45_000_000),
    gap(20, 31, is_open=False, seconds=45, watermark=START + 20_000),
    trades(41, 59, watermark=START + 40_000),
    record(watermark=START + MINUTE),
]


def judged(records: list[Trades], seconds: float = 5.0) -> None:
    whole(records, LEDGER, START, named=False)
    ordered(records)
    assert reported_late(records, seconds) == []
    published = [(offset, codec.encode(one), one) for offset, one in enumerate(records)]
    candles(published, LEDGER, {START: len(LEDGER)}, START, 1)


def without(*places: int) -> list[Trades]:
    return [one for place, one in enumerate(SOUND) if place not in places]


def changed(place: int, **fields) -> list[Trades]:
    return [structs.replace(one, **fields) if at == place else one for at, one in enumerate(SOUND)]


WRONG: dict[str, tuple[Callable[[], list[Trades]], str]] = {
    "a trade is missing": (lambda: [*without(6, 7), trades(42, 59, watermark=START + 40_000), SOUND[7]], "missing and in no gap"),
    "trades are published twice": (lambda: [*SOUND, trades(41, 59, watermark=START + MINUTE)], "published twice"),
    "a price is not the venue's": (lambda: changed(1, prices=(777, *SOUND[1].prices[1:])), "not in the ledger"),
    "a gap is never closed": (lambda: without(5), "still being fetched"),
    "repaired trades come out of order": (
        lambda: [*SOUND[:4], *[trades(one, one, kind="repair", watermark=START + 20_000) for one in (25, 24)], *SOUND[4:]],
        "twice",
    ),
    "the watermark passes what is being fetched": (lambda: changed(3, watermark=START + 31_000), "passed a gap"),
    "the watermark runs back": (lambda: changed(6, watermark=START), "ran back"),
    "a trade is older than the watermark": (
        lambda: [
            *SOUND[:6],
            record(watermark=START + 45_000),
            *[structs.replace(one, watermark=START + MINUTE) for one in SOUND[6:]],
        ],
        "before the watermark",
    ),
    "a gap is told late": (
        lambda: [*without(2)[:3], gap(20, 31, seconds=51, watermark=START + 20_000), *without(2)[3:]],
        "after later trades",
    ),
    "repaired trades were in no gap": (lambda: without(2, 5), "without a gap"),
}


def test_a_producer_that_does_everything_right_passes() -> None:
    judged(SOUND)
    assert len(told(SOUND, START, named=False)) == len(LEDGER)


@pytest.mark.parametrize("wrong", WRONG)
def test_whatever_goes_wrong_is_found(wrong: str) -> None:
    make, said = WRONG[wrong]
    with pytest.raises(AssertionError, match=said):
        judged(make())


def test_a_candle_that_lacks_a_trade_must_not_be_complete() -> None:
    """A gap that the records deny: the candle itself is held against the ledger."""
    records = [trades(1, 20), trades(22, 59), record(watermark=START + MINUTE)]
    published = [(offset, codec.encode(one), one) for offset, one in enumerate(records)]
    with pytest.raises(AssertionError):
        candles(published, LEDGER, {START: len(LEDGER)}, START, 1)
