"""Whole lives of positions, told by tables: what goes in, and every record that comes out, in order."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from consumers.execution import fold as execution
from schemas import codec
from schemas.trading import Fill, Intent, Order, Position
from tests.consumers.execution.scenario import LONG_ASKED, LONG_OPENED, MINUTE, SETTINGS, SWAP, T0, Log, fold, opened, tell

SHORT_OPENED = [
    "intent entry: sell 10 market",
    "order entry open",
    "fill entry: sell 10 at 100, fee 1 USDT",
    "order entry closed",
    "position short open: 10 from 100, realized -1",
    "intent stop: buy 10 stop at 101",
    "order stop open",
    "intent target: buy 10 limit at 98",
    "order target open",
]


def long_reaches_its_target(log: Log) -> None:
    opened(log)
    log.move([(200, "101.9")])
    log.move([(300, "102.5")])


def long_is_stopped(log: Log) -> None:
    opened(log)
    log.move([(200, "99.1"), (300, "99.0"), (400, "90.0")])


def long_gaps_through_its_stop(log: Log) -> None:
    opened(log)
    log.move([(200, "95.0")])


def short_reaches_its_target(log: Log) -> None:
    opened(log, "short")
    log.move([(200, "98.1"), (300, "97.0")])


def short_is_stopped(log: Log) -> None:
    opened(log, "short")
    log.move([(200, "101.5")])


def stop_before_target_in_one_record(log: Log) -> None:
    opened(log)
    log.move([(200, "98.9"), (201, "102.0")])


def target_before_stop_in_one_record(log: Log) -> None:
    opened(log)
    log.move([(200, "102.0"), (201, "98.9")])


def a_whole_life_in_one_record(log: Log) -> None:
    log.move([(0, "100.0"), (100, "100.0"), (101, "100.5"), (102, "103.0"), (103, "50.0")], [log.signal("long")])


def two_lives_in_one_record(log: Log) -> None:
    trades = [(-5, "50.0"), (100, "100.0"), (101, "103.0"), (999, "50.0"), (1100, "100.0"), (1200, "97.0")]
    log.move(trades, [log.signal("short", at=1000), log.signal("long")])


def exit_before_and_after_a_signal(log: Log) -> None:
    opened(log)
    log.move([(999, "100.0"), (1000, "99.0")], [log.signal("long", at=1000)])


def entry_waits_for_the_latency(log: Log) -> None:
    log.move([(0, "100.0")], [log.signal("long")])
    log.move([(0, "90.0"), (4, "91.0")])


def entry_ignores_trades_before_its_signal(log: Log) -> None:
    log.move([(-1, "90.0"), (0, "100.0"), (4, "100.0")], [log.signal("long")])


def entry_outlives_its_signal(log: Log) -> None:
    log.move([(0, "100.0")], [log.signal("long")])
    log.move([(MINUTE + 1, "100.0")])


def entry_expires_before_a_later_signal(log: Log) -> None:
    log.move([(0, "100.0"), (MINUTE + 1, "100.0")], [log.signal("long"), log.signal("short", at=MINUTE + 1)])


def entry_waits_until_its_signal_expires(log: Log) -> None:
    log.move(at=MINUTE, signals=[log.signal("long"), log.signal("short", at=MINUTE)])


def entry_expires_on_a_heartbeat(log: Log) -> None:
    log.move([(0, "100.0")], [log.signal("long")])
    log.move(at=MINUTE + 1)


def known_trades_fill_nothing(log: Log) -> None:
    opened(log)
    log.move([(200, "90.0"), (201, "90.0")], ids=(1, 2))


STOPPED_OUT = ["fill stop: sell 10 at 99, fee 0.99 USDT", "order stop closed", "order target canceled: stop filled"]
TARGET_HIT = ["fill target: sell 10 at 102, fee 1.02 USDT", "order target closed", "order stop canceled: target filled"]

LIVES: dict[Callable[[Log], None], list[str]] = {
    long_reaches_its_target: [
        *LONG_OPENED,
        *TARGET_HIT,
        "position long closed: 0 from 100, target at 102, realized 17.98",
    ],
    long_is_stopped: [*LONG_OPENED, *STOPPED_OUT, "position long closed: 0 from 100, stop at 99, realized -11.99"],
    long_gaps_through_its_stop: [
        *LONG_OPENED,
        "fill stop: sell 10 at 95, fee 0.95 USDT",
        "order stop closed",
        "order target canceled: stop filled",
        "position long closed: 0 from 100, stop at 95, realized -51.95",
    ],
    short_reaches_its_target: [
        *SHORT_OPENED,
        "fill target: buy 10 at 98, fee 0.98 USDT",
        "order target closed",
        "order stop canceled: target filled",
        "position short closed: 0 from 100, target at 98, realized 18.02",
    ],
    short_is_stopped: [
        *SHORT_OPENED,
        "fill stop: buy 10 at 101.5, fee 1.015 USDT",
        "order stop closed",
        "order target canceled: stop filled",
        "position short closed: 0 from 100, stop at 101.5, realized -17.015",
    ],
    stop_before_target_in_one_record: [
        *LONG_OPENED,
        "fill stop: sell 10 at 98.9, fee 0.989 USDT",
        "order stop closed",
        "order target canceled: stop filled",
        "position long closed: 0 from 100, stop at 98.9, realized -12.989",
    ],
    target_before_stop_in_one_record: [
        *LONG_OPENED,
        *TARGET_HIT,
        "position long closed: 0 from 100, target at 102, realized 17.98",
    ],
    a_whole_life_in_one_record: [
        *LONG_OPENED,
        *TARGET_HIT,
        "position long closed: 0 from 100, target at 102, realized 17.98",
    ],
    entry_waits_for_the_latency: LONG_ASKED,
    two_lives_in_one_record: [
        *LONG_OPENED,
        *TARGET_HIT,
        "position long closed: 0 from 100, target at 102, realized 17.98",
        *SHORT_OPENED,
        "fill target: buy 10 at 98, fee 0.98 USDT",
        "order target closed",
        "order stop canceled: target filled",
        "position short closed: 0 from 100, target at 98, realized 18.02",
    ],
    exit_before_and_after_a_signal: [
        *LONG_OPENED,
        "refused: position open",
        *STOPPED_OUT,
        "position long closed: 0 from 100, stop at 99, realized -11.99",
    ],
    entry_ignores_trades_before_its_signal: LONG_ASKED,
    entry_outlives_its_signal: [*LONG_ASKED, "order entry canceled: signal expired"],
    entry_expires_before_a_later_signal: [*LONG_ASKED, "order entry canceled: signal expired", *SHORT_OPENED[:2]],
    entry_waits_until_its_signal_expires: [*LONG_ASKED, "refused: entry pending"],
    entry_expires_on_a_heartbeat: [*LONG_ASKED, "order entry canceled: signal expired"],
    known_trades_fill_nothing: LONG_OPENED,
}


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_life_of_a_position(life: Callable[[Log], None]) -> None:
    """Every record of a position's life comes out, in the order to publish."""
    log = Log()
    life(log)
    assert tell(fold(log.inputs)) == LIVES[life]


