"""Instruments in Bitget's own names, and the entries of its two instrument lists."""

from decimal import Decimal
from typing import Any

from infra.simulated.listing import Contract, Listing

PRODUCTS = ("USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES", "SUSDT-FUTURES", "SCOIN-FUTURES", "SUSDC-FUTURES")


def inst_type(listing: Listing) -> str:
    """Return what Bitget calls `instType` on the websocket and, of contracts, `productType` over REST."""
    return "SPOT" if listing.contract is Contract.SPOT else "USDT-FUTURES"


def symbol(listing: Listing) -> str:
    """Return Bitget's name, unique within an `instType`: `BTCUSDT`."""
    return listing.base + listing.quote


def symbol_row(listing: Listing) -> dict[str, Any]:
    """Return a spot entry of `GET /api/v2/spot/public/symbols`."""
    return {
        "symbol": symbol(listing),
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "minTradeAmount": "0",
        "maxTradeAmount": "900000000000000000000",
        "takerFeeRate": "0.002",
        "makerFeeRate": "0.002",
        "pricePrecision": str(_places(listing.tick)),
        "quantityPrecision": str(_places(listing.lot)),
        "quotePrecision": str(_places(listing.tick) + _places(listing.lot)),
        "status": "online",
        "minTradeUSDT": "1",
        "buyLimitPriceRatio": "0.05",
        "sellLimitPriceRatio": "0.05",
        "areaSymbol": "no",
        "orderQuantity": "200",
        "openTime": "1532454360000",
        "offTime": "",
    }


def contract_row(listing: Listing) -> dict[str, Any]:
    """Return a contract's entry of `GET /api/v2/mix/market/contracts`: a price is a multiple of `priceEndStep` last digits."""
    places = _places(listing.tick)
    return {
        "symbol": symbol(listing),
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "buyLimitPriceRatio": "0.9",
        "sellLimitPriceRatio": "0.9",
        "feeRateUpRatio": "0.1",
        "makerFeeRate": "0.0004",
        "takerFeeRate": "0.0006",
        "openCostUpRatio": "0.1",
        "supportMarginCoins": [listing.settle],
        "minTradeNum": f"{listing.lot if listing.min_size is None else listing.min_size:f}",
        "priceEndStep": str(int(listing.tick.scaleb(places))),
        "volumePlace": str(_places(listing.lot)),
        "pricePlace": str(places),
        "sizeMultiplier": f"{listing.lot:f}",
        "symbolType": "perpetual",
        "minTradeUSDT": "5",
        "maxSymbolOrderNum": "999999",
        "maxProductOrderNum": "999999",
        "maxPositionNum": "150",
        "symbolStatus": "normal",
        "offTime": "-1",
        "limitOpenTime": "-1",
        "deliveryTime": "",
        "deliveryStartTime": "",
        "launchTime": "",
        "fundInterval": "8",
        "minLever": "1",
        "maxLever": "125",
        "posLimit": "0.05",
        "maintainTime": "1680165535278",
        "maxMarketOrderQty": "220",
        "maxOrderQty": "1200",
    }


def coin_row(coin: str, number: int) -> dict[str, Any]:
    """Return an entry of `GET /api/v2/spot/public/coins`: a currency with one chain to move it on."""
    return {
        "coinId": str(number),
        "coin": coin,
        "transfer": "true",
        "areaCoin": "no",
        "chains": [
            {
                "chain": coin,
                "needTag": "false",
                "withdrawable": "true",
                "rechargeable": "true",
                "withdrawFee": "0.001",
                "extraWithdrawFee": "0",
                "depositConfirm": "1",
                "withdrawConfirm": "1",
                "minDepositAmount": "0.0001",
                "minWithdrawAmount": "0.001",
                "browserUrl": "",
                "contractAddress": None,
                "withdrawStep": "0",
                "withdrawMinScale": "8",
                "congestion": "normal",
            }
        ],
    }


def _places(step: Decimal) -> int:
    return max(0, -int(step.normalize().as_tuple().exponent))
