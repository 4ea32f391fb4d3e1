"""What a backfill has fetched outlives it, and comes out once and in order."""

import gzip
from pathlib import Path

import pytest

from infra.settings import UserError
from producers.backfill_journal import Journal, Span, Wanted, begun

CANDLES = Wanted("okx", "BTC/USDT", 0, 100, "1m")
TRADES = Wanted("okx", "BTC/USDT", 0, 100, None)


def candle(time: int, close: str = "1.50") -> tuple[int, str, str, str, str, str]:
    return time, "1.0", "2", "0.10", close, "0.000"


def test_rows_come_out_once_and_in_order_with_their_digits(tmp_path: Path):
    """Whatever order they came in and however often; the first to come stays."""
    with Journal(tmp_path / "j", CANDLES) as journal:
        journal.add([candle(60), candle(0)])
        journal.add([candle(60, "9"), candle(30)])
        journal.write(tmp_path / "out.csv")
        assert journal.count() == 3
    lines = (tmp_path / "out.csv").read_text().splitlines()
    rows = [f"{time},1.0,2,0.10,1.50,0.000" for time in (0, 30, 60)]
    assert lines == ["time,open,high,low,close,volume", *rows]


def test_trades_of_one_millisecond_are_in_order_of_their_ids(tmp_path: Path):
    """They are told apart by id."""
    rows = [(5, trade_id, "1", "2", "buy", trade_id, 1) for trade_id in (12, 9, 12)]
    with Journal(tmp_path / "j", TRADES) as journal:
        journal.add(rows)
        assert [row[1] for row in journal.rows()] == [9, 12]


def test_the_same_rows_are_the_same_bytes(tmp_path: Path):
    """Gzipped as well: neither name nor time are in it."""
    for name in ("one.csv.gz", "two.csv.gz"):
        with Journal(tmp_path / f"{name}.journal", CANDLES) as journal:
            journal.add([candle(0)])
            journal.write(tmp_path / name)
    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "two.csv.gz").read_bytes()
    assert gzip.decompress((tmp_path / "one.csv.gz").read_bytes()).startswith(b"time,open")


@pytest.mark.parametrize(
    ("done", "left"),
    [
        ([], [Span(0, 100)]),
        ([Span(0, 100)], []),
        ([Span(20, 40)], [Span(0, 20), Span(40, 100)]),
        ([Span(50, 100), Span(0, 20), Span(10, 30)], [Span(30, 50)]),
    ],
)
def test_what_is_done_is_not_left(done: list[Span], left: list[Span], tmp_path: Path):
    """Also for whoever opens the file the next time."""
    with Journal(tmp_path / "j", CANDLES) as journal:
        for span in done:
            journal.add([], span)
        assert journal.left() == left
    with Journal(tmp_path / "j", CANDLES) as journal:
        assert journal.left() == left


def test_holes_can_be_asked_for_again(tmp_path: Path):
    """And nothing else is."""
    with Journal(tmp_path / "j", CANDLES) as journal:
        journal.add([], Span(0, 60))
        journal.add([], Span(60, 100))
        journal.forget([Span(10, 20), Span(50, 70)])
        assert journal.left() == [Span(10, 20), Span(50, 70)]


def test_the_newest_note_is_kept(tmp_path: Path):
    """It says where to go on."""
    with Journal(tmp_path / "j", TRADES) as journal:
        assert journal.note() is None
        journal.add([], note="one")
        journal.add([], note="two")
    with Journal(tmp_path / "j", TRADES) as journal:
        assert journal.note() == "two"


def test_a_journal_of_something_else_is_not_gone_on_with(tmp_path: Path):
    """It is named, with what to do; so is a file that is no journal."""
    Journal(tmp_path / "j", CANDLES).__exit__()
    assert begun(tmp_path / "j") == CANDLES
    with pytest.raises(UserError, match=r"belongs to another backfill .okx BTC/USDT 1m.*another --out"):
        Journal(tmp_path / "j", TRADES)
    (tmp_path / "odd").write_text("no database, but long enough to be read as the beginning of one" * 20)
    assert begun(tmp_path / "odd") is None
    with pytest.raises(UserError, match="cannot keep the backfill's journal"):
        Journal(tmp_path / "odd", TRADES)


def test_what_cannot_be_written_is_kept_in_the_journal(tmp_path: Path):
    """Nothing that was fetched is lost."""
    with Journal(tmp_path / "j", CANDLES) as journal:
        journal.add([candle(0)])
        with pytest.raises(UserError, match=r"cannot write .*what was fetched is in"):
            journal.write(tmp_path / "no folder" / "out.csv")
        assert journal.count() == 1
        journal.remove()
    assert not (tmp_path / "j").exists()
