"""Feeds tell everything once and in order, but for the faults that strike them."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.simulated.bars import MINUTE, Bar
from infra.simulated.faults import Fault, FaultKind
from infra.simulated.feeds import CandleFeed, Moment, StateFeed, TradesFeed
from infra.simulated.tape import Tape, Trades
from tests.infra.simulated.wire import START, moment


def tape(times: list[int]) -> Tape:
    """Trades 100, 101 .. at these milliseconds after the start."""
    made = Tape()
    ones = np.ones(len(times), dtype=np.int64)
    made.append(Trades(np.arange(len(times), dtype=np.int64) + 100, np.array(times, dtype=np.int64) + START, ones, ones, ones))
    return made


def ids(trades: Trades, _: Moment) -> list[str]:
    return [str(one) for one in trades.ids.tolist()]


class Told:
    """A feed of ten trades a second, and what it told."""

    def __init__(self, since: int = 0, count: int = 100, **options: object) -> None:
        self.feed = TradesFeed("X", lambda _: self.tape, ids, moment(START + since), **options)  # type: ignore[arg-type]
        self.told: list[int] = []

    tape = tape([100 * number for number in range(1, 101)])

    def until(self, milliseconds: int) -> list[int]:
        self.told += [int(str(one)) for one in self.feed.due(moment(START + milliseconds))]
        return self.told

    def strike(self, kind: FaultKind, count: int, milliseconds: int = 0) -> None:
        self.feed.strike(Fault(kind, count=count), moment(START + milliseconds))


@given(st.lists(st.integers(0, 10_500), min_size=1, max_size=30).map(sorted))
def test_every_trade_is_told_once_whenever_a_feed_is_asked(times: list[int]) -> None:
    told = Told()
    for time in times:
        told.until(time)
    assert told.told == list(range(100, 100 + min(100, times[-1] // 100)))


def test_a_feed_begins_with_the_trades_it_is_to_open_with() -> None:
    assert Told(since=550).until(700) == [105, 106]
    assert Told(since=550, opening=2).until(700) == [103, 104, 105, 106]
    marked = Told(since=550, opening=2, snapshot=lambda trades, _: [str(1000 + one) for one in trades.ids.tolist()])
    assert marked.until(700) == [1103, 1104, 105, 106]


def test_a_feed_knows_when_it_is_to_be_asked_again() -> None:
    told = Told()
    told.until(250)
    assert told.feed.next_ms == START + 300
    told.until(20_000)
    assert told.feed.next_ms == float("inf")


def test_skipped_trades_are_never_told() -> None:
    told = Told()
    told.strike(FaultKind.SKIP, 3)
    told.until(200)
    assert told.until(600) == [103, 104, 105]


@pytest.mark.parametrize("step", [100, 250, 1000])
def test_reordered_trades_are_told_last_first_once_they_have_all_come(step: int) -> None:
    told = Told()
    told.strike(FaultKind.REORDER, 4)
    for time in range(step, 1001, step):
        told.until(time)
    assert told.told == [103, 102, 101, 100, *range(104, 110)]


def test_repeated_trades_are_the_last_that_were_told() -> None:
    told = Told()
    told.until(500)
    told.strike(FaultKind.DUPLICATE, 2, 500)
    assert told.until(600) == [100, 101, 102, 103, 104, 103, 104, 105]


def test_a_stale_replay_is_of_the_oldest_trades_where_the_history_is_short() -> None:
    told = Told(since=5000)
    told.strike(FaultKind.STALE, 3, 5000)
    assert told.until(5100) == [100, 101, 102, 150]


def test_what_is_cleared_is_suffered_no_longer_and_loses_nothing_that_was_held_back() -> None:
    told = Told()
    told.strike(FaultKind.REORDER, 50)
    told.until(300)
    told.feed.clear()
    told.strike(FaultKind.SKIP, 50)
    told.feed.clear()
    assert told.until(500) == [100, 101, 102, 103, 104]


def test_what_is_forgotten_is_lost() -> None:
    told = Told(opening=1)
    told.feed.forget(moment(START + 450))
    assert told.until(600) == [104, 105]


def state_feed(state: Callable[[Moment], int | None], pace_ms: int = 100) -> StateFeed[int]:
    return StateFeed("X", pace_ms, state, lambda told, _: [str(told)])


def test_a_state_is_told_when_it_has_changed_and_no_more_often_than_its_pace() -> None:
    feed = state_feed(lambda now: (now.ms - START) // 250)
    told = [str(*feed.due(moment(START + ms, ms / 1000))) for ms in range(0, 1000, 50) if ms != 900]
    assert [one for one in told if one] == ["0", "1", "2", "3"]
    fast = state_feed(lambda now: now.ms)
    assert len([one for ms in range(0, 1000, 10) for one in fast.due(moment(START + ms, ms / 1000))]) == 10


def test_however_fast_the_market_runs_a_state_is_told_twenty_times_a_second_at_most() -> None:
    feed = state_feed(lambda now: now.ms)
    frames = [one for step in range(100) for one in feed.due(Moment(START + step * 6000, 0, 0.0, step / 100))]
    assert 18 <= len(frames) <= 20


def test_nothing_is_told_before_there_is_anything() -> None:
    assert list(state_feed(lambda _: None).due(moment(START))) == []


def test_bars_are_told_as_they_change_and_once_more_when_they_close() -> None:
    def bars(first: int, last: int, now_ms: int) -> list[Bar]:
        return [Bar(one, 1, 1, 1, 1, min(now_ms, one + MINUTE) - one, 0, 0.0) for one in range(first, last + 1, MINUTE)]

    def encode(bar: Bar, closed: bool, _: Moment) -> list[str]:
        return [f"{(bar.open_time - START) // MINUTE}:{bar.lots}:{closed}"]

    feed = CandleFeed("X", MINUTE, bars, encode, moment(START + 500))
    told = [frame for ms in (500, 900, 1500, 61_000, 61_500, 180_000) for frame in feed.due(moment(START + ms, ms / 1000))]
    assert told == ["0:500:False", "0:1500:False", "0:60000:True", "1:1000:False", "1:60000:True", "2:60000:True", "3:0:False"]
