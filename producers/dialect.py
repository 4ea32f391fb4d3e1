"""What a venue's dialect is: pure tables and functions between the venue's texts and these events."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Final, Literal, Protocol

from msgspec import Struct

from schemas.exact import INT64_MAX
from schemas.market import HistoryCandle, Instrument, NoticeKind

_NUMBER: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
_DIGITS: Final = 18  # what always fits 64 bits as a scaled integer


class FrameError(ValueError):
    """A frame that is broken or of no known kind: says why. The session goes on."""


class Kind(StrEnum):
    """What one can ask a venue to tell of an instrument."""

    TRADES = "trades"
    QUOTES = "quotes"
    BOOK = "book"
    CANDLES = "candles"
    MARK = "mark"
    FUNDING = "funding"
    INTEREST = "interest"


class Channel(Struct, frozen=True, order=True):
    """One kind of news of one instrument, by the venue's own name."""

    kind: Kind
    market_id: str


class Ids(Enum):
    """How the ids of one instrument's trades go on.

    `CONSECUTIVE`: each is one above the last, so that what is missing shows. `RISING`: each is above the last.
    `NAMED`: they are names without order; `Trade.id` is then a digest of the name (`name_id`) and `Trade.time` orders.
    """

    CONSECUTIVE = "consecutive"
    RISING = "rising"
    NAMED = "named"


class Trade(Struct, frozen=True, gc=False):
    """Trades `first_id` to `id`, told as one. Amount in native units (contracts of derivatives), time in epoch ms.

    `count` is how many trades of the venue it stands for: ids may count something else than trades.
    """

    id: int
    first_id: int
    time: int
    price: Decimal
    amount: Decimal
    taker_buy: bool
    count: int = 1


class TradesPushed(Struct, frozen=True, gc=False):
    """Trades of one instrument, in the venue's order. `snapshot` when the venue repeats old ones on subscribing.

    `event_time`: epoch ms at which the venue sent them; 0 when it does not say.
    """

    market_id: str
    trades: tuple[Trade, ...]
    event_time: int = 0
    snapshot: bool = False


class Quoted(Struct, frozen=True, gc=False):
    """Best bid and ask at a venue time (epoch ms); 0 when the venue tells none. A side without orders has amount 0."""

    market_id: str
    time: int
    bid: Decimal
    bid_amount: Decimal
    ask: Decimal
    ask_amount: Decimal


class Told(Struct, frozen=True, gc=False):
    """What the venue says the last trade was, at a venue time (epoch ms): as much of it as it tells."""

    market_id: str
    time: int
    trade_id: int | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    trade_time: int | None = None


Level = tuple[Decimal, Decimal]
"""Price and amount in native units; an amount of 0 removes the level."""


class BookPushed(Struct, frozen=True, gc=False):
    """A whole book, or changes to it. `producers.books` knows the venue's sequence rule.

    `first` and `last` are the numbers of the changes within it, `previous` the number that must have come before.
    """

    market_id: str
    time: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    snapshot: bool
    first: int | None = None
    last: int | None = None
    previous: int | None = None
    checksum: int | None = None


class CandlePushed(Struct, frozen=True):
    """One minute as the venue tells it. `closed` when the venue says that it is final."""

    market_id: str
    candle: HistoryCandle
    trades: int | None
    closed: bool


class Marked(Struct, frozen=True, gc=False):
    """The mark price, and the index where the venue tells it in the same breath."""

    market_id: str
    time: int
    mark: Decimal
    index: Decimal | None = None


class Funded(Struct, frozen=True, gc=False):
    """The funding rate as a fraction, for the interval that ends at `next_time` (epoch ms)."""

    market_id: str
    time: int
    rate: Decimal
    next_time: int | None = None


class Held(Struct, frozen=True, gc=False):
    """Open interest in native units."""

    market_id: str
    time: int
    amount: Decimal


class Acknowledged(Struct, frozen=True):
    """The venue granted a request: one by its number, or these channels."""

    request: int | None = None
    channels: tuple[Channel, ...] = ()


class Refused(Struct, frozen=True):
    """The venue answered with an error: to a request by its number, on channels, or to nobody knows what."""

    code: str
    message: str
    request: int | None = None
    channels: tuple[Channel, ...] = ()


class Announced(Struct, frozen=True):
    """The venue announces something. `market_id` when it concerns one instrument."""

    kind: NoticeKind
    code: str
    message: str
    market_id: str | None = None


class Asked(Struct, frozen=True):
    """The venue wants an answer, this very text, or it ends the connection."""

    reply: str


class Ignored(Struct, frozen=True):
    """A frame that is known and of no use here: an answer to a ping, a channel nobody reads."""

    what: str


Event = (
    TradesPushed | Quoted | Told | BookPushed | CandlePushed | Marked | Funded | Held
    | Acknowledged | Refused | Announced | Asked | Ignored
)  # fmt: skip


class VenueCandle(Struct, frozen=True):
    """One minute as the venue tells it over REST."""

    candle: HistoryCandle
    closed: bool


class Request(Struct, frozen=True):
    """A REST request: the name of ccxt's method for the endpoint, and its parameters."""

    method: str
    params: Mapping[str, str | int]
    """ccxt weighs some requests by their `limit`, which has to be a number then."""


class Message(Struct, frozen=True):
    """What is said to the venue: its text, and the number and channels that its acknowledgement answers for."""

    text: str
    request: int | None = None
    channels: tuple[Channel, ...] = ()


