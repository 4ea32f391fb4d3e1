"""Order books: sequence rules, snapshots that come late, checksums, and no fault that ends in a wrong book."""

import random
import time
from decimal import Decimal

import ccxt
import msgspec
import pytest

from producers.books import Book, Status, record
from producers.dialect import BookPushed, BookRule, Level
from schemas import market
from tests.producers.dialects.samples import instrument

BTC = instrument("okx")
PREVIOUS, ADJOINING, RISING = BookRule("previous"), BookRule("adjoining"), BookRule("rising")
WHOLE, COUNTED = BookRule("whole"), BookRule("counted")


def levels(*pairs: str) -> tuple[Level, ...]:
    """`99@1` is a price and an amount."""
    return tuple((Decimal(price), Decimal(amount)) for price, _, amount in (pair.partition("@") for pair in pairs))


def snapshot(
    last: int | None = 10, bids: tuple[Level, ...] = levels("99@1"), asks: tuple[Level, ...] = levels("101@1")
) -> BookPushed:
    return BookPushed("BTC-USDT", 1_000, bids, asks, snapshot=True, last=last)


def change(
    last: int | None = None,
    *,
    first: int | None = None,
    previous: int | None = None,
    bid: str = "",
    ask: str = "",
    at: int = 2_000,
) -> BookPushed:
    bids, asks = levels(bid) if bid else (), levels(ask) if ask else ()
    return BookPushed("BTC-USDT", at, bids, asks, snapshot=False, first=first, last=last, previous=previous)


def live(rule: BookRule, last: int | None = 10) -> Book:
    book = Book(rule)
    assert book.apply(snapshot(last)) is Status.LIVE
    return book


CONTINUES = {
    "a change that names ours as the one before": (PREVIOUS, change(17, previous=10, bid="99@2"), None),
    "numbers that restart, told by naming ours": (PREVIOUS, change(3, previous=10, bid="99@2"), None),
    "a change that names a later one": (PREVIOUS, change(17, previous=12), "12 after 10 does not continue the book"),
    "a change that names an earlier one": (PREVIOUS, change(10, previous=9), "9 after 10 does not continue the book"),
    "a change that names none": (PREVIOUS, change(17), "None after 10 does not continue the book"),
    "a change that begins after ours": (ADJOINING, change(13, first=11, bid="99@2"), None),
    "a change that leaves one out": (ADJOINING, change(13, first=12), "12 after 10 does not continue the book"),
    "a change that we had": (ADJOINING, change(10, first=9), "9 after 10 does not continue the book"),
    "a change half of which we had": (ADJOINING, change(12, first=10), "10 after 10 does not continue the book"),
    "a higher number": (RISING, change(17, bid="99@2"), None),
    "the same number": (RISING, change(10), "10 after 10 does not continue the book"),
    "no number where there are none": (COUNTED, change(bid="99@2"), None),
    "a change where only whole books come": (WHOLE, change(11), "11 after 10 does not continue the book"),
}


@pytest.mark.parametrize("case", CONTINUES)
def test_a_change_continues_the_book_by_its_venues_rule_or_breaks_it(case: str) -> None:
    rule, pushed, reason = CONTINUES[case]
    book = live(rule)
    assert book.apply(pushed) is (Status.LIVE if reason is None else Status.BROKEN)
    assert book.reason == reason
    assert book.top() == ((levels("99@2"), levels("101@1")) if reason is None else ((), ()))


def test_levels_are_put_replaced_and_removed_and_come_best_first() -> None:
    """An amount of 0 removes; removing what is not there means nothing."""
    book = Book(COUNTED)
    book.apply(snapshot(None, levels("98@1", "99@2", "97@0"), levels("102@1", "101@3")))
    for pushed in (change(bid="98.5@4"), change(ask="101@0"), change(bid="99@5"), change(bid="42@0"), change(ask="103@7")):
        book.apply(pushed)
    assert book.top() == (levels("99@5", "98.5@4", "98@1"), levels("102@1", "103@7"))
    assert book.top(1) == (levels("99@5"), levels("102@1"))
    assert book.time == 2_000


