"""Recorded websocket sessions, through the same dialect, session and streams as live ones.

A recording is a gzipped file of JSON lines, in order of receipt: `{"received": epoch seconds, "conn": its connection, "data": the
text}`, or a folder of such files whose names begin with the venue's, which are one recording in the order of their names. A
connection is named `<address>#<session>.<number>`. Beside it lies `instruments.json`, see `producers.listed`.
"""

import asyncio
import gzip
import logging
import zlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, structs

from infra.settings import UserError
from producers import instruments, listed
from producers.continuity import Stream
from producers.dialect import Channel, Dialect, Ids, Kind
from producers.dialects import DIALECTS
from producers.lines import Line
from producers.outcome import NOT_RECORDED
from producers.recorder import recordings
from producers.session import Session
from producers.tally import Tally
from producers.tape import MINUTE
from producers.todo import Todo
from schemas.codec import Record
from schemas.market import Gap, Instrument, Trades

BEGINS: Final = "the recording begins"
ENDS: Final = "the recording ends"
TICK_S: Final = 0.1
_LATEST_S: Final = 253_402_300_799  # the end of the year 9999
_ONE: Final = 1  # the number of a session's only connection

_log = logging.getLogger(__name__)


class _Line(Struct):
    received: Decimal
    conn: str
    data: str


class _Connection(Struct):
    """One recorded connection: the instruments that it may tell of, and when (s) its session was last told that time passes."""

    session: Session
    instruments: tuple[Instrument, ...]
    ticked: float


class Replay:
    """What a recording publishes. `tally` says what became of it so far. Raises UserError for what is no recording."""

    def __init__(self, path: Path, venue: str, instruments_file: Path) -> None:
        if venue not in DIALECTS:
            raise UserError(f"unknown venue {venue!r}; there are {', '.join(sorted(DIALECTS))}")
        self.tally = Tally()
        self._dialect = DIALECTS[venue]
        self._files = recordings(path, venue) if path.is_dir() else [path]
        if not self._files:
            raise UserError(f"there is no recording of {venue} in {path}: its files are named {venue}.*.ndjson.gz")
        self._listed = tuple(listed.read(instruments_file, self._dialect))
        self._keys = {one.symbol: instruments.key(one) for one in self._listed}
        self._streams = {instruments.key(one): self._stream(one) for one in self._listed}
        self._open: dict[str, _Connection] = {}
        self._left: set[instruments.Key] = set()
        """Those that no open connection has told of since the last trade."""
        self._known: dict[instruments.Key, tuple[int, int]] = {}
        """Watermark and id of the last trades published."""

    def records(self) -> Iterator[tuple[int, Record]]:
        """Each with when it was received (epoch us)."""
        received = 0
        last = self._last_lines()
        for (name, at), lines in groupby(self._lines(), lambda line: (line[1].conn, line[1].received)):
            if not received:
                received = int(at * 1_000_000)
                yield from ((received, one) for one in self._listed)
            received = int(at * 1_000_000)
            batch = list(lines)
            yield from ((received, record) for record in self._batch(name, [line.data for _, line in batch], received))
            if last[name] <= batch[-1][0]:
                yield from ((received, record) for record in self._leave(name, received))
        for stream in self._streams.values():
            yield from ((received, record) for record in stream.close(ENDS, received).records)

    def _batch(self, name: str, frames: Sequence[str], received: int) -> Iterator[Record]:
        now = received / 1_000_000
        connection = self._open.get(name) or self._join(name, now)
        todos = []
        if now - connection.ticked >= TICK_S:
            connection.ticked = now
            todos.append(connection.session.tick(received, now))
        messages = [frame.encode("utf-8", "surrogatepass") for frame in frames]
        todos.append(connection.session.frames(_ONE, messages, received, now))
        for todo in todos:
            yield from self._published(todo)

    def _join(self, name: str, now: float) -> _Connection:
        listed = _told_on(self._dialect, self._listed, name)
        streams = {one.market_id: self._streams[instruments.key(one)] for one in listed}
        session = Session(self._dialect, Line("", (), listed), streams, name, self.tally)
        session.connected(_ONE, int(now * 1000), int(now * 1_000_000), now)
        connection = self._open[name] = _Connection(session, listed, now)
        return connection

    def _leave(self, name: str, received: int) -> Iterator[Record]:
        """A connection ends with its last line: what no other brings is missed from there on."""
        connection = self._open.pop(name)
        carried = {instruments.key(one) for other in self._open.values() for one in other.instruments}
        self._left |= {instruments.key(one) for one in connection.instruments} - carried
        yield from self._published(connection.session.left(_ONE, received, received / 1_000_000))

    def _published(self, todo: Todo) -> Iterator[Record]:
        """Its records. A recording cannot repair: what is missing in it is a gap, also where ids do not show that."""
        for record in (*todo.records, *todo.notices):
            if isinstance(record, Trades) and record.ids:
                yield from self._before(record)
            yield record

    def _before(self, record: Trades) -> Iterator[Record]:
        """What is missing before a record of trades that nobody else knows to be missing."""
        key = self._keys[record.symbol]
        known = self._known.get(key)
        self._known[key] = record.watermark, record.ids[-1]
        if known is None:
            minute = record.times[0] // MINUTE * MINUTE
            yield _bare(record, minute, Gap(0, record.ids[0], minute, record.times[0] + 1, BEGINS))
        elif key in self._left and self._dialect.ids(self._streams[key].instrument) is not Ids.CONSECUTIVE:
            since, after = known
            yield _bare(record, since, Gap(after, record.ids[0], since, max(since, record.times[0]) + 1, NOT_RECORDED))
        self._left.discard(key)

    def _stream(self, instrument: Instrument) -> Stream:
        dialect = self._dialect
        ids, reach = dialect.ids(instrument), dialect.recent_trades(instrument)
        return Stream(instrument, ids, reach, "replay", None, self.tally.counts, 0.0, dialect.margin_ms)

    def _last_lines(self) -> dict[str, int]:
        """The number of the last line of each connection."""
        return {line.conn: number for number, line in self._lines()}

    def _lines(self) -> Iterator[tuple[int, _Line]]:
        number = 0
        for file in self._files:
            for line in _lines(file):
                number += 1
                yield number, line


