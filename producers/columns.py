"""Trades to the columns of a record: as few decimal places as the batch needs, so that equal trades give equal bytes."""

from collections.abc import Iterator, Sequence
from typing import Final

from producers.dialect import Trade
from schemas import exact
from schemas.market import Gap, HistoryCandle, Instrument, Trades, TradesKind

RECORD_TRADES: Final = 500  # the most that one record carries


def record(
    instrument: Instrument,
    kind: TradesKind,
    received: int,
    watermark: int,
    trades: Sequence[Trade] = (),
    gap: Gap | None = None,
    history: tuple[HistoryCandle, ...] = (),
) -> Trades:
    """One record of `market.trades`. Raises ValueError when the trades have too many digits between them for one scale."""
    price_scale = max((exact.places(trade.price) for trade in trades), default=0)
    amount_scale = max((exact.places(trade.amount) for trade in trades), default=0)
    return Trades(
        venue=instrument.venue,
        symbol=instrument.symbol,
        market_id=instrument.market_id,
        kind=kind,
        received=received,
        watermark=watermark,
        contract_size=instrument.contract_size,
        inverse=instrument.inverse,
        tick_size=instrument.tick_size,
        lot_size=instrument.lot_size,
        price_scale=price_scale,
        amount_scale=amount_scale,
        ids=tuple(trade.id for trade in trades),
        times=tuple(trade.time for trade in trades),
        prices=tuple(exact.to_scaled(trade.price, price_scale) for trade in trades),
        amounts=tuple(exact.to_scaled(trade.amount, amount_scale) for trade in trades),
        taker_buys=tuple(trade.taker_buy for trade in trades),
        gap=gap,
        history=history,
    )


def records(instrument: Instrument, kind: TradesKind, received: int, watermark: int, trades: Sequence[Trade]) -> Iterator[Trades]:
    """Trades in as few records as carry them, in order; the watermark follows the times of the trades."""
    if len(trades) <= RECORD_TRADES:
        try:
            if trades:
                yield record(instrument, kind, received, max(watermark, *(trade.time for trade in trades)), trades)
            return
        except ValueError:  # one trade always fits
            assert len(trades) > 1
    middle = RECORD_TRADES if len(trades) > RECORD_TRADES else len(trades) // 2
    for part in (trades[:middle], trades[middle:]):
        for made in records(instrument, kind, received, watermark, part):
            watermark = made.watermark
            yield made
