"""What has to hold of one instrument's records, whatever its venue did: they are held against the venue's own ledger."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from pipelines.config import Config
from pipelines.instrument import step
from producers.numbering import number
from schemas import exact
from schemas.ids import name_id
from schemas.market import Candle, DeadLetter, Gap, Trades

MINUTE = 60_000
FETCHING = "being fetched"
_PLACE = ((1 << 10) - 1) << 14  # within an id that was made of a name: in which order trades of one millisecond came


class Row(NamedTuple):
    """A trade as the venue's ledger has it."""

    id: int | str
    time: int
    price: str
    amount: str
    side: str


class Told(NamedTuple):
    """A trade as it is to be found in Kafka; an id made of a name is without its place in the millisecond."""

    id: int
    time: int
    price: Decimal
    amount: Decimal
    buy: bool


class Lacking(NamedTuple):
    """Trades that the venue has no more, all of them in open gaps of these reasons."""

    trades: int
    reasons: tuple[str, ...]


def expected(ledger: Iterable[Row], *, named: bool) -> list[Told]:
    """The ledger as the producer should tell it."""
    found = []
    for row in ledger:
        own = number(row.time, 0, name_id(str(row.id))) if named else int(row.id)
        found.append(Told(own, row.time, Decimal(row.price), Decimal(row.amount), row.side == "buy"))
    return found


def told(records: Iterable[Trades], begin_ms: int, *, named: bool) -> list[Told]:
    """Every trade of the run as often as it was published. Some venues begin with the last trade before the run."""
    found = []
    for record in records:
        for one, time, price, amount, buy in zip(
            record.ids, record.times, record.prices, record.amounts, record.taker_buys, strict=True
        ):
            scaled = exact.from_scaled(price, record.price_scale), exact.from_scaled(amount, record.amount_scale)
            if time >= begin_ms:
                found.append(Told(one & ~_PLACE if named else one, time, *scaled, buy))
    return found


def open_gaps(records: Iterable[Trades]) -> list[Gap]:
    """Those that are open at the end."""
    found: dict[int, Gap] = {}
    for record in records:
        if record.gap is not None:
            found[record.gap.after_id] = record.gap
    return [gap for gap in found.values() if gap.open]


def whole(records: Sequence[Trades], ledger: Sequence[Row], begin_ms: int, *, named: bool) -> Lacking:
    """Every trade once and as the venue has it, or in a gap that is open for good; returns what lies there."""
    wanted, found = expected(ledger, named=named), told(records, begin_ms, named=named)
    twice = [one for one, count in Counter(found).items() if count > 1]
    assert twice == [], f"published twice: {twice[:3]}"
    ids = [one for record in records for one in record.ids]
    assert len(ids) == len(set(ids)), "an id was published twice"
    invented = set(found) - set(wanted)
    assert invented == set(), f"not in the ledger: {sorted(invented)[:3]}"
    missing = [one for one in wanted if one not in set(found)]
    gaps = open_gaps(records)
    assert not [gap for gap in gaps if gap.reason == FETCHING], f"still {FETCHING}: {gaps}"
    lost = [one for one in missing if not any(gap.since <= one.time < gap.until for gap in gaps)]
    assert lost == [], f"missing and in no gap: {lost[:3]} ({len(lost)} of {len(wanted)}); open are {gaps}"
    return Lacking(len(missing), tuple(sorted({gap.reason for gap in gaps})))


def ordered(records: Sequence[Trades]) -> None:
    """Live records are in order, and so are repaired ones; no watermark runs back, lies, or passes what is being fetched."""
    for kind in ("live", "repair"):
        ids = [one for record in records if record.kind == kind for one in record.ids]
        assert all(earlier < later for earlier, later in pairwise(ids)), f"{kind} trades are not in order"
    reached = 0
    fetching: dict[int, int] = {}
    for record in records:
        assert record.watermark >= reached, "the watermark ran back"
        assert all(time >= reached for time in record.times), f"a trade of before the watermark {reached}: {record}"
        reached = record.watermark
        gap = record.gap
        if gap is not None:
            fetching.pop(gap.after_id, None)
            if gap.open and gap.reason == FETCHING:
                fetching[gap.after_id] = max(gap.since, reached)
        assert all(reached <= bound for bound in fetching.values()), f"the watermark {reached} passed a gap: {fetching}"


