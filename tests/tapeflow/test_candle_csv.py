"""Candles as CSV."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from infra.settings import UserError
from schemas.market import Candle
from tapeflow import candle_csv

ONE = Candle(
    "okx", "FUN/BTC", "FUN-BTC", "1m", 60_000, *map(Decimal, ("4.54E-7", "4.54E-7", "4.53E-7", "4.53E-7", "46.99", "0.00002")),
    taker_buy_volume=Decimal(0), trades=2, status="complete", revision=0, source="trades", received=1,
)  # fmt: skip


def test_digits_are_plain_and_the_newest_revision_wins(tmp_path: Path) -> None:
    """Whatever order the candles come in, the file is the same."""
    revised = msgspec.structs.replace(ONE, revision=1, status="repaired", trades=3)
    earlier = msgspec.structs.replace(ONE, open_time=0)
    file = tmp_path / "candles.csv"
    assert candle_csv.write(file, [revised, ONE, earlier]) == 2
    assert file.read_text().splitlines() == [
        "venue,market_id,symbol,timeframe,open_time,open,high,low,close,volume,trades,status,revision",
        "okx,FUN-BTC,FUN/BTC,1m,0,0.000000454,0.000000454,0.000000453,0.000000453,46.99,2,complete,0",
        "okx,FUN-BTC,FUN/BTC,1m,60000,0.000000454,0.000000454,0.000000453,0.000000453,46.99,3,repaired,1",
    ]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With the reason."""
    with pytest.raises(UserError, match=r"cannot write .*: Is a directory"):
        candle_csv.write(tmp_path, [ONE])