@pytest.mark.parametrize(
    ("symbol", "inverse", "contract_size", "lot", "story"),
    [
        ("BTC/USDT", False, "1", "0.001", ["intent entry: buy 9.999 market", "fill entry: buy 9.999 at 100, fee 0.9999 USDT"]),
        (SWAP, False, "0.01", "1", ["intent entry: buy 999 market", "fill entry: buy 999 at 100, fee 0.999 USDT"]),
        (SWAP, False, "0.01", "0.1", ["intent entry: buy 999.9 market", "fill entry: buy 999.9 at 100, fee 0.9999 USDT"]),
        ("BTC/USD:BTC", True, "100", "1", ["intent entry: buy 10 market", "fill entry: buy 10 at 100, fee 0.01 BTC"]),
    ],
)
def test_amounts_are_native_units(symbol: str, inverse: bool, contract_size: str, lot: str, story: list[str]) -> None:
    """Whole lots of base units or contracts, and fees in what the market settles in."""
    log = Log(symbol, contract_size, lot, inverse=inverse)
    log.move([(0, "100.0")], [log.signal("long", price="100.01")])
    log.move([(100, "100.0")])
    told = tell(fold(log.inputs))
    assert [told[0], told[2]] == story


def test_exits_match_from_the_next_trade_on() -> None:
    """Where a tick is coarser than the stop's percent, the stop lies at the entry: the entry's own trade does not fill it."""
    log = Log()
    log.move([(0, "3.0")], [log.signal("long", price="3")])
    log.move([(100, "3.0")])
    assert [one.leg for one in fold(log.inputs) if isinstance(one, Fill)] == ["entry"]
    log.move([(200, "3.0")])
    assert [one.leg for one in fold(log.inputs) if isinstance(one, Fill)] == ["entry", "stop"]


