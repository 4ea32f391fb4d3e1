"""A recorded websocket session, through the same dialect and session as a live one.

A recording is a gzipped file of JSON lines, in order of receipt: `{"received": epoch seconds, "conn": its connection, "data": the
text}`. Beside it lies `instruments.json`: `{venue: {market id: the venue's own entry}}`.
"""

import asyncio
import gzip
import json
import zlib
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import ccxt
import msgspec
from msgspec import Struct, structs

from infra.settings import UserError
from producers.continuity import MINUTE, Counts, Repair, Repaired, State, Stream
from producers.dialect import Dialect
from producers.dialects import DIALECTS
from producers.session import Action, Publish, Session
from schemas.codec import Record
from schemas.market import Gap, Instrument, Trades

BEGINS: Final = "the recording begins"
ENDS: Final = "the recording ends"
MISSING: Final = "not in the recording"
_LATEST_S: Final = 253_402_300_799  # the end of the year 9999


class _Line(Struct):
    received: Decimal
    conn: str
    data: str


def instruments(path: Path, venue: str) -> list[Instrument]:
    """The instruments of a venue in an `instruments.json`. Raises UserError."""
    dialect = _dialect(venue)
    exchange = getattr(ccxt, venue)({"number": str})
    try:
        entries: dict[str, Any] = json.loads(path.read_text())[venue]
        return [dialect.instrument(exchange.parse_market(entry)) for entry in entries.values()]
    except OSError as error:
        raise UserError(f"cannot read the instruments {path}: {error.strerror}; name the file with --instruments") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} does not describe the instruments of {venue}: {type(error).__name__} {error}") from None


def records(path: Path, venue: str, instruments_file: Path, counts: Counts | None = None) -> Iterator[tuple[int, Record]]:
    """What the recording publishes, each with when it was received (epoch us). Raises UserError for what is no recording."""
    begun: set[str] = set()
    for received, record in _records(path, venue, instruments_file, counts or Counts()):
        if isinstance(record, Trades) and record.market_id not in begun:
            begun.add(record.market_id)
            yield received, _beginning(record)
        yield received, record


def _records(path: Path, venue: str, instruments_file: Path, counts: Counts) -> Iterator[tuple[int, Record]]:
    dialect = _dialect(venue)
    listed = instruments(instruments_file, venue)
    streams = {one.market_id: _open(Stream(one, "replay", None, counts, 0.0)) for one in listed}
    sessions: dict[str, Session] = {}
    received = 0
    for line in _lines(path):
        received = int(line.received * 1_000_000)
        if not sessions:
            yield from ((received, one) for one in listed)
        session = sessions.setdefault(line.conn, Session(dialect, streams, line.conn, counts))
        now = received / 1_000_000
        session.frame(line.data, received, now)
        yield from ((received, record) for record in _published(session, session.flush(now), received))
    ends = (stream.close(ENDS, received) for stream in streams.values())
    yield from ((received, record) for record in ends if record is not None)


async def replay(
    path: Path,
    venue: str,
    instruments_file: Path,
    publish: Callable[[Record], Awaitable[None]],
    speed: float | None = None,
) -> Counts:
    """Publish a recording: as fast as it can be taken, or at `speed` times the pace at which it was received."""
    counts = Counts()
    loop = asyncio.get_running_loop()
    begun: tuple[float, int] | None = None
    for received, record in records(path, venue, instruments_file, counts):
        begun = begun or (loop.time(), received)
        if speed is not None:
            due = begun[0] + (received - begun[1]) / 1_000_000 / speed
            await asyncio.sleep(max(0.0, due - loop.time()))
        await publish(record)
    return counts


def _dialect(venue: str) -> Dialect:
    try:
        return DIALECTS[venue]
    except KeyError:
        raise UserError(f"unknown venue {venue!r}; there are {', '.join(sorted(DIALECTS))}") from None


def _lines(path: Path) -> Iterator[_Line]:
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
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"cannot read the recording {path}: {error}") from None


def _open(stream: Stream) -> Stream:
    """Nothing can be fetched before a recording begins, so nothing has to be waited for."""
    stream.state, stream.fresh = State.LIVE, False
    return stream


def _published(session: Session, actions: list[Action], received: int) -> Iterator[Record]:
    """The records among the actions. A recording cannot repair: what is missing in it is a gap."""
    for action in actions:
        if isinstance(action, Repair):
            found = Repaired(action.since, failure=MISSING)
            yield from _published(session, session.repaired(action.market_id, found, received), received)
        elif isinstance(action, Publish):
            yield action.record


def _beginning(first: Trades) -> Trades:
    """Before the first trades of an instrument: what their minute had before is missing."""
    minute = first.times[0] // MINUTE * MINUTE
    gap = Gap(0, first.ids[0], minute, first.times[0] + 1, BEGINS)
    empty: tuple[int, ...] = ()
    return structs.replace(first, watermark=minute, gap=gap, ids=empty, times=empty, prices=empty, amounts=empty, taker_buys=())
