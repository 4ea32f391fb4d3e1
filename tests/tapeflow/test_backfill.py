"""The command as a person uses it: a file, its holes, and going on after Ctrl-C."""

import asyncio
import csv
import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.settings import Settings, UserError
from infra.simulated.server import RunningVenue, running
from infra.simulated.venue import START_MS, SimulatedVenueConfig
from tapeflow.backfill import moment
from tests.tapeflow.command import ROOT

MINUTE = 60_000
DAY = 1440


@pytest.fixture
async def venue() -> AsyncIterator[RunningVenue]:
    """A day after its market has opened."""
    async with running(SimulatedVenueConfig(seed=5, instruments=8, speed=1_000_000, hold=False, minutes=DAY)) as one:
        async with asyncio.timeout(60):
            while (await one.clock())["now"] < START_MS + (DAY + 30) * MINUTE:
                pass
        await one.clock(state="pause")
        yield one


def command(venue: RunningVenue, tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    settings = Settings(venue_url=venue.address, state=tmp_path / "state")
    return subprocess.Popen(
        [sys.executable, "-m", "tapeflow", "backfill", "--venue", "okx", *options],
        cwd=ROOT,
        env=os.environ | settings.environment(),
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=90)
    return process.returncode, said


def times(file: Path) -> list[int]:
    with gzip.open(file, "rt") as lines:
        return [int(row["time"]) for row in csv.DictReader(lines)]


async def test_a_whole_backfill_is_one_file(venue: RunningVenue, tmp_path: Path):
    """Exit code 0, every minute, and no journal is left."""
    out = tmp_path / "btc.csv.gz"
    options = ("--symbol", "BTC/USDT", "--from", "2026-01-05T01:00", "--to", "2026-01-05T09:00", "--out", str(out))
    code, said = ended(command(venue, tmp_path, *options))
    assert (code, f"{out}: 480 candles" in said) == (0, True), said
    assert times(out) == [START_MS + 60 * MINUTE + minute * MINUTE for minute in range(480)]
    assert not out.with_name("btc.csv.gz.journal").exists()
    code, said = ended(command(venue, tmp_path, *options))
    assert (code, "is there already" in said) == (2, True)


async def test_stopped_it_goes_on_where_it_was(venue: RunningVenue, tmp_path: Path):
    """With the same command; the file is the same as without the stop."""
    files = []
    for name, stops in (("calm.csv.gz", 0), ("stopped.csv.gz", 2)):
        out = tmp_path / name
        options = ("--symbol", "BTC/USDT:USDT", "--trades", "--from", "2026-01-05", "--to", "2026-01-05T12:00", "--out", str(out))
        for _ in range(stops):
            process = command(venue, tmp_path, *options)
            journal = out.with_name(f"{name}.journal")
            size = journal.stat().st_size if journal.exists() else 0
            deadline = time.monotonic() + 30
            while not (journal.exists() and journal.stat().st_size > max(size, 30_000)):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGINT)
            code, said = ended(process)
            assert (code, "goes on from here" in said) == (130, True), said
            assert not out.exists()
        code, said = ended(command(venue, tmp_path, *options))
        assert code == 0, said
        files.append(out.read_bytes())
    assert files[0] == files[1]
    assert len(times(tmp_path / "calm.csv.gz")) > 1000


async def test_holes_are_told_and_asked_for_again(venue: RunningVenue, tmp_path: Path):
    """Before the venue's history there is nothing: exit code 3, what is missing, and the journal for the next time."""
    out = tmp_path / "btc.csv.gz"
    options = ("--symbol", "BTC/USDT", "--from", "2026-01-04T12:00", "--to", "2026-01-05T00:00", "--out", str(out))
    for _ in range(2):
        code, said = ended(command(venue, tmp_path, *options))
        assert code == 3, said
        assert "missing: 1 holes, 220 minutes" in said
        assert "2026-01-04T12:00:00Z to 2026-01-04T15:40:00Z" in said
        assert len(times(out)) == 500
        assert out.with_name("btc.csv.gz.journal").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--symbol", "BTC/USDC", "--from", "2026-01-05"), "okx has no market 'BTC/USDC'; near are BTC/USDT"),
        (("--symbol", "BTC/USDT", "--from", "2026-01-05", "--timeframe", "7m"), "no candles of '7m'; there are 1m, 3m"),
        (("--symbol", "BTC/USDT", "--from", "2026-01-05", "--to", "2026-01-05"), "there is nothing between"),
        (("--symbol", "BTC/USDT", "--from", "2030-01-05"), "there is nothing between"),
    ],
)
async def test_what_cannot_be_fetched_is_told_in_one_line(
    options: tuple[str, ...], says: str, venue: RunningVenue, tmp_path: Path
):
    """What is wrong, and what would be right."""
    code, said = ended(command(venue, tmp_path, *options, "--out", str(tmp_path / "out.csv")))
    assert (code, says in said, said.count("\n")) == (2, True, 1), said


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-01-05", START_MS),
        ("2026-01-05T01:00", START_MS + 60 * MINUTE),
        ("2026-01-05T01:00Z", START_MS + 60 * MINUTE),
        ("2026-01-05T09:00+09:00", START_MS),
        ("2026-01-05T00:00:00.250", START_MS + 250),
    ],
)
def test_a_moment_without_a_zone_is_utc(text: str, ms: int):
    """As ISO 8601 writes it."""
    assert moment(text, "--from") == ms


@pytest.mark.parametrize("text", ["", "now", "05.01.2026", "2026-13-01", "1767571200000", "2026-01-32"])
def test_what_is_no_moment_is_named(text: str):
    """With how to write one."""
    with pytest.raises(UserError, match=r"--from .* is no time: write it as 2026-01-31"):
        moment(text, "--from")
