"""What the demo's screen and summary are made of."""

import io
from decimal import Decimal

from msgspec import structs
from rich.console import Console

from schemas import topics
from schemas.market import Candle, Gap, Indicators, Trades
from schemas.signals import Signal
from schemas.trading import Position
from tapeflow.observation import Observation
from tapeflow.screen import Frame, draw, unrealized_percent

ONE = Decimal(1)
TRADES = Trades(
    "okx", "BTC/USDT", "BTC-USDT", "live", 1, 60_000, ONE, inverse=False, tick_size=ONE, lot_size=ONE,
    ids=(1, 2), times=(1, 2), prices=(1, 1), amounts=(1, 1), taker_buys=(True, False),
    gap=Gap(0, 1, 0, 1, "gone"),
)  # fmt: skip
CANDLE = Candle(
    "okx", "BTC/USDT", "BTC-USDT", "1m", 0, *[Decimal(103)] * 4, ONE, ONE, ONE, 2, "complete", 0, "trades", 5_000_000
)  # fmt: skip
INDICATORS = Indicators(
    "okx", "BTC/USDT", "1m", 0, 0, 0, "complete", Decimal(103), warm=True, values={"rsi_14": 31.25}, trend=1, received=1
)
SIGNAL = Signal(
    "s1", "okx", "BTC/USDT", "1m", 0, 0, 0, "long", "rsi_leave", {}, "h", 0.5, Decimal(103), {"rsi_14": 31.25}, 60_000,
    120_000, 5_000_000
)  # fmt: skip
POSITION = Position(
    "p1", 1, "okx", "BTC/USDT", "paper", "rsi-trend", "long", "open", ONE, Decimal(100), None, Decimal(99), Decimal(102),
    Decimal("-0.1"), Decimal("0.1"), "s1", None, 1, 1,
)  # fmt: skip


def observed() -> Observation:
    seen = Observation()
    for record in (TRADES, CANDLE, INDICATORS, SIGNAL, POSITION):
        seen.fold(record, 5_012_000)
    return seen


def test_latency_is_from_receipt_to_being_read() -> None:
    """Of a signal seen twice only the first time counts."""
    seen = observed()
    seen.fold(SIGNAL, 9_000_000)
    assert seen.latency_ms() == {"p50": 12.0, "p99": 12.0}
    assert Observation().latency_ms() == {"p50": None, "p99": None}


def test_counts() -> None:
    """Trades, gaps and records by topic; the rate is that of the last five seconds."""
    seen = observed()
    assert (seen.trades, seen.gaps, seen.watermark) == (2, 1, 60_000)
    assert seen.counts[topics.SIGNALS.name] == 1
    assert seen.trades_per_second(5_012_000) == 0.4
    assert seen.trades_per_second(20_000_000) == 0
    assert seen.realized() == Decimal("-0.1")


def test_a_gap_that_is_closed_counts_no_more() -> None:
    """One that is narrowed, or told again with another reason, stays one."""
    seen = observed()
    told = [Gap(0, 9, 0, 1, "being fetched"), Gap(0, 5, 0, 1, "gone"), Gap(7, 9, 0, 1, "gone"), Gap(0, 5, 0, 1, "", open=False)]
    counts = []
    for gap in told:
        seen.fold(structs.replace(TRADES, gap=gap), 5_012_000)
        counts.append(seen.gaps)
    assert counts == [1, 1, 2, 1]


def test_a_symbol_of_two_venues_is_two_markets() -> None:
    """Each with its own candle."""
    seen = observed()
    seen.fold(structs.replace(CANDLE, venue="bybit", close=Decimal(104)), 5_012_000)
    assert {name: view.candle.close for name, view in seen.markets.items() if view.candle} == {
        "okx:BTC/USDT": Decimal(103),
        "bybit:BTC/USDT": Decimal(104),
    }


def test_the_screen_shows_each_market() -> None:
    """Its newest candle, RSI, trend and open position."""
    console = Console(width=150, record=True, file=io.StringIO())
    console.print(draw(observed(), Frame("demo", 3.0, 60, {"pipeline": 0, "storage": 12}, 5_012_000)))
    shown = console.export_text()
    for text in ("okx:BTC/USDT", "103", "complete", "31.2", "up", "long", "+3.00 %", "p99 12.0 ms", "storage 12", "3 of 60 s"):
        assert text in shown


def test_a_narrow_terminal_gets_fewer_columns() -> None:
    """What is left is readable."""
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(draw(observed(), Frame("demo", 3.0, 60, {"pipeline": 0}, 5_012_000, width=80)))
    shown = console.export_text()
    assert "BTC/USDT" in shown
    assert "unrealized" in shown
    assert "volume" not in shown


def test_a_short_gains_when_the_price_falls() -> None:
    """In percent of its entry."""
    short = Position(*(getattr(POSITION, name) if name != "side" else "short" for name in POSITION.__struct_fields__))
    assert unrealized_percent(short, Decimal(95)) == 5
    assert unrealized_percent(POSITION, Decimal(95)) == -5
