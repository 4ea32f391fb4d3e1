"""What the simulated Upbit lists: mostly against the Korean won, where the price step goes with the price."""

from decimal import Decimal

from infra.simulated.listing import BRISK, BURSTY, QUIET, RANGING, SLOW, TRENDING, Contract, Listing, Temper


def _spot(base: str, quote: str, price: str, tick: str, lots: int, temper: Temper) -> Listing:
    return Listing(base, quote, Contract.SPOT, Decimal(tick), Decimal("0.00000001"), Decimal(price), lots, temper)


LISTINGS = (
    _spot("BTC", "KRW", "142000000", "1000", 1_200_000, TRENDING),
    _spot("ETH", "KRW", "4980000", "1000", 30_000_000, RANGING),
    _spot("XRP", "KRW", "3080", "1", 15_000_000_000, BRISK),
    _spot("SOL", "KRW", "278000", "100", 250_000_000, BURSTY),
    _spot("USDT", "KRW", "1465", "0.5", 40_000_000_000, SLOW),
    _spot("FLOW", "KRW", "952", "0.1", 9_000_000_000, QUIET),
    _spot("ETH", "BTC", "0.03505", "0.00000001", 30_000_000, SLOW),
    _spot("BTC", "USDT", "97000", "0.001", 900_000, RANGING),
    _spot("DOGE", "KRW", "483", "0.1", 90_000_000_000, TRENDING),
    _spot("ADA", "KRW", "1348", "1", 20_000_000_000, RANGING),
    _spot("LINK", "KRW", "31500", "10", 900_000_000, SLOW),
    _spot("AVAX", "KRW", "54500", "50", 600_000_000, RANGING),
)
