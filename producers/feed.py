"""The only websocket: keeps one connection to the venue and carries out what its session decides."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Final

from msgspec import Struct
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from producers.continuity import Repair, Repaired, Stream
from producers.dialect import Dialect, FrameError
from producers.repair import Fetcher
from producers.rest import Rest, RestError
from producers.session import Action, Probe, Publish, Reconnect, Send, Session
from schemas.codec import Record

INBOX: Final = 256  # frames read and not yet taken by the session
_LIBRARY_QUEUE: Final = 16  # frames that the library holds before TCP pushes back
_LARGEST_FRAME: Final = 512 * 1024
_TICK_S: Final = 0.5
_SHORTEST_WAIT_S: Final = 0.1
_WAIT_S: Final = 0.5
_SOUND_S: Final = 20.0  # a connection that lived so long was a good one
_LONGEST_WAIT_S: Final = 30.0

_log = logging.getLogger(__name__)
_dice = random.SystemRandom()


class _Frame(Struct, frozen=True):
    data: str | bytes
    received: int


class _Tick(Struct, frozen=True):
    pass


class _Found(Struct, frozen=True):
    market_id: str
    found: Repaired
    received: int


class _Newest(Struct, frozen=True):
    market_id: str
    newest_id: int | None
    server_time: int
    received: int


class _Ended(Struct, frozen=True):
    cause: str
    detail: str


_Item = _Frame | _Tick | _Found | _Newest | _Ended


class Edges(Struct, frozen=True):
    """What a feed acts on."""

    dialect: Dialect
    rest: Rest
    fetcher: Fetcher
    publish: Callable[[Record], Awaitable[None]]
    url: str


async def run(session: Session, edges: Edges) -> None:
    """Keep a session connected until cancelled. The wait before each connection grows while they come to nothing."""
    failures = 0
    while True:
        begun = time.monotonic()
        try:
            cause, detail = await _connection(session, edges)
        except (OSError, WebSocketException, RestError) as error:
            cause, detail = "cannot connect", f"{type(error).__name__} {error}"
        failures = 0 if time.monotonic() - begun > _SOUND_S else failures + 1
        session.counts.reconnects[cause] += 1
        wait = _dice.uniform(_SHORTEST_WAIT_S, min(_LONGEST_WAIT_S, _WAIT_S * 2 ** min(failures, 10)))
        _log.warning("%s: %s (%s); again in %.1f s", edges.url, cause, " ".join(detail.split())[:200], wait)
        await asyncio.sleep(wait)


async def _connection(session: Session, edges: Edges) -> tuple[str, str]:
    """One connection, from its beginning to its end; returns why it ended."""
    # Asked for before subscribing: a first start begins at the same minute however long all the rest takes.
    server_time = await edges.rest.time()
    await asyncio.gather(*(_warm_up(stream, edges, server_time) for stream in session.streams.values() if stream.fresh))
    async with connect(
        edges.url,
        compression=None,
        max_queue=_LIBRARY_QUEUE,
        max_size=_LARGEST_FRAME,
        ping_interval=None,  # a connection that we do not read for a while must not be taken for dead
        close_timeout=1,
        proxy=None,
    ) as socket:
        _log.info("%s: connected for %d instruments", edges.url, len(session.streams))
        connection = _Connection(session, edges, socket)
        try:
            return await connection.work(server_time)
        finally:
            await connection.end()


async def _warm_up(stream: Stream, edges: Edges, server_time: int) -> None:
    """The venue's own past comes before anything live, so that what arrives live finds every reader warm."""
    stream.join(server_time, time.monotonic())
    found = await edges.fetcher.fetch(stream.instrument, stream.repair())
    for record in stream.repaired(found, _microseconds())[0]:
        await edges.publish(record)


class _Connection:
    """Everything that happens while one socket is open: one queue in, one worker that takes from it in order."""

    def __init__(self, session: Session, edges: Edges, socket: ClientConnection) -> None:
        self._session = session
        self._edges = edges
        self._socket = socket
        self._inbox: asyncio.Queue[_Item] = asyncio.Queue(INBOX)
        self._room = asyncio.Event()
        self._room.set()
        self._tasks = {asyncio.create_task(self._read()), asyncio.create_task(self._tick())}

    async def work(self, server_time: int) -> tuple[str, str]:
        """Take what arrives, all that is there at once, until there is a reason to end."""
        ended = await self._carry_out(self._session.connected(server_time, time.monotonic()))
        while ended is None:
            burst = [await self._inbox.get()]
            while not self._inbox.empty():
                burst.append(self._inbox.get_nowait())
            for item in burst:
                if isinstance(item, _Frame):
                    self._session.frame(item.data, item.received, time.monotonic())
                else:
                    ended = ended or await self._other(item)
            ended = ended or await self._carry_out(self._session.flush(time.monotonic()))
            if self._session.full:
                self._room.clear()
            else:
                self._room.set()
        return ended

    async def end(self) -> None:
        """Give up what was begun: after the next connection it is fetched anew."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _other(self, item: _Item) -> tuple[str, str] | None:
        """What is no frame comes after the frames before it."""
        now = time.monotonic()
        actions = self._session.flush(now)
        match item:
            case _Found(market_id, found, received):
                actions += self._session.repaired(market_id, found, received)
            case _Newest(market_id, newest_id, server_time, received):
                actions += self._session.probed(market_id, newest_id, server_time, received, now)
            case _Tick():
                actions += self._session.tick(now)
            case _Ended(cause, detail):
                await self._carry_out(actions)
                return cause, detail
        return await self._carry_out(actions)

    async def _carry_out(self, actions: Sequence[Action]) -> tuple[str, str] | None:
        ended = None
        for action in actions:
            match action:
                case Publish(record):
                    await self._edges.publish(record)
                case Send(text):
                    with contextlib.suppress(ConnectionClosed):  # the reader tells why
                        await self._socket.send(text)
                case Repair():
                    self._start(self._repair(action))
                case Probe(market_id):
                    self._start(self._probe(market_id))
                case Reconnect(cause, detail):
                    ended = ended or (cause, detail)
        return ended

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self) -> None:
        try:
            while True:
                await self._room.wait()
                data = await self._socket.recv()
                await self._inbox.put(_Frame(data, _microseconds()))
        except ConnectionClosed as closed:
            await self._inbox.put(_Ended("connection closed", str(closed)))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            await self._inbox.put(_Tick())

    async def _repair(self, wanted: Repair) -> None:
        instrument = self._session.streams[wanted.market_id].instrument
        found = await self._edges.fetcher.fetch(instrument, wanted)
        await self._inbox.put(_Found(wanted.market_id, found, _microseconds()))

    async def _probe(self, market_id: str) -> None:
        try:
            newest_id, server_time = await self._edges.fetcher.newest(self._session.streams[market_id].instrument)
        except (RestError, FrameError) as error:
            _log.warning("%s: cannot ask for the newest trade: %s", market_id, error)
            return
        await self._inbox.put(_Newest(market_id, newest_id, server_time, _microseconds()))


def _microseconds() -> int:
    return time.time_ns() // 1_000
