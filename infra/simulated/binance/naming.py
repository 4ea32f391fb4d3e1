"""Instruments in Binance's own names, and the entries of `exchangeInfo`."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from infra.simulated.listing import Listing

_PERPETUAL = 4_133_404_800_000  # the delivery date of what is never delivered
_LISTED_AT = 1_569_398_400_000


def symbol(listing: Listing) -> str:
    """Return Binance's name: `BTCUSDT`, `BTCUSDT_260327`."""
    pair = listing.base + listing.quote
    return pair if listing.expiry is None else f"{pair}_{datetime.fromtimestamp(listing.expiry / 1000, UTC):%y%m%d}"


def spot_row(listing: Listing) -> dict[str, Any]:
    """Return the entry of `GET /api/v3/exchangeInfo`."""
    tick, lot = _eight(listing.tick), _eight(listing.lot)
    return {
        "symbol": symbol(listing),
        "status": "TRADING",
        "baseAsset": listing.base,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "pegInstructionsAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "9000000.00000000", "stepSize": lot},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True, "maxNotional": "9000000.00000000",
             "applyMaxToMarket": False, "avgPriceMins": 5},
        ],
        "permissions": [],
        "permissionSets": [["SPOT", "MARGIN"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }  # fmt: skip


def future_row(listing: Listing) -> dict[str, Any]:
    """Return the entry of `GET /fapi/v1/exchangeInfo`."""
    lot = f"{listing.lot:f}"
    return {
        "symbol": symbol(listing),
        "pair": listing.base + listing.quote,
        "contractType": "PERPETUAL" if listing.expiry is None else "CURRENT_QUARTER",
        "deliveryDate": _PERPETUAL if listing.expiry is None else listing.expiry,
        "onboardDate": _LISTED_AT,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        "marginAsset": listing.settle,
        "pricePrecision": _places(listing.tick),
        "quantityPrecision": _places(listing.lot),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "maxPrice": "4529764",
                "minPrice": f"{listing.tick:f}",
                "tickSize": f"{listing.tick:f}",
            },
            {"filterType": "LOT_SIZE", "maxQty": "10000000", "minQty": lot, "stepSize": lot},
            {"filterType": "MARKET_LOT_SIZE", "maxQty": "10000000", "minQty": lot, "stepSize": lot},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        ],
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"],
        "permissionSets": ["GRID", "COPY"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }


def _places(step: Decimal) -> int:
    return max(0, -int(step.normalize().as_tuple().exponent))


def _eight(step: Decimal) -> str:
    return f"{step:.8f}"
