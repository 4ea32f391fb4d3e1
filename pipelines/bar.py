"""What was traded in one bucket of time, exactly: nothing is rounded before the candle is written.

Sums are plain Python integers over a record's columns and `Decimal` across records. There is no 64-bit bound to watch, and as the
codec hands over tuples, the built-in functions beat numpy on them (`benchmarks/pipeline_step.py` shows by how much).
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import compress
from operator import mul
from typing import Literal, NamedTuple

from msgspec import Struct

from schemas.market import Candle, CandleStatus, Trades

# Two 64-bit numbers and a contract size fill 56 digits; an inverse trade's base amount is cut at 60 significant digits by
# itself, so sums of such terms span less than 120 and adding them is exact in any order and any batching.
WIDE = Context(prec=120)
_QUOTIENT = Context(prec=60)
_INVERSE_PLACES = Decimal("1e-12")
ZERO = Decimal(0)


class Columns(NamedTuple):
    """Trades that count, in order of their ids; times in epoch ms, prices and amounts in the record's scales.

    `counts`: how many of the venue's trades each stands for; empty when each is one.
    """

    ids: Sequence[int]
    times: Sequence[int]
    prices: Sequence[int]
    amounts: Sequence[int]
    taker_buys: Sequence[bool]
    counts: Sequence[int] = ()

    def part(self, start: int, end: int) -> "Columns":
        """The rows from `start` up to `end`."""
        rows = slice(start, end)
        columns = self.ids[rows], self.times[rows], self.prices[rows], self.amounts[rows], self.taker_buys[rows]
        return Columns(*columns, self.counts[rows])


class Bar(Struct, array_like=True):
    """One bucket: OHLC in order of ids, volumes in base and quote units without rounding."""

    open_time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    quote_volume: Decimal = ZERO
    taker_buy_volume: Decimal = ZERO
    trades: int = 0
    first_id: int = 0
    last_id: int = 0

    def merge(self, other: "Bar") -> None:
        """Add trades of the same bucket, whichever came first."""
        if other.first_id < self.first_id:
            self.open, self.first_id = other.open, other.first_id
        if other.last_id > self.last_id:
            self.close, self.last_id = other.close, other.last_id
        self._widen(other)

    def append(self, later: "Bar") -> None:
        """Add a bar that follows this one in time."""
        self.close, self.last_id = later.close, later.last_id
        self._widen(later)

    def _widen(self, other: "Bar") -> None:
        self.high = max(self.high, other.high)
        self.low = min(self.low, other.low)
        self.volume = WIDE.add(self.volume, other.volume)
        self.quote_volume = WIDE.add(self.quote_volume, other.quote_volume)
        self.taker_buy_volume = WIDE.add(self.taker_buy_volume, other.taker_buy_volume)
        self.trades += other.trades


class Closed(NamedTuple):
    """A bucket that nothing can be added to any more."""

    bar: Bar
    status: CandleStatus
    source: Literal["trades", "venue"] = "trades"

    def candle(self, timeframe: str, record: Trades) -> Candle:
        """The candle as published; `record` is the one that closed it. Inverse base volumes are rounded here, once."""
        bar = self.bar
        return Candle(
            venue=record.venue,
            symbol=record.symbol,
            market_id=record.market_id,
            timeframe=timeframe,
            open_time=bar.open_time,
            open=_written(bar.open),
            high=_written(bar.high),
            low=_written(bar.low),
            close=_written(bar.close),
            volume=_written(bar.volume, rounded=record.inverse),
            quote_volume=_written(bar.quote_volume),
            taker_buy_volume=_written(bar.taker_buy_volume, rounded=record.inverse),
            trades=bar.trades,
            status=self.status,
            revision=0,
            source=self.source,
            received=record.received,
        )


def of_trades(open_time: int, columns: Columns, record: Trades) -> Bar:
    """The bar of trades that all fall into the bucket at `open_time`; units and contract are those of `record`."""
    ids, _, prices, amounts, buys, counts = columns
    scale = -record.price_scale
    if record.inverse:
        ratios = [_QUOTIENT.divide(Decimal(amount), Decimal(price)) for price, amount in zip(prices, amounts, strict=True)]
        volume, taker = (
            _size(_total(terms), record.price_scale - record.amount_scale, record) for terms in (ratios, compress(ratios, buys))
        )
        quote = _size(Decimal(sum(amounts)), -record.amount_scale, record)
    else:
        volume = _size(Decimal(sum(amounts)), -record.amount_scale, record)
        taker = _size(Decimal(sum(compress(amounts, buys))), -record.amount_scale, record)
        quote = _size(Decimal(sum(map(mul, prices, amounts))), scale - record.amount_scale, record)
    return Bar(
        open_time,
        Decimal(prices[0]).scaleb(scale, WIDE),
        Decimal(max(prices)).scaleb(scale, WIDE),
        Decimal(min(prices)).scaleb(scale, WIDE),
        Decimal(prices[-1]).scaleb(scale, WIDE),
        volume,
        quote,
        taker,
        sum(counts) if counts else len(ids),
        ids[0],
        ids[-1],
    )


def flat(open_time: int, close: Decimal) -> Bar:
    """The bar of a minute in which nothing was traded."""
    return Bar(open_time, close, close, close, close)


def _size(native: Decimal, places: int, record: Trades) -> Decimal:
    """A native sum times 10**places, in contracts' worth."""
    return WIDE.multiply(native.scaleb(places, WIDE), record.contract_size)


def _total(terms: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for term in terms:
        total = WIDE.add(total, term)
    return total


def _written(value: Decimal, *, rounded: bool = False) -> Decimal:
    """The same number in its shortest digits, so that bytes do not depend on the scales that records came in."""
    if rounded:
        value = value.quantize(_INVERSE_PLACES, ROUND_HALF_EVEN, WIDE)
    return value.normalize(WIDE)
