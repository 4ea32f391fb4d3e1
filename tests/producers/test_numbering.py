"""Names become numbers that rise with time and are found again."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from producers.dialect import Trade
from producers.numbering import Numbering, number
from schemas.exact import INT64_MAX
from schemas.ids import name_id
from tests.producers.tape import START


def named(name: str, time: int, price: int = 5) -> Trade:
    return Trade(name_id(name), name_id(name), START + time, Decimal(price), Decimal(1), taker_buy=True)


names = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 5)), unique_by=lambda one: one[0], max_size=40)


@given(names)
def test_numbers_are_unique_and_rise_with_time(told):
    told = sorted(told, key=lambda one: one[1])
    made = Numbering().numbered([named(str(name), time) for name, time in told])
    ids = [trade.id for trade in made]
    assert ids == sorted(set(ids))
    assert all(0 < one <= INT64_MAX for one in ids)
    assert [trade.time - START for trade in made] == [time for _, time in told]


@given(names, st.integers(0, 40))
def test_after_a_restart_known_trades_keep_their_numbers(told, published):
    told = sorted(told, key=lambda one: one[1])
    trades = [named(str(name), time, price=name) for name, time in told]
    before = Numbering().numbered(trades)
    after = Numbering(before[:published])
    assert [trade.id for trade in after.numbered(trades)][:published] == [trade.id for trade in before[:published]]
    assert len({trade.id for trade in after.numbered(trades)}) == len(trades)


def test_a_name_keeps_its_number():
    numbering = Numbering()
    first = numbering.numbered([named("a", 0), named("b", 0)])
    assert numbering.numbered([named("b", 0), named("c", 0), named("a", 0)])[::2] == first[::-1]


def test_the_end_of_a_name_alone_is_not_enough():
    """Two trades of a millisecond whose digests end alike are two when their prices differ."""
    one, other = (Trade(at << 14 | 5, 0, START, Decimal(price), Decimal(1), taker_buy=True) for at, price in ((1, 10), (2, 11)))
    (known,) = Numbering().numbered([one])
    found, new = Numbering([known]).numbered([one, other])
    assert found.id == known.id
    assert new.id > known.id


def test_what_is_forgotten_is_numbered_anew():
    numbering = Numbering()
    numbering.numbered([named("a", 0), named("b", 1)])
    numbering.forget(START + 1)
    assert numbering.numbered([named("c", 0)])[0].id == number(START, 0, name_id("c"))
    assert numbering.numbered([named("c", 1)])[0].id == number(START + 1, 1, name_id("c"))
