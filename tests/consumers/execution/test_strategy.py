"""What becomes of a signal; sizes and levels: exact, in native units, rounded against ourselves."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.execution.market import Market
from consumers.execution.strategy import exit_prices, size
from schemas.market import Gap
from tests.consumers.execution.scenario import LONG_ASKED, LONG_OPENED, MINUTE, SETTINGS, T0, Log, fold, opened, tell


def gap_after_the_candle_is_none_of_its(log: Log) -> None:
    log.move([(0, "100.0"), (9, "1.0")], [log.signal("long")], gap=Gap(1, 5, T0, T0 + 9, "reconnect"))


def gap_in_the_same_record_is_its_own(log: Log) -> None:
    log.move([(0, "100.0")], [log.signal("long")], gap=Gap(1, 5, T0 - 1, T0, "reconnect"))


def refused_after_a_gap(log: Log) -> None:
    log.move([(0, "100.0")], [log.signal("long")], gap=Gap(1, 5, T0 - 90_000, T0 - 30_000, "reconnect"))


def gap_is_over_for_a_later_candle(log: Log) -> None:
    log.move([(0, "100.0")], gap=Gap(1, 5, T0 - 90_000, T0 - MINUTE, "reconnect"))
    log.move([(MINUTE, "100.0")], [log.signal("long", at=MINUTE)])


def refused_while_stopped(log: Log) -> None:
    log.command("stop")
    log.move([(0, "100.0")], [log.signal("long")])


def started_again(log: Log) -> None:
    log.command("stop")
    log.command("start")
    log.move([(0, "100.0")], [log.signal("long")])


def stop_takes_back_the_entry(log: Log) -> None:
    log.move([(0, "100.0")], [log.signal("long")])
    log.command("stop")


def stop_keeps_the_exits(log: Log) -> None:
    opened(log)
    log.command("stop")
    log.move([(300, "98.9")])


def commands_of_others(log: Log) -> None:
    log.command("stop", account="other")
    log.command("stop", strategy="grid")
    log.move([(0, "100.0")], [log.signal("long")])


def refused_with_a_position(log: Log) -> None:
    opened(log)
    log.move([(MINUTE, "100.0")], [log.signal("short", at=MINUTE)])


def refused_with_an_entry_waiting(log: Log) -> None:
    log.move([(0, "100.0")], [log.signal("long"), log.signal("short")])


def decided_as_of_its_time_however_late(log: Log) -> None:
    log.move([(MINUTE + 1, "100.0")], [log.signal("long")])


def refused_when_too_small(log: Log) -> None:
    log.move([(0, "1001.0")], [log.signal("long", price="1001")])


def raised_by_a_heartbeat(log: Log) -> None:
    log.move([], [log.signal("long")], at=0)


def other_timeframes_are_left_alone(log: Log) -> None:
    log.move([(0, "100.0")], [log.signal("long", timeframe="5m")])


def a_signal_read_twice(log: Log) -> None:
    log.move([(0, "1001.0")], [log.signal("long", price="1001")])
    log.move([(1, "100.0")], [log.signal("long", price="1001")])


def a_move_published_twice(log: Log) -> None:
    opened(log)
    log.move([(300, "98.9")], offset=1)


VERDICTS: dict[Callable[[Log], None], list[str]] = {
    gap_after_the_candle_is_none_of_its: LONG_ASKED,
    gap_in_the_same_record_is_its_own: ["refused: market data has a gap"],
    refused_after_a_gap: ["refused: market data has a gap"],
    gap_is_over_for_a_later_candle: LONG_ASKED,
    refused_while_stopped: ["refused: strategy stopped"],
    started_again: LONG_ASKED,
    stop_takes_back_the_entry: [*LONG_ASKED, "order entry canceled: strategy stopped"],
    stop_keeps_the_exits: [
        *LONG_OPENED,
        "fill stop: sell 10 at 98.9, fee 0.989 USDT",
        "order stop closed",
        "order target canceled: stop filled",
        "position long closed: 0 from 100, stop at 98.9, realized -12.989",
    ],
    commands_of_others: LONG_ASKED,
    refused_with_a_position: [*LONG_OPENED, "refused: position open"],
    refused_with_an_entry_waiting: [*LONG_ASKED, "refused: entry pending"],
    decided_as_of_its_time_however_late: [*LONG_ASKED, "order entry canceled: signal expired"],
    refused_when_too_small: ["refused: amount too small"],
    raised_by_a_heartbeat: LONG_ASKED,
    other_timeframes_are_left_alone: [],
    a_signal_read_twice: ["refused: amount too small"],
    a_move_published_twice: LONG_OPENED,
}


@pytest.mark.parametrize("case", VERDICTS, ids=lambda case: case.__name__)
def test_verdict_on_a_signal(case: Callable[[Log], None]) -> None:
    """A signal becomes an order or a refusal with its reason, once."""
    log = Log()
    case(log)
    assert tell(fold(log.inputs)) == VERDICTS[case]


def test_spot_is_not_sold_short() -> None:
    """Nobody sells spot that they do not have."""
    log = Log("BTC/USDT")
    log.move([(0, "100.0")], [log.signal("short")])
    assert tell(fold(log.inputs)) == ["refused: spot cannot be sold short"]


@pytest.mark.parametrize(
    ("side", "price", "tick", "stop", "target"),
    [
        ("buy", "100", "0.1", "99", "102"),
        ("sell", "100", "0.1", "101", "98"),
        ("buy", "100.01", "0.01", "99.01", "102.02"),
        ("sell", "100.01", "0.01", "101.01", "98"),
        ("buy", "100.01", "0.25", "99.25", "102.25"),
        ("sell", "100.01", "0.25", "101", "98"),
        ("buy", "64123", "50", "63500", "65450"),
        ("buy", "0.00000123", "0.00000001", "0.00000122", "0.00000126"),
        ("buy", "3", "1", "3", "4"),
        ("sell", "3", "1", "3", "2"),
        ("sell", "1", "1", "1", "1"),
    ],
)
def test_exit_prices(side: str, price: str, tick: str, stop: str, target: str) -> None:
    """The stop is rounded towards the entry, the target away from it, to whole ticks; no price is below one."""
    assert exit_prices(side, Decimal(price), Decimal(tick), SETTINGS) == (Decimal(stop), Decimal(target))


STEPS = st.sampled_from([Decimal(step) for step in ("0.00000001", "0.001", "0.01", "0.05", "0.25", "1", "100")])
PERCENTS = st.decimals("0.1", "99", places=1)


@given(st.sampled_from(["buy", "sell"]), st.integers(1, 10**9), STEPS, PERCENTS, PERCENTS)
def test_exits_surround_the_entry(side: str, ticks: int, tick: Decimal, stop_percent: Decimal, target_percent: Decimal) -> None:
    """Never more risk and never less gain than asked, and less than one tick from it."""
    asked = replace(SETTINGS, stop_percent=stop_percent, target_percent=target_percent)
    price = ticks * tick
    stop, target = exit_prices(side, price, tick, asked)
    risk = abs(Fraction(price) - Fraction(stop)) - Fraction(price) * Fraction(stop_percent) / 100
    gain = abs(Fraction(price) - Fraction(target)) - Fraction(price) * Fraction(target_percent) / 100
    assert -tick < risk <= 0
    assert 0 <= gain < tick or target == tick
    assert stop % tick == target % tick == 0
    assert (stop <= price <= target) if side == "buy" else (target <= price <= stop)


@pytest.mark.parametrize(
    ("price", "contract_size", "inverse", "lot", "amount"),
    [
        ("64123.4", "1", False, "0.0001", "0.0155"),
        ("999.99", "1", False, "0.0001", "1"),
        ("100000000", "1", False, "0.0001", "0"),
        ("64123.4", "0.01", False, "1", "1"),
        ("64123.4", "0.01", False, "0.01", "1.55"),
        ("100001", "0.01", False, "1", "0"),
        ("100001", "0.01", False, "0.01", "0.99"),
        ("64123.4", "100", True, "1", "10"),
        ("64123.4", "1001", True, "1", "0"),
        ("64123.4", "1001", True, "0.1", "0.9"),
        ("0.0023", "1", False, "1000", "434000"),
        ("0", "1", False, "1", "0"),
    ],
)
def test_size(price: str, contract_size: str, inverse: bool, lot: str, amount: str) -> None:
    """A thousand in quote units buys whole lots, rounded down; 0 means less than one."""
    market = Market(contract_size=Decimal(contract_size), inverse=inverse, lot_size=Decimal(lot))
    assert size(Decimal(price), market, Decimal(1000)) == Decimal(amount)


@given(st.decimals("0.00000001", "9999999", places=8), STEPS, st.decimals("0.01", "9999999", places=2))
def test_size_is_the_largest_that_fits(price: Decimal, lot: Decimal, quote: Decimal) -> None:
    """One lot more would be worth more than was asked for."""
    amount = size(price, Market(lot_size=lot), quote)
    assert amount % lot == 0
    assert Fraction(amount) * Fraction(price) <= Fraction(quote) < (Fraction(amount) + Fraction(lot)) * Fraction(price)
