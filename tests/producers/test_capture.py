"""A recording through the real dialect and session equals candles that an independent program made of it."""

import csv
import gzip
import json
from collections import Counter, defaultdict
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from infra.settings import UserError
from producers import capture
from producers.continuity import Counts
from schemas import codec, exact
from schemas.market import Gap, Instrument, Trades

_WIDE = Context(prec=40)


@pytest.fixture
def recorded(shared: Path) -> list:
    captures = shared / "captures"
    return list(capture.records(captures / "okx.ws.ndjson.gz", "okx", captures / "instruments.json"))


def _trades(recorded) -> list[Trades]:
    return [record for _, record in recorded if isinstance(record, Trades)]


def _candles(records: list[Trades]) -> dict[tuple[str, int], list]:
    """[open, high, low, close, volume in base units, count] of each minute with trades, by market id and open time."""
    minutes = defaultdict(list)
    for record in records:
        for time, price, amount in zip(record.times, record.prices, record.amounts, strict=True):
            told = exact.from_scaled(price, record.price_scale), exact.from_scaled(amount, record.amount_scale)
            minutes[record.market_id, time // 60_000 * 60_000].append((*told, record.contract_size, record.inverse))
    candles = {}
    for key, rows in minutes.items():
        prices = [row[0] for row in rows]
        volume = Decimal(0)
        for price, amount, size, inverse in rows:
            native = _WIDE.multiply(amount, size)
            volume = _WIDE.add(volume, _WIDE.divide(native, price) if inverse else native)
        rounded = volume.quantize(Decimal("1e-12"), ROUND_HALF_EVEN, _WIDE) if rows[0][3] else volume
        candles[key] = [prices[0], max(prices), min(prices), prices[-1], rounded, len(prices)]
    return candles


def test_its_candles_equal_the_independent_ones(recorded: list, shared: Path):
    expected = {
        (row["symbol"], int(row["start_ms"])): [
            *(Decimal(row[name]) for name in ("open", "high", "low", "close", "volume")),
            int(row["trades"]),
        ]
        for row in csv.DictReader((shared / "captures" / "truth" / "okx.candles_1m.csv").open())
    }
    assert len(expected) == 17
    assert _candles(_trades(recorded)) == expected


def test_the_same_trades_of_three_connections_are_published_once(shared: Path):
    captures, counts = shared / "captures", Counts()
    records = [
        record for _, record in capture.records(captures / "okx.ws.ndjson.gz", "okx", captures / "instruments.json", counts)
    ]
    published = Counter((record.symbol, one) for record in records if isinstance(record, Trades) for one in record.ids)
    assert (counts.trades, counts.duplicates, counts.dead_letters) == (64, 50, 0)
    assert set(published.values()) == {1}


def test_it_can_be_read_twice_with_the_same_bytes(recorded: list, shared: Path):
    captures = shared / "captures"
    again = capture.records(captures / "okx.ws.ndjson.gz", "okx", captures / "instruments.json")
    assert [codec.encode(record) for _, record in again] == [codec.encode(record) for _, record in recorded]


def test_instruments_come_before_their_trades_and_all_is_of_kind_replay(recorded: list):
    kinds = [type(record) for _, record in recorded]
    assert kinds[:13] == [Instrument] * 13
    assert Instrument not in kinds[13:]
    assert {record.kind for record in _trades(recorded)} == {"replay"}


def test_the_watermark_never_moves_back_nor_passes_a_trade_to_come(recorded: list):
    by_symbol = defaultdict(list)
    for record in _trades(recorded):
        by_symbol[record.symbol].append(record)
    assert len(by_symbol) == 12
    for records in by_symbol.values():
        assert all(later.watermark >= earlier.watermark for earlier, later in pairwise(records))
        assert all(time >= earlier.watermark for earlier, later in pairwise(records) for time in later.times)


def test_where_a_recording_begins_and_ends_its_minutes_are_partial(recorded: list):
    first, *_, last = [record for record in _trades(recorded) if record.market_id == "OKT-BTC"]
    minute, begins, ends = 1_626_995_700_000, 1_626_995_748_605, 1_626_995_768_615
    assert (first.gap, first.watermark) == (Gap(0, 3406229, minute, begins + 1, capture.BEGINS), minute)
    assert (last.gap, last.watermark) == (Gap(3406234, 3406235, ends, minute + 120_000, capture.ENDS), minute + 120_000)


def test_a_ticker_ends_the_minute_of_a_market_that_has_become_quiet(recorded: list):
    """AUCTION-USDT traded once; fifteen seconds later, in the next minute, its ticker knew of no other trade."""
    heartbeat = [record for record in _trades(recorded) if record.market_id == "AUCTION-USDT"][2]
    assert (heartbeat.ids, heartbeat.gap, heartbeat.watermark) == ((), None, 1_626_995_762_849)


def _frame(trade_id: int, time: int) -> str:
    row = {"instId": "BTC-USDT", "tradeId": str(trade_id), "px": "100", "sz": "1", "side": "buy", "ts": str(time)}
    return json.dumps({"arg": {"channel": "trades", "instId": "BTC-USDT"}, "data": [row]})


def _write(path: Path, *lines: tuple[float, str, str]) -> Path:
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps({"received": at, "conn": conn, "data": data}) + "\n" for at, conn, data in lines)
    return path


