"""The table of instruments has one of each kind first, and no two of the same name."""

from dataclasses import replace
from decimal import Decimal

import pytest

from infra.simulated.exchanges import EXCHANGES
from infra.simulated.listing import LISTINGS, MOST, QUIET, Contract, Listing, listings


def test_no_two_listings_share_a_name() -> None:
    assert len({listing.name for listing in LISTINGS}) == len(LISTINGS) == 24


def test_the_first_eight_are_a_mix() -> None:
    first = listings(8)
    assert [listing.name for listing in first if listing.contract is not Contract.SPOT] == [
        "BTC/USDT:USDT",
        "BTC/USD:BTC",
    ]
    assert [(one.contract_size, one.settle) for one in first[3:5]] == [(Decimal("0.01"), "USDT"), (Decimal(100), "BTC")]
    assert [one.name for one in first if one.temper.bursts] == ["SOL/USDT"]
    assert [one.name for one in first if one.temper.rate < 1] == ["FLOW/USDT"]


def test_every_first_price_is_a_whole_number_of_ticks() -> None:
    assert [one.name for one in LISTINGS if one.price % one.tick] == []


def test_the_pace_multiplies_how_often_is_traded() -> None:
    assert [one.temper.rate for one in listings(3, 0.5)] == [one.temper.rate / 2 for one in LISTINGS[:3]]


@pytest.mark.parametrize(("count", "pace", "said"), [(0, 1, "1 to 500"), (501, 1, "1 to 500"), (8, 0, "pace")])
def test_what_makes_no_market_is_refused(count: int, pace: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        listings(count, pace)


def test_a_table_that_is_too_short_is_continued_with_coins_of_no_other_place() -> None:
    many = listings(200)
    assert many[: len(LISTINGS)] == LISTINGS
    assert many[:150] == listings(150)
    made_up = many[len(LISTINGS) :]
    assert {(one.quote, one.contract, one.tick, one.lot) for one in made_up} == {
        ("USDT", Contract.SPOT, LISTINGS[0].tick, LISTINGS[0].lot)
    }
    assert len({one.price for one in made_up}) > 50


@pytest.mark.parametrize("venue", EXCHANGES)
def test_every_venue_lists_as_many_as_are_wanted_and_no_two_of_the_same_name(venue: str) -> None:
    chosen = EXCHANGES[venue].listings(MOST, 1.0)
    assert len({one.name for one in chosen}) == MOST
    assert [one.name for one in chosen if one.price % one.tick or one.price <= 0] == []
    assert EXCHANGES[venue].listings(3, 1.0) == chosen[:3]


@pytest.mark.parametrize(
    ("listing", "name"),
    [
        (LISTINGS[0], "BTC/USDT"),
        (LISTINGS[3], "BTC/USDT:USDT"),
        (replace(LISTINGS[4], expiry=1_774_598_400_000), "BTC/USD:BTC-260327"),
        (replace(LISTINGS[4], expiry=1_774_598_400_000, strike=Decimal(100_000), call=False), "BTC/USD:BTC-260327-100000-P"),
        (Listing("A", "KRW", Contract.SPOT, Decimal(1), Decimal(1), Decimal(5), 1, QUIET), "A/KRW"),
    ],
)
def test_a_name_is_ccxt_s_symbol(listing: Listing, name: str) -> None:
    assert listing.name == name
