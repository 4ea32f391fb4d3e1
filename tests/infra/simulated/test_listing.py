"""The table of instruments has one of each kind first, and no two of the same name."""

from decimal import Decimal

import pytest

from infra.simulated.listing import LISTINGS, Contract, listings


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


@pytest.mark.parametrize(("count", "pace", "said"), [(0, 1, "1 to 24"), (25, 1, "1 to 24"), (8, 0, "pace")])
def test_what_makes_no_market_is_refused(count: int, pace: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        listings(count, pace)
