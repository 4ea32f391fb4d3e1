"""What simulated Binance tells of its instruments, written by its own encoders; its ids go on from what REST tells."""

import heapq
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from infra.simulated.exchange import Exchange, Talk
from infra.simulated.exchanges import EXCHANGES
from infra.simulated.feeds import Feed, Moment
from infra.simulated.market import MINUTE, Market, trades_of
from infra.simulated.tape import Trades
from infra.simulated.venue import SimulatedVenueConfig

NAME: Final = "binance"
INSTRUMENTS: Final = 200
HISTORY: Final = 20  # market minutes before the start
DEPTH: Final = "depth@100ms"
BOOKS: Final = 20
TRADES: Final = {"aggTrade": 10}
EVERYTHING: Final = {"aggTrade": 10, "bookTicker": 100, DEPTH: 1000, "kline_1m": 1000}
_FLAT_OUT: Final = (50.0, 64)  # some 260,000 trades a second of all instruments
_RATED: Final = (29.5, 1)  # some 2,000
_AT: Final = re.compile(r'"a":(\d+),.*"T":(\d+)')


class Told(NamedTuple):
    """One frame: when the venue would send it (market ms), its text, and of a trade whose it is and its id."""

    at: int
    text: str
    market_id: str = ""
    trade_id: int = 0


def arguments(*, flat_out: bool) -> list[str]:
    """How `python -m infra.simulated` opens the same market, with its clock held at the start."""
    pace, _ = _FLAT_OUT if flat_out else _RATED
    return ["--venues", NAME, "--instruments", str(INSTRUMENTS), "--history", str(HISTORY), "--pace", str(pace), "--hold"]


def opened(*, flat_out: bool) -> Exchange:
    """The venue without its sockets. Flat out, so much more is traded after the start that its minutes last about real ones."""
    pace, denser = _FLAT_OUT if flat_out else _RATED
    config = SimulatedVenueConfig()
    begin = config.start_ms - HISTORY * MINUTE
    opening = EXCHANGES[NAME]
    makers = {
        listing: _denser(trades_of(config.seed, listing, begin, salt=NAME), config.start_ms, denser)
        for listing in opening.listings(INSTRUMENTS, pace)
    }
    return opening.exchange(Market(config.start_ms, makers, {}))


def _denser(made: Iterable[Trades], start: int, times: int) -> Iterator[Trades]:
    for one in made:
        yield one._replace(times=np.where(one.times <= start, one.times, start + 1 + (one.times - start) // times))


def joined(exchange: Exchange) -> Talk:
    """One client of the venue, at the start of the market."""
    return exchange.talk("/stream", {}, "benchmark", moment(exchange.board.market.start_ms))


def moment(ms: int) -> Moment:
    """A time at which every clock shows the market's."""
    return Moment(ms, ms, ms / 1000, ms / 1000)


def told(exchange: Exchange, every_ms: Mapping[str, int]) -> Iterator[Told]:
    """Everything from the start on, without end, in the order of its times.

    `every_ms`: for each kind of stream (`aggTrade`, `bookTicker` ..) how often the venue looks what it has to tell of it. Books
    are told of some instruments only: the simulated venue needs ten milliseconds to write what has changed in one.
    """
    start = exchange.board.market.start_ms
    talk = joined(exchange)
    listed = list(exchange.board.listings)
    names = [f"{name.lower()}@{kind}" for kind in every_ms for name in (listed[:BOOKS] if kind == DEPTH else listed)]
    for begin in range(0, len(names), 200):
        talk.hear(json.dumps({"method": "SUBSCRIBE", "params": names[begin : begin + 200], "id": begin}), moment(start))
    due = []
    for number, (name, feed) in enumerate(talk.feeds.items()):
        every = every_ms[str(name).partition("@")[2]]
        due.append((start + every, number, every, feed))
    heapq.heapify(due)
    while True:
        at = due[0][0]
        yield from sorted(_told(due, at), key=lambda one: one.at)


def _told(due: list[tuple[int, int, int, Feed]], at: int) -> Iterator[Told]:
    """What is due at one time, with when it happened; the heap `due` moves on."""
    while due[0][0] == at:
        _, number, every, feed = due[0]
        for frame in feed.due(moment(at)):
            yield _timed(str(frame), at) if feed.of_trades else Told(at, str(frame))
        after = at + every
        if feed.of_trades:  # nothing has to be asked for before the next trade
            after = max(after, -int(-feed.next_ms // every) * every)
        heapq.heapreplace(due, (after, number, every, feed))


def _timed(text: str, at: int) -> Told:
    found = _AT.search(text)
    assert found is not None  # an aggregate has both
    return Told(min(at, int(found[2])), text, text[11 : text.index("@")].upper(), int(found[1]))


def server_frame(text: str) -> bytes:
    """A message as a websocket server sends it: whole, unmasked (RFC 6455, section 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def symbols() -> list[str]:
    """The instruments as ccxt unifies them."""
    return [listing.name for listing in EXCHANGES[NAME].listings(INSTRUMENTS, 1.0)]
