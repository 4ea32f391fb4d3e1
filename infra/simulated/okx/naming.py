"""Instruments in OKX's own names, and the entries of its instrument list."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from infra.simulated.listing import Contract, Listing

LISTED_AT = "1611916828000"  # when every instrument of this venue was listed: long before any market starts
INSTRUMENT_TYPES = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION")

# What is the same for every instrument here. Values are of OKX's own entries.
_COMMON: Mapping[str, Any] = {
    "auctionEndTime": "",
    "category": "1",
    "contTdSwTime": "",
    "futureSettlement": False,
    "listTime": LISTED_AT,
    "maxIcebergSz": "9999999999.0000000000000000",
    "maxLmtAmt": "20000000",
    "maxLmtSz": "9999999999",
    "maxMktAmt": "1000000",
    "maxMktSz": "1000000",
    "maxPlatOILmt": "",
    "maxStopSz": "1000000",
    "maxTriggerSz": "9999999999.0000000000000000",
    "maxTwapSz": "9999999999.0000000000000000",
    "openType": "",
    "optType": "",
    "posLmtAmt": "",
    "posLmtPct": "",
    "preMktSwTime": "",
    "ruleType": "normal",
    "state": "live",
    "stk": "",
}


def inst_id(listing: Listing) -> str:
    """Return OKX's name: `BTC-USDT`, `BTC-USDT-SWAP`, `BTC-USD-260327`."""
    pair = f"{listing.base}-{listing.quote}"
    if listing.contract is Contract.SPOT:
        return pair
    if listing.expiry is None:
        return f"{pair}-SWAP"
    return f"{pair}-{datetime.fromtimestamp(listing.expiry / 1000, UTC):%y%m%d}"


def inst_type(listing: Listing) -> str:
    """Return OKX's kind of instrument: `SPOT`, `SWAP` or `FUTURES`."""
    if listing.contract is Contract.SPOT:
        return "SPOT"
    return "SWAP" if listing.expiry is None else "FUTURES"


def instrument_row(listing: Listing, code: int) -> dict[str, Any]:
    """Return the entry of `GET /api/v5/public/instruments`; `code` is the number OKX knows it by."""
    spot = listing.contract is Contract.SPOT
    family = f"{listing.base}-{listing.quote}"
    contract_currency = listing.base if listing.contract is Contract.LINEAR else listing.quote
    row = {
        **_COMMON,
        "alias": "" if listing.expiry is None else "quarter",
        "baseCcy": listing.base if spot else "",
        "ctMult": "" if spot else "1",
        "ctType": "" if spot else listing.contract.value,
        "ctVal": "" if spot else f"{listing.contract_size:f}",
        "ctValCcy": "" if spot else contract_currency,
        "expTime": "" if listing.expiry is None else str(listing.expiry),
        "instFamily": "" if spot else family,
        "instId": inst_id(listing),
        "instIdCode": code,
        "instType": inst_type(listing),
        "lever": "10" if spot else "100",
        "lotSz": f"{listing.lot:f}",
        "minSz": f"{listing.lot if listing.min_size is None else listing.min_size:f}",
        "quoteCcy": listing.quote if spot else "",
        "settleCcy": listing.settle,
        "tickSz": f"{listing.tick:f}",
        "tradeQuoteCcyList": [listing.quote] if spot else [],
        "uly": "" if spot else family,
    }
    return dict(sorted(row.items()))


def by_inst_id(listings: Sequence[Listing]) -> dict[str, Listing]:
    """Return the listings by OKX's name."""
    return {inst_id(listing): listing for listing in listings}
