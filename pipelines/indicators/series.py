"""All indicators of one timeframe of one instrument, candle by candle."""

from msgspec import Struct, field

from pipelines.indicators.ema import Ema
from pipelines.indicators.rsi import Rsi
from pipelines.indicators.sma import Sma


class Series(Struct, array_like=True):
    """Indicators after the candle that ended at `end`; a candle that does not begin there starts them afresh.

    `rsi_now` and `rsi_before` are of the last candle and the one before it. `trend`: +1 when close > EMA 20 > EMA 50, -1 when
    close < EMA 20 < EMA 50, else 0; 0 as well while an average is not ready.
    """

    end: int
    rsi: Rsi = field(default_factory=lambda: Rsi(14))
    sma_20: Sma = field(default_factory=lambda: Sma(20))
    sma_50: Sma = field(default_factory=lambda: Sma(50))
    ema_20: Ema = field(default_factory=lambda: Ema(20))
    ema_50: Ema = field(default_factory=lambda: Ema(50))
    rsi_before: float | None = None
    rsi_now: float | None = None
    trend: int = 0

    def update(self, close: float, end: int) -> tuple[dict[str, float], bool]:
        """Add the close of the candle that ends at `end` (epoch ms): the values that are ready, and whether all are."""
        self.end = end
        self.rsi_before, self.rsi_now = self.rsi_now, self.rsi.update(close)
        readings = {
            "rsi_14": self.rsi_now,
            "sma_20": self.sma_20.update(close),
            "sma_50": self.sma_50.update(close),
            "ema_20": self.ema_20.update(close),
            "ema_50": self.ema_50.update(close),
        }
        self.trend = trend(close, readings["ema_20"], readings["ema_50"])
        values = {name: value for name, value in readings.items() if value is not None}
        return values, len(values) == len(readings)


def trend(close: float, fast: float | None, slow: float | None) -> int:
    """+1, 0 or -1 as `Series` defines it."""
    if fast is None or slow is None:
        return 0
    return int(close > fast > slow) - int(close < fast < slow)
