"""Bitget's names are unique within a kind of instrument, and its entries write steps as places."""

import pytest

from infra.simulated.bitget.listings import LISTINGS
from infra.simulated.bitget.naming import contract_row, inst_type, symbol, symbol_row

BY_NAME = {listing.name: listing for listing in LISTINGS}


@pytest.mark.parametrize(
    ("name", "kind", "written"), [("BTC/USDT", "SPOT", "BTCUSDT"), ("BTC/USDT:USDT", "USDT-FUTURES", "BTCUSDT")]
)
def test_an_instrument_has_a_name_within_its_kind(name: str, kind: str, written: str) -> None:
    assert (inst_type(BY_NAME[name]), symbol(BY_NAME[name])) == (kind, written)
    assert len({(inst_type(listing), symbol(listing)) for listing in LISTINGS}) == len(LISTINGS)


def test_steps_are_written_as_places() -> None:
    spot, contract = symbol_row(BY_NAME["BTC/USDT"]), contract_row(BY_NAME["BTC/USDT:USDT"])
    assert (spot["pricePrecision"], spot["quantityPrecision"]) == ("2", "6")
    assert (contract["pricePlace"], contract["priceEndStep"], contract["volumePlace"]) == ("1", "1", "4")
    assert (contract["sizeMultiplier"], contract["supportMarginCoins"]) == ("0.0001", ["USDT"])
