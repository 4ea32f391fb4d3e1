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

# Imported only when run: each part is its own process and pays for its own libraries only.
PARTS: Final = {
    "producer": "producers.app",
    "pipeline": "pipelines.app",
    "sequencer": "consumers.sequencer.app",
    "execution": "consumers.execution.app",
    "storage": "consumers.storage.app",
    "api": "consumers.api.server",
}


def run(part: str, settings: Settings) -> None:
    """Run one part in this process until it is told to stop. Raises UserError for a part there is none of."""
    if part not in PARTS:
        raise UserError(f"there is no part {part!r}; there are {', '.join(PARTS)}")
    entry: Callable[[Settings], None] = importlib.import_module(PARTS[part]).run
    entry(settings)


def command(part: str) -> list[str]:
    """How to start one part as a process."""
    return [sys.executable, "-m", "tapeflow", "run", part]


def wait_consuming(settings: Settings, check: Callable[[], None], timeout_s: float = 60) -> None:
    """Wait until every group has its partitions: what comes in from now on is read at once.

    `check` raises when waiting makes no sense any more. Raises UserError naming a group that does not come.
    """
    admin = AdminClient(settings.librdkafka())
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
