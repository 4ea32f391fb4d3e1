"""Which trades are let in, and in which order."""

import pytest
from msgspec import structs

from producers.dialect import Ids
from producers.entrance import Entrance, continue_from
from producers.numbering import Numbering
from producers.outcome import Counts, Outcome
from producers.tape import Tape
from tests.producers.tape import BTC, START, trade, trades

RECEIVED = (START + 60_000) * 1000
HOUR = 3_600_000


def entrance(ids: Ids) -> tuple[Entrance, Counts]:
    counts = Counts()
    return Entrance(Tape(BTC, "live", counts, START), Numbering() if ids is Ids.NAMED else None, counts), counts


@pytest.mark.parametrize(
    ("told", "consecutive", "rising"),
    [
        (trades(6, 8), True, True),
        ([trade(7, count=2), trade(8)], True, True),
        ([trade(7)], False, True),
        ([trade(6), trade(8)], False, True),
        ([trade(5)], False, False),
        ([trade(7), trade(6)], False, False),
        ([structs.replace(trade(6), time=trade(5).time - HOUR)], True, True),
        ([structs.replace(trade(6), time=trade(5).time - HOUR - 1)], False, False),
        ([structs.replace(trade(6), time=RECEIVED // 1000 + HOUR + 1)], False, False),
    ],
)
def test_the_next_trades_are_told_from_all_others(told, consecutive, rising):
    assert continue_from(trade(5), told, RECEIVED, consecutive=True) == consecutive
    assert continue_from(trade(5), told, RECEIVED, consecutive=False) == rising


def test_what_rest_told_is_put_in_order_and_the_impossible_is_set_aside():
    one, counts = entrance(Ids.RISING)
    out = Outcome()
    wrong = structs.replace(trade(8), time=trade(7).time - HOUR - 1)
    assert one.checked(out, [trade(9), wrong, trade(7)], RECEIVED) == [trade(7), trade(9)]
    assert (len(out.records), counts.set_aside) == (1, 1)


def test_names_are_numbered_in_order_of_time():
    one, counts = entrance(Ids.NAMED)
    out = Outcome()
    numbered = one.numbered(out, [trade(9), structs.replace(trade(8), time=0), trade(7)], RECEIVED)
    assert [each.time for each in numbered] == [trade(7).time, trade(9).time]
    assert numbered[0].id < numbered[1].id
    assert counts.set_aside == 1


def test_names_of_long_ago_are_known():
    one, counts = entrance(Ids.NAMED)
    one.forget(trade(8).time)
    one.forget(trade(3).time)
    assert len(one.numbered(Outcome(), trades(6, 9), RECEIVED)) == 2
    assert counts.duplicates == 2
