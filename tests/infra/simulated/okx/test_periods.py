"""Bars open where OKX's open: short ones on UTC, long ones on UTC+8 unless they are named utc."""

from datetime import UTC, datetime

import pytest

from infra.simulated.okx.periods import BARS, opening


@pytest.mark.parametrize(
    ("bar", "opened"),
    [
        ("1m", "2026-01-07T19:34:00"),
        ("15m", "2026-01-07T19:30:00"),
        ("4H", "2026-01-07T16:00:00"),
        ("12H", "2026-01-07T16:00:00"),
        ("12Hutc", "2026-01-07T12:00:00"),
        ("1D", "2026-01-07T16:00:00"),
        ("1Dutc", "2026-01-07T00:00:00"),
        ("1W", "2026-01-04T16:00:00"),
        ("1Wutc", "2026-01-05T00:00:00"),
    ],
)
def test_a_bar_opens_where_okx_opens_it(bar: str, opened: str) -> None:
    moment = int(datetime(2026, 1, 7, 19, 34, 56, tzinfo=UTC).timestamp() * 1000)
    assert datetime.fromtimestamp(opening(bar, moment) / 1000, UTC).isoformat() == opened + "+00:00"


@pytest.mark.parametrize("bar", BARS)
def test_an_opening_opens_itself(bar: str) -> None:
    opened = opening(bar, 1_767_571_234_567)
    assert opening(bar, opened) == opened
    assert opening(bar, opened - 1) == opened - BARS[bar][0]
