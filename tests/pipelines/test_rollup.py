"""Longer candles equal candles made from the trades themselves."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.bar import Bar, Closed, flat
from pipelines.rollup import Rollup
from pipelines.timeframes import SPANS
from tests.pipelines.strategies import deliveries, tapes
from tests.pipelines.tape import MINUTE, START, fresh, heartbeat, naive


@pytest.mark.parametrize("frame", ["5m", "15m", "1h"])
@given(data=st.data(), contract=st.sampled_from([("0.01", False), ("100", True)]))
def test_a_rollup_equals_the_candle_of_its_trades(frame, data, contract):
    """OHLC, volumes, rounding of inverse contracts included, and number of trades, for every bucket with trades."""
    (size, inverse), span = contract, SPANS[frame]
    tape = data.draw(tapes())
    fields = {"contract_size": Decimal(size), "inverse": inverse}
    records = [*data.draw(deliveries(tape, size, inverse=inverse)), heartbeat(tape[-1].time + span, kind="replay", **fields)]
    candles, rollup, closed = fresh(), Rollup(), []
    for each in records:
        for minute in candles.fold(each).closed:
            closed += [bucket.candle(frame, each) for _, bucket in rollup.add(minute, [frame])]

    for candle in (candle for candle in closed if candle.trades):
        inside = [trade for trade in tape if candle.open_time <= trade.time < candle.open_time + span]
        as_one = naive([moved(trade, candle.open_time) for trade in inside], candle.open_time + MINUTE, size, inverse=inverse)
        assert [
            (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.quote_volume, candle.taker_buy_volume)
        ] == [one[1:8] for one in as_one]
        assert candle.trades == len(inside)
    assert [candle.open_time % span for candle in closed] == [0] * len(closed)


def moved(trade, time):
    """The same trade at another time: the naive reference knows minutes only."""
    return type(trade)(trade.id, time, trade.price, trade.amount, trade.buy)


def minute(at: int, status: str = "complete", source: str = "trades") -> Closed:
    """A minute `at` minutes after START with one trade at price `at`."""
    price = Decimal(at)
    bar = flat(START + at * MINUTE, price) if status == "synthetic" else Bar(
        START + at * MINUTE, price, price, price, price, Decimal(1), price, Decimal(0), 1, at, at
    )  # fmt: skip
    return Closed(bar, status, source)


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([minute(at) for at in range(5)], "complete"),
        ([minute(at) for at in range(1, 5)], "partial"),
        ([minute(0), minute(1, "partial"), *[minute(at) for at in (2, 3, 4)]], "partial"),
        ([minute(at, "synthetic") for at in range(5)], "synthetic"),
        ([*[minute(at, "synthetic") for at in range(4)], minute(4)], "complete"),
    ],
)
def test_the_status_of_a_rollup_follows_from_its_parts(parts, status):
    """Partial when a part is partial or missing, synthetic when all are, else complete."""
    rollup = Rollup()
    closed = [bucket for part in parts for _, bucket in rollup.add(part, ["5m"])]

    assert [bucket.status for bucket in closed] == [status]


def test_a_bucket_whose_last_minute_never_came_closes_with_the_next_one():
    """After a hole the bucket is told as far as it is known, before the minute that follows."""
    rollup = Rollup()
    closed = [bucket for at in (0, 1, 7) for _, bucket in rollup.add(minute(at), ["5m"])]

    assert [(bucket.bar.open_time, bucket.bar.trades, bucket.status) for bucket in closed] == [(START, 2, "partial")]


def test_a_synthetic_minute_adds_no_price():
    """A quiet minute at the old close must not become the open, high or low of a bucket that has trades."""
    rollup = Rollup()
    parts = [minute(9, "synthetic"), minute(6), minute(7), minute(8, "synthetic")]
    parts = [Closed(part.bar, part.status) for part in parts]
    for at, part in enumerate(parts):
        part.bar.open_time = START + at * MINUTE
    last = minute(4, "synthetic")
    (frame, bucket), = [each for part in [*parts, last] for each in rollup.add(part, ["5m"])]  # fmt: skip

    assert (frame, bucket.bar.open, bucket.bar.high, bucket.bar.low, bucket.bar.close) == ("5m", 6, 7, 6, 7)


def test_a_rollup_with_a_venue_minute_in_it_is_the_venues():
    """Its number of trades is not known, and no rule may act on it."""
    rollup = Rollup()
    closed = [bucket for at in range(5) for _, bucket in rollup.add(minute(at, source="venue" if at < 2 else "trades"), ["5m"])]

    assert [bucket.source for bucket in closed] == ["venue"]
