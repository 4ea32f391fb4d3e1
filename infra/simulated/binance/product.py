"""What differs between Binance's spot market and its USDⓈ-M futures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from infra.simulated.binance.naming import future_row, spot_row
from infra.simulated.exchange import Close, Rules
from infra.simulated.faults import FaultKind
from infra.simulated.figures import Figures
from infra.simulated.listing import (
    BRISK,
    BURSTY,
    QUIET,
    RANGING,
    SLOW,
    TRENDING,
    Contract,
    Listing,
    Temper,
    stacked,
)

_HOUR_MS: Final = 3_600_000
_MARCH_2026: Final = 1_774_598_400_000  # 2026-03-27T08:00:00Z
_STACK: Final = 3  # trades of one order at one price, which is what `aggTrade` is there for


@dataclass(frozen=True, slots=True)
class Product:
    """One of Binance's markets. `prefix` is of its REST paths, `places` how many decimals every figure has at least."""

    name: str
    prefix: str
    places: int
    rules: Rules
    listings: tuple[Listing, ...]
    row: Callable[[Listing], dict[str, Any]]
    kline_limit: int
    window_ms: int
    """How far apart the two times of a request for aggregate trades may be."""
    book_ms: int
    """How often `@depth` pushes when it does not say."""
    errors: Mapping[FaultKind, tuple[int, int, str]]

    @property
    def futures(self) -> bool:
        """Whether this is the futures market."""
        return self.prefix == "/fapi/v1/"

    def price(self, figures: Figures, ticks: int) -> str:
        """Write a price: with eight places on spot, with those of the tick on futures."""
        return _padded(figures.fixed_price(ticks), self.places)

    def size(self, figures: Figures, lots: int) -> str:
        """Write a size in base coins."""
        return _padded(figures.fixed_size(lots), self.places)


def _padded(written: str, places: int) -> str:
    whole, _, fraction = written.partition(".")
    fraction = fraction.ljust(places, "0")
    return f"{whole}.{fraction}" if fraction else whole


def _spot(base: str, price: str, tick: str, lot: str, lots: int, temper: Temper) -> Listing:
    return Listing(base, "USDT", Contract.SPOT, Decimal(tick), Decimal(lot), Decimal(price), lots, stacked(temper, _STACK))


def _future(base: str, price: str, tick: str, lot: str, lots: int, temper: Temper, expiry: int | None = None) -> Listing:
    steps = (Decimal(tick), Decimal(lot), Decimal(price))
    return Listing(base, "USDT", Contract.LINEAR, *steps, lots, stacked(temper, _STACK), expiry=expiry)


_TOO_MANY = (
    "Too many requests; current limit is 6000 request weight per 1 MINUTE. "
    "Please use WebSocket Streams for live updates to avoid polling the API."
)
_LIMITED = (429, -1003, _TOO_MANY)
_INTERNAL = "Internal error; unable to process your request. Please try again."
_UNKNOWN = "Unknown error, please check your request or try again later."

SPOT: Final = Product(
    name="binance",
    prefix="/api/v3/",
    places=8,
    rules=Rules(
        lifetime=86_400.0,
        ping_every=20.0,
        pong_within=60.0,
        messages_per_second=5,
        idle=Close(1008, "Pong timeout"),
        excess=Close(1008, "Too many requests"),
        connects_limited=True,
    ),
    listings=(
        _spot("BTC", "97000", "0.01", "0.00001", 1200, TRENDING),
        _spot("ETH", "3400", "0.01", "0.0001", 3000, RANGING),
        _spot("SOL", "190", "0.01", "0.001", 2500, BURSTY),
        _spot("FLOW", "0.65", "0.0001", "0.1", 900, QUIET),
        _spot("XRP", "2.1", "0.0001", "0.1", 1500, RANGING),
        _spot("DOGE", "0.33", "0.00001", "1", 900, TRENDING),
        _spot("BNB", "700", "0.01", "0.001", 900, BRISK),
        _spot("ADA", "0.92", "0.0001", "0.1", 2000, SLOW),
        _spot("LTC", "104", "0.01", "0.001", 3000, SLOW),
        _spot("LINK", "21.5", "0.01", "0.01", 900, RANGING),
    ),
    row=spot_row,
    kline_limit=1000,
    window_ms=_HOUR_MS,
    book_ms=1000,
    errors={
        FaultKind.RATE_LIMIT: _LIMITED,
        FaultKind.SERVER_ERROR: (500, -1001, _INTERNAL),
        FaultKind.MAINTENANCE: (503, -1001, _INTERNAL),
    },
)

FUTURES: Final = Product(
    name="binanceusdm",
    prefix="/fapi/v1/",
    places=0,
    rules=Rules(
        lifetime=86_400.0,
        ping_every=180.0,
        pong_within=600.0,
        messages_per_second=10,
        idle=Close(1008, "Pong timeout"),
        excess=Close(1008, "Too many requests"),
        connects_limited=True,
    ),
    listings=(
        _future("BTC", "97050", "0.10", "0.001", 40, BRISK),
        _future("ETH", "3402", "0.01", "0.001", 900, TRENDING),
        _future("SOL", "190", "0.0100", "0.01", 2500, BURSTY),
        _future("BTC", "98400", "0.1", "0.001", 20, SLOW, _MARCH_2026),
        _future("FLOW", "0.651", "0.0010", "0.1", 900, QUIET),
        _future("XRP", "2.1", "0.0001", "0.1", 2500, RANGING),
        _future("DOGE", "0.33", "0.000010", "1", 9000, TRENDING),
        _future("BNB", "701", "0.010", "0.01", 300, BRISK),
        _future("ADA", "0.92", "0.00010", "1", 900, SLOW),
    ),
    row=future_row,
    kline_limit=1500,
    window_ms=24 * _HOUR_MS,
    book_ms=250,
    errors={
        FaultKind.RATE_LIMIT: _LIMITED,
        FaultKind.SERVER_ERROR: (503, -1000, _UNKNOWN),
        FaultKind.MAINTENANCE: (503, -1001, _INTERNAL),
    },
)
