"""Records of market data. Field meanings stand in the `.avsc` of the same name."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

TradesKind = Literal["history", "live", "repair", "replay"]
CandleStatus = Literal["complete", "partial", "synthetic", "repaired"]


class Gap(Struct, frozen=True):
    """Trades with after_id < id < before_id, or of times in [since, until), are missing and could not be fetched."""

    after_id: int
    before_id: int
    since: int
    until: int
    reason: str


class HistoryCandle(Struct, frozen=True):
    """One closed minute as the venue itself tells it, before our first trade."""

    open_time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal


class Trades(Struct, frozen=True):
    """What arrived together for one instrument; a heartbeat when the columns are empty. Columns have equal lengths."""

    venue: str
    symbol: str
    market_id: str
    kind: TradesKind
    received: int
    watermark: int
    contract_size: Decimal
    inverse: bool
    tick_size: Decimal
    lot_size: Decimal
    price_scale: int = 0
    amount_scale: int = 0
    ids: tuple[int, ...] = ()
    times: tuple[int, ...] = ()
    prices: tuple[int, ...] = ()
    amounts: tuple[int, ...] = ()
    taker_buys: tuple[bool, ...] = ()
    gap: Gap | None = None
    history: tuple[HistoryCandle, ...] = ()


class Quote(Struct, frozen=True):
    """Best bid and ask, amounts in native units."""

    venue: str
    symbol: str
    time: int
    received: int
    bid: Decimal
    bid_amount: Decimal
    ask: Decimal
    ask_amount: Decimal


class Instrument(Struct, frozen=True):
    """One market of a venue, valid from `valid_from` (epoch ms) on."""

    venue: str
    symbol: str
    market_id: str
    type: Literal["spot", "swap", "future", "option"]
    base: str
    quote: str
    settle: str | None
    contract_size: Decimal
    inverse: bool
    tick_size: Decimal
    lot_size: Decimal
    min_amount: Decimal
    active: bool
    expiry: int | None
    valid_from: int


class Candle(Struct, frozen=True):
    """OHLC and volumes of one instrument and timeframe; volumes in base units, quote volume in quote units."""

    venue: str
    symbol: str
    market_id: str
    timeframe: str
    open_time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    taker_buy_volume: Decimal
    trades: int
    status: CandleStatus
    revision: int
    source: Literal["trades", "venue"]
    received: int


class Indicators(Struct, frozen=True):
    """Every configured indicator of one candle; `values` is empty of what is not warm yet."""

    venue: str
    symbol: str
    timeframe: str
    open_time: int
    candle_revision: int
    revision: int
    status: CandleStatus
    close: Decimal
    warm: bool
    values: dict[str, float]
    trend: int
    received: int


class Move(Struct, frozen=True):
    """One record of market.trades after the pipeline has digested it, with the signals it raised."""

    venue: str
    symbol: str
    offset: int
    trades: bytes
    signals: tuple[bytes, ...] = ()


class DeadLetter(Struct, frozen=True):
    """What could not be understood, as it came, with where it came from and why."""

    source: str
    partition: int | None
    offset: int | None
    reason: str
    payload: bytes
    received: int
