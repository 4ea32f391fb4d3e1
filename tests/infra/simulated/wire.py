"""What the tests of every venue share: a connection without a socket, and the shape of messages."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from infra.simulated.exchange import Answer, Exchange
from infra.simulated.exchanges import EXCHANGES
from infra.simulated.faults import Fault, FaultKind, Faults
from infra.simulated.feeds import Frame, Moment
from infra.simulated.market import random_market
from infra.simulated.session import Ping, Session

START = 1_767_571_200_000


def opened(venue: str, count: int = 8, seed: int = 7) -> Exchange:
    """A venue over a market of its own."""
    opening = EXCHANGES[venue]
    return opening.exchange(random_market(seed, opening.listings(count, 1.0), START))


def moment(ms: int, seconds: float = 0.0) -> Moment:
    """A time at which nothing is wrong with the venue's clock."""
    return Moment(ms, ms, seconds, seconds)


class Wire:
    """A connection with its clocks in hand: 60 market seconds a real one, and as many seconds on the venue's watch."""

    def __init__(self, exchange: Exchange, path: str, query: Mapping[str, str] | None = None) -> None:
        self.ms, self.real = START, 0.0
        self.exchange, self.board, self.faults = exchange, exchange.board, Faults()
        talk = exchange.talk(path, query or {}, "4adc328c", self.now)
        self.session = Session(exchange, talk, self.faults, self.now)

    @property
    def now(self) -> Moment:
        return moment(self.ms, self.real)

    def say(self, request: object) -> list[Any]:
        """Say something and return the answers, as JSON where they are."""
        said = request if isinstance(request, str) else json.dumps(request)
        return [read(reply) for reply in self.session.receive(said, self.now)]

    def due(self) -> list[Frame | Ping]:
        """What is due now."""
        return list(self.session.due(self.now))

    def pass_time(self, milliseconds: int, step: int = 300) -> list[Any]:
        """Let the market run and return what came, as JSON where it is; pings are left out."""
        frames: list[Any] = []
        for _ in range(0, milliseconds, step):
            self.ms, self.real = self.ms + step, self.real + step / 60_000
            frames += [read(frame) for frame in self.due() if not isinstance(frame, Ping)]
        return frames

    def wait(self, seconds: float) -> None:
        """Let the venue's watch go on while the market stands."""
        self.real += seconds

    def strike(self, kind: FaultKind, **numbers: Any) -> None:
        """Let a fault happen as the venue does: it holds, and it strikes the connection."""
        fault = Fault(kind, **numbers)
        self.faults.begin(fault, self.real)
        self.session.strike(fault, self.now)


def read(frame: object) -> Any:
    """A frame as JSON, or as it is where it is none."""
    try:
        return json.loads(frame) if isinstance(frame, str | bytes) else frame
    except ValueError:
        return frame


def ask(exchange: Exchange, path: str, now_ms: int = START, **query: object) -> Answer:
    """Send a GET request."""
    return exchange.rest("GET", path, {name: str(value) for name, value in query.items()}, b"", moment(now_ms))


def shape(value: object) -> object:
    """Objects by field, arrays by the shape of their elements, everything else by its type."""
    if isinstance(value, dict):
        return {field: shape(inner) for field, inner in value.items()}
    if isinstance(value, list):
        shapes = [shape(inner) for inner in value]
        alike = all(one == shapes[0] for one in shapes) and any(isinstance(one, dict | list) for one in shapes)
        return shapes[:1] if alike else shapes
    return type(value).__name__


def samples(shared: Path, folder: str, kind: str, source: str = "") -> list[Any]:
    """The messages of a kind whose source has this in its name."""
    entries: list[dict[str, Any]] = json.loads((shared / "wire" / folder / f"{kind}.json").read_text())
    return [entry["message"] for entry in entries if source in entry["source"]]


def rows(messages: Iterable[Any], channel: str) -> list[Any]:
    """The rows of one channel, where a message is {"arg": {"channel": ..}, "data": [..]}."""
    return [row for one in messages if one["arg"]["channel"] == channel for row in one["data"]]
