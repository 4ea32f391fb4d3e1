"""Keeps a session connected: makes its connections, brings it what arrives, and carries out what it decides."""

import asyncio
import logging
import random
import sqlite3
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from msgspec import Struct
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from producers.clock import Clock
from producers.continuity import Audit, Repair
from producers.dialect import BookPushed, Dialect, FrameError
from producers.failures import MaintenanceError, RestError
from producers.rates import Pace, RestingError
from producers.repair import Fetcher
from producers.rest import Rest
from producers.session import Session
from producers.socket import Socket, connect
from producers.todo import End, Snapshot, Todo
from schemas.codec import Record

_TICK_S: Final = 0.1
_SHORTEST_WAIT_S: Final = 0.1
_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 30.0
_SOUND_S: Final = 20.0  # a connection that lived so long was a good one
_NEXT_HOST: Final = 3  # failures in a row after which another host is tried
_TURN_S: Final = 60.0  # how long to wait for one's turn to connect
_FULL: Final = (429, 418)
_UNAVAILABLE: Final = 503
_RESTARTING: Final = {1012: "the venue restarts its service", 1013: "the venue asks to come back later"}
_UNREACHABLE: Final = (OSError, WebSocketException, RestError, RestingError, sqlite3.Error)

_log = logging.getLogger(__name__)
_dice = random.SystemRandom()


class Outlet(Protocol):
    """Where records go."""

    @property
    def full(self) -> bool:
        """Whether nobody should bring more just now."""
        ...

    async def room(self) -> None:
        """Wait until there is room for a burst."""
        ...

    def put(self, records: Iterable[Record]) -> None:
        """Hand over records, after `room`."""
        ...


class Edges(Struct, frozen=True):
    """What the feeds of one venue act on. `hosts`: scheme, host and port, and a path before the venue's own, as need be."""

    dialect: Dialect
    hosts: tuple[str, ...]
    rest: Rest
    fetcher: Fetcher
    publisher: Outlet
    clock: Clock
    connects: Pace
    snapshots: asyncio.Semaphore
    listed: Callable[[], None]


