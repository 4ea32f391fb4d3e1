"""What a user may choose about candles and signals."""

from msgspec import Struct

from pipelines.timeframes import BASE, SPANS


class Config(Struct, frozen=True):
    """Timeframes beside the one-minute base, RSI thresholds, and how long a signal may be acted upon (ms of market time)."""

    timeframes: tuple[str, ...] = tuple(SPANS)
    oversold: int = 30
    overbought: int = 70
    signal_ttl_ms: int = 60_000

    def longer(self) -> tuple[str, ...]:
        """The timeframes to roll up, shortest first."""
        return tuple(frame for frame in SPANS if frame in self.timeframes and frame != BASE)