async def replay(recording: Replay, publish: Callable[[Record], Awaitable[None]], speed: float | None = None) -> None:
    """Publish a recording: as fast as it can be taken, or at `speed` times the pace at which it was received."""
    loop = asyncio.get_running_loop()
    begun: tuple[float, int] | None = None
    for received, record in recording.records():
        begun = begun or (loop.time(), received)
        if speed is not None:
            due = begun[0] + (received - begun[1]) / 1_000_000 / speed
            await asyncio.sleep(max(0.0, due - loop.time()))
        await publish(record)


def _lines(path: Path) -> Iterator[_Line]:
    """A file whose writer was killed ends in the middle: what is whole counts."""
    decoder = msgspec.json.Decoder(_Line)
    number = 0
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                number += 1
                found = decoder.decode(line)
                if not 0 <= found.received <= _LATEST_S:
                    raise UserError(f"{path} is no recording: line {number}: received at {found.received}")
                yield found
    except (msgspec.MsgspecError, ArithmeticError) as error:
        raise UserError(f"{path} is no recording: line {number}: {error}") from None
    except EOFError:
        _log.warning("%s ends in the middle, after line %d", path, number)
    except (OSError, zlib.error) as error:
        raise UserError(f"cannot read the recording {path}: {error}") from None


def _told_on(dialect: Dialect, listed: tuple[Instrument, ...], connection: str) -> tuple[Instrument, ...]:
    """The instruments that a connection's address tells of; all where it is none of today's."""
    path = urlsplit(connection.partition("#")[0]).path
    found = tuple(one for one in listed if any(path.endswith(known) for known in _paths(dialect, one)))
    return found or listed


def _paths(dialect: Dialect, instrument: Instrument) -> set[str]:
    paths = (dialect.path(Channel(kind, instrument.market_id), instrument) for kind in Kind)
    return {path.partition("?")[0] for path in paths if path is not None}


def _bare(record: Trades, watermark: int, gap: Gap) -> Trades:
    """Nothing but a gap."""
    empty: tuple[int, ...] = ()
    return structs.replace(
        record, watermark=watermark, gap=gap, ids=empty, times=empty, prices=empty, amounts=empty, taker_buys=empty, counts=empty
    )
