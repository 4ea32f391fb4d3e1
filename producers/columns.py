"""Trades to the columns of a record.

Prices and amounts have the decimal places of the instrument's tick and lot, and more only where a trade needs more: the same
trade is the same number in every record, however trades are batched.
"""

from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Final

from producers.bursts import Run
from producers.dialect import Trade
from schemas import exact
from schemas.exact import INT64_MAX
from schemas.market import Gap, HistoryCandle, Instrument, Trades, TradesKind

RECORD_TRADES: Final = 500  # the most that one record carries
_EXACT: Final = Context(prec=60)


class Columns:
    """Makes the records of one instrument."""

    def __init__(self, instrument: Instrument, kind: TradesKind) -> None:
        self.instrument = instrument
        self.kind: TradesKind = kind
        self._scales = exact.places(instrument.tick_size), exact.places(instrument.lot_size)
        self._units = Decimal(1).scaleb(self._scales[0]), Decimal(1).scaleb(self._scales[1])

    def records(
        self,
        trades: Sequence[Trade],
        received: int,
        watermark: int,
        *,
        reached: int = 0,
        kind: TradesKind | None = None,
        event_time: int = 0,
    ) -> list[Trades]:
        """Trades in as few records as carry them, in order.

        The watermark is `reached` in the last of them, if that is later: only then were all of them published.
        """
        if not trades:
            return []
        if len(trades) <= RECORD_TRADES:
            make = self._of_one if len(trades) == 1 else self._of_many
            made = make(trades, received, max(watermark, reached), kind or self.kind, event_time)
            if made is not None:
                return [made]
        assert len(trades) > 1  # one trade always fits: dialects take no more digits
        middle = RECORD_TRADES if len(trades) > RECORD_TRADES else len(trades) // 2
        return [
            *self.records(trades[:middle], received, watermark, kind=kind, event_time=event_time),
            *self.records(trades[middle:], received, watermark, reached=reached, kind=kind, event_time=event_time),
        ]

    def bare(
        self,
        received: int,
        watermark: int,
        *,
        kind: TradesKind | None = None,
        gap: Gap | None = None,
        history: tuple[HistoryCandle, ...] = (),
    ) -> Trades:
        """A record without trades."""
        price_scale, amount_scale = self._scales
        return self._made(kind or self.kind, received, watermark, price_scale, amount_scale, gap=gap, history=history)

    def _of_one(self, trades: Sequence[Trade], received: int, watermark: int, kind: TradesKind, event_time: int) -> Trades | None:
        """The same for one trade, as most frames bring: in half the time."""
        (trade,) = trades
        scaled_price, scaled_amount = trade.price * self._units[0], trade.amount * self._units[1]
        price, amount = int(scaled_price), int(scaled_amount)
        if price != scaled_price or amount != scaled_amount or price > INT64_MAX or amount > INT64_MAX:
            return self._of_many(trades, received, watermark, kind, event_time)
        return self._made(
            kind,
            received,
            watermark,
            *self._scales,
            (trade.id,),
            (trade.time,),
            (price,),
            (amount,),
            (trade.taker_buy,),
            counts=() if trade.count == 1 else (trade.count,),
            event_time=event_time,
        )

    def _of_many(
        self, trades: Sequence[Trade], received: int, watermark: int, kind: TradesKind, event_time: int
    ) -> Trades | None:
        """One record; None when its trades have too many digits between them for one scale, which one trade never has."""
        if isinstance(trades, Run):
            return self._of_run(trades, received, watermark, kind, event_time) or self._of_many(
                [*trades], received, watermark, kind, event_time
            )
        price_scale, amount_scale = self._scales
        price_unit, amount_unit = self._units
        scaled_prices = [trade.price * price_unit for trade in trades]
        scaled_amounts = [trade.amount * amount_unit for trade in trades]
        prices, amounts = tuple(map(int, scaled_prices)), tuple(map(int, scaled_amounts))
        # A list of integers equals one of decimals where every one is whole.
        if list(prices) != scaled_prices or max(prices) > INT64_MAX:
            price_scale, prices = _scaled([trade.price for trade in trades], price_scale)
        if list(amounts) != scaled_amounts or max(amounts) > INT64_MAX:
            amount_scale, amounts = _scaled([trade.amount for trade in trades], amount_scale)
        if not (prices and amounts):
            return None
        counts = tuple([trade.count for trade in trades])
        return self._made(
            kind,
            received,
            watermark,
            price_scale,
            amount_scale,
            tuple([trade.id for trade in trades]),
            tuple([trade.time for trade in trades]),
            prices,
            amounts,
            tuple([trade.taker_buy for trade in trades]),
            counts=() if counts.count(1) == len(counts) else counts,
            event_time=event_time,
        )

    def _of_run(self, run: Run, received: int, watermark: int, kind: TradesKind, event_time: int) -> Trades | None:
        """The same record from columns; None when a price or an amount has more digits than the instrument's own."""
        price_scale, amount_scale = self._scales
        prices = _rescaled(run.prices, run.price_places, price_scale)
        amounts = _rescaled(run.amounts, run.amount_places, amount_scale)
        if prices is None or amounts is None:
            return None
        return self._made(
            kind,
            received,
            watermark,
            price_scale,
            amount_scale,
            tuple(run.ids),
            tuple(run.times),
            prices,
            amounts,
            tuple(run.taker_buys),
            counts=() if run.counts.count(1) == len(run) else tuple(run.counts),
            event_time=event_time,
        )

    def _made(
        self,
        kind: TradesKind,
        received: int,
        watermark: int,
        price_scale: int,
        amount_scale: int,
        ids: tuple[int, ...] = (),
        times: tuple[int, ...] = (),
        prices: tuple[int, ...] = (),
        amounts: tuple[int, ...] = (),
        taker_buys: tuple[bool, ...] = (),
        gap: Gap | None = None,
        history: tuple[HistoryCandle, ...] = (),
        counts: tuple[int, ...] = (),
        event_time: int = 0,
    ) -> Trades:
        one = self.instrument
        return Trades(  # by position, which takes a sixth of the time: one is made for every frame
            one.venue,
            one.symbol,
            one.market_id,
            kind,
            received,
            watermark,
            one.contract_size,
            one.inverse,
            one.tick_size,
            one.lot_size,
            price_scale,
            amount_scale,
            ids,
            times,
            prices,
            amounts,
            taker_buys,
            gap,
            history,
            counts,
            event_time,
        )


def _rescaled(values: Sequence[int], places: int, scale: int) -> tuple[int, ...] | None:
    """Positive integers with other decimal places; None when they lose digits or grow too large."""
    if places <= scale:
        factor = 10 ** (scale - places)
        made = tuple([value * factor for value in values])
        return made if max(made) <= INT64_MAX else None
    unit = 10 ** (places - scale)
    made = tuple([value // unit for value in values])
    return made if sum(made) * unit == sum(values) else None


def _scaled(values: Sequence[Decimal], least: int) -> tuple[int, tuple[int, ...]]:
    """With more places than `least` where values need them, fewer where they are too large; nothing when no scale fits."""
    needed = max(exact.places(value) for value in values)
    for scale in (max(needed, least), needed):
        scaled = tuple(int(value.scaleb(scale, _EXACT)) for value in values)
        if max(scaled) <= INT64_MAX:
            return scale, scaled
    return needed, ()
