"""The producer process: everything that the venues of the configured markets tell, to Kafka."""

import asyncio
import contextlib
import gc
import logging
import random
import signal
from collections.abc import Sequence
from typing import Final

from infra import stream, topics
from infra.settings import Settings, UserError
from producers import metrics
from producers.clock import Clock
from producers.publish import Publisher, PublishError
from producers.venue import Venue

PART: Final = "producer"
_STATUS_S: Final = 10.0
_FLUSH_S: Final = 3.0
_SHORTEST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 60.0
_SOUND_S: Final = 300.0  # a venue that ran so long begins anew at once
_GARBAGE: Final = 50_000  # objects; what a frame is made into lives in no cycles, so that looking for them finds nothing

_log = logging.getLogger(__name__)
_dice = random.SystemRandom()


def run(settings: Settings, part: str = PART) -> None:
    """Until SIGTERM or SIGINT; says as `part` that it is up.

    Raises UserError when there is no broker, or no venue that can be followed.
    """
    stream.configure_logging()
    topics.create(settings)
    gc.set_threshold(_GARBAGE)
    try:
        asyncio.run(_until_told(settings, part))
    except ExceptionGroup as errors:
        user_error = _first(errors, UserError)
        if user_error is not None:
            raise user_error from None
        refused = _first(errors, PublishError)
        if refused is None:
            raise
        _log.critical("%s", refused)
        raise SystemExit(1) from None


def _first(errors: ExceptionGroup, kind: type[Exception]) -> Exception | None:
    """The first error of a kind, however deep it lies."""
    for error in errors.exceptions:
        found = _first(error, kind) if isinstance(error, ExceptionGroup) else error
        if isinstance(found, kind):
            return found
    return None


async def _until_told(settings: Settings, part: str) -> None:
    work = asyncio.create_task(_work(settings, part))
    loop = asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work


async def _work(settings: Settings, part: str) -> None:
    publisher, clock = Publisher(settings), Clock()
    venues = [Venue(settings, name, symbols, publisher, clock) for name, symbols in settings.symbols().items()]
    await follow(settings, venues, publisher, clock, part)


async def follow(settings: Settings, venues: Sequence[Venue], publisher: Publisher, clock: Clock, part: str = PART) -> None:
    """Until cancelled: run venues that publish there, each by itself. Raises an ExceptionGroup of what ends the process."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(publisher.serve())
            group.create_task(_status(publisher, venues))
            with metrics.served(settings.metrics_port, venues, publisher, clock):
                for venue in venues:
                    group.create_task(_keep(venue, clock))
                await _started(venues)
                stream.ready(settings, part)
                await asyncio.Event().wait()  # until cancelled: the metrics are served as long
    finally:
        left = await publisher.flush(_FLUSH_S)
        for venue in venues:
            _log.info("stopped: %s: %s", venue.name, venue.tally.line())
        _log.info("stopped: not acknowledged %d", left)


async def _started(venues: Sequence[Venue]) -> None:
    """Wait until every venue runs or has failed to. Raises UserError when none of them runs."""
    results = await asyncio.gather(*(venue.started for venue in venues), return_exceptions=True)
    failed = [result for result in results if isinstance(result, BaseException)]
    if len(failed) == len(results):
        raise failed[0]


async def _keep(venue: Venue, clock: Clock) -> None:
    """Run a venue, again and again. Raises PublishError: then the process has to end."""
    failures = 0
    while True:
        begun = clock.now()
        try:
            await venue.run()
        except ExceptionGroup as errors:
            user_error = _first(errors, UserError)
            if _first(errors, PublishError) is not None:
                raise
            if not venue.started.done():
                venue.started.set_exception(user_error or errors)
            failures = 0 if clock.now() - begun > _SOUND_S else failures + 1
            wait = _dice.uniform(_SHORTEST_WAIT_S, min(_LONGEST_WAIT_S, 2.0**failures))
            _log.error("%s: %s; again in %.0f s", venue.name, user_error or "failed", wait, exc_info=user_error is None)
            await clock.sleep(wait)


async def _status(publisher: Publisher, venues: Sequence[Venue]) -> None:
    while True:
        await asyncio.sleep(_STATUS_S)
        for venue in venues:
            _log.info("%s: %s, not acknowledged %d", venue.name, venue.tally.line(), publisher.in_flight)