def test_inverse_profit_is_base_units() -> None:
    """A long of 10 contracts of 100 USD from 100 to 102 gains 10 - 9.803921568627 BTC before fees."""
    log = Log("BTC/USD:BTC", "100", inverse=True)
    long_reaches_its_target(log)
    (closed,) = (one for one in fold(log.inputs) if isinstance(one, Position) and one.status == "closed")
    worth = Decimal("9.803921568627")
    assert closed.realized == 10 - worth - (10 + worth) * Decimal("0.001")


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_restart_at_every_step(life: Callable[[Log], None]) -> None:
    """Wherever a process dies and goes on from its state, or from an older one, the same bytes come out."""
    log = Log()
    life(log)
    states: list[bytes | None] = [None]
    published: list[list[bytes]] = []
    for one in log.inputs:
        state, outputs = execution.step(states[-1], one, SETTINGS)
        states.append(state)
        published.append([codec.encode(output) for output in outputs])
    for start, old in enumerate(states):
        state = old
        for at in range(start, len(log.inputs)):
            state, outputs = execution.step(state, log.inputs[at], SETTINGS)
            assert [codec.encode(output) for output in outputs] == published[at]
            assert state == states[at + 1]


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_every_input_twice(life: Callable[[Log], None]) -> None:
    """An input forwarded again, at once or at the end, changes neither state nor output."""
    log = Log()
    life(log)
    doubled = [copy for one in log.inputs for copy in (one, one)]
    assert fold([*doubled, *log.inputs]) == fold(log.inputs)


def test_times_are_of_the_cause() -> None:
    """Entries are asked for at their signal's time, exits at the time of the trade that filled the entry."""
    log = Log()
    long_reaches_its_target(log)
    outputs = fold(log.inputs)
    assert [one.time - T0 for one in outputs if isinstance(one, Intent)] == [0, 100, 100]
    assert [one.time - T0 for one in outputs if isinstance(one, Fill)] == [100, 300]
    assert [one.time - T0 for one in outputs if isinstance(one, Order) and one.status == "canceled"] == [300]
    assert [one.revision for one in outputs if isinstance(one, Position)] == [1, 2]


def test_command_cancels_at_the_time_the_market_had_reached() -> None:
    """It has no market time of its own."""
    log = Log()
    log.move([(0, "100.0")], [log.signal("long")], at=70)
    log.command("stop")
    assert [one.time - T0 for one in fold(log.inputs) if isinstance(one, Order)] == [0, 70]


def test_cause_leads_back_to_the_signal() -> None:
    """Exits name the entry, the entry and the position name the signal."""
    log = Log()
    opened(log)
    entry, stop, target = (one for one in fold(log.inputs) if isinstance(one, Intent))
    (held,) = (one for one in fold(log.inputs) if isinstance(one, Position))
    assert (entry.cause, held.cause) == ("signal-long-0-1m",) * 2
    assert (stop.cause, target.cause) == (entry.client_order_id,) * 2


def test_unreadable_state_is_named() -> None:
    """State of another version stops execution with a message, not with a guess."""
    with pytest.raises(execution.StateError, match="cannot be read"):
        execution.step(b"rubbish", Log().move(), SETTINGS)


def test_broken_payload_is_told_apart() -> None:
    """A payload that is no move raises DecodeError and leaves the state to the caller as it was."""
    log = Log()
    broken = msgspec.structs.replace(log.move([(0, "100.0")]), payload=b"rubbish")
    with pytest.raises(codec.DecodeError, match="unknown schema fingerprint"):
        execution.step(None, broken, SETTINGS)
