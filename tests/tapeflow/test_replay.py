"""A recording through the real parsers, broker and pipeline equals what an independent program made of it."""

import csv
import gzip
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.settings import Settings
from tests.tapeflow.command import tapeflow

FIELDS = ("open", "high", "low", "close", "volume")


def candles(file: Path, market: str, time: str, count: str = "trades") -> dict[tuple[str, int], tuple[Decimal, ...]]:
    """Those with trades, by market and time; `count` is the column that says how many."""
    with file.open() as lines:
        rows: list[dict[str, Any]] = list(csv.DictReader(lines))
    names = (*FIELDS, count)
    return {(row[market], int(row[time])): tuple(Decimal(row[name]) for name in names) for row in rows if Decimal(row[count])}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("venue", "count"), [("okx", 17), ("binance", 7), ("upbit", 3)])
def test_a_recording_gives_the_true_candles(venue: str, count: int, settings: Settings, shared: Path, tmp_path: Path) -> None:
    """Contract sizes, aggregated trades, those told late and duplicates across connections included."""
    truth = candles(shared / "captures" / "truth" / f"{venue}.candles_1m.csv", "symbol", "start_ms", "fills")
    assert len(truth) == count
    recording, out = shared / "captures" / f"{venue}.ws.ndjson.gz", tmp_path / "out.csv"
    done = tapeflow("replay", "capture", recording, "--venue", venue, "--candles", out, **settings.environment())
    assert done.returncode == 0, done.stderr
    assert candles(out, "market_id", "open_time") == truth


@pytest.mark.timeout(300)
def test_rotated_files_give_the_same_bytes_as_one(settings: Settings, shared: Path, tmp_path: Path) -> None:
    """A folder is replayed in the order of its files' names, at any speed, to the same candles."""
    recording, folder = shared / "captures" / "okx.ws.ndjson.gz", tmp_path / "tape"
    folder.mkdir()
    shutil.copy(shared / "captures" / "instruments.json", folder)
    lines = gzip.decompress(recording.read_bytes()).splitlines(keepends=True)
    for number, begin in enumerate(range(0, len(lines), 1000), 1):
        (folder / f"okx.b.{number:06}.ws.ndjson.gz").write_bytes(gzip.compress(b"".join(lines[begin : begin + 1000])))
    written = []
    for source, options in ((recording, ()), (folder, ("--speed", "1000000"))):
        out = tmp_path / f"{source.name}.csv"
        done = tapeflow("replay", "capture", source, "--venue", "okx", "--candles", out, *options, **settings.environment())
        assert done.returncode == 0, done.stderr
        written.append(out.read_bytes())
    assert written[0] == written[1]
    assert len(written[0]) > 1000
