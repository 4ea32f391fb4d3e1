"""Records what venues send: the producer's own connections, with files in place of Kafka.

Beside the frames lie `instruments.json` (see `producers.listed`) and `connections.json`: by venue and connection the address,
when it was opened and closed (epoch seconds) and what was sent.
"""

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from platformdirs import user_state_path

from infra.settings import Settings, UserError
from producers.clock import Clock
from producers.continuity import Stream
from producers.dialect import Kind
from producers.dialects import DIALECTS
from producers.feed import Edges, Feed
from producers.instruments import Instruments
from producers.lines import Line, lines
from producers.rates import Pace
from producers.recorder import Recorder
from producers.repair import Fetcher
from producers.rest import Rest
from producers.session import Session
from producers.tally import Tally
from producers.todo import Todo
from schemas.codec import Record
from schemas.market import Instrument

CONNECTIONS: Final = "connections.json"
_WAIT_S: Final = 0.05
_WRITE_S: Final = 1.0
_SENT: Final = 1_000  # messages of a connection that are written down
_LOCAL_UNIT_MS: Final = 1.0

_log = logging.getLogger(__name__)


class Connections:
    """`connections.json`: what was there before, and what this recording adds."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, dict[str, dict[str, Any]]] = _read(file)
        self._count: dict[str, int] = {}
        self._open: set[tuple[str, str]] = set()
        self._changed = True

    def opened(self, venue: str, address: str, begun: str, received: int) -> str:
        """The name of a new connection."""
        number = self._count[venue] = self._count.get(venue, 0) + 1
        name = f"{address.partition('?')[0]}#{venue}-{begun}.{number}"
        self._known.setdefault(venue, {})[name] = {"address": address, "opened": received / 1e6, "closed": None, "sent": []}
        self._open.add((venue, name))
        self._changed = True
        return name

    def sent(self, venue: str, name: str, text: str, received: int) -> None:
        """Something was said on it."""
        sent = self._known[venue][name]["sent"]
        if len(sent) < _SENT:
            sent.append({"sent": received / 1e6, "data": text})
            self._changed = True

    def closed(self, venue: str, name: str, received: int) -> None:
        """It is no more."""
        self._known[venue][name]["closed"] = received / 1e6
        self._open.discard((venue, name))
        self._changed = True

    def write(self) -> None:
        """What is new."""
        if self._changed:
            self._changed = False
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps(self._known, indent=1))
            fresh.replace(self._file)

    def end(self, received: int) -> None:
        """The recording ends, and with it every connection."""
        for venue, name in tuple(self._open):
            self.closed(venue, name, received)
        self.write()


class Taped(Session):
    """A session that writes down what it hears and says. Of its trades it counts what is missing, and fetches nothing.

    It is one rather than has one because a feed carries out what a session decides.
    """

    def __init__(self, line: Line, venue: "RecordedVenue", name: str) -> None:
        super().__init__(DIALECTS[venue.name], line, venue.streams(line), name, venue.tally)
        self._venue = venue
        self._names: dict[int, str] = {}

    def connected(self, connection: int, server_time: int, received: int, now: float) -> Todo:
        """A connection was made: it gets a name."""
        venue = self._venue
        self._names[connection] = venue.connections.opened(venue.name, venue.host + self.line.path, venue.begun, venue.now_us())
        return self._written(super().connected(connection, server_time, received, now))

    def frames(self, connection: int, messages: Sequence[bytes], received: int, now: float) -> Todo:
        """Messages were read."""
        self._venue.recorder.take(self._names[connection], messages, received)
        return super().frames(connection, messages, received, now)

    def tick(self, received: int, now: float, *, reading: bool = True) -> Todo:
        """Time passes: more is asked for."""
        return self._written(super().tick(received, now, reading=reading))

    def left(self, connection: int, received: int, now: float) -> Todo:
        """A connection is no more."""
        self._venue.connections.closed(self._venue.name, self._names.pop(connection), received)
        return super().left(connection, received, now)

    def _written(self, todo: Todo) -> Todo:
        ping = DIALECTS[self._venue.name].ping
        for send in todo.sends:
            if send.text not in (None, ping) and send.connection in self._names:
                self._venue.connections.sent(self._venue.name, self._names[send.connection], send.text, self._venue.now_us())
        return todo


class _Discarded:
    """In place of Kafka: what a session publishes goes nowhere, and there is room while the disk keeps up."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    @property
    def full(self) -> bool:
        return self._recorder.full

    async def room(self) -> None:
        while self.full:  # noqa: ASYNC110 - a thread makes room
            await asyncio.sleep(_WAIT_S)

    def put(self, records: Iterable[Record]) -> None:
        pass


