"""What a venue is to the rest: how it speaks over its market, without a socket and without a clock.

A venue is a folder beside this file and one line in `exchanges`. It gives

- an `Exchange`: which addresses its websocket has, the REST answers, what its errors look like;
- for each connection a `Talk`: what it answers to what the client says, and the `feeds` that the client has subscribed to.

Everything else is the same for all: `session` counts what the client says and sends what the feeds have due, `feeds` holds
the cursors over trades, quotes, books, candles and marks, on which the faults of a stream act, `connection` is the socket.
Addresses are as below the venue's name: `/okx/ws/v5/public?x=1` is `/ws/v5/public` with the query {"x": "1"}.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from infra.simulated.board import Board
from infra.simulated.faults import FaultKind
from infra.simulated.feeds import Feed, Frame, Moment
from infra.simulated.listing import Listing
from infra.simulated.market import Market
from infra.simulated.tape import Tape

Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer over REST. `body` is a JSON value, or JSON that is written already (a text)."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class Close(NamedTuple):
    """How a connection ends: the websocket's close code and reason."""

    code: int
    reason: str = ""


_NORMAL, _GOING_AWAY, _POLICY = Close(1000), Close(1001), Close(1008)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When the venue ends a connection. Times are seconds of the venue's own watch; None where it has no such rule."""

    silence: float | None = None
    """Neither side has said anything for so long."""
    unheard: float | None = None
    """The client has said nothing (also no protocol ping) for so long, whatever the venue said."""
    lifetime: float | None = None
    ping_every: float | None = None
    """The venue sends protocol pings,"""
    pong_within: float | None = None
    """and wants them answered."""
    messages_per_second: int | None = None
    """The client has said more than that within a second, pings and pongs included."""
    idle: Close = _NORMAL
    expired: Close = _NORMAL
    excess: Close = _POLICY
    binary: bool = False
    """Whether the texts are sent in binary frames."""
    connects_limited: bool = False
    """Whether the fault `rate_limit` also refuses new connections."""
    maintenance: Close | None = _GOING_AWAY
    """How connections end when maintenance begins; None where they stay open and silent."""


class Talk(Protocol):
    """What one client says and is answered. It keeps `feeds` by what was subscribed to."""

    feeds: dict[Hashable, Feed]

    def greet(self, now: Moment) -> Iterable[Frame]:
        """What is said first, before the client says anything."""
        ...

    def hear(self, said: str, now: Moment) -> Iterable[Frame]:
        """Take what the client said, open and close feeds, and return the answers."""
        ...

    def heartbeat(self, said: str, now: Moment) -> Sequence[Frame] | None:
        """Return the answer if this was a heartbeat, else None: all that is answered under the fault `heartbeats_only`."""
        ...

    def beats(self, now: Moment) -> Iterable[Frame]:
        """Heartbeats that the venue itself sends as texts, as far as they are due. Asked several times a second."""
        ...

    def over(self, now: Moment) -> Close | None:
        """Whether the venue ends this connection for a reason of its own, such as a heartbeat that was not answered."""
        ...

    def notice(self, seconds: float, now: Moment) -> Iterable[Frame]:
        """What announces that this connection will be closed in so many seconds; nothing where the venue never says."""
        ...

    def maintenance(self, seconds: float, now: Moment) -> Iterable[Frame]:
        """What announces maintenance that begins now, to those whom the venue tells."""
        ...


class Exchange(Protocol):
    """One venue over one market."""

    name: str
    """ccxt's id."""
    board: Board
    rules: Rules
    garbage: tuple[Frame, ...]
    """What the fault `garbage` sends: cut frames, frames of unknown channels, values of the wrong type."""

    def told(self, name: str, now_ms: int) -> Tape:
        """Return the trades of an instrument as the ledger counts them, complete through a time.

        That is the board's tape, except where the venue tells several trades as one with an id of its own.
        """
        ...

    def trade_id(self, name: str, tape_id: int) -> int | str:
        """Return the id that the venue gives the trade of that id on that tape; a text where ids are names."""
        ...

    def accepts(self, path: str, query: Query) -> bool:
        """Whether the websocket has such an address."""
        ...

    def talk(self, path: str, query: Query, connection: str, now: Moment) -> Talk:
        """Begin to talk on a new connection; `connection` names it."""
        ...

    def rest(self, method: str, path: str, query: Query, body: bytes, now: Moment) -> Answer:
        """Answer a request; also one that makes no sense."""
        ...

    def refusal(self, kind: FaultKind, path: str, seconds: float, now: Moment) -> Answer | None:
        """What a request or a connection is answered with under `rate_limit`, `server_error` or `maintenance`.

        That fault will hold for so many seconds. None where it does not concern an address. `Retry-After` is added.
        """
        ...


class Opening(NamedTuple):
    """What it takes to open a venue: its instruments by number, and the exchange over their market."""

    listings: Callable[[int, float], Sequence[Listing]]
    """The first so many instruments, trading so many times as often as usual."""
    exchange: Callable[[Market], Exchange]
    recorded: Callable[[Path, int], Market] | None = None
    """A market out of a capture that begins at a time; None where there is no reader of the venue's captures."""
