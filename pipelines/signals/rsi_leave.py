"""RSI leaving oversold or overbought, with the trend.

Long when the RSI was below `oversold` on the candle before and is at or above it now; short mirrored at `overbought`.

*With the trend* means: not against the trend of a longer timeframe (`timeframes.TREND_OF`: 1m looks at 15m, 5m and 15m at 1h, 1h
at itself). An oscillator that leaves oversold has just seen prices fall, so on its own timeframe the averages nearly always point
down; asking them would veto almost every signal. A trend of 0, mixed or not known yet, is not against anything.

Strength is how deep the candle before lay in the zone: 0 at the threshold, 1 at an RSI of 0 (long) or 100 (short).
"""

from typing import Final, Literal, NamedTuple

NAME: Final = "rsi_leave"


class Verdict(NamedTuple):
    """A side and its strength in [0, 1]."""

    side: Literal["long", "short"]
    strength: float


def decide(before: float | None, now: float | None, trend: int, oversold: int, overbought: int) -> Verdict | None:
    """The verdict on a candle from its RSI, the RSI before it and the longer trend (-1, 0, +1).

    >>> decide(24.0, 31.0, 0, 30, 70)
    Verdict(side='long', strength=0.2)
    >>> decide(24.0, 31.0, -1, 30, 70) is None
    True
    """
    if before is None or now is None:
        return None
    if before < oversold <= now and trend >= 0:
        return Verdict("long", (oversold - before) / oversold)
    if before > overbought >= now and trend <= 0:
        return Verdict("short", (before - overbought) / (100 - overbought))
    return None
