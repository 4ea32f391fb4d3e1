"""Which candles the rules are asked about, and what a signal says."""

from decimal import Decimal

import pytest
from msgspec import structs

from pipelines.config import Config
from pipelines.indicators.series import Series
from pipelines.signals.raised import raised
from schemas import ids
from tests.pipelines.tape import MINUTE, START, Trade, heartbeat, minutes, record

CANDLE = minutes(record(Trade(1, START, "7.5")), heartbeat(START + MINUTE))[0]


def leaving(trend: int = 0) -> dict[str, Series]:
    """Indicators of a market whose RSI has just left oversold on every timeframe, in this 15m trend."""
    return {frame: Series(0, rsi_before=24.0, rsi_now=31.0, trend=trend if frame == "15m" else 0) for frame in ("1m", "15m")}


def test_a_signal_says_what_decided_it():
    """Id, price, values, time and expiry follow from the candle, its indicators and the parameters."""
    (signal,) = raised(CANDLE, leaving(1), Config(signal_ttl_ms=5_000), warm=True)

    parameters = {"rsi": "14", "oversold": "30", "overbought": "70", "trend": "15m"}
    hashed = ids.parameters_hash(parameters)
    assert signal.id == ids.signal_id("okx", "BTC/USDT", "1m", START, 0, 0, "rsi_leave", hashed)
    assert (signal.side, signal.strength, signal.price) == ("long", 0.2, Decimal("7.5"))
    assert signal.values == {"rsi_14": 31.0, "rsi_14_before": 24.0, "trend_15m": 1.0}
    assert (signal.parameters, signal.parameters_hash) == (parameters, hashed)
    assert (signal.time, signal.expires, signal.received) == (START + MINUTE, START + MINUTE + 5_000, CANDLE.received)


@pytest.mark.parametrize(
    ("candle", "warm"),
    [
        (CANDLE, False),
        (structs.replace(CANDLE, status="partial"), True),
        (structs.replace(CANDLE, status="synthetic"), True),
        (structs.replace(CANDLE, source="venue"), True),
    ],
)
def test_a_candle_that_proves_nothing_raises_nothing(candle, warm):
    """Cold, partial, made up or told by the venue."""
    assert raised(candle, leaving(), Config(), warm=warm) == []


@pytest.mark.parametrize(("timeframes", "of"), [(("1m", "5m", "15m"), "15m"), (("1m", "5m"), "1m")])
def test_the_trend_is_the_longer_timeframes_or_ones_own(timeframes, of):
    """A timeframe that is not configured cannot be asked."""
    (signal,) = raised(CANDLE, leaving(0), Config(timeframes), warm=True)

    assert signal.parameters["trend"] == of


def test_a_longer_trend_against_it_forbids():
    """RSI leaves oversold while 15 minutes point down: nothing."""
    assert raised(CANDLE, leaving(-1), Config(), warm=True) == []
