"""What a venue's dialect is: pure tables and functions between the venue's texts and these events."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Protocol

from msgspec import Struct

from schemas.market import HistoryCandle, Instrument

_NUMBER: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
_DIGITS: Final = 18  # what always fits 64 bits as a scaled integer


class FrameError(ValueError):
    """A frame that is broken or of no known kind: says why. The session goes on."""


class Trade(Struct, frozen=True, gc=False):
    """Trades `first_id` to `id`, told as one. Amount in native units (contracts of derivatives), time in epoch ms."""

    id: int
    first_id: int
    time: int
    price: Decimal
    amount: Decimal
    taker_buy: bool


class TradesPushed(Struct, frozen=True):
    """New trades of one instrument, in the venue's order."""

    market_id: str
    trades: tuple[Trade, ...]


class Ticker(Struct, frozen=True):
    """Best bid and ask at a venue time (epoch ms), and the last trade the venue knew then."""

    market_id: str
    time: int
    bid: Decimal
    bid_amount: Decimal
    ask: Decimal
    ask_amount: Decimal
    last: Decimal
    last_amount: Decimal


class Subscribed(Struct, frozen=True):
    """The venue acknowledged one channel of one instrument."""

    channel: str
    market_id: str


class Refused(Struct, frozen=True):
    """The venue answered with an error."""

    code: str
    message: str


class Notice(Struct, frozen=True):
    """The venue announces something; `closing` when it is about to end the connection."""

    code: str
    message: str
    closing: bool


class Ignored(Struct, frozen=True):
    """A frame that is known and of no use here: an answer to a ping, a channel nobody reads."""

    what: str


Event = TradesPushed | Ticker | Subscribed | Refused | Notice | Ignored


class VenueCandle(Struct, frozen=True):
    """One minute as the venue tells it over REST."""

    candle: HistoryCandle
    closed: bool


class Request(Struct, frozen=True):
    """A REST request: the name of ccxt's method for the endpoint, and its parameters."""

    method: str
    params: dict[str, str]


class Dialect(Protocol):
    """One venue. Every method is a pure function; parsing raises FrameError and nothing else."""

    name: str
    """ccxt's id of the venue."""
    url: str
    """Scheme, host and port of the websocket."""
    path: str
    ping: str
    """Text that keeps a connection alive."""
    keepalive_s: float
    """After so long without a frame the ping is sent."""
    connection_instruments: int
    """How many instruments one connection may carry."""
    trades_channel: str
    """The channel whose acknowledgement says that trades will come."""
    margin_ms: int
    """How much older than its ticker a trade may be that was not pushed yet."""

    def subscribe(self, market_ids: Sequence[str]) -> list[str]:
        """Messages that ask for trades and tickers, within the venue's limits."""
        ...

    def unsubscribe(self, market_ids: Sequence[str]) -> list[str]:
        """Messages that end what `subscribe` began."""
        ...

    def parse(self, text: str) -> tuple[Event, ...]:
        """What one frame says."""
        ...

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """The instrument in a ccxt market, from the venue's own strings in `info`. Raises FrameError."""
        ...

    def trades_request(self, market_id: str, before_id: int | None) -> Request:
        """One page of trades with smaller ids, or of the newest."""
        ...

    def trades_page(self, market_id: str, answer: Any) -> tuple[Trade, ...]:
        """The trades of that page, in any order."""
        ...

    def candles_request(self, market_id: str, before: int) -> Request:
        """One page of one-minute candles that opened before a time (epoch ms), the newest of them."""
        ...

    def candles_page(self, instrument: Instrument, answer: Any) -> tuple[VenueCandle, ...]:
        """The candles of that page, in any order."""
        ...


def number(text: str) -> Decimal:
    """The decimal above or equal to zero in a venue's string; plain digits only, as many as fit 64 bits. Raises FrameError."""
    found = _NUMBER.fullmatch(text) if isinstance(text, str) else None
    if found is None or len(found[1]) + len(found[2] or "") > _DIGITS:
        raise FrameError(f"not a number: {text!r:.60}")
    return Decimal(text)


def positive(text: str) -> Decimal:
    """As `number`, above zero."""
    value = number(text)
    if not value:
        raise FrameError("a price or amount of zero")
    return value


def integer(text: str) -> int:
    """The id or time in a venue's string. Raises FrameError."""
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise FrameError(f"not a whole number: {text!r:.60}")
    return int(text)