def test_ids_that_jump_between_sessions_are_a_gap(tmp_path: Path, shared: Path):
    path = _write(
        tmp_path / "two.gz",
        (1_700_000_000.5, "a#1.1", _frame(7, 1_700_000_000_000)),
        (1_710_000_000.5, "a#2.1", _frame(900, 1_710_000_000_000)),
    )
    records = [
        one for _, one in capture.records(path, "okx", shared / "captures" / "instruments.json") if isinstance(one, Trades)
    ]
    assert [record.ids for record in records] == [(), (7,), (), (900,), ()]
    assert records[2].gap == Gap(7, 900, 1_700_000_000_000, 1_710_000_000_001, capture.MISSING)


async def test_it_is_replayed_at_the_pace_it_was_received(tmp_path: Path, shared: Path):
    lines = [(1_700_000_000.0 + at, "a#1.1", _frame(7 + at, 1_700_000_000_000 + at)) for at in range(3)]
    path = _write(tmp_path / "three.gz", *lines)
    published = []

    async def publish(record):
        published.append(record)

    counts = await capture.replay(path, "okx", shared / "captures" / "instruments.json", publish, speed=1000.0)
    assert counts.trades == 3
    assert [record.ids for record in published if isinstance(record, Trades) and record.ids] == [(7,), (8,), (9,)]


WRONG = {
    "an unknown venue": ("okx.gz", "mtgox", "unknown venue 'mtgox'; there are okx"),
    "no such file": ("none.gz", "okx", "cannot read the recording .*none.gz"),
    "no gzip": ("plain.gz", "okx", "cannot read the recording .*plain.gz"),
    "no recording": ("odd.gz", "okx", "odd.gz is no recording: line 1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_named_in_one_line(case: str, tmp_path: Path, shared: Path):
    name, venue, message = WRONG[case]
    (tmp_path / "plain.gz").write_text("hello")
    with gzip.open(tmp_path / "odd.gz", "wt") as file:
        file.write("hello\n")
    with pytest.raises(UserError, match=message):
        list(capture.records(tmp_path / name, venue, shared / "captures" / "instruments.json"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("{}", "does not describe"),
        ('{"okx": {"A": {}}}', "does not describe"),
        ("[", "does not describe"),
    ],
)
def test_a_list_of_instruments_that_cannot_be_read_is_named(text: str | None, message: str, tmp_path: Path):
    path = tmp_path / "instruments.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=message):
        capture.instruments(path, "okx")
