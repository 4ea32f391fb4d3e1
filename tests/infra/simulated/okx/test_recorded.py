"""A capture becomes a market: its trades, moved onto the clock with their minutes kept whole."""

import csv
import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from infra.simulated.bars import MINUTE, bars
from infra.simulated.listing import QUIET
from infra.simulated.okx.naming import inst_id
from infra.simulated.okx.recorded import recorded_market

FIRST_MINUTE = 1_626_995_700_000  # in which the older session of the capture begins
SECOND_SESSION = 1_626_995_820_000 - 1_652_459_220_000  # how far the newer one moves to follow it


def test_the_capture_s_candles_are_those_computed_from_it_independently(shared: Path) -> None:
    """With the clock set to the recording's own first minute, nothing of its older session moves at all."""
    captures = shared / "captures"
    market = recorded_market(captures / "okx.ws.ndjson.gz", captures / "instruments.json", FIRST_MINUTE)
    by_name = {inst_id(listing): listing for listing in market.listings}
    end = FIRST_MINUTE + 10 * MINUTE
    with (captures / "truth" / "okx.candles_1m.csv").open() as lines:
        expected = [row for row in csv.DictReader(lines) if row["market"] != "option"]
    for row in expected:
        listing, start = by_name[row["symbol"]], int(row["start_ms"])
        start += SECOND_SESSION if start > FIRST_MINUTE + MINUTE else 0
        tape = market.tape(listing, end)
        (bar,) = bars(tape, listing, start, start, MINUTE, end)
        assert [ticks * listing.tick for ticks in bar[1:5]] == [Decimal(row[field]) for field in ("open", "high", "low", "close")]
        assert bar.lots * listing.lot == Decimal(row["volume_native"])
        assert tape.before(start + MINUTE) - tape.before(start) == int(row["trades"])
    assert sum(int(row["trades"]) for row in expected) == sum(len(market.tape(one, end)) for one in market.listings)


def written(folder: Path, *frames: tuple[float, str, object]) -> tuple[Path, Path]:
    """A capture of frames (received, session, message) and its instrument list."""
    capture, instruments = folder / "venue.ndjson.gz", folder / "instruments.json"
    with gzip.open(capture, "wt") as lines:
        for received, session, message in frames:
            record = {"received": received, "conn": f"wss://x/ws#{session}.1", "data": json.dumps(message)}
            lines.write(json.dumps(record) + "\n")
    entry = {"instType": "SPOT", "baseCcy": "A", "quoteCcy": "B", "tickSz": "0.1", "lotSz": "1", "minSz": "1", "expTime": ""}
    instruments.write_text(json.dumps({"okx": {"A-B": entry}}))
    return capture, instruments


def trade(trade_id: int, ts: int, px: str) -> dict[str, object]:
    row = {"instId": "A-B", "tradeId": str(trade_id), "px": px, "sz": "2", "side": "buy", "ts": str(ts)}
    return {"arg": {"channel": "trades", "instId": "A-B"}, "data": [row]}


def ticker(ts: int) -> dict[str, object]:
    row = {"instId": "A-B", "bidPx": "9.9", "bidSz": "5", "askPx": "10.1", "askSz": "7", "ts": str(ts)}
    return {"arg": {"channel": "tickers", "instId": "A-B"}, "data": [row]}


def test_sessions_follow_each_other_and_repeated_trades_count_once(tmp_path: Path) -> None:
    """The second session, a day later, begins on the next whole minute; figures finer than the tick are kept."""
    day = 86_400
    frames = [
        (60.5, "one", trade(1, 60_400, "10.0")),
        (61.0, "one", trade(1, 60_400, "10.0")),
        (61.5, "one", trade(2, 61_400, "10.05")),
        (day + 30.0, "two", {"event": "subscribe", "arg": {"channel": "trades", "instId": "A-B"}}),
        (day + 31.0, "two", trade(7, day * 1000 + 31_000, "11.5")),
    ]
    start = 10_000 * MINUTE
    market = recorded_market(*written(tmp_path, *frames), start)
    (listing,) = market.listings
    tape = market.tape(listing, start + 10 * MINUTE)
    trades = tape.slice(0, len(tape))
    assert trades.ids.tolist() == [1, 2, 7]
    assert trades.times.tolist() == [start + 400, start + 1400, start + MINUTE + 31_000]
    assert [int(ticks) * listing.tick for ticks in trades.prices] == [Decimal("10.0"), Decimal("10.05"), Decimal("11.5")]


def test_recorded_quotes_stand_while_they_are_fresh(tmp_path: Path) -> None:
    start = 10_000 * MINUTE
    market = recorded_market(*written(tmp_path, (60.5, "one", trade(1, 60_400, "10.0")), (61, "one", ticker(60_900))), start)
    (listing,) = market.listings
    fresh, old = market.quote(listing, start + 1000), market.quote(listing, start + 20_000)
    assert fresh is not None
    assert (fresh.bid.price * listing.tick, fresh.ask.size * listing.lot) == (Decimal("9.9"), 7)
    assert old is not None
    assert old.ask.price * listing.tick == Decimal("10.0")
    assert listing.temper == QUIET


def test_a_capture_without_trades_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no trades"):
        recorded_market(*written(tmp_path, (61, "one", ticker(60_900))), 0)
