"""Run one part of the system and kill it with SIGKILL at a counted point: `python tests/chaos/doomed.py PART POINT COUNT`.

Points are counted calls, not times, so a kill lands where it is meant to:

- `produce`: the COUNT-th record handed to the Kafka client, in the middle of processing;
- `commit`: the COUNT-th commit of offsets, after everything before it was acknowledged and before the offsets are;
- `read`: the COUNT-th batch that a reader without a group asks for;
- `flush`: the COUNT-th local flush of state, after the offsets were committed.

What the process had read is told by Kafka: the test compares it with what was there to read.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import confluent_kafka
from quixstreams.internal_consumer import InternalConsumer
from quixstreams.internal_producer import InternalProducer
from quixstreams.state.rocksdb import RocksDBStorePartition

from infra.settings import load_settings
from tapeflow.parts import run


def die_at(owner: type, method: str, count: int) -> None:
    """Have the COUNT-th call of a method kill this process before the method does anything."""
    original: Callable[..., Any] = getattr(owner, method)
    calls = 0

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls >= count:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(self, *args, **kwargs)

    setattr(owner, method, counted)


class CountedProducer(confluent_kafka.Producer):
    """The plain client, for the part that does not run on quixstreams."""


class CountedConsumer(confluent_kafka.Consumer):
    """The plain client, for the part that joins no group."""


def main(part: str, point: str, count: int) -> None:
    """Prepare the death, then run the part as the supervisor would."""
    if point == "produce" and part == "producer":
        die_at(CountedProducer, "produce", count)
        confluent_kafka.Producer = CountedProducer
    elif point == "read":
        die_at(CountedConsumer, "consume", count)
        confluent_kafka.Consumer = CountedConsumer
    elif point == "produce":
        die_at(InternalProducer, "produce", count)
    elif point == "commit":
        die_at(InternalConsumer, "commit", count)
    elif point == "flush":
        die_at(RocksDBStorePartition, "write", count)
    run(part, load_settings())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