class RecordedVenue:
    """One venue: `recorder` and `tally` say how it is doing."""

    def __init__(self, settings: Settings, name: str, recorder: Recorder, connections: Connections, begun: str) -> None:
        self.name = name
        self.begun = begun
        self.recorder = recorder
        self.connections = connections
        self.tally = Tally()
        address = settings.venue_address(name)
        # One host: where a connection leads to is written down before it is made.
        self.host = DIALECTS[name].hosts[0] if address is None else "ws" + address.removeprefix("http")
        self._settings = settings
        self._local = address is not None
        self._clock = Clock()

    def now_us(self) -> int:
        """Our clock, epoch microseconds."""
        return self._clock.received()

    def streams(self, line: Line) -> dict[str, Stream]:
        """Of the instruments of a line whose trades are told on it, such that ask nobody for what is missing."""
        dialect, counts, now = DIALECTS[self.name], self.tally.counts, self._clock.now()
        told = {channel.market_id for channel in line.channels if channel.kind is Kind.TRADES}
        return {
            one.market_id: Stream(
                one, dialect.ids(one), dialect.recent_trades(one), "replay", None, counts, now, dialect.margin_ms
            )
            for one in line.instruments
            if one.market_id in told
        }

    async def load(self, symbols: Sequence[str]) -> tuple[tuple[Instrument, ...], Mapping[str, Any]]:
        """The instruments of these symbols, and the venue's own entries of them. Raises UserError."""
        async with Rest(self._settings, self.name) as rest:
            file = self._settings.state / "instruments" / f"{self.name}.json"
            instruments = Instruments(rest, DIALECTS[self.name], file)
            return (await instruments.load(symbols)).checked(self.name), instruments.entries

    async def run(self, instruments: Sequence[Instrument]) -> None:
        """Record until cancelled. Raises UserError when the disk takes no more."""
        dialect = DIALECTS[self.name]
        unit_ms = _LOCAL_UNIT_MS if self._local else 60_000 / dialect.limits.connects_per_minute
        folder = self._settings.state if self._local else user_state_path("tapeflow")
        where = self._settings.venue_address(self.name) or self.name
        connects = Pace(folder / "rates.sqlite", f"{where} connects", unit_ms)
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            stack.callback(connects.close)
            rest = await stack.enter_async_context(Rest(self._settings, self.name))
            edges = Edges(
                dialect=dialect,
                hosts=(self.host,),
                rest=rest,
                fetcher=Fetcher(rest, dialect),
                publisher=_Discarded(self.recorder),
                clock=self._clock,
                connects=connects,
                snapshots=asyncio.Semaphore(1),
                listed=lambda: None,
            )
            for number, line in enumerate(lines(dialect, instruments)):
                group.create_task(Feed(Taped(line, self, f"{self.name}#{number}"), edges).run())
            while self.recorder.failure is None:
                await asyncio.sleep(_WRITE_S)
                self.connections.write()
            raise UserError(f"cannot write the recording: {self.recorder.failure.strerror}; what is written can be replayed")


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read: {error}; remove it, or record into another folder") from None
    return found
