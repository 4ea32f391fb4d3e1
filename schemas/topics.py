"""The table of topics. A topic's name is spelled here and nowhere else."""

from dataclasses import dataclass

from schemas import market, signals, trading
from schemas.codec import Record

PARTITIONS = 12  # of all that is keyed by market or account: co-partitioned, set once


@dataclass(frozen=True)
class Topic:
    """One topic: its record, how it is keyed, how long it is kept (ms; -1 for ever) and how much of it.

    Bytes are those of a partition; None is what the broker itself keeps.
    """

    name: str
    record: type[Record]
    key: str
    partitions: int = PARTITIONS
    retention_ms: int = -1
    retention_bytes: int | None = None
    compact: bool = False

    def settings(self) -> dict[str, str]:
        """The broker's settings for it."""
        if self.compact:
            return {"cleanup.policy": "compact"}
        size = {} if self.retention_bytes is None else {"retention.bytes": str(self.retention_bytes)}
        return {"cleanup.policy": "delete", "retention.ms": str(self.retention_ms), **size}


MARKET = "venue|symbol"
ACCOUNT = "venue|account"
VENUE = "venue"
SOURCE = "source"

# A broker deletes by the record's own time, and records carry the market's time: a replay or the demo would lose its input to
# any limit by time. What moves fast is bounded by size instead, a partition.
_FAST = 512 * 1024 * 1024

INSTRUMENTS = Topic("market.instruments", market.Instrument, MARKET, compact=True)
TRADES = Topic("market.trades", market.Trades, MARKET, retention_bytes=_FAST)
QUOTES = Topic("market.quotes", market.Quote, MARKET, retention_bytes=_FAST // 8)
BOOKS = Topic("market.books", market.Book, MARKET, retention_bytes=_FAST // 2)
MARK = Topic("market.mark", market.Mark, MARKET, retention_bytes=_FAST // 8)
FUNDING = Topic("market.funding", market.Funding, MARKET, retention_bytes=_FAST // 8)
OPEN_INTEREST = Topic("market.interest", market.OpenInterest, MARKET, retention_bytes=_FAST // 8)
VENUE_CANDLES = Topic("market.venue-candles", market.VenueCandle, MARKET, retention_bytes=_FAST // 8)
NOTICES = Topic("market.notices", market.Notice, VENUE, partitions=1, retention_bytes=_FAST // 8)
CANDLES = Topic("market.candles", market.Candle, MARKET, retention_bytes=_FAST)
INDICATORS = Topic("market.indicators", market.Indicators, MARKET, retention_bytes=_FAST)
MOVES = Topic("market.moves", market.Move, MARKET, retention_bytes=_FAST)
SIGNALS = Topic("signals", signals.Signal, MARKET)
COMMANDS = Topic("trading.commands", trading.Command, MARKET)
INPUTS = Topic("trading.inputs", trading.Input, MARKET, retention_bytes=_FAST)
INTENTS = Topic("trading.intents", trading.Intent, ACCOUNT)
ORDERS = Topic("trading.orders", trading.Order, ACCOUNT)
FILLS = Topic("trading.fills", trading.Fill, ACCOUNT)
POSITIONS = Topic("trading.positions", trading.Position, ACCOUNT)
REFUSALS = Topic("trading.refusals", trading.Refusal, ACCOUNT)
DEAD_LETTERS = Topic("dead.letters", market.DeadLetter, SOURCE, partitions=1, retention_bytes=_FAST)

TOPICS: tuple[Topic, ...] = (
    INSTRUMENTS,
    TRADES,
    QUOTES,
    BOOKS,
    MARK,
    FUNDING,
    OPEN_INTEREST,
    VENUE_CANDLES,
    NOTICES,
    CANDLES,
    INDICATORS,
    MOVES,
    SIGNALS,
    COMMANDS,
    INPUTS,
    INTENTS,
    ORDERS,
    FILLS,
    POSITIONS,
    REFUSALS,
    DEAD_LETTERS,
)


def key(record: Record) -> bytes:
    """The Kafka key of a record, by its topic's rule."""
    if isinstance(record, market.DeadLetter):
        return record.source.encode()
    if isinstance(record, market.Notice):
        return record.venue.encode()
    if isinstance(record, trading.Intent | trading.Order | trading.Fill | trading.Position | trading.Refusal):
        return f"{record.venue}|{record.account}".encode()
    return f"{record.venue}|{record.symbol}".encode()


def topic_of(record: Record) -> Topic:
    """The topic a record belongs to: every record type has exactly one."""
    return _BY_RECORD[type(record)]


_BY_RECORD = {topic.record: topic for topic in TOPICS}
