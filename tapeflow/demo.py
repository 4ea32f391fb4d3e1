"""`tapeflow demo`: the whole flow on a simulated venue, in a folder of its own that is removed afterwards."""

import os
import shutil
import socket
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

import httpx
import msgspec
import psutil
from rich.console import Console
from rich.live import Live
from rich.table import Table

from infra import topics as broker
from infra.embedded import running
from infra.settings import Settings, UserError
from infra.simulated.exchanges import EXCHANGES
from infra.simulated.venue import SimulatedVenueConfig, open_venues
from infra.supervisor import Supervisor
from schemas import topics
from schemas.exact import plain
from sql.migrate import migrate
from tapeflow import stored
from tapeflow.lag import Lags
from tapeflow.observation import Watch
from tapeflow.parts import PARTS, command, names, wait_consuming
from tapeflow.screen import Frame, draw

SPEED: Final = 60
INSTRUMENTS: Final = 8  # a venue
_DRAIN_S: Final = 60
_START_S: Final = 60


@dataclass(frozen=True)
class Simulated:
    """The simulated venues, and their back door."""

    url: str
    venues: tuple[str, ...]

    def command(self, seed: int, state: Path) -> list[str]:
        """How to start them."""
        options = {
            "venues": ",".join(self.venues),
            "seed": seed,
            "speed": SPEED,
            "instruments": INSTRUMENTS,
            "port": self.url.rpartition(":")[2],
            "ready-file": state / "run" / "venues.ready",
        }
        return [sys.executable, "-m", "infra.simulated", *(f"--{name}={value}" for name, value in options.items())]

    def clock(self, state: Literal["pause", "run", "stop"]) -> None:
        """Let every market's time stand, run, or stop for good."""
        for venue in self.venues:
            httpx.post(f"{self.url}/control/{venue}/clock", json={"state": state}, timeout=30).raise_for_status()

    def amounts(self) -> dict[str, dict[stored.Trade, Decimal]]:
        """What was traded since the markets opened, as `stored.amounts` counts it."""
        found: dict[str, dict[stored.Trade, Decimal]] = {}
        for venue, market in open_venues(SimulatedVenueConfig(instruments=INSTRUMENTS, venues=self.venues)).items():
            for name, listing in market.board.listings.items():
                traded = found[f"{venue}:{listing.name}"] = defaultdict(Decimal)
                for _, at, price, amount, side in self._trades(venue, name):
                    traded[at, Decimal(price), side] += Decimal(amount)
        return found

    def _trades(self, venue: str, name: str) -> Iterator[list[Any]]:
        told = 0
        while True:
            query: dict[str, str | int] = {"instrument": name, "skip": told}
            answer = httpx.get(f"{self.url}/control/{venue}/ledger/trades", params=query, timeout=30).raise_for_status()
            rows = answer.json()["trades"]
            if not rows:
                return
            yield from rows
            told += len(rows)


def run_demo(configured: Settings, *, venues: str, seconds: int, seed: int, as_json: bool) -> None:
    """Run it, then print the summary. Raises UserError when a part gives up or something is lost or doubled."""
    console = Console(stderr=True)
    own: dict[str, Any] = {"kafka_bootstrap": None, "kafka": {}, "database_url": None, "prefix": "", "markets": markets(venues)}
    with _own_folder(configured.state) as state:
        wanted = configured.model_copy(update={**own, "state": state})
        with running(wanted, console) as servers:
            url = f"http://127.0.0.1:{_free_port()}"
            settings = servers.model_copy(update={"venue_url": url, "api_port": _free_port()})
            summary = _flow(settings, console, seconds=seconds, seed=seed, as_json=as_json)
    if summary is None:
        sys.exit(130)
    if as_json:
        sys.stdout.write(msgspec.json.encode(summary).decode() + "\n")
    else:
        Console().print(summary_table(summary))
    if summary["lost"] or summary["duplicates"]:
        raise UserError(f"the database differs from the venue's ledger: {summary['lost']} lost, {summary['duplicates']} doubled")


def markets(venues: str) -> tuple[str, ...]:
    """What the venues of a comma-separated list trade when they are simulated. Raises UserError."""
    named = tuple(dict.fromkeys(name.strip() for name in venues.split(",") if name.strip()))
    for name in named:
        if name not in EXCHANGES:
            raise UserError(f"no simulated venue {name!r}; there are {', '.join(EXCHANGES)}")
    if not named:
        raise UserError(f"--venues names none; there are {', '.join(EXCHANGES)}")
    return tuple(f"{name}:{listing.name}" for name in named for listing in EXCHANGES[name].listings(INSTRUMENTS, 1.0))


