"""`tapeflow demo`: the whole flow on a simulated venue, in a folder of its own that is removed afterwards."""

import os
import shutil
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
from infra.simulated.listing import listings
from infra.supervisor import Supervisor
from schemas import topics
from schemas.exact import plain
from sql.migrate import migrate
from tapeflow import stored
from tapeflow.lag import lags
from tapeflow.observation import Watch
from tapeflow.parts import PARTS, command, wait_consuming
from tapeflow.screen import Frame, draw

SPEED: Final = 60
SYMBOLS: Final = tuple(listing.name for listing in listings(8))
_DRAIN_S: Final = 60
_START_S: Final = 60


@dataclass(frozen=True)
class Venue:
    """The simulated venue and its back door."""

    url: str

    def command(self, seed: int, state: Path) -> list[str]:
        """How to start it."""
        options = {
            "seed": seed,
            "speed": SPEED,
            "instruments": len(SYMBOLS),
            "port": self.url.rpartition(":")[2],
            "ready-file": state / "run" / "venue.ready",
        }
        return [sys.executable, "-m", "infra.simulated", *(f"--{name}={value}" for name, value in options.items())]

    def clock(self, state: Literal["pause", "run", "stop"]) -> None:
        """Let the market's time stand, run, or stop for good."""
        httpx.post(f"{self.url}/control/clock", json={"state": state}, timeout=30).raise_for_status()

    def trade_ids(self) -> dict[str, list[int]]:
        """Every trade since the market opened, by the venue's own market name."""
        ledger = httpx.get(f"{self.url}/control/ledger", timeout=30).raise_for_status().json()["instruments"]
        return {market: list(self._ids(market)) for market in ledger}

    def _ids(self, market: str) -> Iterator[int]:
        after = 0
        while True:
            query: dict[str, str | int] = {"instId": market, "after": after}
            answer = httpx.get(f"{self.url}/control/ledger/trades", params=query, timeout=30).raise_for_status()
            rows = answer.json()["trades"]
            if not rows:
                return
            yield from (row[0] for row in rows)
            after = rows[-1][0]


def run_demo(configured: Settings, *, seconds: int, seed: int, as_json: bool) -> None:
    """Run it, then print the summary. Raises UserError when a part gives up or something is lost or doubled."""
    console = Console(stderr=True)
    with _own_folder(configured.state) as state:
        wanted = configured.model_copy(
            update={"state": state, "kafka_bootstrap": None, "kafka": {}, "database_url": None, "prefix": "", "symbols": SYMBOLS}
        )
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


def _flow(settings: Settings, console: Console, *, seconds: int, seed: int, as_json: bool) -> dict[str, Any] | None:
    """From the first process to the last row; None when it was interrupted."""
    with console.status("creating topics and tables"):
        broker.create(settings)
        migrate(settings.database_url or "")
    venue = Venue(settings.venue_url or "")
    first = {"venue": venue.command(seed, settings.state), **{part: command(part) for part in PARTS if part != "producer"}}
    summary = None
    with Supervisor(first, settings.state, settings.environment()) as supervisor:
        with console.status("starting every part"):
            supervisor.wait_ready(_START_S)
            venue.clock("pause")
            wait_consuming(settings, supervisor.check)
        with Watch(settings).running() as watch:
            with console.status("warming up on the markets' history"):
                supervisor.add("producer", command("producer"))
                _wait_until_warm(settings, supervisor)
            venue.clock("run")
            _show(settings, console, watch, supervisor, seconds=seconds, quiet=as_json)
            venue.clock("stop")
            with console.status("the market has closed; waiting for the last rows"):
                summary = _summary(settings, venue, watch, supervisor)
            summary |= {"seed": seed, "seconds": seconds}
    return summary


def _wait_until_warm(settings: Settings, supervisor: Supervisor) -> None:
    """Until the history of every market has gone through every part: the demo's seconds are the market's alone."""
    admin = broker.admin(settings)
    deadline = time.monotonic() + _START_S
    while stored.warm_markets(settings) < len(SYMBOLS) or any(lags(admin, settings).values()):
        supervisor.check()
        if time.monotonic() > deadline:
            raise UserError(f"the markets' history is not there after {_START_S} s; see {settings.state / 'logs'}")
        time.sleep(0.1)


def _show(settings: Settings, console: Console, watch: Watch, supervisor: Supervisor, *, seconds: int, quiet: bool) -> None:
    admin = broker.admin(settings)
    began = time.monotonic()
    title = f"Tapeflow demo   {settings.venue} simulated at {SPEED}x   API http://{settings.api_host}:{settings.api_port}/docs"
    behind: dict[str, int] = {}
    with Live(console=console, refresh_per_second=4, screen=False) as live:
        while (elapsed := time.monotonic() - began) < seconds:
            supervisor.check()
            if quiet:
                live.update(f"market open for {elapsed:.0f} of {seconds} s")
            else:
                behind = lags(admin, settings)
                with watch.lock:
                    live.update(
                        draw(watch.observation, Frame(title, elapsed, seconds, behind, time.time_ns() // 1000, console.width))
                    )
            time.sleep(min(0.5, max(0.0, began + seconds - time.monotonic())))


def _summary(settings: Settings, venue: Venue, watch: Watch, supervisor: Supervisor) -> dict[str, Any]:
    """Wait until all that was traded is stored and nobody has anything left to read, then count."""
    expected = venue.trade_ids()
    admin = broker.admin(settings)
    deadline = time.monotonic() + _DRAIN_S
    while time.monotonic() < deadline:
        supervisor.check()
        found = stored.trade_ids(settings)
        if _difference(expected, found)[0] == 0 and not any(lags(admin, settings).values()):
            break
        time.sleep(0.2)
    rows = stored.counts(settings)
    lost, duplicates = _difference(expected, stored.trade_ids(settings))
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


def _difference(expected: dict[str, list[int]], found: dict[str, list[int]]) -> tuple[int, int]:
    """Trades of the ledger that are not stored; stored ones that are there twice or that the venue never had."""
    lost = duplicates = 0
    for market, ids in expected.items():
        counted = Counter(found.get(market, []))
        lost += len(set(ids) - counted.keys())
        duplicates += counted.total() - len(counted.keys() & set(ids))
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
