"""From closed minutes to candles, indicators and signals of every timeframe."""

from typing import NamedTuple

from msgspec import Struct

from pipelines.bar import Closed
from pipelines.config import Config
from pipelines.indicators.series import Series
from pipelines.rollup import Rollup
from pipelines.signals.raised import raised
from pipelines.timeframes import BASE, SPANS
from schemas.market import Candle, Indicators, Trades
from schemas.signals import Signal


class Digest(NamedTuple):
    """What closed minutes led to, each list in order of time."""

    candles: list[Candle]
    indicators: list[Indicators]
    signals: list[Signal]


class Frames(Struct, array_like=True):
    """Open roll-ups and the indicators of all timeframes of one instrument."""

    rollup: Rollup
    series: dict[str, Series] = {}

    def digest(self, minutes: list[Closed], record: Trades, config: Config) -> Digest:
        """Take in minutes that `record` closed. All timeframes that end together are up to date before a rule looks at any."""
        out = Digest([], [], [])
        for minute in minutes:
            ended = [(BASE, minute), *self.rollup.add(minute, config.longer())]
            readings = [self._read(closed.candle(frame, record)) for frame, closed in ended]
            for candle, indicators in readings:
                out.candles.append(candle)
                out.indicators.append(indicators)
                out.signals.extend(raised(candle, self.series, config, warm=indicators.warm))
        return out

    def _read(self, candle: Candle) -> tuple[Candle, Indicators]:
        series = self.series.get(candle.timeframe)
        if series is None or series.end != candle.open_time:
            series = self.series[candle.timeframe] = Series(candle.open_time)
        values, warm = series.update(float(candle.close), candle.open_time + SPANS[candle.timeframe])
        return candle, Indicators(
            venue=candle.venue,
            symbol=candle.symbol,
            timeframe=candle.timeframe,
            open_time=candle.open_time,
            candle_revision=candle.revision,
            revision=0,
            status=candle.status,
            close=candle.close,
            warm=warm,
            values=values,
            trend=series.trend,
            received=candle.received,
        )
