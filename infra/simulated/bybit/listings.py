"""What the simulated Bybit lists: the first instruments are one of each kind, the others make a crowd."""

from decimal import Decimal

from infra.simulated.listing import BRISK, BURSTY, QUIET, RANGING, SLOW, TRENDING, Contract, Listing, Temper

MARCH_2026 = 1_774_598_400_000  # 2026-03-27T08:00:00Z, when dated contracts expire


def _listing(kind: Contract, base: str, quote: str, steps: tuple[str, str], price: str, lots: int, temper: Temper) -> Listing:
    tick, lot = steps
    return Listing(base, quote, kind, Decimal(tick), Decimal(lot), Decimal(price), lots, temper)


def _dated(kind: Contract, base: str, quote: str, steps: tuple[str, str], price: str, lots: int) -> Listing:
    tick, lot = steps
    return Listing(base, quote, kind, Decimal(tick), Decimal(lot), Decimal(price), lots, SLOW, expiry=MARCH_2026)


LISTINGS = (
    _listing(Contract.SPOT, "BTC", "USDT", ("0.01", "0.000001"), "97000", 12_000, TRENDING),
    _listing(Contract.LINEAR, "BTC", "USDT", ("0.10", "0.001"), "97050", 40, BRISK),
    _listing(Contract.INVERSE, "BTC", "USD", ("0.50", "1"), "96950", 2_500, SLOW),
    _listing(Contract.SPOT, "ETH", "USDT", ("0.01", "0.00001"), "3400", 30_000, RANGING),
    _listing(Contract.LINEAR, "SOL", "USDT", ("0.010", "0.1"), "190", 120, BURSTY),
    _listing(Contract.SPOT, "FLOW", "USDT", ("0.0001", "0.01"), "0.65", 9_000, QUIET),
    _dated(Contract.LINEAR, "BTC", "USDT", ("0.10", "0.001"), "98400", 20),
    _dated(Contract.INVERSE, "BTC", "USD", ("0.50", "1"), "98350", 1_500),
    _listing(Contract.LINEAR, "ETH", "USDT", ("0.01", "0.01"), "3402", 90, RANGING),
    _listing(Contract.INVERSE, "ETH", "USD", ("0.05", "1"), "3398", 1_200, SLOW),
    _listing(Contract.SPOT, "SOL", "USDT", ("0.01", "0.001"), "190", 2_500, TRENDING),
    _listing(Contract.SPOT, "XRP", "USDT", ("0.0001", "0.01"), "2.1", 15_000, RANGING),
    _listing(Contract.LINEAR, "XRP", "USDT", ("0.0001", "0.1"), "2.1", 4_000, BRISK),
    _listing(Contract.SPOT, "DOGE", "USDT", ("0.00001", "0.1"), "0.33", 9_000, TRENDING),
)
