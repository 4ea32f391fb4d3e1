"""The websocket as bytes: handshake, frames, pings, and the faults of a transport.

It takes the place of uvicorn's own websocket protocol, which can neither send a protocol ping nor let a connection die without
closing it. What is said on it is a `Session`'s.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from websockets.exceptions import InvalidState
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from infra.simulated.encoded import written
from infra.simulated.exchange import Answer, Close
from infra.simulated.faults import FaultKind
from infra.simulated.feeds import Frame, Moment
from infra.simulated.session import Ping, Session
from infra.simulated.venue import Venue

SHORTEST_SECONDS = 0.005  # a connection looks at the time no more often than this
LONGEST_SECONDS = 0.25
_TURN = 64  # frames written before others get a turn
_BACKLOG = 65_536  # bytes that may wait to drip
_DRIP_SECONDS = 0.01
_CLOSING_SECONDS = 1.0


class Connection(asyncio.Protocol):
    """One TCP connection from the websocket's handshake on. `connections` is where the server counts those it has open."""

    def __init__(self, venues: Mapping[str, Venue], connections: set[Any], haste: float) -> None:
        self._venues, self._connections = venues, connections
        self._longest = min(LONGEST_SECONDS, max(SHORTEST_SECONDS, LONGEST_SECONDS / haste))
        self._protocol = ServerProtocol(max_size=2**20)
        self._writable, self._kicked = asyncio.Event(), asyncio.Event()
        self._writable.set()
        self._parts: list[bytes] = []  # of a message that the client sends in pieces
        self._dripping = bytearray()
        self._venue: Venue | None = None
        self._session: Session | None = None
        self._speaking: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: what the client sends first is its handshake."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is one without saying so
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """End, whoever ended it."""
        self._connections.discard(self)
        self._writable.set()
        if self._speaking is not None:
            self._speaking.cancel()
        if self._venue is not None and self._session is not None:
            self._venue.disconnected(self._session)

    def pause_writing(self) -> None:
        """Say nothing more until the client has read: what is due then is sent then."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()

    def shutdown(self) -> None:
        """Close because the server ends; uvicorn calls it."""
        with contextlib.suppress(InvalidState):
            self._protocol.send_close(1012)
            self._flush()
        self._transport.close() if self._transport.get_write_buffer_size() == 0 else self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
            elif isinstance(event, WireFrame):
                self._take(event)
        if not self._mute():
            self._flush()
        if self._protocol.close_expected():
            self._transport.close()

    def _mute(self) -> bool:
        """Whether what the protocol would answer by itself, such as a pong, is thrown away: the venue is silent."""
        if self._venue is None or self._session is None or self._protocol.close_rcvd is not None:
            return False
        silent = self._session.silent(self._venue.now())
        return silent and self._protocol.data_to_send() is not None

    def _shake_hands(self, request: Request) -> None:
        """Accept the connection, or refuse it in the venue's words."""
        address = urlsplit(request.path)
        name, _, path = address.path.removeprefix("/").partition("/")
        path, query = f"/{path}", dict(parse_qsl(address.query, keep_blank_values=True))
        venue = self._venues.get(name)
        if venue is None or not venue.exchange.accepts(path, query):
            self._protocol.send_response(self._refusal(Answer(404, f"no such address: {request.path}\n")))
            return
        refused = venue.refused(path, connecting=True)
        response = self._protocol.accept(request) if refused is None else self._refusal(refused)
        self._protocol.send_response(response)
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self._venue, self._session = venue, venue.connected(path, query, self._kicked.set)
            self._flush()
            self._speaking = asyncio.get_running_loop().create_task(self._speak(venue, self._session))
            self._release()

    def _refusal(self, answer: Answer) -> Response:
        response = self._protocol.reject(HTTPStatus(answer.status), written(answer.body))
        for field, value in answer.headers.items():
            response.headers[field] = value
        return response

    def _take(self, frame: WireFrame) -> None:
        """Give the session a message of the client, or tell it of a ping or pong."""
        if self._session is None or self._venue is None:
            return
        session, now = self._session, self._venue.now()
        if frame.opcode in {Opcode.PING, Opcode.PONG}:
            session.touched(now, pong=frame.opcode is Opcode.PONG)
            self._kicked.set()
        if frame.opcode not in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            return
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return
        said, self._parts = b"".join(self._parts).decode(errors="replace"), []
        self._write(self._packed(session.receive(said, now)))
        self._release()
        self._kicked.set()

    def _release(self) -> None:
        """Start a market that waited for its first subscription to trades."""
        if self._venue is not None and self._session is not None and self._session.follows_trades:
            self._venue.release()

    async def _speak(self, venue: Venue, session: Session) -> None:
        """Send what is due until the session is over; a client that reads slowly is sent things later, not more at once."""
        while not session.lost:
            now = venue.now()
            if len(self._dripping) < _BACKLOG:
                await self._say(self._packed(session.due(now)))
            self._drip(now)
            end = session.over(now)
            if end is not None:
                self._close(end)
                return
            await self._rest(session.rest(now, venue.pace) if not self._dripping else _DRIP_SECONDS)
        await self._die(venue)

    async def _say(self, packed: Iterator[bytes]) -> None:
        while chunk := b"".join(islice(packed, _TURN)):
            self._write((chunk,))
            await self._writable.wait()
            await asyncio.sleep(0)

    async def _rest(self, seconds: float) -> None:
        """Wait until something may be due or somebody kicks."""
        wait = min(self._longest, max(SHORTEST_SECONDS, seconds))
        timer = asyncio.get_running_loop().call_later(wait, self._kicked.set)
        await self._kicked.wait()
        timer.cancel()
        self._kicked.clear()

    async def _die(self, venue: Venue) -> None:
        """Neither read nor write, and reset the connection once the fault is over."""
        self._transport.pause_reading()
        while venue.faults.holding(FaultKind.HALF_OPEN, venue.now().seconds) is not None:
            await self._rest(self._longest)
        self._transport.abort()

    def _packed(self, frames: Iterable[Frame | Ping]) -> Iterator[bytes]:
        binary = self._venue is not None and self._venue.exchange.rules.binary
        for frame in frames:
            if isinstance(frame, Ping):
                yield framed(Opcode.PING, frame.payload)
            elif isinstance(frame, str):
                yield framed(Opcode.BINARY if binary else Opcode.TEXT, frame.encode())
            else:
                yield framed(Opcode.BINARY, frame)

    def _write(self, chunks: Iterable[bytes]) -> None:
        """Write, or let it drip; what waits to drip goes first."""
        venue = self._venue
        data = b"".join(chunks)
        if self._session is not None and self._session.lost:
            return
        if self._dripping or (venue and venue.faults.holding(FaultKind.SLOW_DRIP, venue.now().seconds)):
            self._dripping += data
        elif data:
            self._transport.write(data)

    def _drip(self, now: Moment) -> None:
        """Let some of what waits through, or all of it once the fault is over."""
        if not self._dripping or self._venue is None:
            return
        fault = self._venue.faults.holding(FaultKind.SLOW_DRIP, now.seconds)
        amount = len(self._dripping) if fault is None else fault.count
        self._transport.write(bytes(self._dripping[:amount]))
        del self._dripping[:amount]

    def _close(self, end: Close) -> None:
        with contextlib.suppress(InvalidState):
            self._protocol.send_close(end.code, end.reason)
        self._flush()
        asyncio.get_running_loop().call_later(_CLOSING_SECONDS, self._transport.abort)

    def _flush(self) -> None:
        """Write what the protocol itself has to say: handshake, pongs, closing."""
        self._write(part for part in self._protocol.data_to_send() if part)


def framed(opcode: Opcode, payload: bytes) -> bytes:
    """Return a frame as a server sends it: whole and unmasked."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65_536:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload
