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
from producers import capture, listed
from producers.dialects import DIALECTS
from producers.outcome import NOT_RECORDED
from schemas import codec, exact
from schemas.market import Book, DeadLetter, Gap, Instrument, Mark, Notice, OpenInterest, Trades

_WIDE = Context(prec=40)


def _recording(shared: Path, venue: str) -> capture.Replay:
    captures = shared / "captures"
    return capture.Replay(captures / f"{venue}.ws.ndjson.gz", venue, captures / "instruments.json")


@pytest.fixture
def recorded(shared: Path) -> list:
    return list(_recording(shared, "okx").records())


def _trades(recorded) -> list[Trades]:
    return [record for _, record in recorded if isinstance(record, Trades)]


def _candles(records: list[Trades]) -> dict[tuple[str, int], list]:
    """[open, high, low, close, volume in base units, count] of each minute with trades, by market id and open time."""
    minutes = defaultdict(list)
    for record in records:
        for one, time, price, amount in zip(record.ids, record.times, record.prices, record.amounts, strict=True):
            told = exact.from_scaled(price, record.price_scale), exact.from_scaled(amount, record.amount_scale)
            minutes[record.market_id, time // 60_000 * 60_000].append((one, *told, record.contract_size, record.inverse))
    candles = {}
    for key, told in minutes.items():
        rows = [row[1:] for row in sorted(told)]  # what came late is in its place by id
        prices = [row[0] for row in rows]
        volume = Decimal(0)
        for price, amount, size, inverse in rows:
            native = _WIDE.multiply(amount, size)
            volume = _WIDE.add(volume, _WIDE.divide(native, price) if inverse else native)
        rounded = volume.quantize(Decimal("1e-12"), ROUND_HALF_EVEN, _WIDE) if rows[0][3] else volume
        candles[key] = [prices[0], max(prices), min(prices), prices[-1], rounded, len(prices)]
    return candles


@pytest.mark.parametrize(("venue", "count"), [("okx", 17), ("binance", 7), ("upbit", 3)])
def test_its_candles_equal_the_independent_ones(venue: str, count: int, shared: Path):
    expected = {
        (row["symbol"], int(row["start_ms"])): [
            *(Decimal(row[name]) for name in ("open", "high", "low", "close", "volume")),
            int(row["trades"]),
        ]
        for row in csv.DictReader((shared / "captures" / "truth" / f"{venue}.candles_1m.csv").open())
        if int(row["trades"])
    }
    assert len(expected) == count
    assert _candles(_trades(list(_recording(shared, venue).records()))) == expected


def test_what_several_connections_told_is_published_once(shared: Path):
    recording = _recording(shared, "okx")
    records = [record for _, record in recording.records()]
    published = Counter((record.symbol, one) for record in records if isinstance(record, Trades) for one in record.ids)
    counts = recording.tally.counts
    assert (counts.trades, counts.duplicates, recording.tally.dead_letters) == (64, 50, 0)
    assert set(published.values()) == {1}


def test_deribit_s_recording_gives_its_books_marks_and_open_interest(shared: Path):
    """It holds no trades; a book is told whole until its connection ends."""
    records = [record for _, record in _recording(shared, "deribit").records()]
    books = [record for record in records if isinstance(record, Book)]
    assert len({record.symbol for record in books if record.bid_prices or record.ask_prices}) == 9  # nobody offers the tenth
    assert {record.broken for record in books} == {None, "the connection was lost"}
    assert [record.broken for record in books].count("the connection was lost") == len({record.symbol for record in books}) == 10
    kinds = Counter(type(record) for record in records)
    assert (kinds[Mark], kinds[OpenInterest], kinds[Trades], kinds[DeadLetter]) == (49, 49, 0, 0)


OLD = {
    "bybit": ["BTCUSD", "ETHUSD", "BCHUSDT", "XTZUSDT", "UNIUSDT", "LTCUSDT", "DOTUSDT", "LINKUSDT", "BTCUSDT", "ETHUSDT"],
    "bitget": ["UNIUSDT", "EOSUSDT", "AVAXUSDT", "VVSUSDT", "GOGUSDT", "CULTUSDT", "HOTUSDT", "SUNUSDT", "DASHUSDT"],
}


@pytest.mark.parametrize("venue", OLD)
def test_a_former_protocol_ends_in_dead_letters(venue: str, shared: Path, tmp_path: Path):
    """Of instruments that are listed: not one wrong record, every frame that is no answer set aside with its bytes."""
    named = [_instrument(venue, name, kind) for name in OLD[venue] for kind in ("spot", "swap")]
    listed.add(tmp_path / "instruments.json", named, {})
    recording = capture.Replay(shared / "captures" / f"{venue}.ws.ndjson.gz", venue, tmp_path / "instruments.json")
    kinds = Counter(type(record) for _, record in recording.records())
    assert set(kinds) <= {Instrument, DeadLetter, Notice}
    assert kinds[DeadLetter] == recording.tally.dead_letters > 600


def _instrument(venue: str, name: str, kind: str) -> Instrument:
    one = Decimal(1)
    quote = "USDT" if name.endswith("USDT") else "USD"
    base = name.removesuffix(quote)
    settle = None if kind == "spot" else quote if quote == "USDT" else base
    symbol = f"{base}/{quote}" + ("" if settle is None else f":{settle}")
    inverse = settle == base
    return Instrument(
        venue, symbol, name, kind, base, quote, settle, one, inverse, one, one, one, active=True, expiry=None, valid_from=0
    )


def test_it_can_be_read_twice_with_the_same_bytes(recorded: list, shared: Path):
    again = _recording(shared, "okx").records()
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
    first, *_, last, end = [record for record in _trades(recorded) if record.market_id == "OKT-BTC"]
    minute, begins, ends = 1_626_995_700_000, 1_626_995_748_605, 1_626_995_768_615
    assert (first.gap, first.watermark) == (Gap(0, 3406229, minute, begins + 1, capture.BEGINS), minute)
    assert last.gap == Gap(3406234, 3406235, ends, minute + 120_000, capture.ENDS)
    assert (end.gap, end.watermark) == (None, minute + 120_000)


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
    recording = capture.Replay(path, "okx", shared / "captures" / "instruments.json")
    records = [one for _, one in recording.records() if isinstance(one, Trades)]
    assert [record.ids for record in records] == [(), (7,), (), (900,), (), ()]
    assert records[2].gap == Gap(7, 900, 1_700_000_000_000, 1_710_000_000_001, NOT_RECORDED)


async def test_it_is_replayed_at_the_pace_it_was_received(tmp_path: Path, shared: Path):
    lines = [(1_700_000_000.0 + at, "a#1.1", _frame(7 + at, 1_700_000_000_000 + at)) for at in range(3)]
    path = _write(tmp_path / "three.gz", *lines)
    published = []

    async def publish(record):
        published.append(record)

    recording = capture.Replay(path, "okx", shared / "captures" / "instruments.json")
    await capture.replay(recording, publish, speed=1000.0)
    assert recording.tally.counts.trades == 3
    assert [record.ids for record in published if isinstance(record, Trades) and record.ids] == [(7,), (8,), (9,)]


WRONG = {
    "an unknown venue": ("okx.gz", "mtgox", "unknown venue 'mtgox'; there are binance"),
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
        list(capture.Replay(tmp_path / name, venue, shared / "captures" / "instruments.json").records())


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
        listed.read(path, DIALECTS["okx"])
