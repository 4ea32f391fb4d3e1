"""The producer as `tapeflow run producer` starts it, which writes down when Kafka acknowledged what.

`python -m producer.measured FILE`: of every record of live trades, the time from when its frame was read from the socket until
the producer has heard of the acknowledgement.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from confluent_kafka import Message
from confluent_kafka import Producer as Kafka

from infra.settings import load_settings
from producers import publish
from schemas import codec
from schemas.market import Trades
from tapeflow import parts

acknowledged: list[tuple[int, float, bytes]] = []


class Producer:
    """confluent_kafka's, as far as the publisher uses it."""

    def __init__(self, settings: dict[str, Any], **others: Any) -> None:
        self._kafka = Kafka(settings | {"delivery.report.only.error": False}, **others)
        self.poll, self.flush = self._kafka.poll, self._kafka.flush

    def __len__(self) -> int:
        return len(self._kafka)

    def produce(self, topic: str, *, value: bytes, on_delivery: Callable[[Any, Message], None], **others: Any) -> None:
        """As confluent_kafka's, noted."""
        at = time.time_ns()

        def delivered(error: Any, message: Message) -> None:
            on_delivery(error, message)
            acknowledged.append((at // 1000, message.latency() * 1e6, value))

        self._kafka.produce(
            topic, value=value, on_delivery=delivered if topic.endswith("market.trades") else on_delivery, **others
        )


def main() -> None:
    """Run until told to stop, then write rows: received (epoch us), how many trades, microseconds until acknowledged."""
    publish.Producer = Producer
    parts.run("producer", load_settings())
    rows = []
    for at, latency, value in acknowledged:
        record = codec.decode_as(Trades, value)
        if record.kind == "live" and record.ids:
            rows.append((record.received, len(record.ids), at - record.received + latency))
    Path(sys.argv[1]).write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
