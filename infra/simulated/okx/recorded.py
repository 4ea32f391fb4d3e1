"""A market out of a recorded capture of OKX: its trades and its quotes, moved onto the clock.

The capture is a gzipped file of lines `{"received": seconds, "conn": "<address>#<session>.<n>", "data": "<frame>"}`;
beside it lies `instruments.json` with the instrument entries by venue and name. Recordings of several sessions, which
may be months apart, follow each other on whole minutes, so candles keep their borders. Options are left out: the
simulated venue does not list any.
"""

import gzip
import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from infra.simulated.listing import QUIET, Contract, Listing
from infra.simulated.market import MINUTE, Market
from infra.simulated.quotes import Level, Quote
from infra.simulated.tape import Trades

_FRESH_MS = 5000  # how long a recorded quote stands before quotes are drawn from the last trade again

Row = Mapping[str, str]


@dataclass
class _Found:
    """What a capture holds of one instrument, with times already on the market's clock."""

    trades: dict[int, tuple[int, Row]] = field(default_factory=dict)
    tickers: dict[int, Row] = field(default_factory=dict)


def recorded_market(capture: Path, instruments: Path, start_ms: int) -> Market:
    """Make a market of a capture whose first minute begins at `start_ms`.

    Raises OSError when a file cannot be read and ValueError when it is not such a file or has no trades.
    """
    entries: Mapping[str, Any] = json.loads(instruments.read_text())["okx"]
    found: defaultdict[str, _Found] = defaultdict(_Found)
    for shift, channel, row in _rows(capture, start_ms):
        time = int(row["ts"]) + shift
        if channel == "trades":
            found[row["instId"]].trades.setdefault(int(row["tradeId"]), (time, row))
        else:
            found[row["instId"]].tickers[time] = row
    makers: dict[Listing, Iterator[Trades]] = {}
    quotes: dict[Listing, Callable[[int], Quote | None]] = {}
    for name, instrument in found.items():
        if name in entries and entries[name]["instType"] != "OPTION" and instrument.trades:
            listing = _listing(entries[name], instrument)
            makers[listing] = iter([_trades(listing, instrument)])
            quotes[listing] = _quotes(listing, instrument)
    if not makers:
        raise ValueError(f"{capture} holds no trades of instruments named in {instruments}")
    return Market(start_ms, makers, quotes)


def _rows(capture: Path, start_ms: int) -> Iterator[tuple[int, str, Row]]:
    """Yield how far to move each row, its channel and the row itself, of trades and tickers."""
    session, shift, begins, ends = "", 0, start_ms, start_ms
    with gzip.open(capture, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            received = int(record["received"] * 1000)
            of = str(record["conn"]).rpartition("#")[2].rpartition(".")[0]
            if of != session:
                session, begins = of, -(-ends // MINUTE) * MINUTE
                shift = begins - received // MINUTE * MINUTE
            ends = max(ends, received + shift)
            frame = json.loads(record["data"])
            channel = frame.get("arg", {}).get("channel") if "data" in frame else None
            if channel in {"trades", "tickers"}:
                for row in frame["data"]:
                    yield shift, channel, row


def _listing(entry: Row, found: _Found) -> Listing:
    """Read an instrument's entry; ticks and lots are as fine as the recorded figures need."""
    spot = entry["instType"] == "SPOT"
    base, quote = (entry["baseCcy"], entry["quoteCcy"]) if spot else entry["uly"].split("-")
    rows = [row for _, row in found.trades.values()]
    quoted = list(found.tickers.values())
    prices = [row["px"] for row in rows] + [row[side] for row in quoted for side in ("bidPx", "askPx")]
    sizes = [row["sz"] for row in rows] + [row[side] for row in quoted for side in ("bidSz", "askSz")]
    return Listing(
        base,
        quote,
        Contract.SPOT if spot else Contract(entry["ctType"]),
        tick=_finest([entry["tickSz"], *prices]),
        lot=_finest([entry["lotSz"], *sizes]),
        price=Decimal(prices[0]),
        lots=100,
        temper=QUIET,
        contract_size=Decimal(1) if spot else Decimal(entry["ctVal"]) * Decimal(entry["ctMult"]),
        min_size=Decimal(entry["minSz"]),
        expiry=int(entry["expTime"]) if entry["expTime"] else None,
    )


def _trades(listing: Listing, found: _Found) -> Trades:
    """Return the columns in the order of ids; a time that runs backwards is lifted to the one before it."""
    ordered = sorted(found.trades.items())
    times = np.maximum.accumulate(np.array([time for _, (time, _) in ordered], dtype=np.int64))
    rows = [row for _, (_, row) in ordered]
    return Trades(
        np.array([trade_id for trade_id, _ in ordered], dtype=np.int64),
        times,
        np.array([_units(row["px"], listing.tick) for row in rows], dtype=np.int64),
        np.array([_units(row["sz"], listing.lot) for row in rows], dtype=np.int64),
        np.array([row["side"] == "buy" for row in rows], dtype=np.int64),
    )


def _quotes(listing: Listing, found: _Found) -> Callable[[int], Quote | None]:
    times = sorted(time for time, row in found.tickers.items() if row["bidPx"] and row["askPx"])
    quotes = [Quote(_level(listing, found.tickers[time], "bid"), _level(listing, found.tickers[time], "ask")) for time in times]

    def quote(now_ms: int) -> Quote | None:
        known = bisect_right(times, now_ms)
        return quotes[known - 1] if known and now_ms - times[known - 1] < _FRESH_MS else None

    return quote


def _level(listing: Listing, row: Row, side: str) -> Level:
    return Level(_units(row[f"{side}Px"], listing.tick), _units(row[f"{side}Sz"], listing.lot), 1)


def _units(written: str, step: Decimal) -> int:
    return int(Decimal(written) / step)


def _finest(written: list[str]) -> Decimal:
    """Return the smallest power of ten that divides every figure."""
    return Decimal(1).scaleb(min(0, *(int(Decimal(text).normalize().as_tuple().exponent) for text in written if text)))
