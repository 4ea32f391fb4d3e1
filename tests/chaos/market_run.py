"""One seeded market, run through every part as real processes, with or without deaths; what it left behind, to compare.

The market is the simulated venue's: a function of its seed alone. Its clock starts at the first subscription, so two runs see
the same trades however long anything takes.
"""

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from infra import topics as broker
from infra.settings import Settings
from schemas import codec, topics
from schemas.market import Trades
from tapeflow.lag import Lags
from tapeflow.replay import read_all

ROOT = Path(__file__).parents[2]
DOOMED = Path(__file__).with_name("doomed.py")
PARTS = ("api", "storage", "execution", "sequencer", "pipeline", "producer")
PATIENCE_S = 240


@dataclass(frozen=True)
class Doom:
    """Where a part dies: at the COUNT-th call of a point of `doomed.py`."""

    point: str
    count: int


@dataclass
class Death:
    """What a process left unread when it died: `unread` records had come in by the time it was started again."""

    part: str
    doom: Doom
    unread: int


@dataclass
class MarketRun:
    """Processes of one run and what is known of it."""

    settings: Settings
    venue_url: str
    minutes: int
    logs: Path
    dooms: dict[str, list[Doom]]
    admin: AdminClient
    lags: Lags
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    deaths: list[Death] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)  # what the dead had not read when they were found

    def start(self, part: str) -> None:
        """Start a part, doomed when a death is still due to it."""
        doom = self.dooms[part][0] if self.dooms.get(part) else None
        command = [DOOMED, part, doom.point, str(doom.count)] if doom else ["-m", "tapeflow", "run", part]
        with (self.logs / f"{part}.log").open("ab") as log:
            self.processes[part] = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=environment(self.settings), stdout=log, stderr=log
            )

    def bury(self) -> None:
        """Note who died as planned, and start each again once there is something it has not read.

        Anybody else's death is a failure. Nobody waits for anybody: the dead may be each other's only source.
        """
        for part, process in self.processes.items():
            code = process.poll()
            if code is None:
                continue
            assert code == -9, f"{part} ended with {code}:\n{(self.logs / f'{part}.log').read_text()[-3000:]}"
            assert self.dooms.get(part), f"{part} was killed though nothing was planned for it"
            self.left.setdefault(part, self.waiting_for(part))
            unread = self.waiting_for(part) - self.left[part]
            if unread > 0:  # a market that ends before that leaves the part dead, and the run never over
                del self.left[part]
                self.deaths.append(Death(part, self.dooms[part].pop(0), unread))
                self.start(part)

    def waiting_for(self, part: str) -> int:
        """How much there is for a part to read: trades at the venue, or records in its topics."""
        if part == "producer":
            return sum(row["trades"] for row in self.ledger().values())
        if part == "api":  # it joins no group: what it streams is what there is of candles
            candles = broker.name(self.settings, topics.CANDLES)
            asked = {TopicPartition(candles, number): OffsetSpec.latest() for number in range(topics.CANDLES.partitions)}
            return sum(int(future.result(10).offset) for future in self.admin.list_offsets(asked).values())
        return self.lags.now()[part]

    def ledger(self) -> dict[str, dict[str, int]]:
        """The venue's own count of its trades."""
        return httpx.get(f"{self.venue_url}/control/okx/ledger", timeout=30).json()["instruments"]

    def over(self) -> bool:
        """Whether the market has ended, every part is alive, and everything it traded and every candle of it is stored."""
        clock = httpx.get(f"{self.venue_url}/control/okx/clock", timeout=30).json()
        end = clock["start"] + self.minutes * 60_000
        if clock["now"] < end + 60_000 or any(self.dooms.values()):
            return False
        # A market that has ended goes on telling the time: it has to stop before anybody can have read everything.
        httpx.post(f"{self.venue_url}/control/okx/clock", json={"state": "pause"}, timeout=30).raise_for_status()
        with psycopg.connect(self.settings.database_url or "") as connection:
            stored = connection.execute("SELECT count(*) FROM trades").fetchone()
            closed = connection.execute(
                "SELECT count(*) FROM v_candles WHERE timeframe = '1m' AND open_time = to_timestamp(%s / 1000.0)", (end - 60_000,)
            ).fetchone()
        counts = self.ledger()
        settled = not any(self.lags.now().values())
        return (stored, closed, settled) == ((sum(row["trades"] for row in counts.values()),), (len(counts),), True)

    def stop(self) -> None:
        """End everything that runs; each has to end by itself."""
        for process in self.processes.values():
            process.terminate()
        for part, process in self.processes.items():
            assert process.wait(15) == 0, f"{part} ended with {process.returncode} when told to stop"


def environment(settings: Settings) -> dict[str, str]:
    """Of a child: these settings and nothing inherited that would change them."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TAPEFLOW_", "KAFKA_", "DATABASE_"))}
    return inherited | settings.environment() | {"PYTHONPATH": str(ROOT)}


def wait_until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
    """Look until it is so. Raises AssertionError naming what did not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.2)


@contextmanager
def simulated_venue(folder: Path, *, seed: int, instruments: int, speed: float, minutes: int) -> Iterator[str]:
    """The venue as a process of its own; gives its address."""
    ready = folder / "venue.port"
    options = {"seed": seed, "instruments": instruments, "speed": speed, "minutes": minutes, "ready-file": ready}
    command = [sys.executable, "-m", "infra.simulated", *(f"--{name}={value}" for name, value in options.items())]
    with (folder / "venue.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        wait_until(ready.exists, "the simulated venue", 30)
        yield f"http://127.0.0.1:{ready.read_text()}"
    finally:
        process.terminate()
        process.wait(10)


def contents_by_id(settings: Settings) -> dict[Any, set[Any]]:
    """Every content that was published under each id. More than one is a broken promise."""
    contents: dict[Any, set[Any]] = defaultdict(set)
    for record in read_all(settings, topics.TRADES):
        assert isinstance(record, Trades)
        for row in zip(record.ids, record.times, record.prices, record.amounts, record.taker_buys, strict=True):
            contents["trade", record.symbol, row[0]].add((*row, record.price_scale, record.amount_scale))
    keys = {
        topics.CANDLES: ("symbol", "timeframe", "open_time", "revision"),
        topics.INDICATORS: ("symbol", "timeframe", "open_time", "candle_revision", "revision"),
        topics.MOVES: ("symbol", "offset"),
        topics.SIGNALS: ("id",),
        topics.INPUTS: ("id",),
        topics.INTENTS: ("client_order_id",),
        topics.ORDERS: ("client_order_id", "revision"),
        topics.FILLS: ("id",),
        topics.POSITIONS: ("id", "revision"),
        topics.REFUSALS: ("id",),
    }
    for topic, names in keys.items():
        for record in read_all(settings, topic):
            contents[topic.name, *(getattr(record, name) for name in names)].add(codec.encode(record))
    return contents
