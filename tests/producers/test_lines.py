"""Which channels go on which connection."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from producers.dialect import Channel, Kind, Limits
from producers.lines import lines
from tests.producers.toy import BTC, ETH, Toy

ALL = tuple(Kind)


def test_all_kinds_that_a_path_offers_of_an_instrument_are_on_one_line():
    (line,) = lines(Toy(kinds=ALL, limits=Limits(channels=20, messages_per_s=1, connects_per_minute=1)), (BTC, ETH))
    assert line.path == "/spot"
    assert line.channels == tuple(Channel(kind, market_id) for market_id in ("BTC", "ETH") for kind in Kind)
    assert line.instruments == (BTC, ETH)


def test_kinds_that_the_venue_does_not_have_are_not_asked_for():
    (line,) = lines(Toy(kinds=(Kind.TRADES,)), (BTC,))
    assert line.channels == (Channel(Kind.TRADES, "BTC"),)


def test_each_path_has_lines_of_its_own():
    swap = structs.replace(ETH, type="swap")
    found = lines(Toy(), (BTC, swap))
    assert [(line.path, line.instruments) for line in found] == [("/spot", (BTC,)), ("/swap", (swap,))]


def test_two_instruments_that_the_venue_calls_the_same_never_share_a_line():
    other = structs.replace(BTC, symbol="BTC/USDT:USDT")
    assert [line.instruments for line in lines(Toy(), (BTC, ETH, other))] == [(BTC, ETH), (other,)]


@given(st.integers(0, 40), st.integers(2, 9), st.sampled_from([(Kind.TRADES,), (Kind.TRADES, Kind.QUOTES)]))
def test_every_channel_is_on_exactly_one_line_and_no_line_is_above_the_limit(count, limit, kinds):
    instruments = [structs.replace(BTC, market_id=str(number)) for number in range(count)]
    dialect = Toy(kinds=kinds, limits=Limits(channels=limit, messages_per_s=1, connects_per_minute=1))
    found = lines(dialect, instruments)
    assert [one for line in found for one in line.channels] == [Channel(kind, str(at)) for at in range(count) for kind in kinds]
    assert all(len(line.channels) <= limit for line in found)
    assert all(len(line.channels) + len(kinds) > limit for line, _ in pairwise(found))
