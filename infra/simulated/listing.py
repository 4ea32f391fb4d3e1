"""What is traded: the table of instruments and the manner in which each of them moves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum


class Contract(StrEnum):
    """How sizes are counted: in base coins, in contracts of base coins, or in contracts of quote currency."""

    SPOT = "spot"
    LINEAR = "linear"
    INVERSE = "inverse"


@dataclass(frozen=True, slots=True)
class Temper:
    """The manner of a market. Moves are natural logarithms of price ratios.

    `rate` trades a minute; `drift` the slow trend a minute, which turns every `swing` minutes or so; every `cycle`
    minutes or so a `jolt` against the trend, which is made good again: it is what drives an RSI out of its range.
    `bursts` an hour of about a thousand trades within a second. `stack` is how many trades of an order that sweeps the
    book are at one price.
    """

    rate: float
    drift: float = 0.00025
    swing: int = 240
    cycle: int = 26
    jolt: float = 0.019
    bursts: int = 0
    stack: int = 1


@dataclass(frozen=True, slots=True)
class Listing:
    """One instrument, free of any venue's naming: prices are whole `tick`s, sizes whole `lot`s.

    `contract_size` is in base coins (linear) or in quote currency (inverse); `price` is where the market starts,
    `lots` a typical trade, `spread` in ticks. `expiry` (epoch ms) is set for dated contracts alone, `strike` (in quote
    currency) and `call` for options alone, whose `price` is the premium in the currency it is paid in.
    """

    base: str
    quote: str
    contract: Contract
    tick: Decimal
    lot: Decimal
    price: Decimal
    lots: int
    temper: Temper
    contract_size: Decimal = Decimal(1)
    min_size: Decimal | None = None
    spread: int = 1
    expiry: int | None = None
    strike: Decimal | None = None
    call: bool = True

    @property
    def settle(self) -> str:
        """The currency a contract is settled in; empty for spot."""
        return {Contract.SPOT: "", Contract.LINEAR: self.quote, Contract.INVERSE: self.base}[self.contract]

    @property
    def name(self) -> str:
        """A name no two listings share, as ccxt unifies it, which also seeds the market: `BTC/USD:BTC-261225-100000-C`."""
        settled = f":{self.settle}" if self.settle else ""
        dated = "" if self.expiry is None else f"-{datetime.fromtimestamp(self.expiry / 1000, UTC):%y%m%d}"
        optional = "" if self.strike is None else f"-{self.strike:f}-{'C' if self.call else 'P'}"
        return f"{self.base}/{self.quote}{settled}{dated}{optional}"


TRENDING = Temper(rate=24.0, drift=0.00032, swing=300, jolt=0.024)
RANGING = Temper(rate=18.0, drift=0.00020, swing=160, jolt=0.014)
BURSTY = Temper(rate=12.0, drift=0.00030, bursts=3, jolt=0.022)
BRISK = Temper(rate=30.0)
SLOW = Temper(rate=8.0, cycle=30)
QUIET = Temper(rate=0.2)
MOST = 500  # instruments a venue


def _spot(base: str, price: str, tick: str, lot: str, lots: int, temper: Temper) -> Listing:
    return Listing(base, "USDT", Contract.SPOT, Decimal(tick), Decimal(lot), Decimal(price), lots, temper)


def _swap(base: str, price: str, tick: str, lot: str, size: str, temper: Temper) -> Listing:
    linear = (Decimal(tick), Decimal(lot), Decimal(price), 40, temper, Decimal(size))
    return Listing(base, "USDT", Contract.LINEAR, *linear)


def _inverse(base: str, price: str, tick: str, size: str, temper: Temper) -> Listing:
    inverse = (Decimal(tick), Decimal(1), Decimal(price), 12, temper, Decimal(size))
    return Listing(base, "USD", Contract.INVERSE, *inverse)


# The first eight are one of each kind; the others make a crowd.
LISTINGS = (
    _spot("BTC", "97000", "0.1", "0.00000001", 1_200_000, TRENDING),
    _spot("ETH", "3400", "0.01", "0.000001", 300_000, RANGING),
    _spot("SOL", "190", "0.01", "0.000001", 2_500_000, BURSTY),
    _swap("BTC", "97050", "0.1", "0.01", "0.01", BRISK),
    _inverse("BTC", "96900", "0.1", "100", SLOW),
    _spot("FLOW", "0.65", "0.0001", "0.000001", 90_000_000, QUIET),
    _spot("XRP", "2.1", "0.0001", "0.000001", 150_000_000, RANGING),
    _spot("DOGE", "0.33", "0.00001", "0.000001", 900_000_000, TRENDING),
    _swap("ETH", "3402", "0.01", "0.01", "0.1", BRISK),
    _inverse("ETH", "3398", "0.01", "10", SLOW),
    _spot("ADA", "0.92", "0.0001", "0.000001", 200_000_000, RANGING),
    _spot("LINK", "21.5", "0.001", "0.000001", 9_000_000, SLOW),
    _spot("AVAX", "37.2", "0.01", "0.000001", 6_000_000, TRENDING),
    _spot("LTC", "104", "0.01", "0.000001", 3_000_000, SLOW),
    _spot("DOT", "6.7", "0.001", "0.000001", 30_000_000, RANGING),
    _spot("UNI", "13.4", "0.001", "0.000001", 15_000_000, SLOW),
    _spot("ATOM", "6.4", "0.001", "0.000001", 30_000_000, RANGING),
    _spot("NEAR", "5.1", "0.001", "0.000001", 40_000_000, TRENDING),
    _spot("APT", "8.9", "0.001", "0.000001", 20_000_000, SLOW),
    _spot("ARB", "0.74", "0.0001", "0.000001", 250_000_000, RANGING),
    _spot("OP", "1.8", "0.0001", "0.000001", 100_000_000, SLOW),
    _spot("FIL", "5.0", "0.001", "0.000001", 40_000_000, RANGING),
    _spot("INJ", "20.3", "0.001", "0.000001", 9_000_000, TRENDING),
    _swap("SOL", "190.2", "0.01", "0.01", "1", BRISK),
)


def listings(count: int, pace: float = 1.0) -> tuple[Listing, ...]:
    """Return the first `count` instruments, trading `pace` times as often as the table says; see `paced`."""
    return paced(LISTINGS, count, pace)


def paced(table: Sequence[Listing], count: int, pace: float = 1.0) -> tuple[Listing, ...]:
    """Return the first `count` instruments of a table, trading `pace` times as often as it says.

    A table that is too short is continued with coins that exist nowhere else, in the manner of its first instrument.
    Raises ValueError when there is nothing to list or nothing to trade.
    """
    if not 1 <= count <= MOST:
        raise ValueError(f"instruments must be 1 to {MOST}, not {count}")
    if not pace > 0:
        raise ValueError(f"pace must be above 0, not {pace}")
    chosen = [*table[:count], *(_made_up(table[0], number) for number in range(len(table) + 1, count + 1))]
    return tuple(replace(one, temper=replace(one.temper, rate=one.temper.rate * pace)) for one in chosen)


def stacked(temper: Temper, stack: int) -> Temper:
    """Return the same manner with so many trades at one price when an order sweeps the book."""
    return replace(temper, stack=stack)


def _made_up(pattern: Listing, number: int) -> Listing:
    """Return an instrument of another coin that is counted as `pattern` is and starts at a price of its own."""
    temper = (TRENDING, RANGING, BRISK, SLOW)[number % 4]
    ticks = (pattern.price / pattern.tick) * (60 + number * 37 % 80) / 100
    return replace(
        pattern,
        base=f"SIM{number}",
        price=int(ticks) * pattern.tick,
        temper=replace(temper, stack=pattern.temper.stack),
    )
