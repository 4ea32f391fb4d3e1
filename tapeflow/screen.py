"""The live screen: an `Observation` as a picture in the terminal. Pure: numbers in, renderable out."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from schemas import topics
from schemas.exact import plain
from schemas.trading import Position
from tapeflow.observation import MarketView, Observation

_TRENDS = {1: Text("▲ up", "green"), -1: Text("▼ down", "red"), 0: Text("- mixed", "dim")}


_COLUMNS: Final = ("market", "close", "volume", "trades", "status", "RSI 14", "trend", "position", "entry", "unrealized")
_ROOMY: Final = 110  # columns, below which a terminal has no room for these
_LEFT_OUT: Final = {"volume", "trades", "entry"}


@dataclass(frozen=True)
class Frame:
    """What a screen shows besides the observation: title, progress in seconds and what every stage has left to read."""

    title: str
    elapsed: float
    seconds: int | None
    lags: dict[str, int]
    now_us: int
    width: int = 120  # columns of the terminal


def draw(observation: Observation, frame: Frame) -> RenderableType:
    """The whole screen."""
    return Group(_head(observation, frame), _markets(observation, frame), _signals(observation, frame), _flow(observation, frame))


def _head(observation: Observation, frame: Frame) -> RenderableType:
    clock = datetime.fromtimestamp(observation.watermark / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    of = "" if frame.seconds is None else f" of {frame.seconds}"
    market = clock if observation.watermark else "not open yet"
    return Text(f"{frame.title}   market time {market}   {frame.elapsed:.0f}{of} s", "bold")


def _markets(observation: Observation, frame: Frame) -> RenderableType:
    table = Table(expand=True, title="markets: newest minute", title_justify="left")
    columns = [column for column in _COLUMNS if frame.width >= _ROOMY or column not in _LEFT_OUT]
    for column in columns:
        table.add_column(column, justify="left" if column in {"market", "status", "trend", "position"} else "right", no_wrap=True)
    for market, view in sorted(observation.markets.items()):
        row = dict(zip(_COLUMNS, (market, *_market_row(view)), strict=True))
        table.add_row(*(row[column] for column in columns))
    return table


def _market_row(view: MarketView) -> list[RenderableType]:
    candle, indicators, position = view.candle, view.indicators, view.position
    row: list[RenderableType] = ["", "", "", ""]
    if candle is not None:
        row = [plain(candle.close), f"{candle.volume:.4f}", str(candle.trades), _status(candle.status)]
    rsi = indicators.values.get("rsi_14") if indicators else None
    row += ["" if rsi is None else f"{rsi:.1f}", _TRENDS[indicators.trend] if indicators else ""]
    if position is None or position.status == "closed":
        return [*row, "", "", ""]
    gain = unrealized_percent(position, candle.close) if candle else Decimal(0)
    style = "green" if gain >= 0 else "red"
    return [*row, position.side, plain(position.entry_price), Text(f"{gain:+.2f} %", style)]


def unrealized_percent(position: Position, price: Decimal) -> Decimal:
    """What the price has moved in the position's favour, in percent of its entry, before fees."""
    move = (price - position.entry_price) / position.entry_price * 100
    return move if position.side == "long" else -move


def _status(status: str) -> Text:
    return Text(status, {"complete": "green", "synthetic": "dim"}.get(status, "yellow"))


def _signals(observation: Observation, frame: Frame) -> RenderableType:
    table = Table(expand=True, title="signals: newest first", title_justify="left")
    for column in ("candle", "market", "timeframe", "side", "RSI 14", "strength", "price"):
        table.add_column(column)
    newest = sorted(observation.signals, key=lambda signal: signal.time, reverse=True)
    for signal in newest if frame.width >= _ROOMY else newest[:3]:
        opened = datetime.fromtimestamp(signal.open_time / 1000, UTC).strftime("%H:%M")
        side = Text(signal.side, "green" if signal.side == "long" else "red")
        rsi = f"{signal.values['rsi_14']:.1f}"
        table.add_row(
            opened, f"{signal.venue}:{signal.symbol}", signal.timeframe, side, rsi, f"{signal.strength:.2f}", plain(signal.price)
        )
    return table


def _flow(observation: Observation, frame: Frame) -> RenderableType:
    latency = observation.latency_ms()
    shown = {name: "-" if value is None else f"{value:.1f} ms" for name, value in latency.items()}
    counts = observation.counts
    open_positions = sum(position.status == "open" for position in observation.positions.values())
    done = (
        f"trades {observation.trades:,} ({observation.trades_per_second(frame.now_us):,.0f} a second)   "
        f"candles {counts[topics.CANDLES.name]:,}   signals {counts[topics.SIGNALS.name]:,}   "
        f"orders {len(observation.orders):,}   refusals {counts[topics.REFUSALS.name]:,}"
    )
    health = (
        f"latency candle to signal p50 {shown['p50']}, p99 {shown['p99']}   positions open {open_positions}   "
        f"realized since start {observation.realized():+.2f}   "
        f"gaps open {observation.gaps}   dead letters {counts[topics.DEAD_LETTERS.name]}"
    )
    behind = "lag " + "   ".join(f"{group} {records}" for group, records in frame.lags.items())
    return Panel(f"{done}\n{health}\n{behind}", title="flow", title_align="left")
