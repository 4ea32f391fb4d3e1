"""The only websocket: bytes from asyncio to `producers.frames`, and what is said to the venue.

Reading stops while more than a few megabytes wait to be taken, so that TCP pushes back on the venue.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

from msgspec import Struct
from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.uri import parse_uri

from producers.clock import Clock
from producers.frames import LARGEST, Reader

WAITING: Final = 4 * 1024 * 1024  # bytes that were read and not taken, above which no more is read
_OPEN_S: Final = 10.0
_CLOSE_S: Final = 1.0


class Batch(Struct, frozen=True):
    """Messages that were read together, the last at `received` (epoch us). None when only a sign of life came."""

    messages: list[bytes]
    received: int


async def connect(address: str, clock: Clock) -> "Socket":
    """A connection with its handshake done. Raises OSError, TimeoutError or WebSocketException."""
    uri = parse_uri(address)
    secured = ssl.create_default_context() if uri.secure else None
    protocol = ClientProtocol(uri, max_size=LARGEST)
    loop = asyncio.get_running_loop()
    async with clock.timeout(_OPEN_S):
        _, socket = await loop.create_connection(lambda: Socket(protocol, clock.received), uri.host, uri.port, ssl=secured)
        try:
            await socket.opened()
        except BaseException:
            socket.abort()
            raise
    return socket


class Socket(asyncio.BufferedProtocol):
    """One connection: what was read is taken with `read`; what is said is sent at once."""

    def __init__(self, protocol: ClientProtocol, epoch_us: Callable[[], int]) -> None:
        self._protocol = protocol
        self._epoch_us = epoch_us
        self._reader = Reader(protocol)
        self._received = 0
        self._paused = self._lost = False
        self._news = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    async def opened(self) -> None:
        """Wait for the end of the handshake. Raises WebSocketException when it comes to nothing."""
        while self._protocol.state is State.CONNECTING and self._protocol.handshake_exc is None:
            self._news.clear()
            await self._news.wait()
        if self._protocol.handshake_exc is not None:
            raise self._protocol.handshake_exc

    async def read(self) -> Batch:
        """All messages since the last time, or none when only a sign of life came. Raises ConnectionClosed."""
        while not self._reader.heard:
            if self._lost:
                raise self._protocol.close_exc
            self._news.clear()
            await self._news.wait()
        batch = Batch(self._reader.taken(), self._received)
        if self._paused and self._transport is not None and not self._lost:
            self._paused = False
            self._transport.resume_reading()
        return batch

    def send(self, text: str) -> None:
        """Say something. On a connection that has ended it does nothing: `read` tells why."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_text(text.encode())
            self._write()

    def ping(self) -> None:
        """Ask for a sign of life."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_ping(b"")
            self._write()

    def hang_up(self) -> None:
        """Say good-bye; without an answer within a moment there is none. What comes meanwhile can still be read."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
            self._write()
        asyncio.get_running_loop().call_later(_CLOSE_S, self.abort)

    @property
    def held(self) -> int:
        """Bytes of messages that were read and not taken."""
        return self._reader.held

    def abort(self) -> None:
        """Hang up without a word."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP is there, and TLS where it is asked for: ask for the websocket."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        request = self._protocol.connect()
        request.headers["User-Agent"] = "tapeflow"
        self._protocol.send_request(request)
        self._write()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where asyncio is to put what comes next."""
        del sizehint
        return self._reader.room()

    def buffer_updated(self, nbytes: int) -> None:
        """So many more bytes have come."""
        self._received = self._epoch_us()
        self._reader.took(nbytes)
        self._write()
        self._news.set()
        if self._reader.held > WAITING and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """The other side says no more: hang up."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more."""
        del exc  # how the connection stood says more
        self._protocol.receive_eof()
        self._lost = True
        self._news.set()

    def _write(self) -> None:
        """Send what the library wants to be sent; nothing says that it has no more to say."""
        for data in self._protocol.data_to_send():
            if self._transport is None or self._transport.is_closing():
                return
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()
