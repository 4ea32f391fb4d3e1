"""RSI where TA-Lib is no oracle."""

import pytest

from pipelines.indicators.rsi import Rsi


@pytest.mark.parametrize(
    ("closes", "last"),
    [
        ([5.0] * 20, 50.0),
        ([float(at) for at in range(20)], 100.0),
        ([float(-at) for at in range(20)], 0.0),
        ([1.0] * 14, None),
    ],
)
def test_extremes(closes, last):
    """A market that never moved is neutral, one that only rose is at 100, one that only fell at 0; 14 closes are too few."""
    rsi = Rsi(14)

    assert [rsi.update(close) for close in closes][-1] == last
