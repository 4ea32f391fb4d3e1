"""Instruments in Upbit's own names, and the entries of its lists."""

from typing import Any

from infra.simulated.listing import Listing

_KOREAN = {
    "BTC": "비트코인",
    "ETH": "이더리움",
    "XRP": "엑스알피(리플)",
    "SOL": "솔라나",
    "DOGE": "도지코인",
    "ADA": "에이다",
    "USDT": "테더",
}
_ENGLISH = {
    "BTC": "Bitcoin",
    "ETH": "Ethereum",
    "XRP": "XRP",
    "SOL": "Solana",
    "DOGE": "Dogecoin",
    "ADA": "Ada",
    "USDT": "Tether",
}

_CAUTIONS = (
    "PRICE_FLUCTUATIONS",
    "TRADING_VOLUME_SOARING",
    "DEPOSIT_AMOUNT_SOARING",
    "GLOBAL_PRICE_DIFFERENCES",
    "CONCENTRATION_OF_SMALL_ACCOUNTS",
)


def code(listing: Listing) -> str:
    """Return Upbit's name, the quote currency first: `KRW-BTC`."""
    return f"{listing.quote}-{listing.base}"


def market_row(listing: Listing, *, details: bool) -> dict[str, Any]:
    """Return an entry of `GET /v1/market/all`."""
    row: dict[str, Any] = {
        "market": code(listing),
        "korean_name": _KOREAN.get(listing.base, listing.base),
        "english_name": _ENGLISH.get(listing.base, listing.base),
    }
    if details:
        row["market_event"] = {"warning": False, "caution": dict.fromkeys(_CAUTIONS, False)}
    return row


def policy_row(listing: Listing) -> dict[str, Any]:
    """Return an entry of `GET /v1/orderbook/instruments`: the price step, and the steps books may be grouped by."""
    tick = f"{listing.tick:f}"
    levels = ["0", *(f"{listing.tick * factor:f}" for factor in (10, 100, 1000))] if listing.quote == "KRW" else ["0"]
    return {"market": code(listing), "quote_currency": listing.quote, "tick_size": tick, "supported_levels": levels}
