"""Bytes of a websocket server, cut anywhere, give its messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from producers import frames
from producers.frames import KEPT, LARGEST, Cut, Reader


class Pair:
    """A client's reader behind a handshake with the library's own server."""

    def __init__(self) -> None:
        self.client = ClientProtocol(parse_uri("ws://venue/path"), max_size=LARGEST)
        self.reader = Reader(self.client)
        self.server = ServerProtocol()
        self.client.send_request(self.client.connect())
        self.server.receive_data(b"".join(self.client.data_to_send()))
        (request,) = self.server.events_received()
        assert isinstance(request, Request)
        self.server.send_response(self.server.accept(request))

    def sent(self) -> bytes:
        """What the server has said since."""
        return b"".join(self.server.data_to_send())

    def feed(self, data: bytes, step: int = 1 << 30) -> None:
        for begin in range(0, len(data), step):
            part = data[begin : begin + step]
            while part:
                room = self.reader.room()
                count = min(len(room), len(part))
                room[:count] = part[:count]
                self.reader.took(count)
                part = part[count:]


@pytest.fixture
def pair() -> Pair:
    one = Pair()
    one.feed(one.sent())
    assert one.client.state is State.OPEN
    assert one.reader.taken() == []
    return one


messages = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["text", "binary", "ping", "pong"]), st.binary(max_size=125)),
        st.tuples(st.sampled_from(["text", "binary"]), st.sampled_from([b"a" * 126, b"b" * 65_535, b"c" * 65_536])),
        st.tuples(st.just("parts"), st.lists(st.binary(max_size=200), min_size=2, max_size=4)),
    ),
    max_size=8,
)


@given(messages, st.sampled_from([1, 2, 3, 7, 100, 65_537, 1 << 30]))
def test_messages_of_every_length_come_whole_however_the_bytes_are_cut(told, step):
    pair, expected, pings = Pair(), [], 0
    data = pair.sent()
    for kind, payload in told:
        match kind:
            case "text":
                pair.server.send_text(b"x" * len(payload))
                expected.append(b"x" * len(payload))
            case "binary":
                pair.server.send_binary(payload)
                expected.append(payload)
            case "ping":
                pair.server.send_ping(payload)
                pings += 1
            case "pong":
                pair.server.send_pong(payload)
            case "parts":
                pair.server.send_binary(payload[0], fin=False)
                for part in payload[1:-1]:
                    pair.server.send_continuation(part, fin=False)
                pair.server.send_continuation(payload[-1], fin=True)
                expected.append(b"".join(payload))
        data += pair.sent()
    pair.feed(data, max(step, len(data) // 2_000))
    assert sum(map(len, expected)) <= pair.reader.held <= len(data)
    assert pair.reader.taken() == expected
    assert (pair.reader.taken(), pair.reader.held) == ([], 0)
    pair.server.receive_data(b"".join(pair.client.data_to_send()))
    assert [one.opcode for one in pair.server.events_received()] == [Opcode.PONG] * pings


def test_what_comes_with_the_handshake_is_not_lost():
    pair = Pair()
    data = pair.sent()
    pair.server.send_text(b"at once")
    pair.feed(data + pair.sent())
    assert pair.reader.taken() == [b"at once"]


def test_a_control_frame_is_a_sign_of_life_without_a_message(pair: Pair):
    pair.server.send_pong(b"")
    pair.feed(pair.sent())
    assert pair.reader.heard
    assert pair.reader.taken() == []
    assert not pair.reader.heard


def test_half_a_frame_is_no_sign_of_life(pair: Pair):
    pair.server.send_text(b"0123456789")
    pair.feed(pair.sent()[:-1])
    assert not pair.reader.heard


def test_a_message_that_is_too_large_is_cut_and_what_follows_is_read(pair: Pair):
    size = LARGEST + 300_000
    pair.server.send_binary(b"before")
    pair.server.send_binary(b"y" * size)
    pair.server.send_text(b"after")
    pair.feed(pair.sent(), 100_000)
    before, cut, after = pair.reader.taken()
    assert (before, after) == (b"before", b"after")
    assert isinstance(cut, Cut)
    assert (len(cut), cut.size) == (KEPT, size)


def test_the_largest_message_comes_whole_and_its_room_is_given_back(pair: Pair):
    pair.server.send_binary(b"z" * LARGEST)
    pair.feed(pair.sent(), 70_000)
    assert pair.reader.taken() == [b"z" * LARGEST]
    pair.server.send_text(b"small")
    pair.feed(pair.sent())
    assert pair.reader.taken() == [b"small"]
    assert len(pair.reader.room()) <= 1024 * 1024


WRONG = {
    "a masked frame": b"\x81\x81\x00\x00\x00\x00x",
    "an opcode that does not exist": b"\x83\x01x",
    "a reserved bit": b"\xc1\x01x",
    "a continuation of nothing": b"\x80\x01x",
    "a message within a message": b"\x01\x01x\x81\x01y",
}


@pytest.mark.parametrize("case", WRONG)
def test_what_breaks_the_protocol_ends_the_connection_behind_what_came_before(case, pair: Pair):
    pair.server.send_text(b"sound")
    pair.feed(pair.sent() + WRONG[case] + b"\x81\x05never")
    assert pair.reader.taken() == [b"sound"]
    assert pair.client.state is not State.OPEN
    pair.server.receive_data(b"".join(pair.client.data_to_send()))
    (close,) = pair.server.events_received()
    assert isinstance(close, Frame)
    assert close.opcode is Opcode.CLOSE


def test_after_the_server_s_good_bye_nothing_is_read(pair: Pair):
    pair.server.send_text(b"last")
    pair.server.send_close(1001, "gone")
    pair.feed(pair.sent() + b"\x81\x05never")
    assert pair.reader.taken() == [b"last"]
    assert pair.client.close_rcvd is not None
    assert pair.client.close_rcvd.code == 1001


def test_an_answer_that_opens_nothing_is_the_library_s_to_judge():
    pair = Pair()
    body = b"worked on until noon"
    pair.feed(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: %d\r\n\r\n" % len(body) + body, 10)
    assert "503" in str(pair.client.handshake_exc)
    assert pair.reader.taken() == []


def test_a_server_that_never_ends_its_head_is_given_up():
    pair = Pair()
    pair.feed(b"HTTP/1.1 101 OK\r\n" + b"X-Long: " + b"a" * 100_000)
    assert pair.client.handshake_exc is not None


def test_whole_messages_are_cut_until_the_first_other_thing():
    found: list[bytes] = []
    data = b"\x81\x03abc\x82\x7e\x00\x80" + b"d" * 128 + b"\x89\x00\x81\x01e"
    assert data[frames.split(data, 0, found) :] == b"\x89\x00\x81\x01e"
    assert found == [b"abc", b"d" * 128]
