"""The websocket's edge, against the library's own server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.utils import accept_key

from producers.clock import Clock
from producers.socket import WAITING, Socket, connect
from tests.producers.live import until

Talk = Callable[[ServerConnection], Awaitable[None]]
PAYLOAD = b"x" * 1000


@asynccontextmanager
async def against(talk: Talk, **settings) -> AsyncIterator[Socket]:
    """A connection to a server that talks like this."""
    async with serve(talk, "127.0.0.1", 0, compression=None, **settings) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        socket = await connect(f"ws://127.0.0.1:{port}/path?query=1", Clock())
        try:
            yield socket
        finally:
            socket.abort()


async def until_the_end(socket: Socket) -> list[bytes]:
    """All that is left to be read."""
    heard: list[bytes] = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            heard += (await socket.read()).messages
    return heard


async def test_what_is_said_arrives_and_what_is_answered_is_read_with_the_time_of_its_receipt():
    async def echo(server: ServerConnection) -> None:
        assert server.request is not None
        await server.send(server.request.path)
        async for message in server:
            await server.send(message)
            await server.send(bytes(reversed(message.encode())))

    async with against(echo) as socket:
        heard: list[bytes] = []
        socket.send("ábc")
        while len(heard) < 3:
            batch = await socket.read()
            assert 0 <= Clock.received() - batch.received < 10_000_000
            heard += batch.messages
        assert heard == [b"/path?query=1", "ábc".encode(), bytes(reversed("ábc".encode()))]


async def test_messages_that_came_together_are_read_together():
    told = asyncio.Event()

    async def talk(server: ServerConnection) -> None:
        for number in range(100):
            await server.send(str(number))
        told.set()
        await server.wait_closed()

    async with against(talk) as socket:
        await told.wait()
        heard: list[bytes] = []
        batches = 0
        while len(heard) < 100:
            heard += (await socket.read()).messages
            batches += 1
        assert heard == [str(number).encode() for number in range(100)]
        assert batches < 20


async def test_the_answer_to_a_ping_is_a_sign_of_life_without_messages():
    async with against(lambda server: server.wait_closed()) as socket:
        await socket.read()  # the handshake is one as well
        socket.ping()
        assert (await socket.read()).messages == []


async def test_nothing_more_is_taken_from_tcp_while_too_much_waits_to_be_read():
    sent = 0

    async def talk(server: ServerConnection) -> None:
        nonlocal sent
        while sent < 60_000:
            await server.send(PAYLOAD)
            sent += 1
        await server.wait_closed()

    async with against(talk) as socket:
        await until(lambda: socket.held > WAITING)
        stood = -1
        while stood != sent:  # until the kernel's buffers are full as well
            stood = sent
            await asyncio.sleep(0.3)
        assert WAITING < socket.held < 2 * WAITING
        assert sent < 60_000
        heard = 0
        while heard < 60_000:
            batch = await socket.read()
            heard += len(batch.messages)
            assert set(batch.messages) <= {PAYLOAD}


async def test_what_came_before_the_end_is_read_and_then_the_end_is_told_with_the_venue_s_code():
    async def talk(server: ServerConnection) -> None:
        await server.send("last words")
        await server.close(1012, "restart")

    async with against(talk) as socket:
        assert await until_the_end(socket) == [b"last words"]
        with pytest.raises(ConnectionClosed) as closed:
            await socket.read()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1012, "restart")
        socket.send("nobody hears this")
        socket.ping()


async def test_a_server_that_is_gone_without_a_word_is_an_end_too():
    async def talk(server: ServerConnection) -> None:
        server.transport.abort()

    async with against(talk) as socket:
        assert await until_the_end(socket) == []


async def test_to_hang_up_is_to_say_good_bye_and_still_read_what_comes():
    async def talk(server: ServerConnection) -> None:
        await server.wait_closed()

    async with against(talk) as socket:
        socket.hang_up()
        await until_the_end(socket)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.read()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000


async def test_a_venue_that_never_answers_a_good_bye_is_left_after_a_moment():
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await _accept(head, writer)
        await reader.read()  # the other side's good-bye and hanging up
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        socket = await connect(f"ws://127.0.0.1:{port}/", Clock())
        socket.hang_up()
        async with asyncio.timeout(5):
            assert await until_the_end(socket) == []


async def test_a_handshake_that_is_refused_says_how():
    def refuse(server: ServerConnection, request: Request) -> Response:
        response = server.respond(HTTPStatus.TOO_MANY_REQUESTS, "slowly")
        response.headers["Retry-After"] = "7"
        return response

    with pytest.raises(InvalidStatus) as refused:
        async with against(lambda server: server.wait_closed(), process_request=refuse):
            raise AssertionError("it was not refused")
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "7"


@pytest.mark.parametrize("told", [b"", b"HTTP/1.1 200 OK\r\n"])
async def test_a_server_that_hangs_up_in_the_handshake_is_an_error_of_the_connection(told):
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(told)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Exception, match=r"handshake|valid HTTP|hung up"):
            await connect(f"ws://127.0.0.1:{port}/", Clock())


async def test_a_server_that_says_nothing_is_given_up():
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TimeoutError):
            await connect(f"ws://127.0.0.1:{port}/", Clock(scale=50))


async def _accept(head: bytes, writer: asyncio.StreamWriter) -> None:
    key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accepted = accept_key(key.decode())
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accepted}"]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    await writer.drain()
