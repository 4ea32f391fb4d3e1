"""The candles that OKX tells: their names, how long they are, and when they open."""

from collections.abc import Mapping

from infra.simulated.bars import MINUTE

_HOUR, _DAY = 60 * MINUTE, 24 * 60 * MINUTE
_CHINA = 16 * _HOUR  # 6H and longer bars open at UTC+8 midnights, so 16 hours into a UTC day, unless named `utc`
_MONDAY = 4 * _DAY  # the epoch was a Thursday

# Bars by name: how long they are, and how long after the epoch one of them opens.
BARS: Mapping[str, tuple[int, int]] = {
    "1s": (1000, 0),
    **{f"{count}m": (count * MINUTE, 0) for count in (1, 3, 5, 15, 30)},
    **{f"{count}H": (count * _HOUR, 0) for count in (1, 2, 4)},
    **{f"{count}H": (count * _HOUR, _CHINA) for count in (6, 12)},
    **{f"{count}D": (count * _DAY, _CHINA) for count in (1, 2, 3)},
    "1W": (7 * _DAY, _MONDAY - 8 * _HOUR),
    **{f"{count}Hutc": (count * _HOUR, 0) for count in (6, 12)},
    **{f"{count}Dutc": (count * _DAY, 0) for count in (1, 2, 3)},
    "1Wutc": (7 * _DAY, _MONDAY),
}


def opening(bar: str, time_ms: int) -> int:
    """Return when the bar of that name that holds a time opened."""
    length, offset = BARS[bar]
    return (time_ms - offset) // length * length + offset
