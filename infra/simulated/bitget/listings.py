"""What the simulated Bitget lists: the first instruments are one of each kind, the others make a crowd."""

from decimal import Decimal

from infra.simulated.listing import BRISK, BURSTY, QUIET, RANGING, SLOW, TRENDING, Contract, Listing, Temper


def _spot(base: str, price: str, tick: str, lot: str, lots: int, temper: Temper) -> Listing:
    return Listing(base, "USDT", Contract.SPOT, Decimal(tick), Decimal(lot), Decimal(price), lots, temper)


def _perpetual(base: str, price: str, tick: str, lot: str, lots: int, temper: Temper) -> Listing:
    return Listing(base, "USDT", Contract.LINEAR, Decimal(tick), Decimal(lot), Decimal(price), lots, temper)


LISTINGS = (
    _spot("BTC", "97000", "0.01", "0.000001", 12_000, TRENDING),
    _perpetual("BTC", "97050", "0.1", "0.0001", 400, BRISK),
    _spot("ETH", "3400", "0.01", "0.0001", 3_000, RANGING),
    _perpetual("ETH", "3402", "0.01", "0.01", 90, SLOW),
    _spot("SOL", "190", "0.01", "0.0001", 25_000, BURSTY),
    _spot("FLOW", "0.65", "0.0001", "0.01", 9_000, QUIET),
    _spot("XRP", "2.1", "0.0001", "0.0001", 1_500_000, RANGING),
    _perpetual("SOL", "190.2", "0.001", "0.1", 120, BRISK),
    _spot("DOGE", "0.33", "0.00001", "0.0001", 9_000_000, TRENDING),
    _perpetual("XRP", "2.1", "0.0001", "1", 400, RANGING),
    _spot("ADA", "0.92", "0.0001", "0.0001", 2_000_000, SLOW),
    _spot("LINK", "21.5", "0.001", "0.0001", 90_000, SLOW),
)
