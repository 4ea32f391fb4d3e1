"""Candles as CSV, in a stable order and without exponents."""

import csv
from collections.abc import Iterable
from pathlib import Path

from infra.settings import UserError
from schemas.exact import plain
from schemas.market import Candle

COLUMNS = (
    "venue",
    "market_id",
    "symbol",
    "timeframe",
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "trades",
    "status",
    "revision",
)


def newest(candles: Iterable[Candle]) -> list[Candle]:
    """One candle an instrument, timeframe and time: the highest revision, in the order of those three."""
    latest: dict[tuple[str, str, str, int], Candle] = {}
    for candle in candles:
        key = (candle.venue, candle.symbol, candle.timeframe, candle.open_time)
        if key not in latest or candle.revision > latest[key].revision:
            latest[key] = candle
    return [latest[key] for key in sorted(latest)]


def write(path: Path, candles: Iterable[Candle]) -> int:
    """Write the newest revision of each candle. Returns how many. Raises UserError where the file cannot be written."""
    rows = [
        (
            candle.venue,
            candle.market_id,
            candle.symbol,
            candle.timeframe,
            candle.open_time,
            *(plain(value) for value in (candle.open, candle.high, candle.low, candle.close, candle.volume)),
            candle.trades,
            candle.status,
            candle.revision,
        )
        for candle in newest(candles)
    ]
    try:
        with path.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(rows)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None
    return len(rows)
