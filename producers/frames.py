"""Cuts what a websocket server sends into messages.

Messages that come whole in one frame are cut here, some millions a second; the handshake, control frames, messages told in parts
and everything that breaks the protocol are left to the library, a frame at a time.

RFC 6455, section 5.2: a byte of FIN, RSV and opcode, a byte of MASK and length, then two or eight more bytes of length where that
says 126 or 127.
"""

from struct import Struct
from typing import Final

from websockets.client import ClientProtocol
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import State

LARGEST: Final = 4 * 1024 * 1024  # of a message; of a larger one only the beginning is kept
KEPT: Final = 512 * 1024
_ROOM: Final = 1024 * 1024  # bytes that one reading takes: the longer we were away, the more comes at once
_HEADER: Final = 10  # the most bytes before the payload, as a server does not mask
_HEAD_END: Final = b"\r\n\r\n"
_LONGEST_HEAD: Final = 64 * 1024
_head = Struct("!HH").unpack_from
_long = Struct("!Q").unpack_from
_TEXT: Final = 0x8100  # FIN and opcode, no mask, a length of 0
_TEXT_126: Final = 0x817E
_BINARY: Final = 0x8200
_BINARY_126: Final = 0x827E
_WHOLE: Final = (0x81, 0x82)


class Cut(bytes):
    """The beginning of a message that was too large to be held; `size` is what it had."""

    size: int


def split(data: bytes, at: int, messages: list[bytes]) -> int:
    """Append the messages from `at` on that are whole, each in one short frame; returns where the first other thing begins."""
    take = messages.append
    end = len(data)
    last = end - 4
    while at <= last:
        head, size = _head(data, at)
        if head in (_TEXT_126, _BINARY_126):
            begin = at + 4
        elif _TEXT <= head < _TEXT_126 or _BINARY <= head < _BINARY_126:
            begin, size = at + 2, head & 0x7F
        else:
            break
        stop = begin + size
        if stop > end:
            break
        take(data[begin:stop])
        at = stop
    return at


def bounds(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the frame at `at` begins and where it ends; None while its header is not there yet."""
    left = len(data) - at
    if left < 2:
        return None
    length = data[at + 1] & 0x7F
    if length < 126:
        return at + 2, at + 2 + length
    if length == 126:
        return (at + 4, at + 4 + int.from_bytes(data[at + 2 : at + 4], "big")) if left >= 4 else None
    return (at + _HEADER, at + _HEADER + _long(data, at + 2)[0]) if left >= _HEADER else None


class Reader:
    """What was read and not taken yet. Bytes go into `room`, messages are taken from `messages`."""

    def __init__(self, protocol: ClientProtocol) -> None:
        self._protocol = protocol
        self._buffer = bytearray(_ROOM)
        self._end = self._needed = self._skip = 0
        self._begun = False
        self._parts: list[bytes] = []
        self.messages: list[bytes] = []
        self.held = 0
        """Bytes that `messages` came in."""
        self.heard = False
        """Whether anything whole has come since the messages were taken."""

    def taken(self) -> list[bytes]:
        """The messages since the last time."""
        messages, self.messages, self.held, self.heard = self.messages, [], 0, False
        return messages

    def room(self) -> memoryview:
        """Where the next bytes go: never less than what the frame that has begun still needs, up to a limit."""
        wanted = max(_ROOM, self._needed, self._end + 1)
        if wanted > len(self._buffer) or (self._end < _ROOM == wanted < len(self._buffer)):
            self._buffer = self._buffer[: self._end] + bytearray(wanted - self._end)
        return memoryview(self._buffer)[self._end :]

    def took(self, count: int) -> None:
        """So many bytes were put into the room."""
        self._end += count
        if self._skip:
            skipped = min(self._skip, self._end)
            self._skip -= skipped
            self._keep(self._buffer[skipped : self._end])
        if self._end and self._end >= self._needed:
            data = bytes(memoryview(self._buffer)[: self._end])
            at = self._frames(data, 0 if self._begun else self._handshake(data))
            if self._begun and self._protocol.state is not State.OPEN and at < len(data):
                self._protocol.receive_data(data[at:])
                self._protocol.events_received()
                at = len(data)
            self._keep(data[at:])

    def _handshake(self, data: bytes) -> int:
        """Give the library the head of the answer, and all of it when that does not open the connection."""
        found = data.find(_HEAD_END)
        if found < 0 and len(data) < _LONGEST_HEAD:
            return 0
        end = found + len(_HEAD_END) if found >= 0 else len(data)
        self._begun = True
        self._protocol.receive_data(data[:end])
        return end

    def _frames(self, data: bytes, at: int) -> int:
        """Take what is whole; returns where the rest begins."""
        self._needed = 0
        while self._protocol.state is State.OPEN:
            if self._protocol.current_size is None:
                begun, at = at, split(data, at, self.messages)
                self.held += at - begun
            found = bounds(data, at)
            if found is None:
                break
            begin, stop = found
            if stop - begin > LARGEST:
                if begin + KEPT > len(data):
                    self._needed = begin + KEPT - at
                    break
                self._cut(data, begin, stop)
            elif stop > len(data):
                self._needed = stop - at
                break
            else:
                self._other(data[at:stop], data[begin:stop])
            at = min(stop, len(data))
        self.heard = self.heard or at > 0
        return at

    def _cut(self, data: bytes, begin: int, stop: int) -> None:
        cut = Cut(data[begin : begin + KEPT])
        cut.size = stop - begin
        self._message(cut)
        self._skip = max(0, stop - len(data))

    def _other(self, frame: bytes, payload: bytes) -> None:
        """A long message after all, or what the library judges; a message in parts is put together from what it says."""
        if frame[0] in _WHOLE and frame[1] < 0x80 and self._protocol.current_size is None:
            self._message(payload)
            return
        self._protocol.receive_data(frame)
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode in DATA_OPCODES:
                self._parts.append(bytes(event.data))
                if event.fin:
                    self._message(b"".join(self._parts))
                    self._parts = []

    def _message(self, message: bytes) -> None:
        self.messages.append(message)
        self.held += len(message)

    def _keep(self, rest: bytes | bytearray) -> None:
        self._buffer[: len(rest)] = rest
        self._end = len(rest)