def _flow(settings: Settings, console: Console, *, seconds: int, seed: int, as_json: bool) -> dict[str, Any] | None:
    """From the first process to the last row; None when it was interrupted."""
    with console.status("creating topics and tables"):
        broker.create(settings)
        migrate(settings.database_url or "")
    venues = Simulated(settings.venue_url or "", tuple(settings.symbols()))
    producers = [name for name in names(settings) if name not in PARTS]
    first = {"venues": venues.command(seed, settings.state), **{part: command(part) for part in PARTS if part in names(settings)}}
    summary = None
    with Supervisor(first, settings.state, settings.environment()) as supervisor:
        with console.status("starting every part"):
            supervisor.wait_ready(_START_S)
            venues.clock("pause")
            wait_consuming(settings, supervisor.check)
        with Watch(settings).running() as watch:
            with console.status("warming up on the markets' history"):
                for producer in producers:
                    supervisor.add(producer, command(producer))
                _wait_until_warm(settings, supervisor)
            venues.clock("run")
            _show(settings, console, watch, supervisor, seconds=seconds, quiet=as_json)
            venues.clock("stop")
            with console.status("the market has closed; waiting for the last rows"):
                summary = _summary(settings, venues, watch, supervisor)
            summary |= {"seed": seed, "seconds": seconds}
    return summary


def _wait_until_warm(settings: Settings, supervisor: Supervisor) -> None:
    """Until the history of every market has gone through every part: the demo's seconds are the market's alone."""
    lags = Lags(settings)
    deadline = time.monotonic() + _START_S
    while stored.warm_markets(settings) < len(settings.markets) or any(lags.now().values()):
        supervisor.check()
        if time.monotonic() > deadline:
            raise UserError(f"the markets' history is not there after {_START_S} s; see {settings.state / 'logs'}")
        time.sleep(0.1)


def _show(settings: Settings, console: Console, watch: Watch, supervisor: Supervisor, *, seconds: int, quiet: bool) -> None:
    lags = Lags(settings)
    began = time.monotonic()
    title = f"Tapeflow demo   {', '.join(settings.symbols())} simulated at {SPEED}x   API http://{settings.api_host}:{settings.api_port}/docs"
    behind: dict[str, int] = {}
    with Live(console=console, refresh_per_second=4, screen=False) as live:
        while (elapsed := time.monotonic() - began) < seconds:
            supervisor.check()
            if quiet:
                live.update(f"market open for {elapsed:.0f} of {seconds} s")
            else:
                behind = lags.now()
                with watch.lock:
                    live.update(
                        draw(watch.observation, Frame(title, elapsed, seconds, behind, time.time_ns() // 1000, console.width))
                    )
            time.sleep(min(0.5, max(0.0, began + seconds - time.monotonic())))


def _summary(settings: Settings, venues: Simulated, watch: Watch, supervisor: Supervisor) -> dict[str, Any]:
    """Wait until all that was traded is stored and nobody has anything left to read, then count."""
    expected = venues.amounts()
    lags = Lags(settings)
    deadline = time.monotonic() + _DRAIN_S
    while time.monotonic() < deadline:
        supervisor.check()
        found = stored.amounts(settings)
        if _difference(expected, found)[0] == 0 and not any(lags.now().values()):
            break
        time.sleep(0.2)
    rows = stored.counts(settings)
    lost, duplicates = _difference(expected, stored.amounts(settings))
    with watch.lock:
        seen = watch.observation
        return {
            **{name: rows[name] for name in ("trades", "candles", "signals", "orders", "fills", "positions", "refusals")},
            "rows_stored": sum(rows.values()),
            "duplicates": duplicates,
            "lost": lost,
            "gaps": seen.gaps,
            "dead_letters": seen.counts[topics.DEAD_LETTERS.name],
            "realized": plain(seen.realized()),
            "latency_ms": seen.latency_ms(),
        }


def _difference(
    expected: Mapping[str, Mapping[stored.Trade, Decimal]], found: Mapping[str, Mapping[stored.Trade, Decimal]]
) -> tuple[int, int]:
    """Trades of the ledger that are not stored, or not in full; stored ones that are there twice or that the venue never had."""
    lost = duplicates = 0
    for market, traded in expected.items():
        kept = found.get(market, {})
        lost += sum(kept.get(trade, 0) < amount for trade, amount in traded.items())
        duplicates += sum(amount > traded.get(trade, 0) for trade, amount in kept.items())
    return lost, duplicates


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _own_folder(parent: Path) -> Iterator[Path]:
    """A folder for this process alone. Those of demos that were killed outright are cleared away."""
    demos = parent / "demo"
    for left in demos.glob("*"):
        if not (left.name.isdigit() and psutil.pid_exists(int(left.name))):
            shutil.rmtree(left, ignore_errors=True)
    own = demos / str(os.getpid())
    try:
        own.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to {demos}: {error.strerror}; set TAPEFLOW_STATE to a folder of yours") from None
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


def summary_table(summary: dict[str, Any]) -> Table:
    """The summary for people."""
    table = Table(title="summary", title_justify="left", show_header=False)
    for name, value in summary.items():
        table.add_row(name.replace("_", " "), _shown(value))
    return table


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)