class Limits(Struct, frozen=True, kw_only=True):
    """What a venue lets a client do. Above it, it refuses, disconnects or bans."""

    channels: int
    """Channels a connection."""
    messages_per_s: float
    """Messages that a client may send on one connection."""
    connects_per_minute: int
    lifetime_s: float | None = None
    """After so long the venue itself ends a connection."""


class Dialect(Protocol):
    """One venue. Every method is a pure function; parsing raises FrameError and nothing else."""

    name: str
    """ccxt's id of the venue."""
    hosts: tuple[str, ...]
    """Scheme, host and port of the websocket; the first is tried first."""
    limits: Limits
    ping: str | None
    """Text that keeps a connection alive; None for a protocol ping."""
    keepalive_s: float
    """After so long without a frame the ping is sent."""
    acknowledges: bool
    """Whether the venue answers a subscription; where it does not, sending it is enough."""
    margin_ms: int
    """How much older than its ticker a trade may be that was not pushed yet."""

    def path(self, channel: Channel, instrument: Instrument) -> str | None:
        """The websocket's path (with its query) where a channel is to be had; None where the venue does not have it."""
        ...

    def ids(self, instrument: Instrument) -> Ids:
        """How the ids of an instrument's trades go on."""
        ...

    def recent_trades(self, instrument: Instrument) -> int:
        """How many trades a REST request without a cursor gives; what is older cannot be verified where ids do not show it."""
        ...

    def greeting(self) -> tuple[Message, ...]:
        """What is said first on every connection."""
        ...

    def subscribe(self, wanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """Messages that ask for channels, trades before quotes, numbered from `request` on, each within the venue's size.

        `held` is what the connection has already: a venue whose requests replace one another is asked for all of it.
        """
        ...

    def unsubscribe(self, unwanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """Messages that end what `subscribe` began; `held` is what is to stay."""
        ...

    def parse(self, frame: bytes) -> tuple[Event, ...]:
        """What one frame says."""
        ...

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """The instrument in a ccxt market, from the venue's own strings in `info`. Raises FrameError."""
        ...

    def trades_request(self, instrument: Instrument, before: Trade | None) -> Request | None:
        """One page of trades older than one (some may repeat it), or the newest; None when the venue reaches no further back."""
        ...

    def trades_page(self, instrument: Instrument, answer: Any) -> tuple[Trade, ...]:
        """The trades of that page, oldest first, in the venue's order."""
        ...

    def candles_request(self, instrument: Instrument, before: int) -> Request:
        """One page of one-minute candles that opened before a time (epoch ms), the newest of them."""
        ...

    def candles_page(self, instrument: Instrument, answer: Any) -> tuple[VenueCandle, ...]:
        """The candles of that page, in any order."""
        ...

    def book_request(self, instrument: Instrument) -> Request | None:
        """A whole book over REST; None where the websocket itself sends one first."""
        ...

    def book_page(self, instrument: Instrument, answer: Any) -> BookPushed:
        """The book of that answer."""
        ...

    def book_rule(self, instrument: Instrument) -> "BookRule":
        """How an instrument's book is kept."""
        ...


class BookRule(Struct, frozen=True):
    """How a venue's book changes follow one another, and what its checksum is taken over.

    `continues`: `previous` (its `previous` is our last), `adjoining` (its `first` is our last + 1), `rising` (its `last` is above
    ours), `whole` (every push is a whole book), `counted` (no numbers: only the connection vouches).
    """

    continues: Literal["previous", "adjoining", "rising", "whole", "counted"]
    checksum: Literal["kraken", "bitget"] | None = None
    depth: int | None = None
    """Levels a side that the venue keeps current: what falls below is to be forgotten."""


def number(text: str) -> Decimal:
    """The decimal above or equal to zero in a venue's string; plain digits only, as many as fit 64 bits. Raises FrameError."""
    found = _NUMBER.fullmatch(text) if isinstance(text, str) else None
    if found is None or (len(text) > _DIGITS and not _fits(found[1], found[2] or "")):
        raise FrameError(f"not a number: {text!r:.60}")
    return Decimal(text)


def _fits(whole: str, fraction: str) -> bool:
    """Zeros before the first other digit need no room."""
    return len(fraction) <= _DIGITS and len((whole + fraction).lstrip("0")) <= _DIGITS


def positive(text: str) -> Decimal:
    """As `number`, above zero."""
    value = number(text)
    if not value:
        raise FrameError("a price or amount of zero")
    return value


def checked(value: Decimal) -> Decimal:
    """A number that a decoder took from JSON digits: as `number`. Raises FrameError."""
    if not value.is_finite() or value < 0 or value.adjusted() >= _DIGITS or value.adjusted() < -_DIGITS:
        raise FrameError(f"not a number: {value!s:.60}")
    if len(value.as_tuple().digits) > _DIGITS:
        raise FrameError(f"not a number: {value!s:.60}")
    return value


def rate(text: str) -> Decimal:
    """As `number`, of either sign: a funding rate."""
    return -number(text[1:]) if isinstance(text, str) and text.startswith("-") else number(text)


def integer(text: str) -> int:
    """The id or time in a venue's string. Raises FrameError."""
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= INT64_MAX):
        raise FrameError(f"not a whole number: {text!r:.60}")
    return int(text)
