"""Order books against a dictionary of prices, against ccxt's own, against recorded sequences, and with faults in them."""

import random
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from ccxt.async_support.base.ws.order_book import OrderBook
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.books import Book, Status, record
from producers.dialect import BookPushed, BookRule, Level
from producers.dialects import DIALECTS
from schemas.exact import from_scaled
from tests.producers.dialects.samples import instrument, samples

BTC = instrument("okx")
COUNTED = BookRule("counted")


def levels(*pairs: str) -> tuple[Level, ...]:
    """`99@1` is a price and an amount."""
    return tuple((Decimal(price), Decimal(amount)) for price, _, amount in (pair.partition("@") for pair in pairs))


# Against a naive model, and against ccxt's own order book.

PRICES = st.integers(1, 60)
CHANGES = st.lists(st.tuples(st.booleans(), PRICES, st.integers(0, 3)), max_size=60)


def naive(changes: list[tuple[bool, int, int]]) -> tuple[dict[int, int], dict[int, int]]:
    bids, asks = dict[int, int](), dict[int, int]()
    for is_bid, price, amount in changes:
        side = bids if is_bid else asks
        side.pop(price, None)
        if amount:
            side[price] = amount
    return bids, asks


def pushes(changes: list[tuple[bool, int, int]], rule: str) -> list[BookPushed]:
    """Each change a push of its own, numbered from 11 on by that rule; asks lie above all bids."""
    made = []
    for number, (is_bid, price, amount) in enumerate(changes, 11):
        level = ((Decimal(price if is_bid else price + 100), Decimal(amount)),)
        numbers = {"previous": {"previous": number - 1}, "adjoining": {"first": number}}.get(rule, {})
        counted = {} if rule == "counted" else {"last": number}
        made.append(
            BookPushed("x", number, level if is_bid else (), () if is_bid else level, snapshot=False, **numbers, **counted)
        )
    return made


def plain(book: Book) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    bids, asks = book.top()
    return [(int(price), int(amount)) for price, amount in bids], [(int(price) - 100, int(amount)) for price, amount in asks]


@settings(deadline=None)
@given(CHANGES, st.sampled_from(["previous", "adjoining", "rising", "counted"]))
def test_a_book_is_what_a_dictionary_of_prices_would_be(changes: list[tuple[bool, int, int]], rule: str) -> None:
    book = Book(BookRule(rule))
    book.apply(BookPushed("x", 10, (), (), snapshot=True, last=10))
    for count, pushed in enumerate(pushes(changes, rule), 1):
        assert book.apply(pushed) is Status.LIVE
        bids, asks = naive(changes[:count])
        assert plain(book) == (sorted(bids.items(), reverse=True)[:20], sorted(asks.items())[:20])


@settings(deadline=None)
@given(CHANGES)
def test_a_book_is_what_ccxt_makes_of_the_same_changes(changes: list[tuple[bool, int, int]]) -> None:
    theirs, ours = OrderBook({}), Book(COUNTED)
    ours.apply(BookPushed("x", 10, (), (), snapshot=True))
    for (is_bid, price, amount), pushed in zip(changes, pushes(changes, "counted"), strict=True):
        theirs["bids" if is_bid else "asks"].store(price, amount)
        ours.apply(pushed)
    theirs.limit()
    assert plain(ours) == tuple([(price, amount) for price, amount in theirs[side][:20]] for side in ("bids", "asks"))


@settings(deadline=None)
@given(CHANGES.filter(lambda changes: len(changes) > 2), st.data(), st.sampled_from(["previous", "adjoining"]))
def test_a_missing_repeated_or_reordered_change_never_ends_in_a_wrong_book(
    changes: list[tuple[bool, int, int]], data: st.DataObject, rule: str
) -> None:
    """Whatever is left out, told twice or told in another order: from there on the book is broken, and not one change sooner."""
    right = pushes(changes, rule)
    at = data.draw(st.integers(0, len(right) - 2))
    fault = data.draw(st.sampled_from(["missing", "repeated", "reordered"]))
    middle = {"missing": [], "repeated": [right[at], right[at]], "reordered": [right[at + 1], right[at]]}[fault]
    faulty = [*right[:at], *middle, *right[at + (2 if fault == "reordered" else 1) :]]
    book = Book(BookRule(rule))
    book.apply(BookPushed("x", 10, (), (), snapshot=True, last=10))
    spoiled = at + (1 if fault == "repeated" else 0)
    for count, pushed in enumerate(faulty):
        assert book.apply(pushed) is (Status.LIVE if count < spoiled else Status.BROKEN)
        if count < spoiled:
            bids, asks = naive(changes[: count + 1])
            assert plain(book) == (sorted(bids.items(), reverse=True)[:20], sorted(asks.items())[:20])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["missing", "repeated", "reordered"]))
