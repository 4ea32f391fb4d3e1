"""Instruments carry OKX's names."""

from dataclasses import replace

import pytest

from infra.simulated.listing import LISTINGS, Listing
from infra.simulated.okx.naming import by_inst_id, inst_id, inst_type, instrument_row

DATED = replace(LISTINGS[4], expiry=1_774_598_400_000)


@pytest.mark.parametrize(
    ("listing", "name", "kind"),
    [
        (LISTINGS[0], "BTC-USDT", "SPOT"),
        (LISTINGS[3], "BTC-USDT-SWAP", "SWAP"),
        (LISTINGS[4], "BTC-USD-SWAP", "SWAP"),
        (DATED, "BTC-USD-260327", "FUTURES"),
    ],
)
def test_a_listing_has_okx_s_name_and_kind(listing: Listing, name: str, kind: str) -> None:
    assert (inst_id(listing), inst_type(listing)) == (name, kind)


def test_all_listings_have_different_names() -> None:
    assert len(by_inst_id(LISTINGS)) == len(LISTINGS)


def test_contracts_say_what_they_are_of() -> None:
    linear, inverse = instrument_row(LISTINGS[3], 1), instrument_row(LISTINGS[4], 2)
    fields = ("ctType", "ctVal", "ctValCcy", "settleCcy", "uly", "baseCcy", "instIdCode")
    assert [linear[field] for field in fields] == ["linear", "0.01", "BTC", "USDT", "BTC-USDT", "", 1]
    assert [inverse[field] for field in fields] == ["inverse", "100", "USD", "BTC", "BTC-USD", "", 2]
