"""A venue without a wire format: frames stand for events that the test has named, requests are read back from their text."""

import itertools
import json
from collections.abc import Sequence
from decimal import Decimal

from msgspec import structs

from producers.dialect import (
    BookPushed,
    BookRule,
    Channel,
    Event,
    FrameError,
    Ids,
    Kind,
    Limits,
    Message,
    Request,
    Told,
    Trade,
    TradesPushed,
)
from producers.lines import Line, lines
from schemas.market import Instrument

START = 1_767_571_200_000  # a whole minute
MINUTE = 60_000
RECEIVED = START * 1000  # our clock shows what the venue's does

BTC = Instrument(
    venue="toy",
    symbol="BTC/USDT",
    market_id="BTC",
    type="spot",
    base="BTC",
    quote="USDT",
    settle=None,
    contract_size=Decimal(1),
    inverse=False,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.00000001"),
    min_amount=Decimal("0.00001"),
    active=True,
    expiry=None,
    valid_from=0,
)
ETH = structs.replace(BTC, symbol="ETH/USDT", market_id="ETH", base="ETH")


class Toy:
    """The dialect. What is to be different is given by name."""

    name = "toy"
    hosts = ("ws://one", "ws://two")
    limits = Limits(channels=10, messages_per_s=10.0, connects_per_minute=60)
    ping: str | None = "ping"
    keepalive_s = 20.0
    acknowledges = True
    margin_ms = 0
    replaces = False
    parts = 100
    kinds: tuple[Kind, ...] = (Kind.TRADES, Kind.QUOTES)
    book: Request | None = None
    rule = BookRule("adjoining")
    said_first: tuple[Message, ...] = ()

    def __init__(self, **different: object) -> None:
        for name, value in different.items():
            assert hasattr(self, name)
            setattr(self, name, value)
        self._frames: dict[bytes, tuple[Event, ...]] = {}
        self._numbers = itertools.count()

    def frame(self, *events: Event) -> bytes:
        """A frame that says this."""
        text = b"%d" % next(self._numbers)
        self._frames[text] = events
        return text

    def parse(self, frame: bytes) -> tuple[Event, ...]:
        if frame not in self._frames:
            raise FrameError("never heard of that")
        return self._frames[frame]

    def path(self, channel: Channel, instrument: Instrument) -> str | None:
        return f"/{instrument.type}" if channel.kind in self.kinds else None

    def ids(self, instrument: Instrument) -> Ids:
        return Ids.CONSECUTIVE

    def recent_trades(self, instrument: Instrument) -> int:
        return 100

    def greeting(self) -> tuple[Message, ...]:
        return self.said_first

    def subscribe(self, wanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        asked = [*held, *wanted] if self.replaces else list(wanted)
        return self._messages("subscribe", asked, wanted, request)

    def unsubscribe(self, unwanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        return self._messages("unsubscribe", list(held if self.replaces else unwanted), unwanted, request)

    def _messages(self, what: str, named: list[Channel], meant: Sequence[Channel], request: int) -> tuple[Message, ...]:
        size = len(named) if self.replaces else self.parts
        made = []
        for number, begin in enumerate(range(0, len(named), size), request):
            part = named[begin : begin + size]
            text = json.dumps({what: [f"{one.kind}:{one.market_id}" for one in part], "id": number})
            made.append(Message(text, number, tuple(one for one in part if one in meant)))
        return tuple(made)

    def book_request(self, instrument: Instrument) -> Request | None:
        return self.book

    def book_rule(self, instrument: Instrument) -> BookRule:
        return self.rule


def asked(text: str | None) -> list[str]:
    """The channels in a request."""
    assert text is not None
    return next(value for key, value in json.loads(text).items() if key != "id")


def line(dialect: Toy, *instruments: Instrument) -> Line:
    """The one line of these."""
    (only,) = lines(dialect, instruments or (BTC,))
    return only


def trade(trade_id: int, *, time: int | None = None, price: str = "100", amount: str = "1") -> Trade:
    """The trade of an id: one a second from START on."""
    at = START + trade_id * 1000 if time is None else time
    return Trade(trade_id, trade_id, at, Decimal(price), Decimal(amount), taker_buy=trade_id % 2 == 0)


def pushed(*ids: int, market_id: str = "BTC", snapshot: bool = False) -> TradesPushed:
    """The trades of these ids, sent at the time of the last."""
    return TradesPushed(market_id, tuple(trade(one) for one in ids), START + ids[-1] * 1000, snapshot)


def told(time: int, trade_id: int, market_id: str = "BTC") -> Told:
    """At a time the last trade was this one."""
    return Told(market_id, time, trade_id=trade_id)


def book(
    first: int, last: int, *, snapshot: bool = False, bid: str = "99", market_id: str = "BTC", amount: str = "1"
) -> BookPushed:
    """A book of one level a side, or a change to its best bid's amount."""
    level = (Decimal(bid), Decimal(amount))
    asks = ((Decimal(101), Decimal(1)),) if snapshot else ()
    return BookPushed(market_id, START + last, (level,), asks, snapshot, first=first, last=last)
