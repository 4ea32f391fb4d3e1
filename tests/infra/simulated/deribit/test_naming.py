"""Deribit's names say what expires when and at what strike."""

from decimal import Decimal

import pytest

from infra.simulated.deribit.listings import LISTINGS
from infra.simulated.deribit.naming import NEVER, index_name, instrument_name, instrument_row, kind

BY_NAME = {listing.name: listing for listing in LISTINGS}
NOW = 1_767_571_200_000


@pytest.mark.parametrize(
    ("name", "of_kind", "written"),
    [
        ("BTC/USD:BTC", "future", "BTC-PERPETUAL"),
        ("BTC/USD:BTC-260130", "future", "BTC-30JAN26"),
        ("BTC/USD:BTC-260327-100000-C", "option", "BTC-27MAR26-100000-C"),
        ("ETH/USD:ETH-260327-3000-P", "option", "ETH-27MAR26-3000-P"),
    ],
)
def test_an_instrument_s_name(name: str, of_kind: str, written: str) -> None:
    assert (kind(BY_NAME[name]), instrument_name(BY_NAME[name])) == (of_kind, written)
    assert len({instrument_name(listing) for listing in LISTINGS}) == len(LISTINGS)


def test_an_entry_tells_contracts_from_coins() -> None:
    perpetual = instrument_row(BY_NAME["BTC/USD:BTC"], 1, NOW)
    option = instrument_row(BY_NAME["BTC/USD:BTC-260327-90000-P"], 2, NOW)
    assert (perpetual["contract_size"], perpetual["expiration_timestamp"], perpetual["settlement_period"]) == (
        10,
        NEVER,
        "perpetual",
    )
    assert (option["contract_size"], option["min_trade_amount"], option["strike"]) == (1, Decimal("0.1"), 90000)
    assert (option["option_type"], option["settlement_period"], option["quote_currency"]) == ("put", "month", "BTC")
    assert index_name(BY_NAME["ETH/USD:ETH"]) == "eth_usd"
