"""What the simulated Deribit lists: inverse perpetuals and futures, counted in USD, and options, counted in coins."""

from dataclasses import replace
from decimal import Decimal

from infra.simulated.listing import BRISK, BURSTY, QUIET, RANGING, SLOW, TRENDING, Contract, Listing, Temper

JANUARY_2026 = 1_769_760_000_000  # 2026-01-30T08:00:00Z
MARCH_2026 = 1_774_598_400_000  # 2026-03-27T08:00:00Z


def _perpetual(base: str, price: str, tick: str, lot: str, lots: int, temper: Temper) -> Listing:
    return Listing(base, "USD", Contract.INVERSE, Decimal(tick), Decimal(lot), Decimal(price), lots, temper)


def _dated(base: str, price: str, tick: str, lot: str, lots: int, expiry: int) -> Listing:
    return replace(_perpetual(base, price, tick, lot, lots, SLOW), expiry=expiry)


def _option(base: str, strike: int, premium: str, lots: int, *, call: bool, temper: Temper = SLOW) -> Listing:
    tick, lot = Decimal("0.0001"), Decimal("0.1") if base == "BTC" else Decimal(1)
    dated = Listing(base, "USD", Contract.INVERSE, tick, lot, Decimal(premium), lots, temper, expiry=MARCH_2026)
    return replace(dated, strike=Decimal(strike), call=call)


LISTINGS = (
    _perpetual("BTC", "96950", "0.5", "10", 250, BRISK),
    _dated("BTC", "98400", "2.5", "10", 120, MARCH_2026),
    _option("BTC", 100_000, "0.0525", 12, call=True),
    _option("BTC", 90_000, "0.0410", 10, call=False),
    _perpetual("ETH", "3398", "0.05", "1", 1_200, TRENDING),
    _option("ETH", 3_600, "0.0620", 9, call=True, temper=QUIET),
    _dated("BTC", "97400", "2.5", "10", 100, JANUARY_2026),
    _dated("ETH", "3440", "0.05", "1", 900, MARCH_2026),
    _option("ETH", 3_000, "0.0480", 8, call=False, temper=BURSTY),
    _option("BTC", 110_000, "0.0280", 10, call=True, temper=RANGING),
    _option("BTC", 120_000, "0.0150", 10, call=True),
)
