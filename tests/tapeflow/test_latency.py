"""Percentiles by nearest rank."""

import pytest

from tapeflow.latency import percentile


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([], 50, None), ([7], 99, 7), ([1, 2, 3, 4], 50, 2), ([4, 1, 3, 2], 75, 3), (list(range(1, 101)), 99, 99), ([1, 2], 0, 1)],
)
def test_percentile(values: list[float], percent: float, expected: float | None) -> None:
    """The smallest value that so many percent do not exceed; none of nothing."""
    assert percentile(values, percent) == expected
