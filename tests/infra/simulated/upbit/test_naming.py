"""Upbit names the quote currency first, and groups books by steps in won alone."""

from infra.simulated.upbit.listings import LISTINGS
from infra.simulated.upbit.naming import code, market_row, policy_row

BY_NAME = {listing.name: listing for listing in LISTINGS}


def test_names() -> None:
    assert [code(BY_NAME[name]) for name in ("BTC/KRW", "ETH/BTC", "BTC/USDT")] == ["KRW-BTC", "BTC-ETH", "USDT-BTC"]
    assert len({code(listing) for listing in LISTINGS}) == len(LISTINGS)


def test_entries() -> None:
    assert market_row(BY_NAME["BTC/KRW"], details=False) == {
        "market": "KRW-BTC",
        "korean_name": "비트코인",
        "english_name": "Bitcoin",
    }
    assert market_row(BY_NAME["ADA/KRW"], details=True)["market_event"]["warning"] is False
    assert policy_row(BY_NAME["BTC/KRW"])["supported_levels"] == ["0", "10000", "100000", "1000000"]
    assert policy_row(BY_NAME["ETH/BTC"])["supported_levels"] == ["0"]
