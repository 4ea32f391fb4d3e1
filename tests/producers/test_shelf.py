"""The books of one connection: told on a change, ten times a second at most, and never silently wrong."""

from decimal import Decimal

import pytest
from msgspec import structs

from producers.dialect import BookRule, Request
from producers.shelf import LOST, PATIENCE_S, REFRESH_S, Shelf
from schemas.market import Book
from tests.producers.toy import BTC, ETH, RECEIVED, START, Toy, book

REST = Request("public_get_depth", {})


def shelf(**different) -> Shelf:
    return Shelf(Toy(**different), (BTC, ETH))


def live(**different) -> Shelf:
    one = shelf(**different)
    one.granted("BTC", 0.0)
    one.pushed(book(1, 10, snapshot=True), RECEIVED, 0.0)
    assert len(one.due(0.0, all_of_them=False)) == 1
    return one


def test_a_book_is_told_when_its_snapshot_comes_and_on_every_change_that_is_not_too_soon():
    one = live()
    one.pushed(book(11, 12, amount="5"), RECEIVED + 7, 1.0)
    (told,) = one.due(1.0, all_of_them=False)
    assert (told.venue, told.symbol, told.time, told.received, told.sequence) == ("toy", "BTC/USDT", START + 12, RECEIVED + 7, 12)
    assert (told.bid_prices, told.bid_amounts, told.broken) == ((99,), (5,), None)
    assert one.due(2.0, all_of_them=True) == []


def test_changes_within_a_tenth_of_a_second_are_told_as_one_and_counted():
    one = live()
    for at in range(1, 6):
        one.pushed(book(10 + at, 10 + at, amount=str(at)), RECEIVED, at / 100)
        assert one.due(at / 100, all_of_them=True) == []
    assert one.due(0.11, all_of_them=False) == []
    (told,) = one.due(0.11, all_of_them=True)
    assert (told.bid_amounts, one.dropped) == ((5,), 4)


def test_a_change_below_the_best_levels_tells_nothing():
    one = shelf(rule=BookRule("rising"))
    bids = tuple((Decimal(100 - at), Decimal(1)) for at in range(30))
    one.pushed(structs.replace(book(1, 10, snapshot=True), bids=bids), RECEIVED, 0.0)
    one.due(0.0, all_of_them=True)
    one.pushed(book(11, 11, bid="72", amount="8"), RECEIVED, 1.0)
    assert one.due(1.0, all_of_them=True) == []


def test_a_break_is_told_at_once_and_the_channel_is_subscribed_to_anew():
    one = live()
    one.pushed(book(12, 12), RECEIVED, 0.01)
    (told,) = one.due(0.01, all_of_them=False)
    assert told.broken == "12 after 10 does not continue the book"
    assert told.bid_prices == told.ask_prices == ()
    assert one.begin_again(0.01) == ([], ["BTC"])
    one.pushed(book(13, 14), RECEIVED, 0.02)
    assert one.due(0.3, all_of_them=True) == []
    one.pushed(book(1, 20, snapshot=True), RECEIVED, 0.4)
    (healed,) = one.due(0.4, all_of_them=False)
    assert (healed.sequence, healed.broken) == (20, None)


def test_where_snapshots_come_over_rest_a_book_is_fetched_when_it_begins_and_when_it_breaks():
    one = shelf(book=REST)
    one.granted("BTC", 0.0)
    assert one.begin_again(0.0) == (["BTC"], [])
    assert one.begin_again(100.0) == ([], [])
    one.pushed(book(9, 11, amount="3"), RECEIVED, 100.1)
    one.pushed(book(1, 10, snapshot=True), RECEIVED, 100.2, fetched=True)
    (told,) = one.due(100.2, all_of_them=True)
    assert (told.sequence, told.bid_amounts) == (11, (3,))
    one.pushed(book(13, 13), RECEIVED, 200.0)
    assert [made.broken is None for made in one.due(200.0, all_of_them=True)] == [False]
    assert one.begin_again(200.0) == (["BTC"], [])


