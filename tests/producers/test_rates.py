"""What all processes of a host together may ask."""

import asyncio
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from producers.rates import Pace, RestingError

ROOT = Path(__file__).parents[2]
ASKER = """
import asyncio, sys, time
from pathlib import Path
from producers.rates import Pace

async def main():
    pace = Pace(Path(sys.argv[1]), "okx", 20.0)
    while time.time() < float(sys.argv[2]):
        await pace.enter(1.0, 10.0)
        print(time.time(), flush=True)

asyncio.run(main())
"""


def asker(file: Path, until: float) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", ASKER, file, str(until)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def asked(*askers: subprocess.Popen[str]) -> list[float]:
    """When they asked, all of them together."""
    return sorted(float(line) for one in askers for line in one.communicate(timeout=60)[0].split())


def test_two_processes_together_ask_no_faster_than_one_may(tmp_path: Path):
    """50 a second and a burst of as many: in any stretch of the run no more than that, and each has its share."""
    file, until = tmp_path / "state" / "rates.sqlite", time.time() + 4.0
    first, second = asker(file, until), asker(file, until)
    times = asked(first, second)
    assert first.returncode == second.returncode == 0
    assert len(times) > 100
    for at, begin in enumerate(times):
        for seconds in (0.0, 0.5, 1.0, 2.0):
            count = sum(begin <= one <= begin + seconds for one in times[at:])
            assert count <= 50 + 50 * seconds + 5  # a process may be held up between its turn and its clock


def test_when_one_is_told_to_rest_the_other_does(tmp_path: Path):
    """Nobody asks before the time is over, and then they go on."""
    file, begun = tmp_path / "rates.sqlite", time.time()
    other = asker(file, begun + 5.0)
    pace = Pace(file, "okx", 20.0)
    while other.stdout and not other.stdout.readline():
        pass
    pace.rest(2.0)
    rested = time.time()
    times = [one for one in asked(other) if one > rested + 0.2]
    assert times
    assert min(times) > rested + 1.95


async def test_whoever_would_wait_too_long_is_told_so(tmp_path: Path):
    """It says for how long; another venue is not concerned."""
    pace, other = Pace(tmp_path / "rates.sqlite", "okx", 20.0), Pace(tmp_path / "rates.sqlite", "upbit", 20.0)
    pace.rest(60.0)
    pace.rest(1.0)  # a shorter rest does not end a longer one
    with pytest.raises(RestingError, match="again in 60 s") as raised:
        await pace.enter(1.0, 10.0)
    assert 59 < raised.value.seconds <= 61
    async with asyncio.timeout(1):
        await other.enter(1.0, 10.0)


async def test_a_request_may_cost_more_than_fits_at_once(tmp_path: Path):
    """It waits for all of it: 75 units at 50 a second are half a second after the burst."""
    pace = Pace(tmp_path / "rates.sqlite", "okx", 20.0)
    begun = time.monotonic()
    await pace.enter(75.0, 10.0)
    assert 0.4 < time.monotonic() - begun < 2.0


async def test_a_file_that_cannot_be_kept_is_an_error(tmp_path: Path):
    """Asking without limits would be worse."""
    (tmp_path / "plain").write_text("")
    with pytest.raises(sqlite3.Error):
        await Pace(tmp_path / "plain" / "rates.sqlite", "okx", 20.0).enter(1.0, 1.0)
    (tmp_path / "rates.sqlite").write_text("no database, but long enough to be read as the beginning of one" * 20)
    with pytest.raises(sqlite3.Error):
        await Pace(tmp_path / "rates.sqlite", "okx", 20.0).enter(1.0, 1.0)
