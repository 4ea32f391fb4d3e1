"""A recording through the real parsers, broker and pipeline equals what an independent program made of it."""

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.settings import Settings
from tests.tapeflow.command import tapeflow

FIELDS = ("open", "high", "low", "close", "volume", "trades")


def candles(file: Path, market: str, time: str) -> dict[tuple[str, int], tuple[Decimal, ...]]:
    """Those with trades, by market and time."""
    with file.open() as lines:
        rows: list[dict[str, Any]] = list(csv.DictReader(lines))
    return {(row[market], int(row[time])): tuple(Decimal(row[name]) for name in FIELDS) for row in rows if Decimal(row["trades"])}


@pytest.mark.timeout(300)
def test_the_recording_of_okx_gives_the_true_candles_twice(settings: Settings, shared: Path, tmp_path: Path) -> None:
    """Contract sizes and duplicates across connections included; a second run gives the same bytes."""
    truth = candles(shared / "captures" / "truth" / "okx.candles_1m.csv", "symbol", "start_ms")
    assert len(truth) == 17
    written = []
    for name in ("first.csv", "second.csv"):
        recording, out = shared / "captures" / "okx.ws.ndjson.gz", tmp_path / name
        done = tapeflow("replay", "capture", recording, "--venue", "okx", "--candles", out, **settings.environment())
        assert done.returncode == 0, done.stderr
        assert candles(out, "market_id", "open_time") == truth
        written.append(out.read_bytes())
    assert written[0] == written[1]
