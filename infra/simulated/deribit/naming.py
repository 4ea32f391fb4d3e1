"""Instruments in Deribit's own names, and the entries of its lists."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from infra.simulated.listing import Listing

LISTED_AT = 1_534_167_754_000  # when every instrument of this venue was listed: long before any market starts
NEVER = 32_503_708_800_000  # the expiry that perpetuals are given
_WEEK_MS = 7 * 86_400_000
_LONG = {"BTC": "Bitcoin", "ETH": "Ethereum", "SOL": "Solana", "XRP": "XRP"}


def instrument_name(listing: Listing) -> str:
    """Return Deribit's name: `BTC-PERPETUAL`, `BTC-27MAR26`, `BTC-27MAR26-100000-C`."""
    if listing.expiry is None:
        return f"{listing.base}-PERPETUAL"
    day = datetime.fromtimestamp(listing.expiry / 1000, UTC)
    dated = f"{listing.base}-{day.day}{day:%b%y}".upper()
    return dated if listing.strike is None else f"{dated}-{listing.strike:f}-{'C' if listing.call else 'P'}"


def kind(listing: Listing) -> str:
    """Return `future` (of perpetuals too) or `option`."""
    return "future" if listing.strike is None else "option"


def index_name(listing: Listing) -> str:
    """Return the name of the index an instrument is settled by: `btc_usd`."""
    return f"{listing.base}_usd".lower()


def instrument_row(listing: Listing, number: int, now_ms: int) -> dict[str, Any]:
    """Return an instrument's entry of `public/get_instruments`; `number` is Deribit's own for it."""
    option = listing.strike is not None
    row: dict[str, Any] = {
        "price_index": index_name(listing),
        "kind": kind(listing),
        "instrument_name": instrument_name(listing),
        "maker_commission": Decimal("0.0003") if option else Decimal("0.0"),
        "taker_commission": Decimal("0.0003") if option else Decimal("0.0005"),
        "instrument_type": "reversed",
        "expiration_timestamp": NEVER if listing.expiry is None else listing.expiry,
        "creation_timestamp": LISTED_AT,
        "is_active": True,
        "tick_size": listing.tick,
        "contract_size": Decimal("1.0") if option else listing.lot,
        "instrument_id": number,
        "min_trade_amount": listing.lot if listing.min_size is None else listing.min_size,
        "max_liquidation_commission": Decimal("0.0075"),
        "block_trade_commission": Decimal("0.00025"),
        "block_trade_min_trade_amount": 25 if option else 200_000,
        "block_trade_tick_size": Decimal("0.0001") if option else Decimal("0.01"),
        "settlement_currency": listing.settle,
        "settlement_period": _period(listing, now_ms),
        "base_currency": listing.base,
        "counter_currency": "USD",
        "quote_currency": listing.base if option else "USD",
        "tick_size_steps": [],
        "max_leverage": 1 if option else 50,
    }
    if listing.strike is None:
        row["future_type"] = "reversed"
    else:
        row |= {"strike": listing.strike, "option_type": "call" if listing.call else "put"}
    return row


def currency_row(coin: str) -> dict[str, Any]:
    """Return an entry of `public/get_currencies`."""
    return {
        "coin_type": "BITCOIN" if coin == "BTC" else "ETHEREUM",
        "currency": coin,
        "currency_long": _LONG.get(coin, coin),
        "decimals": 8,
        "fee_precision": 4,
        "in_cross_collateral_pool": True,
        "min_confirmations": 1,
        "min_withdrawal_fee": Decimal("0.0001"),
        "withdrawal_fee": Decimal("0.0001"),
        "withdrawal_priorities": [],
        "apr": Decimal("0.0"),
        "network_fee": Decimal("0.0001"),
        "network_currency": coin,
    }


def _period(listing: Listing, now_ms: int) -> str:
    if listing.expiry is None:
        return "perpetual"
    return "week" if listing.expiry - now_ms < _WEEK_MS else "month"