def test_before_a_snapshot_there_is_no_book() -> None:
    """What precedes a snapshot on its own connection is older than the snapshot."""
    book = Book(PREVIOUS)
    assert book.apply(change(17, previous=12, bid="99@9")) is Status.WAITING
    assert book.top() == ((), ())
    assert book.apply(snapshot()) is Status.LIVE
    assert book.top() == (levels("99@1"), levels("101@1"))


FETCHED = {
    # A change of [first, last] and the one before it, kept while the answer with number 10 was on its way.
    "spot: older ones are dropped, the first one bridges": (ADJOINING, [(6, 8, None), (9, 12, None), (13, 13, None)], 13),
    "spot: the first one adjoins": (ADJOINING, [(11, 11, None), (12, 14, None)], 14),
    "spot: all are older": (ADJOINING, [(6, 8, None), (9, 10, None)], 10),
    "spot: the answer is too old": (ADJOINING, [(12, 14, None)], None),
    "futures: ids leave room for other markets": (PREVIOUS, [(3, 5, 1), (9, 14, 5), (20, 22, 14)], 22),
    "futures: the answer is of a time between two": (PREVIOUS, [(3, 5, 1), (15, 19, 8)], 19),
    "futures: the last one is the answer's": (PREVIOUS, [(3, 10, 1), (15, 19, 10)], 19),
    "futures: the answer is too old": (PREVIOUS, [(20, 22, 14)], None),
}


@pytest.mark.parametrize("case", FETCHED)
def test_a_book_fetched_over_rest_meets_the_changes_kept_meanwhile(case: str) -> None:
    """Binance's rule: drop what ended before the snapshot; the first to follow begins no later than just after it."""
    rule, kept, last = FETCHED[case]
    book = Book(rule)
    for first, end, previous in kept:
        assert book.apply(change(end, first=first, previous=previous, bid=f"90@{end}")) is Status.WAITING
    book.apply(snapshot(10), fetched=True)
    if last is None:
        assert book.status is Status.WAITING, "and is asked for again"
        book.apply(snapshot(kept[0][1]), fetched=True)
        last = kept[-1][1]
    assert (book.status, book.sequence) == (Status.LIVE, last)
    told = [level for level in book.top()[0] if level[0] == 90]
    assert told == (list(levels(f"90@{last}")) if kept[-1][1] > 10 and last != kept[0][1] else [])


def test_changes_after_a_fetched_book_may_still_be_older_than_it() -> None:
    """An answer overtakes the stream: what it holds already is dropped until the stream has caught up."""
    book = Book(ADJOINING)
    book.apply(snapshot(10), fetched=True)
    for pushed in (change(8, first=6, bid="90@8"), change(11, first=9, bid="91@1"), change(12, first=12, bid="92@1")):
        assert book.apply(pushed) is Status.LIVE
    assert book.top() == (levels("99@1", "92@1", "91@1"), levels("101@1"))
    assert book.apply(change(12, first=12)) is Status.BROKEN, "once it has, a repeated one is a fault"


def test_a_stream_that_never_catches_up_with_the_fetched_book_breaks_it() -> None:
    book = Book(ADJOINING)
    book.apply(snapshot(10_000), fetched=True)
    for number in range(1_000):
        book.apply(change(number, first=number))
    assert (book.status, book.reason) == (Status.BROKEN, "1000 changes all older than the snapshot")


def test_changes_are_kept_in_bounded_number() -> None:
    """The oldest are forgotten: then only an answer that has them too is new enough."""
    book = Book(ADJOINING)
    for number in range(1, 1_501):
        book.apply(change(number, first=number))
    assert book.apply(snapshot(400), fetched=True) is Status.WAITING
    assert book.apply(snapshot(500), fetched=True) is Status.LIVE
    assert book.sequence == 1_500