def test_a_book_that_the_market_is_about_to_leave_is_fetched_again_without_a_break():
    one = shelf(book=REST)
    one.granted("BTC", 0.0)
    one.begin_again(0.0)
    bids = tuple((Decimal(100 - at) / 10, Decimal(1)) for at in range(100))
    asks = tuple((Decimal(110 + at) / 10, Decimal(1)) for at in range(100))
    whole = structs.replace(book(1, 10, snapshot=True), bids=bids, asks=asks)
    one.pushed(whole, RECEIVED, 0.0, fetched=True)
    one.due(0.0, all_of_them=True)
    gone = structs.replace(book(11, 11), bids=(), asks=((asks[0][0], Decimal(0)),))
    one.pushed(gone, RECEIVED, 1.0)
    assert one.begin_again(1.0) == (["BTC"], [])
    one.pushed(structs.replace(gone, first=12, last=12, asks=((asks[1][0], Decimal(0)),)), RECEIVED, 1.1)
    assert one.begin_again(1.1) == ([], [])
    one.pushed(
        structs.replace(whole, first=1, last=11, asks=tuple((one + 1, two) for one, two in asks)), RECEIVED, 1.2, fetched=True
    )
    assert one.begin_again(1.2 + REFRESH_S) == ([], [])
    assert not any(made.broken for made in one.due(2.0, all_of_them=True))


def test_a_snapshot_that_could_not_be_fetched_is_fetched_later():
    one = shelf(book=REST)
    one.granted("BTC", 0.0)
    one.begin_again(0.0)
    one.failed("BTC", 1.0)
    assert one.begin_again(1.9) == ([], [])
    assert one.begin_again(2.0) == (["BTC"], [])
    one.failed("BTC", 2.0)
    assert one.begin_again(3.9) == ([], [])
    assert one.begin_again(4.0) == (["BTC"], [])


def test_a_venue_that_sends_no_snapshot_is_asked_again():
    one = shelf()
    one.granted("BTC", 0.0)
    assert one.begin_again(PATIENCE_S - 0.1) == ([], [])
    assert one.begin_again(PATIENCE_S) == ([], ["BTC"])
    one.granted("BTC", PATIENCE_S + 1)
    one.pushed(book(1, 10, snapshot=True), RECEIVED, PATIENCE_S + 2)
    assert one.begin_again(1_000.0) == ([], [])


def test_a_book_that_breaks_again_and_again_is_begun_again_ever_less_often():
    one, now, begun = live(), 0.0, []
    sequence = 10
    while now < 60.0:
        one.pushed(book(sequence + 5, sequence + 5), RECEIVED, now)
        one.due(now, all_of_them=True)
        while one.begin_again(now) == ([], []):
            now += 0.5
        begun.append(now)
        sequence += 10
        one.pushed(book(1, sequence, snapshot=True), RECEIVED, now)
        one.due(now, all_of_them=True)
    assert begun == [0.0, 2.0, 6.0, 14.0, 30.0, 62.0]


def test_when_the_connection_is_lost_every_book_that_was_told_is_said_to_be_broken():
    one = live()
    one.granted("ETH", 0.0)
    assert one.lost(RECEIVED + 9) == [Book("toy", "BTC/USDT", START + 10, RECEIVED + 9, 10, broken=LOST)]
    assert one.lost(RECEIVED + 9) == []


def test_a_recording_begins_without_an_acknowledgement():
    one = shelf()
    one.pushed(book(1, 10, snapshot=True), RECEIVED, 0.0)
    assert len(one.due(0.0, all_of_them=True)) == 1


@pytest.mark.parametrize("price", ["99.000000000000000001"])
def test_levels_that_no_scale_holds_are_told_as_broken(price):
    one = shelf()
    one.pushed(structs.replace(book(1, 10, snapshot=True, bid=price), asks=((Decimal(10**12), Decimal(1)),)), RECEIVED, 0.0)
    (told,) = one.due(0.0, all_of_them=True)
    assert told.bid_prices == ()
    assert told.broken is not None
    assert "does not fit" in told.broken