class Feed:
    """One session's connections: one, or two while the second takes over."""

    def __init__(self, session: Session, edges: Edges) -> None:
        self._session = session
        self._edges = edges
        self._clock = edges.clock
        self._tally = session.tally
        self._sockets: dict[int, Socket] = {}
        self._ends: dict[int, End] = {}
        self._wanted = asyncio.Event()
        self._overlap = False
        self._made = self._failures = self._host = 0
        self._group = asyncio.TaskGroup()

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._sockets)

    @property
    def held(self) -> int:
        """Bytes that were read and not taken."""
        return sum(socket.held for socket in self._sockets.values())

    async def run(self) -> None:
        """Keep the session connected until cancelled. The wait before each connection grows while they come to nothing."""
        async with self._group:
            self._group.create_task(self._tick())
            self._wanted.set()
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                if self._overlap or not self._sockets:
                    self._overlap = False
                    if self._failures:
                        await self._wait()
                    await self._open()

    async def _open(self) -> None:
        """Make a connection, and see it to its end in a task of its own."""
        address = self._edges.hosts[self._host % len(self._edges.hosts)] + self._session.line.path
        try:
            server_time = await self._server_time()
            await self._edges.connects.enter(1.0, _TURN_S)
            socket = await connect(address, self._clock)
        except _UNREACHABLE as error:
            self._refused(address, error)
            self._wanted.set()
            return
        self._made += 1
        self._sockets[self._made] = socket
        _log.info("%s: connected to %s for %d channels", self._session.name, address, len(self._session.line.channels))
        self._do(self._session.connected(self._made, server_time, self._clock.received(), self._clock.now()))
        self._group.create_task(self._read(self._made, socket))

    async def _read(self, number: int, socket: Socket) -> None:
        """Bring what arrives, as long as Kafka takes it, until the connection ends."""
        session, publisher, now = self._session, self._edges.publisher, self._clock.now
        begun = now()
        end = End(number, "connection closed")
        try:
            while True:
                await publisher.room()
                batch = await socket.read()
                self._do(session.frames(number, batch.messages, batch.received, now()))
        except ConnectionClosed as closed:
            end = self._ends.pop(number, End(number, "connection closed", str(closed)))
            if closed.rcvd is not None and closed.rcvd.code in _RESTARTING:
                self._pause(str(closed.rcvd.code), f"{_RESTARTING[closed.rcvd.code]}: {closed.rcvd.reason}")
        finally:
            socket.abort()
            del self._sockets[number]
        self._do(session.left(number, self._clock.received(), now()))
        self._left(end, now() - begun)

    def _left(self, end: End, lived: float) -> None:
        """A connection has ended: where it was the last, another is made."""
        self._tally.reconnects[end.cause] += 1
        if end.cause == "planned":
            _log.info("%s: connection %d has taken over", self._session.name, self._made)
        else:
            self._failures = 1 if lived > _SOUND_S else self._failures + 1
            _log.warning("%s: %s (%s)", self._session.name, end.cause, " ".join(end.detail.split())[:200])
        if end.next_host:
            self._host += 1
        self._wanted.set()

    def _refused(self, address: str, error: Exception) -> None:
        """No connection came of it."""
        self._tally.reconnects["cannot connect"] += 1
        self._failures += 1
        if self._failures % _NEXT_HOST == 0:
            self._host += 1
        message = f"{type(error).__name__} {error}"
        if isinstance(error, InvalidStatus) and error.response.status_code in _FULL:
            self._edges.connects.rest(self._clock.real(_seconds(error.response.headers.get("Retry-After"))))
        if isinstance(error, MaintenanceError):
            self._pause("", str(error))
        elif isinstance(error, InvalidStatus) and error.response.status_code == _UNAVAILABLE:
            self._pause(str(_UNAVAILABLE), "its websocket is not available")
        _log.warning("%s: cannot connect to %s: %s", self._session.name, address, " ".join(message.split())[:200])

    async def _wait(self) -> None:
        longest = min(_LONGEST_WAIT_S, _WAIT_S * 2.0 ** min(self._failures, 10))
        await self._clock.sleep(_dice.uniform(_SHORTEST_WAIT_S, longest))

    def _pause(self, code: str, message: str) -> None:
        self._do(self._session.paused(code, message, self._clock.received(), self._clock.now()))

    async def _server_time(self) -> int:
        """The venue's, epoch ms. When REST does not tell, what our clock and the offset between the two say."""
        sent = self._clock.received() // 1000
        try:
            time = await self._edges.rest.time()
        except RestError:
            if self._tally.offset.ms is None:
                raise
            return self._clock.received() // 1000 - self._tally.offset.ms
        self._tally.offset.asked(time, sent, self._clock.received() // 1000)
        return time

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(_TICK_S)
            reading = not self._edges.publisher.full
            self._do(self._session.tick(self._clock.received(), self._clock.now(), reading=reading))

    async def _fetch(self, wanted: Repair | Audit | Snapshot) -> None:
        """Ask REST, and bring the answer when there is room for what comes of it."""
        session, fetcher = self._session, self._edges.fetcher
        instrument = session.instruments[wanted.market_id]
        match wanted:
            case Repair():
                found = await fetcher.fetch(instrument, wanted)
                await self._edges.publisher.room()
                self._do(session.repaired(found, self._clock.received(), self._clock.now()))
            case Audit():
                page = await fetcher.audit(instrument, wanted)
                await self._edges.publisher.room()
                self._do(session.audited(page, self._clock.received(), self._clock.now()))
            case Snapshot():
                book = await self._book(wanted)
                await self._edges.publisher.room()
                self._do(session.fetched(wanted, book, self._clock.received(), self._clock.now()))

    async def _book(self, wanted: Snapshot) -> BookPushed | None:
        dialect, instrument = self._edges.dialect, self._session.instruments[wanted.market_id]
        request = dialect.book_request(instrument)
        async with self._edges.snapshots:
            if request is None or wanted.connection not in self._sockets:
                return None
            try:
                return dialect.book_page(instrument, await self._edges.rest.ask(request))
            except (RestError, FrameError) as error:
                _log.warning("%s: no book of %s: %s", self._session.name, instrument.symbol, error)
                return None

    def _do(self, todo: Todo) -> None:
        """Everything that a session wants done, at once: only its requests to REST take time."""
        self._edges.publisher.put(todo.records)
        self._edges.publisher.put(todo.notices)
        for notice in todo.notices:
            _log.warning("%s: %s %s%s", self._session.name, notice.kind, f"{notice.code} " if notice.code else "", notice.message)
        for wanted in todo.wanted:
            self._group.create_task(self._fetch(wanted))
        for send in todo.sends:
            socket = self._sockets.get(send.connection)
            if socket is not None:
                socket.ping() if send.text is None else socket.send(send.text)
        for end in todo.ends:
            self._end(end)
        if todo.overlap and len(self._sockets) == 1:
            self._overlap = True
            self._wanted.set()
        if todo.listing:
            self._edges.listed()

    def _end(self, end: End) -> None:
        socket = self._sockets.get(end.connection)
        if socket is not None:
            self._ends.setdefault(end.connection, end)
            if end.cause == "planned":
                socket.hang_up()
            else:
                socket.abort()


def _seconds(retry_after: str | None) -> float:
    """Of a handshake that was refused; a date is as good as nothing said."""
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else 1.0