BREAKS = {
    "a crossed book": (change(bid="101@1"), "crossed: bid 101 and ask 101"),
    "a crossed book, by more": (change(ask="98@1"), "crossed: bid 99 and ask 98"),
    "a snapshot of one price twice": (snapshot(None, levels("99@1", "99.0@2")), "a snapshot with one price twice"),
    "a crossed snapshot": (snapshot(None, levels("102@1")), "crossed: bid 102 and ask 101"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_an_impossible_book_is_broken_and_a_snapshot_heals_it(case: str) -> None:
    pushed, reason = BREAKS[case]
    book = live(COUNTED, None)
    assert (book.apply(pushed), book.reason, book.top()) == (Status.BROKEN, reason, ((), ()))
    assert book.apply(change(bid="98@1")) is Status.BROKEN
    assert (book.apply(snapshot(None)), book.reason) == (Status.LIVE, None)
    assert book.top() == (levels("99@1"), levels("101@1"))


def test_a_snapshot_without_its_number_is_no_book_where_numbers_count() -> None:
    assert Book(ADJOINING).apply(snapshot(None)) is Status.BROKEN
    assert Book(COUNTED).apply(snapshot(None)) is Status.LIVE


def test_a_change_inside_one_frame_may_cross_until_its_end() -> None:
    """Only the whole frame is held against anything."""
    book = live(COUNTED, None)
    assert book.apply(BookPushed("x", 1, levels("101@1"), levels("101@0", "102@1"), snapshot=False)) is Status.LIVE
    assert book.top() == (levels("101@1", "99@1"), levels("102@1"))


def test_whole_books_replace_one_another_and_an_older_one_is_passed_over() -> None:
    book = Book(WHOLE)
    book.apply(BookPushed("x", 5, levels("99@1"), levels("101@1"), snapshot=True))
    book.apply(BookPushed("x", 4, levels("1@1"), levels("2@1"), snapshot=True))
    assert book.top() == (levels("99@1"), levels("101@1"))
    book.apply(BookPushed("x", 6, levels("98@1"), (), snapshot=True))
    assert (book.status, book.top()) == (Status.LIVE, (levels("98@1"), ()))


def test_the_market_may_not_leave_what_a_cut_off_snapshot_showed() -> None:
    """Behind the last level of a snapshot over REST there are levels that nobody told: they may not turn up among the best."""
    bids = tuple((Decimal(1_000 - step), Decimal(1)) for step in range(100))
    book = Book(ADJOINING)
    book.apply(snapshot(10, bids, levels("1001@1")), fetched=True)
    for number in range(11, 91):
        assert book.apply(change(number, first=number, bid=f"{1_011 - number}@0")) is Status.LIVE
    assert len(book.top()[0]) == 20
    assert book.apply(change(91, first=91, bid="920@0")) is Status.BROKEN
    assert book.reason == "the market has left the levels of the snapshot"


def test_a_short_side_is_the_whole_side() -> None:
    book = live(ADJOINING)
    for number, price in enumerate(range(11, 40), 11):
        assert book.apply(change(number, first=number, bid=f"{price}@1")) is Status.LIVE
    assert len(book.top()[0]) == 20


def test_levels_beyond_the_venues_depth_are_forgotten() -> None:
    """Kraken does not say when a level has fallen below the depth asked for."""
    book = Book(BookRule("counted", depth=3))
    book.apply(snapshot(None, levels("99@1", "98@1", "97@1"), levels("101@1", "102@1", "103@1")))
    book.apply(change(bid="98.5@1", ask="100@1"))
    assert book.top() == (levels("99@1", "98.5@1", "98@1"), levels("100@1", "101@1", "102@1"))
    book.apply(change(bid="99@0"))
    assert book.top()[0] == levels("98.5@1", "98@1")


def test_a_side_is_bounded_and_knows_where_its_knowledge_ends() -> None:
    book = Book(COUNTED)
    asks = tuple((Decimal(101 + step), Decimal(1)) for step in range(10_001))
    book.apply(BookPushed("x", 1, levels("99@1"), asks, snapshot=True))
    assert len(book.top(20_000)[1]) == 7_500
    assert book.status is Status.LIVE


def test_changes_counts_what_happens_among_the_best() -> None:
    """So that a record is written on change only."""
    book = Book(COUNTED)
    book.apply(snapshot(None, tuple((Decimal(99 - step), Decimal(1)) for step in range(30))))
    before = book.changes
    book.apply(change(bid="70@5"))
    book.apply(change(bid="12345@0"))
    assert book.changes == before
    book.apply(change(bid="99@5"))
    assert book.changes == before + 1
    book.restart()
    assert (book.changes, book.status) == (before + 2, Status.WAITING)


# The example of Kraken's guide "Book checksum (WebSocket v2)", numbers with the zeros that the frame has.
KRAKEN = (
    b'{"bids":[{"price":45283.5,"qty":0.10000000},{"price":45283.4,"qty":1.54582015},{"price":45282.1,"qty":0.10000000},'
    b'{"price":45281.0,"qty":0.10000000},{"price":45280.3,"qty":1.54592586},{"price":45279.0,"qty":0.07990000},'
    b'{"price":45277.6,"qty":0.03310103},{"price":45277.5,"qty":0.30000000},{"price":45277.3,"qty":1.54602737},'
    b'{"price":45276.6,"qty":0.15445238}],"asks":[{"price":45285.2,"qty":0.00100000},{"price":45286.4,"qty":1.54571953},'
    b'{"price":45286.6,"qty":1.54571109},{"price":45289.6,"qty":1.54560911},{"price":45290.2,"qty":0.15890660},'
    b'{"price":45291.8,"qty":1.54553491},{"price":45294.7,"qty":0.04454749},{"price":45296.1,"qty":0.35380000},'
    b'{"price":45297.5,"qty":0.09945542},{"price":45299.5,"qty":0.18772827}]}'
)


def deep(last: int, best: int, count: int) -> BookPushed:
    """So many levels a side around a price."""
    bids = tuple((Decimal(best - at), Decimal(1)) for at in range(count))
    asks = tuple((Decimal(best + 1 + at), Decimal(1)) for at in range(count))
    return snapshot(last, bids, asks)


def moved(number: int, best: int) -> BookPushed:
    """The price has risen by one."""
    bids, asks = ((Decimal(best), Decimal(1)),), ((Decimal(best), Decimal(0)),)
    return BookPushed("BTC-USDT", 2_000, bids, asks, snapshot=False, first=number, last=number, previous=number - 1)


@pytest.mark.parametrize("rule", [PREVIOUS, ADJOINING])
def test_a_book_that_the_market_is_about_to_leave_goes_on_with_another_snapshot(rule: BookRule) -> None:
    """It was live all the time, and changes that came while the snapshot was fetched follow it."""
    book, best = Book(rule), 10_000
    book.apply(deep(1, best, 200), fetched=True)
    number = 1
    while not book.narrow:
        number, best = number + 1, best + 1
        assert book.apply(moved(number, best)) is Status.LIVE
    assert number == 102  # a hundred and one of two hundred are gone
    book.keep()
    asked = deep(number, best, 200)
    for _ in range(5):
        number, best = number + 1, best + 1
        assert book.apply(moved(number, best)) is Status.LIVE
    shown = book.top()
    assert book.apply(asked, fetched=True) is Status.LIVE
    assert book.top() == shown
    assert not book.narrow
    assert book.apply(moved(number + 1, best + 1)) is Status.LIVE


def test_a_snapshot_that_is_older_than_what_is_kept_leaves_a_live_book_as_it_is() -> None:
    book = Book(PREVIOUS)
    book.apply(deep(10, 10_000, 200), fetched=True)
    for number in range(11, 20):
        book.apply(moved(number, 10_000 + number - 10))
    book.keep()
    shown = book.top()
    assert book.apply(deep(15, 10_005, 200), fetched=True) is Status.LIVE
    book.apply(moved(20, 10_010))
    assert book.apply(deep(15, 10_005, 200), fetched=True) is Status.LIVE
    assert (book.sequence, book.top() != shown) == (20, True)


def test_krakens_checksum_is_that_of_its_own_example() -> None:
    """Taken over the digits of the frame, zeros at the end included."""
    sides = msgspec.json.Decoder(float_hook=Decimal).decode(KRAKEN)
    bids, asks = (tuple((row["price"], row["qty"]) for row in sides[side]) for side in ("bids", "asks"))
    book = Book(BookRule("counted", checksum="kraken", depth=25))
    assert book.apply(BookPushed("BTC/USD", 1, bids, asks, snapshot=True, checksum=3310070434)) is Status.LIVE
    wrong = BookPushed("BTC/USD", 1, levels("45283.5@0.2"), (), snapshot=False, checksum=3310070434)
    assert book.apply(wrong) is Status.BROKEN
    assert str(book.reason).startswith("checksum ")


def test_bitgets_checksum_alternates_bids_and_asks_and_is_signed() -> None:
    """ccxt writes the same text and takes the same checksum of it, so that both read the venue's documentation alike."""
    bids, asks = levels("43231.1@4", "43231@6.10", "43230.5@0.0000001"), levels("43232.8@9", "43232.9@8")
    text = "43231.1:4:43232.8:9:43231:6.10:43232.9:8:43230.5:0.0000001"
    wanted = ccxt.Exchange().crc32(text, signed=True)
    book = Book(BookRule("rising", checksum="bitget"))
    assert book.apply(BookPushed("x", 1, bids, asks, snapshot=True, last=1, checksum=wanted)) is Status.LIVE
    assert book.checksum() == wanted
    below = next(made for number in range(50) if (made := ccxt.Exchange().crc32(f"1:{number}:2:1", signed=True)) < 0)
    amounts = [number for number in range(50) if ccxt.Exchange().crc32(f"1:{number}:2:1", signed=True) == below]
    book.apply(BookPushed("x", 1, levels(f"1@{amounts[0]}"), levels("2@1"), snapshot=True, last=2, checksum=below))
    assert (book.status, book.checksum()) == (Status.LIVE, below)


@pytest.mark.parametrize(("book", "broken"), [(Book(COUNTED), "waiting for a snapshot"), (live(RISING), None)])
def test_a_record_says_why_there_is_no_book(book: Book, broken: str | None) -> None:
    made = record(BTC, book, 7)
    assert (made.broken, made.received, made.symbol) == (broken, 7, "A/B")
    assert bool(made.bid_prices) is (broken is None)


def test_a_record_holds_the_best_twenty_at_the_smallest_scales() -> None:
    book = Book(RISING)
    bids = tuple((Decimal(f"{99 - step}.50"), Decimal("1.000")) for step in range(30))
    book.apply(snapshot(12, bids, levels("101.25@0.0010", "102@3")))
    made = record(BTC, book, 7)
    assert (made.price_scale, made.amount_scale, made.sequence, made.time) == (2, 3, 12, 1_000)
    assert (len(made.bid_prices), made.bid_prices[0], made.ask_prices) == (20, 9950, (10125, 10200))
    assert made.ask_amounts == (1, 3000)


def test_a_broken_book_is_told_with_its_reason_and_no_levels() -> None:
    book = live(RISING)
    book.apply(change(3))
    made = record(BTC, book, 7)
    assert made == market.Book("okx", "A/B", 1_000, 7, 10, broken="3 after 10 does not continue the book")


def test_a_change_costs_microseconds() -> None:
    """Some two here; the bound is for machines that are busy with other things."""
    rng = random.Random(5)
    bids, asks = (
        tuple((Decimal(start + step * way) / 10, Decimal(1)) for step in range(400)) for start, way in ((9_999, -1), (10_001, 1))
    )
    book = Book(ADJOINING)
    book.apply(snapshot(10, bids, asks))
    told = []
    for number in range(11, 10_011):
        is_bid, depth = rng.random() < 0.5, rng.randint(0, 60)
        level = (((Decimal(9_999 - depth if is_bid else 10_001 + depth)) / 10, Decimal(rng.randint(0, 9))),)
        told.append(
            BookPushed("x", 1, level if is_bid else (), () if is_bid else level, snapshot=False, first=number, last=number)
        )
    began = time.process_time()
    for pushed in told:
        book.apply(pushed)
    assert book.status is Status.LIVE
    assert (time.process_time() - began) / len(told) < 20e-6
