"""What a derivative's venue says beside trades: mark and index prices, funding, open interest."""

import math
import zlib
from dataclasses import dataclass

from infra.simulated.listing import Listing
from infra.simulated.quotes import Quote

FUNDING_MS = 8 * 60 * 60 * 1000  # an interval of funding; the first begins with the epoch
_MINUTE = 60_000
_INTEREST_MS = 3000


@dataclass(frozen=True, slots=True)
class Mark:
    """Mark and index price, in ticks."""

    mark: int
    index: int


def mark_at(listing: Listing, quote: Quote, now_ms: int) -> Mark:
    """Return the middle of the quote as the mark, and an index a few hundredths of a percent away from it."""
    mark = max(1, (quote.bid.price + quote.ask.price) // 2)
    basis = math.sin(now_ms / (17 * _MINUTE) + _phase(listing)) * 0.0004
    return Mark(mark, max(1, round(mark * (1 - basis))))


def funding_rate(listing: Listing, now_ms: int) -> float:
    """Return the rate of the interval that holds a time, as a fraction, as it was known in that minute."""
    return round(0.0001 + 0.0003 * math.sin(now_ms // _MINUTE / 97 + _phase(listing)), 8)


def next_funding(now_ms: int) -> int:
    """When the interval that holds a time ends."""
    return (now_ms // FUNDING_MS + 1) * FUNDING_MS


def open_interest(listing: Listing, now_ms: int) -> int:
    """Return how many lots are open; it moves every three seconds."""
    slow = math.sin(now_ms // _INTEREST_MS * _INTEREST_MS / (90 * _MINUTE) + _phase(listing))
    return max(1, int(listing.lots * (50_000 + 5_000 * slow)))


def _phase(listing: Listing) -> float:
    return zlib.crc32(listing.name.encode()) % 628 / 100
