"""From a closed candle and its indicators to signals."""

from pipelines.config import Config
from pipelines.indicators.series import Series
from pipelines.signals import rsi_leave
from pipelines.timeframes import SPANS, TREND_OF
from schemas import ids
from schemas.market import Candle
from schemas.signals import Signal


def raised(candle: Candle, series: dict[str, Series], config: Config, *, warm: bool) -> list[Signal]:
    """What the rules say of this candle. Only warm candles made of a complete feed's trades are asked.

    `series` holds every timeframe as of the end of this candle, longer ones that end with it included.
    """
    if not warm or candle.status != "complete" or candle.source != "trades":
        return []
    own = series[candle.timeframe]
    of = TREND_OF[candle.timeframe]
    of = of if of in config.timeframes else candle.timeframe
    trend = series[of].trend if of in series else 0
    verdict = rsi_leave.decide(own.rsi_before, own.rsi_now, trend, config.oversold, config.overbought)
    if verdict is None:
        return []
    assert own.rsi_before is not None  # a verdict needs both
    assert own.rsi_now is not None
    parameters = {"rsi": "14", "oversold": str(config.oversold), "overbought": str(config.overbought), "trend": of}
    values = {"rsi_14": own.rsi_now, "rsi_14_before": own.rsi_before, f"trend_{of}": float(trend)}
    return [_signal(candle, verdict, parameters, values, config)]


def _signal(
    candle: Candle, verdict: rsi_leave.Verdict, parameters: dict[str, str], values: dict[str, float], config: Config
) -> Signal:
    hashed = ids.parameters_hash(parameters)
    end = candle.open_time + SPANS[candle.timeframe]
    return Signal(
        id=ids.signal_id(
            candle.venue, candle.symbol, candle.timeframe, candle.open_time, candle.revision, 0, rsi_leave.NAME, hashed
        ),
        venue=candle.venue,
        symbol=candle.symbol,
        timeframe=candle.timeframe,
        open_time=candle.open_time,
        candle_revision=candle.revision,
        indicator_revision=0,
        side=verdict.side,
        rule=rsi_leave.NAME,
        parameters=parameters,
        parameters_hash=hashed,
        strength=verdict.strength,
        price=candle.close,
        values=values,
        time=end,
        expires=end + config.signal_ttl_ms,
        received=candle.received,
    )
