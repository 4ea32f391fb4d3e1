"""A book follows from the time alone, and what has changed leads from any state to any other."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.simulated.book import BookFeed, BookPush, View, changes, view
from infra.simulated.faults import Fault, FaultKind
from infra.simulated.feeds import Moment
from infra.simulated.listing import LISTINGS
from infra.simulated.quotes import Level, quote_after
from tests.infra.simulated.wire import START, moment

TIMES = st.integers(1_700_000_000_000, 1_800_000_000_000)
PRICES = st.integers(3, 10_000)


def book(price: int, now: int, depth: int = 50) -> View:
    return view(LISTINGS[0], quote_after(LISTINGS[0], price, bought=True, now_ms=now), depth, now)


@given(PRICES, st.integers(1, 400), TIMES)
def test_a_book_is_sorted_around_its_quote_and_has_no_price_below_one_tick(price: int, depth: int, now: int) -> None:
    quote = quote_after(LISTINGS[0], price, bought=True, now_ms=now)
    asks, bids = view(LISTINGS[0], quote, depth, now)
    assert (asks[0], bids[0]) == (quote.ask, quote.bid)
    ask_prices, bid_prices = [level.price for level in asks], [level.price for level in bids]
    assert ask_prices == sorted(set(ask_prices))
    assert bid_prices == sorted(set(bid_prices), reverse=True)
    assert len(asks) == depth
    assert 1 <= min(bid_prices) <= max(bid_prices) < min(ask_prices)
    assert min(level.size for level in asks + bids) > 0
    assert all(type(number) is int for level in asks[:2] for number in level)


@given(PRICES, PRICES, TIMES, st.integers(0, 100_000))
def test_what_has_changed_makes_the_older_the_newer(price: int, other: int, now: int, later: int) -> None:
    older, newer = book(price, now), book(other, now + later)
    for before, after in zip(older, newer, strict=True):
        kept = {level.price: level for level in before}
        kept.update({level.price: level for level in changes(before, after)})
        assert sorted(level for level in kept.values() if level.size) == sorted(after)
    assert changes(older.asks, older.asks) == []


def test_most_of_a_book_stays_for_a_while_and_little_of_it_for_long() -> None:
    first = {level.price: level for level in book(5000, START).asks[1:]}

    def changed(milliseconds: int) -> float:
        later = {level.price: level for level in book(5000, START + milliseconds).asks[1:]}
        return sum(first[price] != later.get(price) for price in first) / len(first)

    assert changed(100) < 0.15
    assert 0.3 < changed(6_000) < 0.8
    assert changed(200_000) > 0.9


class Side:
    """A book that is one ask, whose size is the second of the market."""

    def __init__(self, **options: Any) -> None:
        self.feed = BookFeed("X", 100, self.at, self.encode, moment(START), **options)
        self.told: list[BookPush] = []

    def encode(self, push: BookPush, _: Moment) -> list[str]:
        self.told.append(push)
        return []

    def at(self, now_ms: int) -> View:
        return View([Level(10, now_ms // 1000 % 60 + 1, 1)], [])

    def ask(self, milliseconds: int) -> None:
        list(self.feed.due(moment(START + milliseconds, milliseconds / 1000)))

    def numbers(self) -> list[tuple[int, int]]:
        return [(push.previous - START if push.previous >= 0 else -1, push.number - START) for push in self.told]


def test_each_push_follows_the_one_before_and_nothing_is_said_where_nothing_changed() -> None:
    side = Side()
    for milliseconds in (0, 500, 1000, 3500, 3999):
        side.ask(milliseconds)
    assert [push.snapshot for push in side.told] == [True, False, False]
    assert side.numbers() == [(-1, 0), (0, 1000), (1000, 3500)]
    assert [push.nth for push in side.told] == [1, 2, 3]


def test_without_a_snapshot_the_first_push_follows_the_subscription() -> None:
    side = Side(snapshot=False)
    side.ask(500)
    side.ask(1500)
    assert side.numbers() == [(0, 1500)]


def test_no_push_goes_beyond_a_snapshot_that_was_taken_elsewhere() -> None:
    side = Side(snapshot=False, cuts=lambda after, until: [cut for cut in (START + 1200, START + 1400) if after < cut < until])
    side.ask(2500)
    assert side.numbers() == [(0, 1200), (1200, 2500)]


@pytest.mark.parametrize("count", [1, 2])
def test_a_break_leaves_changes_out(count: int) -> None:
    side = Side()
    side.ask(0)
    side.feed.strike(Fault(FaultKind.BOOK_BREAK, count=count), moment(START))
    for second in (1, 2, 3):
        side.ask(second * 1000)
    assert side.numbers() == [(-1, 0), *[(1000 * number, 1000 * number + 1000) for number in range(count, 3)]]


def test_what_is_lost_in_silence_is_missing_afterwards() -> None:
    side = Side()
    side.ask(0)
    side.feed.forget(moment(START + 5000, 5.0))
    side.ask(6000)
    assert side.numbers() == [(-1, 0), (5000, 6000)]
