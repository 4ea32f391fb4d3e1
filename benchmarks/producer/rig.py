"""Everything that the producer needs: simulated Binance, the blaster, a real Kafka; and the producer, a process as always."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import psutil
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from rich.console import Console

from infra import topics
from infra.embedded import child, running
from infra.settings import Settings, load_settings
from producer import frames
from schemas.topics import TRADES

_HERE: Final = Path(__file__).parents[1]
_START_S: Final = 300.0
_STOP_S: Final = 20.0
_POLL_S: Final = 0.2
PRODUCER: Final = ("-m", "tapeflow", "run", "producer")


class Spent(NamedTuple):
    """Seconds of CPU since the producer's start: of its busiest thread, of all of them, and of the broker."""

    thread: float
    producer: float
    broker: float


class Running:
    """The producer at work. `folder` is where its log lies."""

    def __init__(self, settings: Settings, process: psutil.Popen, blaster: psutil.Popen, folder: Path) -> None:
        self.settings = settings
        self.process = process
        self.folder = folder
        self._blaster = blaster
        self._broker = next(one for one in psutil.Process().children(recursive=True) if one.name() == "java")
        self._before = 0.0

    def blast(self) -> dict[str, Any]:
        """Have the blaster tell everything; returns what it says of that."""
        return self._say("go")

    def metrics(self) -> dict[str, float]:
        """What the producer tells of itself, by name; labels are added up."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.settings.metrics_port}/metrics", timeout=30) as answer:
            rows = [row.rpartition(" ") for row in answer.read().decode().splitlines() if not row.startswith("#")]
        found: dict[str, float] = {}
        for name, _, value in rows:
            found[name.partition("{")[0]] = found.get(name.partition("{")[0], 0.0) + float(value)
        return found

    def spent(self) -> Spent:
        """CPU until now."""
        threads = [one.user_time + one.system_time for one in self.process.threads()]
        return Spent(max(threads), sum(threads), sum(self._broker.cpu_times()[:2]))

    def settled(self) -> None:
        """Wait until the producer follows every instrument, and has closed the gaps of its start."""
        deadline = time.monotonic() + _START_S
        wanted = 4 * frames.INSTRUMENTS
        while time.monotonic() < deadline:
            time.sleep(_POLL_S)
            if self.process.poll() is not None:
                raise SystemExit(f"the producer ended: {child.last_line(self.folder / 'producer.log')}")
            if self._say("status")["subscribed"] == wanted and self._followed():
                return
        raise SystemExit(f"the producer has not settled in {_START_S:.0f} s: {self._say('status')} {self.metrics()}")

    def acknowledged(self, trades: int, within_s: float) -> None:
        """Wait until the producer says that so many trades more than at its start are acknowledged by Kafka."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            now = self.metrics()
            if now["tapeflow_trades_total"] - self._before >= trades and not now["tapeflow_unacknowledged_records"]:
                return
            time.sleep(_POLL_S)
        raise SystemExit(f"Kafka has not acknowledged everything in {within_s:.0f} s: {self.metrics()}")

    def _followed(self) -> bool:
        with suppress(OSError):
            now = self.metrics()
            self._before = now["tapeflow_trades_total"]
            return now["tapeflow_open_gaps"] == 0 and now["tapeflow_gaps_repaired_total"] >= frames.INSTRUMENTS
        return False

    def _say(self, what: str) -> dict[str, Any]:
        assert self._blaster.stdin is not None
        self._blaster.stdin.write(what + "\n")
        self._blaster.stdin.flush()
        return _heard(self._blaster)


class Rig:
    """All that the producer needs, ready. The blaster has written what it will tell."""

    def __init__(self, settings: Settings, blaster: psutil.Popen, folder: Path) -> None:
        self.settings = settings
        self._blaster = blaster
        self._folder = folder

    @contextmanager
    def producer(self, arguments: Sequence[str] = PRODUCER) -> Iterator[Running]:
        """The producer, settled; stopped in the end."""
        print(f"starting the producer of {frames.INSTRUMENTS} instruments", file=sys.stderr)
        environment = os.environ | self.settings.environment()
        with _process(arguments, self._folder / "producer.log", environment) as process:
            running = Running(self.settings, process, self._blaster, self._folder)
            running.settled()
            yield running


@contextmanager
def rig(blast: Sequence[str], *, flat_out: bool) -> Iterator[Rig]:
    """Start everything but the producer, all on the same two cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="tapeflow-bench-")))
        settings = load_settings(
            state=folder / "state",
            database_url="postgresql://none",
            markets=tuple(f"{frames.NAME}:{symbol}" for symbol in frames.symbols()),
            metrics_port=child.free_port(folder, "metrics"),
        )
        settings = stack.enter_context(running(settings, Console(stderr=True)))
        _stamped_by_the_broker(settings)
        venue = _venue(stack, folder, frames.arguments(flat_out=flat_out))
        print("preparing what the venue will tell", file=sys.stderr)
        blaster = stack.enter_context(
            _process(["-m", "producer.blaster", "--upstream", str(venue), *blast], folder / "blaster.log")
        )
        address = f"http://127.0.0.1:{_heard(blaster)['port']}"
        yield Rig(settings.model_copy(update={"venue_url": address}), blaster, folder)


def _venue(stack: ExitStack, folder: Path, market: Sequence[str]) -> int:
    """Start simulated Binance, its clock held; returns its port."""
    note = folder / "venue.port"
    arguments = ["-m", "infra.simulated", *market, "--ready-file", str(note)]
    venue = stack.enter_context(_process(arguments, folder / "venue.log"))
    while not note.exists():
        if venue.poll() is not None:
            raise SystemExit(f"the simulated venue ended: {child.last_line(folder / 'venue.log')}")
        time.sleep(_POLL_S)
    return int(note.read_text())


@contextmanager
def _process(arguments: Sequence[str], log: Path, environment: "os._Environ[str] | dict[str, str]" = os.environ) -> Iterator[Any]:
    """A Python of ours with its errors in a file; it is stopped in the end."""
    with log.open("wb") as errors:
        process = psutil.Popen(
            [sys.executable, *arguments],
            cwd=_HERE,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(_STOP_S)


def _heard(process: psutil.Popen) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit("the blaster has ended: see the traceback above")
    found: dict[str, Any] = json.loads(line)
    return found


def _stamped_by_the_broker(settings: Settings) -> None:
    """Have the broker say when it appended each record of trades: nothing in the producer has to be measured for that."""
    topics.create(settings)
    resource = ConfigResource(ResourceType.TOPIC, topics.name(settings, TRADES))
    resource.add_incremental_config(
        ConfigEntry("message.timestamp.type", "LogAppendTime", incremental_operation=AlterConfigOpType.SET)
    )
    client = topics.admin(settings)
    for done in client.incremental_alter_configs([resource]).values():
        done.result(30)
