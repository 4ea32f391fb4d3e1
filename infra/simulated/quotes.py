"""The best bid and ask, read off the last trade and the time."""

from typing import NamedTuple

from infra.simulated.listing import Listing

FLICKER_MS = 200  # a book changes at least this often, also where nothing trades
_WORD = (1 << 64) - 1


class Level(NamedTuple):
    """One price of a book: `price` in ticks, `size` in lots, from so many `orders`."""

    price: int
    size: int
    orders: int


class Quote(NamedTuple):
    """The best of both sides."""

    bid: Level
    ask: Level


def quote_after(listing: Listing, last_price: int, bought: bool, now_ms: int) -> Quote:
    """Return the quote at a time: the last trade took one side of it, and the other side flickers by a tick."""
    draw = _mixed(now_ms // FLICKER_MS, last_price)
    widened = listing.spread + draw % 2
    bid, ask = (last_price - widened, last_price) if bought else (last_price, last_price + widened)
    return Quote(_level(listing, max(1, bid), draw >> 8), _level(listing, max(2, ask), draw >> 32))


def _level(listing: Listing, price: int, draw: int) -> Level:
    return Level(price, max(1, listing.lots * (1 + draw % 997) // 100), 1 + draw % 7)


def _mixed(one: int, other: int) -> int:
    """Scatter two numbers over 64 bits (the finisher of splitmix64), so that neighbours do not look alike."""
    word = (one * 0x9E3779B97F4A7C15 + other * 0xD1B54A32D192ED03) & _WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
    return word ^ (word >> 31)
