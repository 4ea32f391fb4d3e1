"""Records of market.trades for tests, and candles computed from the same trades the naive way."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

from msgspec import structs

from pipelines.candles import Candles
from pipelines.config import Config
from pipelines.continuity import Continuity
from pipelines.instrument import step
from schemas import codec
from schemas.market import Candle, Trades

MINUTE = 60_000
START = 1_700_000_400_000  # on a minute and on five minutes, not on a quarter of an hour


@dataclass(frozen=True)
class Trade:
    """One trade as a person would write it down."""

    id: int
    time: int
    price: str = "100"
    amount: str = "1"
    buy: bool = True


def record(*trades: Trade, watermark: int | None = None, places: int = 0, **fields: Any) -> Trades:
    """One record of these trades with `places` decimal places more than needed; its watermark is the last trade's time."""
    price_scale = max([_places(trade.price) for trade in trades], default=0) + places
    amount_scale = max([_places(trade.amount) for trade in trades], default=0) + places
    return structs.replace(
        Trades(
            venue="okx",
            symbol="BTC/USDT",
            market_id="BTC-USDT",
            kind="live",
            received=START * 1000,
            watermark=trades[-1].time if watermark is None else watermark,
            contract_size=Decimal(1),
            inverse=False,
            tick_size=Decimal("0.01"),
            lot_size=Decimal("0.001"),
            price_scale=price_scale,
            amount_scale=amount_scale,
            ids=tuple(trade.id for trade in trades),
            times=tuple(trade.time for trade in trades),
            prices=tuple(int(Decimal(trade.price).scaleb(price_scale)) for trade in trades),
            amounts=tuple(int(Decimal(trade.amount).scaleb(amount_scale)) for trade in trades),
            taker_buys=tuple(trade.buy for trade in trades),
        ),
        **fields,
    )


def heartbeat(watermark: int, **fields: Any) -> Trades:
    """A record without trades."""
    return record(watermark=watermark, **fields)


def fresh() -> Candles:
    """Candles of an instrument that nothing is known of."""
    return Candles(Continuity())


def minutes(*records: Trades) -> list[Candle]:
    """The one-minute candles of these records, folded one after the other."""
    candles = fresh()
    return [closed.candle("1m", each) for each in records for closed in candles.fold(each).closed]


def run(
    records: list[Trades], config: Config | None = None, state: bytes | None = None, first: int = 0
) -> tuple[bytes, list[Any]]:
    """All records through `step`, offsets counting from `first`: the last state and every output."""
    outputs: list[Any] = []
    for offset, each in enumerate(records, first):
        state, out = step(state, each, codec.encode(each), offset, config or Config(), 3)
        outputs += out
    assert state is not None
    return state, outputs


def naive(trades: list[Trade], watermark: int, size: str = "1", *, inverse: bool = False) -> list[tuple[Any, ...]]:
    """(open time, open, high, low, close, volume, quote, taker buys, trades, status) of every minute, from a sorted list."""
    trades = sorted({trade.id: trade for trade in trades}.values(), key=lambda trade: trade.id)
    rows: list[tuple[Any, ...]] = []
    begun = min(trade.time for trade in trades)
    open_time = begun - begun % MINUTE
    while open_time + MINUTE <= watermark:
        inside = [trade for trade in trades if open_time <= trade.time < open_time + MINUTE]
        if inside:
            rows.append(_naive_row(open_time, inside, Decimal(size), inverse, partial=open_time < begun))
        else:
            rows.append((open_time, *[rows[-1][4]] * 4, Decimal(0), Decimal(0), Decimal(0), 0, "synthetic"))
        open_time += MINUTE
    return rows


def _naive_row(open_time: int, trades: list[Trade], size: Decimal, inverse: bool, *, partial: bool) -> tuple[Any, ...]:
    prices = [Decimal(trade.price) for trade in trades]
    with localcontext(prec=90):
        if inverse:
            base = [Decimal(trade.amount) * size / Decimal(trade.price) for trade in trades]
            quote = sum((Decimal(trade.amount) * size for trade in trades), Decimal(0))
        else:
            base = [Decimal(trade.amount) * size for trade in trades]
            quote = sum((Decimal(trade.price) * part for trade, part in zip(trades, base, strict=True)), Decimal(0))
        volume = sum(base, Decimal(0))
        taker = sum((part for trade, part in zip(trades, base, strict=True) if trade.buy), Decimal(0))
        if inverse:
            volume, taker = (each.quantize(Decimal("1e-12"), ROUND_HALF_EVEN) for each in (volume, taker))
    status = "partial" if partial else "complete"
    return (open_time, prices[0], max(prices), min(prices), prices[-1], volume, quote, taker, len(trades), status)


def row(candle: Candle) -> tuple[Any, ...]:
    """A candle in the shape of `naive`."""
    return (
        candle.open_time,
        candle.open,
        candle.high,
        candle.low,
        candle.close,
        candle.volume,
        candle.quote_volume,
        candle.taker_buy_volume,
        candle.trades,
        candle.status,
    )


def _places(text: str) -> int:
    return len(text.partition(".")[2])
