"""RSI leaving a zone, with the trend."""

import pytest

from pipelines.signals.rsi_leave import Verdict, decide


@pytest.mark.parametrize(
    ("before", "now", "trend", "verdict"),
    [
        (24.0, 31.0, 0, Verdict("long", 0.2)),
        (24.0, 30.0, 1, Verdict("long", 0.2)),
        (0.0, 99.0, 0, Verdict("long", 1.0)),
        (24.0, 31.0, -1, None),
        (24.0, 29.9, 0, None),
        (30.0, 31.0, 0, None),
        (85.0, 69.0, 0, Verdict("short", 0.5)),
        (85.0, 70.0, -1, Verdict("short", 0.5)),
        (85.0, 69.0, 1, None),
        (70.0, 69.0, 0, None),
        (None, 31.0, 0, None),
        (24.0, None, 0, None),
    ],
)
def test_verdicts(before, now, trend, verdict):
    """Coming out of the zone counts, standing on its edge does not, and a longer trend against it forbids."""
    assert decide(before, now, trend, 30, 70) == verdict