def candles(
    published: Sequence[tuple[int, bytes, Trades]], ledger: Sequence[Row], counts: dict[int, int], begin_ms: int, minutes: int
) -> None:
    """Folded by the pipeline, every minute that no open gap touches is complete and equal to that of the ledger.

    `counts`: how many trades the venue had in each minute, where it tells several as one.
    """
    found: dict[int, Candle] = {}
    letters: list[DeadLetter] = []
    state: bytes | None = None
    for offset, raw, record in published:
        state, outputs = step(state, record, raw, offset, Config())
        for output in outputs:
            if isinstance(output, Candle) and output.timeframe == "1m":
                found[output.open_time] = output
            if isinstance(output, DeadLetter):
                letters.append(output)
    assert letters == [], f"the pipeline turned away: {letters[0].reason}"
    records = [record for _, _, record in published]
    gaps, last = open_gaps(records), records[-1]
    by_minute: dict[int, list[Row]] = defaultdict(list)
    for row in ledger:
        by_minute[row.time // MINUTE * MINUTE].append(row)
    for open_time in range(begin_ms, begin_ms + minutes * MINUTE, MINUTE):
        touched = any(gap.since < open_time + MINUTE and gap.until > open_time for gap in gaps)
        candle, rows = found.get(open_time), by_minute[open_time]
        if touched:
            assert candle is None or candle.status == "partial", f"a gap touches {candle}"
        elif not rows:
            assert candle is not None, "a minute without trades"
            assert (candle.status, candle.trades) == ("synthetic", 0)
        else:
            assert candle is not None, f"no candle of {open_time}"
            assert candle.status == "complete", f"{candle} though nothing is missing"
            _same(candle, rows, counts[open_time], last)


def _same(candle: Candle, rows: Sequence[Row], count: int, record: Trades) -> None:
    prices = [Decimal(row.price) for row in rows]
    assert (candle.open, candle.high, candle.low, candle.close) == (prices[0], max(prices), min(prices), prices[-1])
    assert candle.trades == count
    size = Fraction(record.contract_size)

    def base(side: str | None) -> Fraction:
        chosen = [row for row in rows if side in {None, row.side}]
        return sum((Fraction(row.amount) * size / (Fraction(row.price) if record.inverse else 1) for row in chosen), Fraction())

    def quote() -> Fraction:
        return sum((Fraction(row.amount) * size * (1 if record.inverse else Fraction(row.price)) for row in rows), Fraction())

    slack = Fraction(1, 10**12) if record.inverse else 0  # an inverse volume is a quotient
    assert Fraction(candle.quote_volume) == quote()
    assert abs(Fraction(candle.volume) - base(None)) <= slack
    assert abs(Fraction(candle.taker_buy_volume) - base("buy")) <= slack


def reported_late(records: Sequence[Trades], seconds: float) -> list[str]:
    """Trades told live while older ones were missing, and nothing said of those within so many seconds of our clock."""
    late = []
    live_at = sorted((min(record.ids), record.received) for record in records if record.kind == "live" and record.ids)
    for record in records:
        if record.kind != "repair" or not record.ids:
            continue
        first, last = record.ids[0], record.ids[-1]
        stated = [one.received for one in records if one.gap and one.gap.open and one.gap.after_id < first < one.gap.before_id]
        seen = min((received for one, received in live_at if one > last), default=None)
        if not stated:
            late.append(f"{first} to {last} repaired without a gap")
        elif seen is not None and min(stated) > seen + seconds * 1_000_000:
            late.append(f"{first} to {last}: {(min(stated) - seen) / 1e6:.1f} s after later trades")
    return late
