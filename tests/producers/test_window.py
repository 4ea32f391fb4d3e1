"""What REST tells, held against what is known, where ids do not show what is missing."""

from hypothesis import given
from hypothesis import strategies as st

from producers.outcome import Position
from producers.window import Window
from tests.producers.tape import START, trade, trades

LONG_AGO = 0
NOW = START + 10**9


def window(*known: int, floor: int = 10) -> Window:
    made = Window(trade(floor))
    made.append([trade(one) for one in known])
    return made


def test_what_lies_between_known_trades_is_lost():
    compared = window(12, 20).compare([trade(one) for one in (10, 11, 12, 15, 17, 20)], NOW, reached=True)
    assert [(lost.left.id, lost.right.id, [one.id for one in lost.trades]) for lost in compared.lost] == [
        (10, 12, [11]),
        (12, 20, [15, 17]),
    ]
    assert (compared.upto, compared.reached) == (trade(20), NOW)


def test_after_the_newest_only_what_is_old_enough_is_lost():
    told = [trade(10), trade(12), trade(14), trade(16)]
    compared = window(12).compare(told, trade(16).time, reached=True)
    assert [[one.id for one in lost.trades] for lost in compared.lost] == [[14]]
    assert compared.lost[0].right is None
    assert compared.reached == trade(16).time


def test_trades_that_came_while_rest_was_asked_are_not_confirmed():
    compared = window(12, 14).compare([trade(10), trade(12)], NOW, reached=True)
    assert (compared.lost, compared.upto, compared.reached) == ([], trade(12), trade(12).time)


def test_a_page_that_does_not_reach_back_leaves_a_stretch():
    compared = window(12, 14, 16).compare([trade(14), trade(16)], NOW, reached=False)
    assert compared.unverified == (trade(10), trade(14))


def test_a_page_older_than_what_was_confirmed_says_nothing():
    for told in ([trade(8), trade(9)], []):
        compared = window(12).compare(told, trade(12).time, reached=True)
        assert (compared.lost, compared.upto, compared.reached) == ([], trade(10), 0)


def test_an_empty_page_says_that_nothing_happened_after_what_it_has_forgotten():
    assert Window(trade(10)).compare([], NOW, reached=True).reached == NOW
    assert Window(None).compare([], NOW, reached=True).reached == NOW


def test_overtaken_trades_are_put_in_order_with_what_rest_tells():
    one = window(20)
    assert one.remember(trade(15))
    assert not one.remember(trade(15))
    compared = one.compare([trade(10), trade(13), trade(20)], NOW, reached=True)
    assert [each.id for each in compared.lost[0].trades] == [13, 15]


def test_confirmed_trades_are_forgotten():
    one = window(12, 14)
    one.remember(trade(11))
    one.confirm(trade(12))
    assert one.start == trade(12)
    assert [one.knows(number) for number in (5, 11, 12, 13, 14)] == [True, True, True, False, True]
    assert not one.waits


def test_it_is_resumed_from_where_the_watermark_stood():
    at = Position(trade(15), trade(13).time, tuple(trades(10, 15)))
    one = Window.resumed(at)
    assert one.floor == trade(12)
    assert not one.knows(16)
    assert one.knows(14)
    assert Window.resumed(Position(trade(3), trade(9).time)).floor == trade(3)
    assert Window.resumed(Position(None, START)).floor is None


@given(st.sets(st.integers(11, 60)), st.sets(st.integers(11, 60)))
def test_once_what_was_lost_is_inserted_nothing_is_lost(known, made):
    one = window(*sorted(known & made))
    told = [trade(10), *(trade(number) for number in sorted(made))]
    for lost in one.compare(told, NOW, reached=True).lost:
        one.insert(lost.trades)
    assert all(one.knows(number) for number in made)
    assert one.compare(told, NOW, reached=True).lost == []
