"""Between quixstreams and the database: what waits for a checkpoint, and what happens while the database is away."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from quixstreams.sinks.base import BatchingSink, SinkBackpressureError, SinkBatch

from consumers.storage.database import Database, Origin, OutageError, Refused, Staged
from consumers.storage.tables import Table
from schemas import codec
from schemas.market import DeadLetter

# A replay reads more between two checkpoints than should wait in memory: this much is stored without waiting for the next one.
PENDING_BYTES: Final = 2 * 1024 * 1024
FIRST_RETRY_S: Final = 0.5
LONGEST_RETRY_S: Final = 5.0

_log = logging.getLogger(__name__)


class DatabaseSink(BatchingSink):
    """Stores what has been read at each checkpoint, before its offsets are committed.

    While the database is away each checkpoint is taken back: quixstreams pauses the partitions, keeps its place in the consumer
    group by polling on, and later reads again from where the checkpoint began. `by_topic` maps full topic names; `set_aside`
    publishes dead letters and returns once they are acknowledged.
    """

    def __init__(self, database: Database, by_topic: dict[str, Table], set_aside: Callable[[list[DeadLetter]], None]) -> None:
        super().__init__(on_client_connect_success=lambda: None)
        self._database = database
        self._by_topic = by_topic
        self._set_aside = set_aside
        self._staged: dict[Table, list[Staged]] = defaultdict(list)
        self._unreadable: list[Refused] = []
        self._pending = 0
        self._taken_back = False
        self._away_since: float | None = None
        self._retry_s = FIRST_RETRY_S
        # A flush that outlives a rebalance goes on in a thread of its own, beside the next one.
        self._storing = threading.Lock()

    def setup(self) -> None:
        """Bring the tables up to date; a database that is away is waited for. Raises UserError."""
        try:
            self._database.connect()
        except OutageError as outage:
            self._away(outage)

    def add(self, value: Any, key: Any, timestamp: int, headers: Any, topic: str, partition: int, offset: int) -> None:
        """Keep a record for the checkpoint, unless the checkpoint is lost already and will be read again."""
        if self._taken_back or value is None:
            return
        super().add(value, key, timestamp, headers, topic, partition, offset)
        self._pending += len(value)
        if self._pending >= PENDING_BYTES:
            self._store()

    def flush(self) -> None:
        """Store what is kept. Raises SinkBackpressureError while the database is away."""
        if not self._taken_back:
            self._store()
        if self._taken_back:
            self._taken_back = False
            retry, self._retry_s = self._retry_s, min(2 * self._retry_s, LONGEST_RETRY_S)
            raise SinkBackpressureError(retry_after=retry)

    def write(self, batch: SinkBatch) -> None:
        """Turn the records of one partition into staged rows."""
        table = self._by_topic[batch.topic]
        staged = self._staged[table]
        for item in batch:
            origin = Origin(batch.topic, batch.partition, item.offset, item.timestamp, item.value)
            try:
                record = codec.decode_as(table.topic.record, item.value)
                staged += [(row, origin) for row in table.rows(record, item.offset)]
            except ValueError as error:  # no record of ours, or columns of unequal lengths
                self._unreadable.append(Refused(origin, str(error)))

    def _store(self) -> None:
        """Everything kept, in one transaction; what cannot be stored goes to the dead letters after it."""
        with self._storing:
            try:
                super().flush()  # type: ignore[no-untyped-call]  # quixstreams gives it no types
                refused = self._unreadable + self._database.store(self._staged)
                self._set_aside([_dead_letter(row) for row in refused])
                self._back()
            except OutageError as outage:
                self._taken_back = True
                self._away(outage)
            finally:
                self._staged.clear()
                self._unreadable = []
                self._pending = 0

    def _away(self, outage: OutageError) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            _log.warning("the database takes no rows: %s; storage waits until it does", outage)

    def _back(self) -> None:
        if self._away_since is not None:
            _log.warning("the database takes rows again after %.1f s", time.monotonic() - self._away_since)
        self._away_since = None
        self._retry_s = FIRST_RETRY_S


def _dead_letter(refused: Refused) -> DeadLetter:
    """The record as it came. Its time is the record's own, so that the same letter twice has the same bytes."""
    origin = refused.origin
    return DeadLetter(
        origin.topic, origin.partition, origin.offset, refused.reason, origin.payload, received=origin.timestamp * 1000
    )
