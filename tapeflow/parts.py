"""The parts of the system, each a process of its own, in the order the data meets them."""

import importlib
import sys
import time
from collections.abc import Callable
from typing import Final

from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient

from infra.settings import Settings, UserError
from tapeflow.lag import READS

_PRODUCER: Final = "producer"
# Imported only when run: each part is its own process and pays for its own libraries only.
PARTS: Final = {
    "producer": "producers.app",
    "pipeline": "pipelines.app",
    "sequencer": "consumers.sequencer.app",
    "execution": "consumers.execution.app",
    "storage": "consumers.storage.app",
    "api": "consumers.api.server",
}


def names(settings: Settings) -> list[str]:
    """The processes of a running system: a producer for each venue, so that none holds up another, and one of each other part."""
    producers = [f"{_PRODUCER}-{venue}" for venue in settings.symbols()]
    return [*producers, *(part for part in PARTS if part != _PRODUCER)]


def run(name: str, settings: Settings) -> None:
    """Run one part in this process until it is told to stop; `producer-okx` is the producer of one venue's markets.

    Raises UserError for a part there is none of.
    """
    part, _, venue = name.partition("-")
    if part not in PARTS or (venue and part != _PRODUCER):
        raise UserError(f"there is no part {name!r}; there are {', '.join(PARTS)}")
    arguments = (of_venue(settings, venue), name) if venue else (settings,)
    entry: Callable[..., None] = importlib.import_module(PARTS[part]).run
    entry(*arguments)


def of_venue(settings: Settings, venue: str) -> Settings:
    """The same settings with the markets of one venue only, and a port for its metrics: they count up with the venues.

    Raises UserError when there are no markets of it.
    """
    own = tuple(market for market in settings.markets if market.partition(":")[0] == venue)
    if not own:
        raise UserError(
            f"there are no markets of {venue!r} in TAPEFLOW_MARKETS; there are those of {', '.join(settings.symbols())}"
        )
    port = settings.metrics_port and settings.metrics_port + list(settings.symbols()).index(venue)
    return settings.model_copy(update={"markets": own, "metrics_port": port})


def command(name: str) -> list[str]:
    """How to start one part as a process."""
    return [sys.executable, "-m", "tapeflow", "run", name]


def wait_consuming(settings: Settings, check: Callable[[], None], timeout_s: float = 60) -> None:
    """Wait until every group has its partitions: what comes in from now on is read at once.

    `check` raises when waiting makes no sense any more. Raises UserError naming a group that does not come.
    """
    admin = AdminClient({**settings.librdkafka(), "log_level": 0})
    deadline = time.monotonic() + timeout_s
    for group in READS:
        while not _stable(admin, settings.prefix + group):
            check()
            if time.monotonic() > deadline:
                raise UserError(f"{group} does not read its topics after {timeout_s:.0f} s; see {settings.state / 'logs'}")
            time.sleep(0.1)


def _stable(admin: AdminClient, group: str) -> bool:
    try:
        described = admin.describe_consumer_groups([group])[group].result(10)
    except KafkaException:
        return False
    return described.state is ConsumerGroupState.STABLE and bool(described.members)
