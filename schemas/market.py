"""Records of market data. Field meanings stand in the `.avsc` of the same name."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

TradesKind = Literal["history", "live", "repair", "replay"]
NoticeKind = Literal["maintenance", "resumed", "closing", "listing", "refused", "silent", "other"]
CandleStatus = Literal["complete", "partial", "synthetic", "repaired"]


class Gap(Struct, frozen=True):
    """Trades with after_id < id < before_id, or of times in [since, until), are missing; `reason` says why.

    The same ids with `open` false close it: every trade in it is known now. With another reason, it stays open for that.
    With a smaller `before_id` and the same `after_id` it is narrowed.
    """

    after_id: int
    before_id: int
    since: int
    until: int
    reason: str
    open: bool = True


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
    counts: tuple[int, ...] = ()
    event_time: int = 0


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


class Book(Struct, frozen=True):
    """The best levels of an order book, best first, as scaled integers; empty while it is `broken`."""

    venue: str
    symbol: str
    time: int
    received: int
    sequence: int
    price_scale: int = 0
    amount_scale: int = 0
    bid_prices: tuple[int, ...] = ()
    bid_amounts: tuple[int, ...] = ()
    ask_prices: tuple[int, ...] = ()
    ask_amounts: tuple[int, ...] = ()
    broken: str | None = None


class Mark(Struct, frozen=True):
    """The price that positions are valued at, and the index it follows."""

    venue: str
    symbol: str
    time: int
    received: int
    mark: Decimal
    index: Decimal | None = None


class Funding(Struct, frozen=True):
    """What holders of one side pay those of the other: a fraction of the position's value; positive when longs pay."""

    venue: str
    symbol: str
    time: int
    received: int
    rate: Decimal
    next_time: int | None = None


class OpenInterest(Struct, frozen=True):
    """How much of a contract is held, in native units."""

    venue: str
    symbol: str
    time: int
    received: int
    amount: Decimal


class VenueCandle(Struct, frozen=True):
    """A minute as the venue itself tells it, to hold ours against."""

    venue: str
    symbol: str
    open_time: int
    received: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal | None
    trades: int | None
    closed: bool


class Notice(Struct, frozen=True):
    """What a venue announced, or what became of a connection to it."""

    venue: str
    received: int
    kind: NoticeKind
    code: str
    message: str
    symbol: str | None = None


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
    quanto: bool = False
    strike: Decimal | None = None
    option: Literal["call", "put"] | None = None


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
