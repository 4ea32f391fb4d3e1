"""The producer process: the live trades and quotes of the configured symbols, from their venue to Kafka."""

import asyncio
import contextlib
import logging
import signal
import time
from typing import Final

from infra import stream, topics
from infra.settings import Settings
from producers import feed, tail
from producers.continuity import Counts, Stream
from producers.dialects import DIALECTS
from producers.publish import Publisher, PublishError
from producers.repair import Fetcher
from producers.rest import Rest
from producers.session import Session
from schemas.market import Instrument

PART: Final = "producer"
_STATUS_S: Final = 10.0
_FLUSH_S: Final = 3.0

_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Until SIGTERM or SIGINT. Raises UserError when a symbol, the venue or the broker is not there."""
    stream.configure_logging()
    topics.create(settings)
    try:
        asyncio.run(_until_told(settings))
    except (PublishError, ExceptionGroup) as error:
        refused = error if isinstance(error, PublishError) else error.subgroup(PublishError)
        if refused is None:
            raise
        _log.critical("%s", refused if isinstance(refused, PublishError) else refused.exceptions[0])
        raise SystemExit(1) from None


async def _until_told(settings: Settings) -> None:
    work = asyncio.create_task(_work(settings))
    loop = asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work


async def _work(settings: Settings) -> None:
    dialect = DIALECTS[settings.venue]
    counts = Counts()
    publisher = Publisher(settings)
    async with Rest(settings) as rest:
        instruments = await rest.instruments(dialect, settings.symbols)
        for instrument in instruments:
            await publisher.publish(instrument)
        sessions = await asyncio.to_thread(_sessions, settings, instruments, counts)
        edges = feed.Edges(dialect, rest, Fetcher(rest, dialect), publisher.publish, _url(settings))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(publisher.serve())
                group.create_task(_status(publisher, counts))
                for session in sessions:
                    group.create_task(feed.run(session, edges))
                stream.ready(settings, PART)
        finally:
            left = await publisher.flush(_FLUSH_S)
            _log.info("stopped: %s, not acknowledged %d", counts.line(), left)


def _sessions(settings: Settings, instruments: list[Instrument], counts: Counts) -> list[Session]:
    """One a connection, each stream where it was left."""
    dialect = DIALECTS[settings.venue]
    known = tail.positions(settings, instruments)
    now = time.monotonic()
    streams = [Stream(one, "live", known.get(one.market_id), counts, now) for one in instruments]
    size = dialect.connection_instruments
    parts = [streams[begin : begin + size] for begin in range(0, len(streams), size)]
    return [
        Session(dialect, {one.instrument.market_id: one for one in part}, f"{dialect.name}#{number}", counts)
        for number, part in enumerate(parts)
    ]


def _url(settings: Settings) -> str:
    """The venue's own websocket, or the same path where TAPEFLOW_VENUE_URL points."""
    dialect = DIALECTS[settings.venue]
    host = dialect.url if settings.venue_url is None else "ws" + settings.venue_url.removeprefix("http")
    return host + dialect.path


async def _status(publisher: Publisher, counts: Counts) -> None:
    while True:
        await asyncio.sleep(_STATUS_S)
        _log.info("%s, not acknowledged %d", counts.line(), publisher.in_flight)