def test_where_there_are_no_numbers_the_checksum_finds_a_fault_among_the_best(seed: int, fault: str) -> None:
    """A fault may go unseen while it leaves the best ten as they are, and then those are right."""
    rng = random.Random(seed)
    truth, book = Book(BookRule("counted")), Book(BookRule("counted", checksum="kraken"))
    for one in (truth, book):
        one.apply(BookPushed("x", 10, levels("50@1"), levels("150@1"), snapshot=True))
    right = []
    for pushed in pushes([(rng.random() < 0.5, rng.randint(1, 20), rng.randint(0, 3)) for _ in range(40)], "counted"):
        truth.apply(pushed)
        right.append(msgspec.structs.replace(pushed, checksum=Book.checksum(_with_kraken(truth))))
    at = rng.randrange(len(right) - 1)
    middle = {"missing": [], "repeated": [right[at], right[at]], "reordered": [right[at + 1], right[at]]}[fault]
    for pushed in [*right[:at], *middle, *right[at + (2 if fault == "reordered" else 1) :]]:
        book.apply(pushed)
        assert book.status is Status.BROKEN or book.checksum() == pushed.checksum


def _with_kraken(book: Book) -> Book:
    book.rule = BookRule("counted", checksum="kraken")
    return book


# The captured sequences, as their dialects read them.

FETCHED_FOR = {
    "binance": lambda first: BookPushed("x", 1, (), (), snapshot=True, last=first.first + 1),
    "binanceusdm": lambda first: BookPushed("x", 1, (), (), snapshot=True, last=first.last - 1),
}


def captured(shared: Path, venue: str) -> list[BookPushed]:
    frames = [sample.text for sample in samples(shared, venue) if sample.kind == "sequence_book"]
    events = [event for frame in frames for event in DIALECTS[venue].parse(frame)]
    return [event for event in events if isinstance(event, BookPushed)]


def played(rule: BookRule, told: list[BookPushed], venue: str) -> Book:
    book = Book(rule)
    for count, pushed in enumerate(told):
        book.apply(pushed)
        if count == 0 and venue in FETCHED_FOR:
            book.apply(FETCHED_FOR[venue](pushed), fetched=True)
    return book


@pytest.mark.parametrize("venue", ["okx", "binance", "binanceusdm", "deribit", "coinbaseexchange", "upbit"])
def test_a_captured_sequence_keeps_its_book_live_and_without_any_one_frame_it_breaks(shared: Path, venue: str) -> None:
    """Where numbers show it: a book of Coinbase cannot know, and OKX had no numbers yet when this was captured."""
    told = captured(shared, venue)
    rule = DIALECTS[venue].book_rule(BTC)
    if venue == "okx":
        rule = BookRule("counted", depth=rule.depth)
    assert len(told) > 20
    assert played(rule, told, venue).status is Status.LIVE
    if rule.continues not in ("counted", "whole"):
        for left_out in range(2, len(told) - 1):
            assert played(rule, [*told[:left_out], *told[left_out + 1 :]], venue).status is Status.BROKEN


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 10**9)), min_size=1, max_size=30, unique_by=lambda level: level[0])
)
def test_a_record_gives_back_the_levels_exactly(raw: list[tuple[int, int]]) -> None:
    bids = tuple((Decimal(price).scaleb(-4), Decimal(amount).scaleb(-6)) for price, amount in raw)
    book = Book(COUNTED)
    book.apply(BookPushed("x", 1, bids, (), snapshot=True))
    made = record(BTC, book, 1)
    told = zip(made.bid_prices, made.bid_amounts, strict=True)
    back = tuple((from_scaled(price, made.price_scale), from_scaled(amount, made.amount_scale)) for price, amount in told)
    assert back == tuple(sorted(bids, reverse=True))[:20]
