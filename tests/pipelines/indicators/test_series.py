"""All indicators of a timeframe together."""

import pytest

from pipelines.indicators.series import Series, trend


@pytest.mark.parametrize(
    ("close", "fast", "slow", "expected"),
    [(3.0, 2.0, 1.0, 1), (1.0, 2.0, 3.0, -1), (2.0, 2.0, 1.0, 0), (3.0, 1.0, 2.0, 0), (3.0, None, 1.0, 0), (3.0, 2.0, None, 0)],
)
def test_trend_needs_close_and_averages_in_order(close, fast, slow, expected):
    """Equal or mixed is no trend, and neither is an average that is not ready."""
    assert trend(close, fast, slow) == expected


def test_values_appear_one_after_the_other_until_all_are_there():
    """RSI needs 15 closes, the averages as many as their names say."""
    series = Series(0)
    ready = [(sorted(values), warm) for values, warm in (series.update(float(at), at + 1) for at in range(50))]

    assert ready[13] == ([], False)
    assert ready[14] == (["rsi_14"], False)
    assert ready[19] == (["ema_20", "rsi_14", "sma_20"], False)
    assert ready[48][1] is False
    assert ready[49] == (["ema_20", "ema_50", "rsi_14", "sma_20", "sma_50"], True)
    assert series.trend == 1
