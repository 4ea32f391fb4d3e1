"""Instruments in Bybit's own names, and the entries of `GET /v5/market/instruments-info`."""

from datetime import UTC, datetime
from typing import Any

from infra.simulated.listing import Contract, Listing

CATEGORIES = ("spot", "linear", "inverse", "option")
LISTED_AT = "1585526400000"  # when every instrument of this venue was listed: long before any market starts
_QUARTERS = {3: "H", 6: "M", 9: "U", 12: "Z"}
_FUNDING_MINUTES = 480


def category(listing: Listing) -> str:
    """Return the part of the venue where an instrument is traded: `spot`, `linear` or `inverse`."""
    return listing.contract.value


def symbol(listing: Listing) -> str:
    """Return Bybit's name, unique within a category: `BTCUSDT`, `BTCUSD`, `BTCUSDT-27MAR26`, `BTCUSDH26`."""
    pair = listing.base + listing.quote
    if listing.expiry is None:
        return pair
    day = datetime.fromtimestamp(listing.expiry / 1000, UTC)
    if listing.contract is Contract.LINEAR:
        return f"{pair}-{day.day}{day:%b%y}".upper()
    return f"{pair}{_QUARTERS[day.month]}{day:%y}"


def instrument_row(listing: Listing, number: int) -> dict[str, Any]:
    """Return an instrument's entry; `number` is Bybit's own for it."""
    return _spot_row(listing) if listing.contract is Contract.SPOT else _contract_row(listing, number)


def _spot_row(listing: Listing) -> dict[str, Any]:
    return {
        "symbol": symbol(listing),
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "status": "Trading",
        "marginTrading": "utaOnly",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": f"{listing.lot:f}",
            "quotePrecision": f"{listing.lot * listing.tick:f}",
            "minOrderQty": f"{_least(listing)}",
            "maxOrderQty": f"{listing.lot * listing.lots * 100_000:f}",
            "minOrderAmt": "5",
            "maxOrderAmt": "2000000",
        },
        "priceFilter": {"tickSize": f"{listing.tick:f}"},
        "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
    }


def _contract_row(listing: Listing, number: int) -> dict[str, Any]:
    perpetual = listing.expiry is None
    most = f"{listing.lot * listing.lots * 10_000:f}"
    return {
        "symbol": symbol(listing),
        "symbolId": number,
        "contractType": f"{listing.contract.value.capitalize()}{'Perpetual' if perpetual else 'Futures'}",
        "status": "Trading",
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "launchTime": LISTED_AT,
        "deliveryTime": "0" if perpetual else str(listing.expiry),
        "deliveryFeeRate": "" if perpetual else "0.0005",
        "priceScale": str(max(0, -int(listing.tick.normalize().as_tuple().exponent))),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {
            "minPrice": f"{listing.tick:f}",
            "maxPrice": f"{listing.tick * 19_999_998:f}",
            "tickSize": f"{listing.tick:f}",
        },
        "lotSizeFilter": {
            "maxOrderQty": most,
            "minOrderQty": f"{_least(listing)}",
            "qtyStep": f"{listing.lot:f}",
            "postOnlyMaxOrderQty": most,
            "maxMktOrderQty": most,
            "minNotionalValue": "5",
        },
        "unifiedMarginTrade": True,
        "fundingInterval": _FUNDING_MINUTES if perpetual else 0,
        "settleCoin": listing.settle,
        "copyTrading": "both" if perpetual else "none",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
        "symbolType": "",
    }


def _least(listing: Listing) -> str:
    return f"{listing.lot if listing.min_size is None else listing.min_size:f}"
