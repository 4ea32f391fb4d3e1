"""Bybit's names are unique within a category, and its entries say what the listing says."""

import pytest

from infra.simulated.bybit.listings import LISTINGS
from infra.simulated.bybit.naming import category, instrument_row, symbol

BY_NAME = {listing.name: listing for listing in LISTINGS}


@pytest.mark.parametrize(
    ("name", "kind", "written"),
    [
        ("BTC/USDT", "spot", "BTCUSDT"),
        ("BTC/USDT:USDT", "linear", "BTCUSDT"),
        ("BTC/USD:BTC", "inverse", "BTCUSD"),
        ("BTC/USDT:USDT-260327", "linear", "BTCUSDT-27MAR26"),
        ("BTC/USD:BTC-260327", "inverse", "BTCUSDH26"),
    ],
)
def test_an_instrument_has_a_name_within_its_category(name: str, kind: str, written: str) -> None:
    assert (category(BY_NAME[name]), symbol(BY_NAME[name])) == (kind, written)


def test_names_are_unique_within_a_category() -> None:
    assert len({(category(listing), symbol(listing)) for listing in LISTINGS}) == len(LISTINGS)


def test_a_contract_of_inverse_kind_is_one_dollar() -> None:
    row = instrument_row(BY_NAME["BTC/USD:BTC"], 7)
    assert (row["lotSizeFilter"]["minOrderQty"], row["contractType"], row["settleCoin"]) == ("1", "InversePerpetual", "BTC")
    dated = instrument_row(BY_NAME["BTC/USDT:USDT-260327"], 8)
    assert (dated["contractType"], dated["deliveryTime"]) == ("LinearFutures", "1774598400000")
