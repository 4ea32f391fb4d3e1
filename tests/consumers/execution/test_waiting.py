"""Trades wait for the watermark: whatever the order and the cuts in which they come, they leave in one order."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from consumers.execution.waiting import Waiting
from schemas.market import Trades

Told = list[tuple[int, int, int]]


def record(told: Told, watermark: int, price_scale: int = 0) -> Trades:
    """Trades of (id, time, price)."""
    ids, times, prices = zip(*told, strict=True) if told else ((), (), ())
    one = Decimal(1)
    return Trades(
        "okx", "BTC/USDT", "BTC-USDT", "live", 0, watermark, one, inverse=False, tick_size=one, lot_size=one,
        price_scale=price_scale, ids=ids, times=times, prices=prices, amounts=(1,) * len(ids), taker_buys=(True,) * len(ids),
    )  # fmt: skip


def due(waiting: Waiting, trades: Trades, known: int = 0) -> list[tuple[int, int, int]]:
    """The rows that leave."""
    tape = waiting.due(trades, known, trades.watermark)
    return list(zip(tape.ids.tolist(), tape.times.tolist(), tape.prices.tolist(), strict=True))


def test_what_is_of_a_complete_time_does_not_wait() -> None:
    """As nearly always: the watermark is the time of the last trade."""
    told = record([(1, 10, 5), (2, 12, 6)], 12)
    assert Waiting().idle(told, 12)
    assert due(Waiting(), told) == [(1, 10, 5), (2, 12, 6)]


def test_a_later_trade_waits_for_what_a_repair_brings() -> None:
    """Trade 4 came while 2 and 3 were being fetched; trade 1 was matched before."""
    waiting = Waiting()
    assert due(waiting, record([(4, 40, 9)], 10), known=1) == []
    assert not waiting.idle(record([], 10), 10)
    assert due(waiting, record([(2, 20, 7), (3, 30, 8)], 10), known=1) == []
    assert due(waiting, record([], 40), known=1) == [(2, 20, 7), (3, 30, 8), (4, 40, 9)]
    assert waiting.idle(record([], 40), 40)


def test_known_trades_are_not_told_again() -> None:
    """Neither those matched before nor those that wait already."""
    waiting = Waiting()
    due(waiting, record([(4, 40, 9)], 10), known=3)
    assert due(waiting, record([(3, 30, 1), (4, 40, 9)], 40), known=3) == [(4, 40, 9)]


def test_prices_of_records_with_different_places_meet_at_the_finest() -> None:
    """5 and 0.25."""
    waiting = Waiting()
    due(waiting, record([(1, 10, 5)], 0))
    tape = waiting.due(record([(2, 11, 25)], 11, price_scale=2), 0, 11)
    assert (tape.prices.tolist(), tape.price_scale) == ([500, 25], 2)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_any_order_and_any_cuts_leave_in_one_order(steps: list[int], dice) -> None:
    """Nothing is lost, nothing is told twice, and ids rise."""
    rows = [(number, 10 * sum(steps[:number]), number) for number in range(1, len(steps) + 1)]
    shuffled = dice.sample(rows, len(rows))
    waiting, left = Waiting(), []
    while shuffled:
        part = [shuffled.pop() for _ in range(min(len(shuffled), dice.randint(1, 4)))]
        missing = min((time for _, time, _ in shuffled), default=rows[-1][1] + 1)
        left += due(waiting, record(part, missing - 1), known=left[-1][0] if left else 0)
    assert left == rows
