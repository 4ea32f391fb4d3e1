"""A recording of simulated venues, replayed, holds what the venues traded meanwhile."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from infra.settings import Settings
from infra.simulated.server import RunningVenue, running
from infra.simulated.venue import START_MS, SimulatedVenueConfig
from producers.capture import Replay
from producers.recorder import recordings
from schemas import exact
from schemas.market import Instrument, Quote, Trades

ROOT = Path(__file__).parents[2]
VENUES = ("okx", "binance", "bybit", "bitget", "upbit", "deribit")
MARKETS = {
    "okx": "okx:BTC/USDT,okx:BTC/USDT:USDT",
    "binance": "binance:BTC/USDT",
    "bybit": "bybit:BTC/USDT,bybit:BTC/USDT:USDT",
    "bitget": "bitget:BTC/USDT,bitget:BTC/USDT:USDT",
    "upbit": "upbit:BTC/KRW",
    "deribit": "deribit:BTC/USD:BTC",
}


def recorder(venue: RunningVenue, tmp_path: Path, markets: str, *options: str) -> subprocess.Popen[str]:
    settings = Settings(venue_url=venue.address, state=tmp_path / "state", markets=tuple(markets.split(",")))
    command = [sys.executable, "-m", "tapeflow", "record", "--out", str(tmp_path / "tape"), *options]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | settings.environment(), stderr=subprocess.PIPE, text=True)


def until(holds: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def written(folder: Path, name: str) -> int:
    return sum(file.stat().st_size for file in recordings(folder, name))


def replayed(folder: Path, name: str) -> tuple[list[Trades], Replay]:
    recording = Replay(folder, name, folder / "instruments.json")
    records = [record for _, record in recording.records()]
    assert sum(isinstance(record, Instrument) for record in records) == len(MARKETS[name].split(","))
    assert any(isinstance(record, Quote) for record in records)
    return [record for record in records if isinstance(record, Trades)], recording


def amounts(record: Trades) -> Iterator[tuple[int, Decimal, Decimal]]:
    for at, price, amount in zip(record.times, record.prices, record.amounts, strict=True):
        yield at, exact.from_scaled(price, record.price_scale), exact.from_scaled(amount, record.amount_scale)


@pytest.mark.parametrize("name", VENUES)
async def test_what_a_venue_traded_meanwhile_is_in_the_recording(name: str, tmp_path: Path):
    """Every trade between the first and the last recorded one, with the venue's own price and time, each once."""
    async with running(SimulatedVenueConfig(seed=11, venues=(name,), speed=60, pace=10)) as venue:
        with recorder(venue, tmp_path, MARKETS[name]) as process:
            until(lambda: written(tmp_path / "tape", name) > 20_000)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0, process.stderr and process.stderr.read()
        trades, recording = replayed(tmp_path / "tape", name)
        assert recording.tally.dead_letters == 0
        for symbol in (market.partition(":")[2] for market in MARKETS[name].split(",")):
            listings = venue.venues[name].board.listings
            (own,) = [key for key, listing in listings.items() if listing.name == symbol]
            told = [one for record in trades if record.symbol == symbol for one in amounts(record)]
            begin, end = max(told[0][0], START_MS), told[-1][0]  # some venues repeat old ones on subscribing
            expected = Counter[tuple[int, Decimal]]()  # what is told as one trade or as several agrees in these
            for _, at, price, amount, _ in await venue.trades(name, own):
                expected[at, Decimal(price)] += Decimal(amount)  # type: ignore[assignment]
            found = Counter[tuple[int, Decimal]]()
            for at, price, amount in told:
                found[at, price] += amount  # type: ignore[assignment]
            assert len(found) > 20
            assert {key: amount for key, amount in expected.items() if begin < key[0] < end} == {
                key: amount for key, amount in found.items() if begin < key[0] < end
            }
    known = json.loads((tmp_path / "tape" / "connections.json").read_text())[name]
    assert all(one["sent"] and one["closed"] > one["opened"] for one in known.values())


async def test_it_survives_a_lost_connection_and_says_what_is_missing(tmp_path: Path):
    """The next connection has a name of its own; the trades in between are a gap of the replay."""
    async with running(SimulatedVenueConfig(seed=11, venues=("okx",), speed=60)) as venue:
        with recorder(venue, tmp_path, "okx:BTC/USDT", "--rotate-mb", "1") as process:
            until(lambda: written(tmp_path / "tape", "okx") > 20_000)
            await venue.fault("okx", "disconnect")
            before = written(tmp_path / "tape", "okx")
            until(lambda: written(tmp_path / "tape", "okx") > before + 40_000)
            process.kill()
    connections = json.loads((tmp_path / "tape" / "connections.json").read_text())["okx"]
    assert sum("/public#" in name for name in connections) >= 2
    recording = Replay(tmp_path / "tape", "okx", tmp_path / "tape" / "instruments.json")
    trades = [record for _, record in recording.records() if isinstance(record, Trades)]
    ids = [one for record in trades for one in record.ids]
    missing = [record.gap for record in trades if record.gap and record.gap.reason == "not in the recording"]
    assert ids == sorted(set(ids))
    assert len(ids) + sum(gap.before_id - gap.after_id - 1 for gap in missing) == ids[-1] - ids[0] + 1


def test_what_cannot_be_recorded_is_told_in_one_line(tmp_path: Path, unused_tcp_port: int):
    """A venue that does not answer, a folder that cannot be made."""
    settings = Settings(venue_url=f"http://127.0.0.1:{unused_tcp_port}", state=tmp_path / "state")
    (tmp_path / "plain").write_text("")
    for out, says in ((tmp_path / "plain" / "tape", "cannot write to"), (tmp_path / "tape", "no answer from")):
        done = subprocess.run(
            [sys.executable, "-m", "tapeflow", "record", "--out", out],
            cwd=ROOT,
            env=os.environ | settings.environment(),
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2
        assert says in done.stderr
        assert "Traceback" not in done.stderr
