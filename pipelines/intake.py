"""Which trades of a record count: new, possible and not late. What is turned away is named, never dropped in silence."""

from operator import lt
from typing import NamedTuple

from msgspec import structs

from pipelines.bar import Columns
from pipelines.continuity import Continuity
from pipelines.timeframes import DAY, MINUTE
from schemas import exact
from schemas.market import HistoryCandle, Trades

_DIGITS = 40  # an exponent beyond which a number of the venue would only cost memory
_PLACES = 18  # decimal places beyond which no 64-bit price or amount makes sense


class Rejected(NamedTuple):
    """One trade that cannot become part of a candle."""

    trade: Trades  # a record with this trade alone
    reason: str


def broken(record: Trades) -> str | None:
    """Why the record as a whole makes no sense; None when it does."""
    columns = (record.ids, record.times, record.prices, record.amounts, record.taker_buys)
    if len({len(column) for column in columns}) > 1:
        return f"columns of unequal length: {[len(column) for column in columns]}"
    if record.counts and (len(record.counts) != len(record.ids) or min(record.counts) < 1):
        return f"counts that are none of {len(record.ids)} trades: {record.counts[:9]}"
    if not (0 <= record.price_scale <= _PLACES and 0 <= record.amount_scale <= _PLACES):
        return f"scale out of range 0 to {_PLACES}: prices {record.price_scale}, amounts {record.amount_scale}"
    size = record.contract_size
    if not size.is_finite() or size <= 0 or exact.places(size) > _PLACES or size.adjusted() > _PLACES:
        return f"impossible contract size {size}"
    for step, what in ((record.tick_size, "tick"), (record.lot_size, "lot")):
        if not step.is_finite() or step <= 0 or exact.places(step) > _PLACES or step.adjusted() > _PLACES:
            return f"impossible {what} size {step}"
    if record.watermark > latest(record):
        return f"impossible watermark {record.watermark}: more than a day after it was received"
    return _broken_history(record.history)


def _broken_history(history: tuple[HistoryCandle, ...]) -> str | None:
    previous = -MINUTE
    for candle in history:
        if candle.open_time % MINUTE or candle.open_time <= previous:
            return f"history is no rising series of minutes at {candle.open_time}"
        numbers = (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.quote_volume)
        if (
            not all(number.is_finite() and -_DIGITS < number.adjusted() < _DIGITS for number in numbers)
            or candle.low <= 0
            or min(candle.volume, candle.quote_volume) < 0
        ):
            return f"history has impossible numbers at {candle.open_time}"
        previous = candle.open_time
    return None


def latest(record: Trades) -> int:
    """The latest believable venue time (ms): a day after receipt. A recording's clock is not ours, so replays have no bound."""
    return exact.INT64_MAX if record.kind == "replay" else record.received // 1000 + DAY


def start(record: Trades) -> int | None:
    """The venue time (ms) from which a first record lets us know the market; None when it tells no time."""
    bound = latest(record)
    times = [time for time in record.times if 0 < time <= bound]
    if record.watermark > 0:
        times.append(record.watermark)
    return min(times, default=None)


def take(record: Trades, seen: Continuity, closed_until: int, covered_until: int) -> tuple[Columns, list[Rejected]]:
    """The trades that count and those turned away. Before `covered_until` the venue's own candles hold every trade."""
    if not record.ids or (_plain(record, closed_until) and seen.follow(record.ids[0], record.ids[-1])):
        return Columns(record.ids, record.times, record.prices, record.amounts, record.taker_buys, record.counts), []
    kept: list[int] = []
    rejected: list[Rejected] = []
    for at in sorted(range(len(record.ids)), key=record.ids.__getitem__):
        reason = _impossible(record, at)
        if reason is None:
            if not seen.admit(record.ids[at]):
                continue
            if record.times[at] >= closed_until:
                kept.append(at)
                continue
            if record.times[at] < covered_until:
                continue
            reason = f"late: trade {record.ids[at]} of {record.times[at]} came after its candle had closed"
        rejected.append(Rejected(structs.replace(holding(record, _rows(record, [at])), gap=None), reason))
    return _rows(record, kept), rejected


def holding(record: Trades, columns: Columns) -> Trades:
    """The record with these trades instead of its own."""
    ids, times, prices, amounts, buys, counts = (tuple(column) for column in columns)
    counts = () if counts.count(1) == len(counts) else counts
    return structs.replace(record, ids=ids, times=times, prices=prices, amounts=amounts, taker_buys=buys, counts=counts)


def _rows(record: Trades, rows: list[int]) -> Columns:
    return Columns(
        [record.ids[at] for at in rows],
        [record.times[at] for at in rows],
        [record.prices[at] for at in rows],
        [record.amounts[at] for at in rows],
        [record.taker_buys[at] for at in rows],
        [record.counts[at] for at in rows] if record.counts else (),
    )


def _plain(record: Trades, closed_until: int) -> bool:
    """Whether every trade that is new counts, as nearly always: told from whole columns, without a look at each trade."""
    ids = record.ids
    return (
        min(record.times) >= max(closed_until, 1)
        and max(record.times) <= latest(record)
        and min(record.prices) > 0
        and min(record.amounts) >= 0
        and all(map(lt, ids, ids[1:]))
    )


def _impossible(record: Trades, at: int) -> str | None:
    time, price, amount = record.times[at], record.prices[at], record.amounts[at]
    if not 0 < time <= latest(record):
        return f"impossible time {time} of trade {record.ids[at]}"
    if price <= 0 or amount < 0:
        return f"impossible price {price} or amount {amount} of trade {record.ids[at]}"
    return None
