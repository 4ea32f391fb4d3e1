"""The buckets of time that candles are made of: names as ccxt spells them, lengths in milliseconds, all aligned to UTC."""

from typing import Final

MINUTE: Final = 60_000
DAY: Final = 86_400_000

BASE: Final = "1m"
SPANS: Final[dict[str, int]] = {"1m": MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE, "1h": 60 * MINUTE}

# Whose trend a signal must not go against; a timeframe that is not configured falls back to the signal's own.
TREND_OF: Final[dict[str, str]] = {"1m": "15m", "5m": "1h", "15m": "1h", "1h": "1h"}
