"""A venue that tells as fast as it is read: `python -m producer.blaster`, driven by lines on its standard input.

On one address it answers websockets itself and hands every other request, byte for byte, to a simulated Binance whose clock is
held. What it tells was written beforehand (`--trades`, flat out; `--seconds`, at the market's own times) or is written as it goes
(`--live`). It says what it does in lines of JSON:

    {"port": 40001}                                                           ready
    status  ->  {"subscribed": 800, "asked": 1234}                            streams, and REST requests until now
    go      ->  {"begun": 1.0, "done": 21.0, "cpu_s": 2.0, "trades": 5000000, "ids": {"BTCUSDT": [first, last]}}

where times are epoch seconds of the first and the last byte, and all ids from the first to the last are told, each once.
"""

import argparse
import json
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, Final

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from infra.simulated.exchange import Exchange
from producer import frames
from producer.frames import Told, moment, server_frame

_CHUNK: Final = 256 * 1024  # bytes that are sent at once: whole frames
_HEAD: Final = b"\r\n\r\n"
_SLEEP_S: Final = 0.0005


class Client:
    """One websocket. Answers and the blast take turns at frame boundaries."""

    def __init__(self, connection: socket.socket, exchange: Exchange) -> None:
        self.subscribed = 0
        self._connection = connection
        self._protocol = ServerProtocol()
        self._talk = frames.joined(exchange)
        self._now = moment(exchange.board.market.start_ms)
        self._turn = threading.Lock()

    def send(self, data: bytes) -> None:
        """Send whole frames; waits as long as TCP has no room."""
        with self._turn:
            self._connection.sendall(data)

    def serve(self, head: bytes) -> None:
        """Shake hands and answer what the client says, until it goes."""
        data = head
        while data:
            self._protocol.receive_data(data)
            for event in self._protocol.events_received():
                self._answer(event)
            for answer in self._protocol.data_to_send():
                self.send(answer)
            data = self._connection.recv(1 << 16) if self._protocol.state is not State.CLOSED else b""

    def _answer(self, event: object) -> None:
        if isinstance(event, Request):
            self._protocol.send_response(self._protocol.accept(event))
        elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
            for text in self._talk.hear(bytes(event.data).decode(), self._now):
                self._protocol.send_text(str(text).encode())
            self.subscribed = len(self._talk.feeds)


class Blaster:
    """The listening address. `clients` are the websockets that were ever opened, the newest last."""

    def __init__(self, exchange: Exchange, upstream: tuple[str, int]) -> None:
        self.clients: list[Client] = []
        self.asked = 0
        self._exchange = exchange
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            head = b""
            while _HEAD not in head and (more := connection.recv(1 << 16)):
                head += more
            try:
                if b"upgrade: websocket" in head.lower():
                    client = Client(connection, self._exchange)
                    self.clients.append(client)
                    client.serve(head)
                elif head:
                    self._proxy(connection, head)
            except OSError:
                return  # gone: whoever reads says so

    def _proxy(self, connection: socket.socket, head: bytes) -> None:
        with socket.create_connection(self._upstream) as upstream:
            back = threading.Thread(target=_pump, args=(upstream, connection), daemon=True)
            back.start()
            data = head
            while data:
                self.asked += 1
                upstream.sendall(data)
                data = connection.recv(1 << 16)
            upstream.shutdown(socket.SHUT_WR)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


class Blast:
    """What is to be told, and what was told: how many trades, and the first and last id of each instrument."""

    def __init__(self) -> None:
        self.trades = 0
        self.ids: dict[str, list[int]] = {}

    def counted(self, told: Iterable[Told]) -> Iterator[Told]:
        """The same, noted."""
        for one in told:
            if one.market_id:
                self.trades += 1
                self.ids.setdefault(one.market_id, [one.trade_id, 0])[1] = one.trade_id
            yield one

    def run(self, client: Client, chunks: Iterable[bytes]) -> dict[str, Any]:
        """Tell it all."""
        begun, cpu = time.time(), time.process_time()
        for data in chunks:
            client.send(data)
        return {
            "begun": begun,
            "done": time.time(),
            "cpu_s": time.process_time() - cpu,
            "trades": self.trades,
            "ids": self.ids,
        }


def chunks(told: Iterable[Told]) -> Iterator[bytes]:
    """Frames in large pieces."""
    held: list[bytes] = []
    size = 0
    for one in told:
        held.append(server_frame(one.text))
        size += len(held[-1])
        if size >= _CHUNK:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def paced(told: Iterable[Told]) -> Iterator[bytes]:
    """What is due, as the market's time passes at the speed of ours."""
    begun = first = 0.0
    held: list[bytes] = []
    for one in told:
        begun, first = begun or time.monotonic(), first or one.at
        while (wait := (one.at - first) / 1000 - (time.monotonic() - begun)) > 0:
            if held:
                yield b"".join(held)
                held = []
            else:
                time.sleep(max(_SLEEP_S, wait / 2))
        held.append(server_frame(one.text))
    yield b"".join(held)


def _arguments() -> argparse.Namespace:
    ask = argparse.ArgumentParser()
    ask.add_argument("--upstream", type=int, required=True, help="port of the simulated venue")
    ask.add_argument("--trades", type=int, help="flat out, so many trades")
    ask.add_argument("--seconds", type=float, help="everything, at the market's own times")
    ask.add_argument("--live", action="store_true")
    ask.add_argument("--sample", type=Path, help="where to write the first trades' texts")
    ask.add_argument("--sampled", type=int, default=0)
    return ask.parse_args()


def main() -> None:
    """Make ready, then do as the lines say."""
    given = _arguments()
    exchange, blast = frames.opened(flat_out=given.seconds is None), Blast()
    start = exchange.board.market.start_ms
    told: Iterator[Told]
    ready: Iterable[bytes]
    if given.seconds is None:
        told = blast.counted(islice(frames.told(exchange, frames.TRADES), given.trades))
        ready = list(chunks(_sampled(told, given.sample, given.sampled)))
    else:
        told = takewhile(lambda one: one.at < start + given.seconds * 1000, frames.told(exchange, frames.EVERYTHING))
        ready = paced(blast.counted(told if given.live else list(told)))
    blaster = Blaster(frames.opened(flat_out=given.seconds is None), ("127.0.0.1", given.upstream))
    _say({"port": blaster.port})
    for line in sys.stdin:
        if line.strip() == "go":
            _say(blast.run(blaster.clients[-1], ready))
        else:
            subscribed = blaster.clients[-1].subscribed if blaster.clients else 0
            _say({"subscribed": subscribed, "asked": blaster.asked})


def _sampled(told: Iterable[Told], file: Path | None, most: int) -> Iterator[Told]:
    """The same; the first of their texts, as lines of a file."""
    kept: list[str] = []
    for one in told:
        if len(kept) < most:
            kept.append(one.text)
        yield one
    if file is not None:
        file.write_text("\n".join(kept))


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
