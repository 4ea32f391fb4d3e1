"""The instrument list that lies beside a recording: `instruments.json`, `{venue: {market id: the venue's own entry}}`.

Entries change their shape over the years, and ccxt reads today's. A recording that Tapeflow made therefore has, below the key
`instruments`, also what they meant: `{venue: [an Instrument's fields]}`.
"""

import contextlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import ccxt
import msgspec

from infra.settings import UserError
from producers.dialect import Dialect, FrameError
from producers.exchange import loads
from schemas.market import Instrument

NAME: Final = "instruments.json"
_MEANT: Final = "instruments"
_FINEST: Final = Decimal("0.00000001")

# In which envelope each venue's REST interface sends its entries to ccxt.
_ENVELOPES: Final[dict[str, Any]] = {
    "okx": lambda rows: {"code": "0", "data": rows},
    "binance": lambda rows: {"symbols": rows},
    "binanceusdm": lambda rows: {"symbols": rows},
    "bybit": lambda rows: {"retCode": 0, "result": {"list": rows}},
    "bitget": lambda rows: {"code": "00000", "data": rows},
    "upbit": lambda rows: rows,
    "deribit": lambda rows: {"result": rows},
    "coinbaseexchange": lambda rows: rows,
    "kraken": lambda rows: {"error": [], "result": {row["altname"]: row for row in rows}},
}
# What entries of the past left unsaid.
_UNSAID: Final = {"deribit": lambda row: {"counter_currency": "USD", "settlement_currency": row["base_currency"]}}


def read(path: Path, dialect: Dialect) -> list[Instrument]:
    """The instruments of the dialect's venue, as far as they can be understood. Raises UserError when none can."""
    venue = dialect.name
    try:
        lists = loads(path.read_text())
        if venue in lists.get(_MEANT, {}):
            return msgspec.convert(lists[_MEANT][venue], list[Instrument])
        found = _described(dialect, list(lists[venue].values()))
    except OSError as error:
        raise UserError(f"cannot read the instruments {path}: {error.strerror}; name the file with --instruments") from None
    except (ValueError, LookupError, TypeError, AttributeError, ccxt.BaseError) as error:
        raise UserError(f"{path} does not describe the instruments of {venue}: {type(error).__name__} {error}") from None
    if not found:
        raise UserError(f"{path} does not describe the instruments of {venue}: none of its entries can be understood")
    return found


def add(path: Path, instruments: Iterable[Instrument], entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Write such a file: instruments, and the venues' own entries for them by venue and market id. What it had of others stays.

    Raises UserError when what is there is no such file.
    """
    try:
        lists: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        meant = {(one["venue"], one["symbol"]): one for rows in lists.get(_MEANT, {}).values() for one in rows}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is no list of instruments: {error}; remove it, or name another folder") from None
    meant |= {(one.venue, one.symbol): msgspec.to_builtins(one) for one in instruments}
    for venue, rows in entries.items():
        lists[venue] = lists.get(venue, {}) | rows
    lists[_MEANT] = {venue: [one for one in meant.values() if one["venue"] == venue] for venue, _ in meant}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(lists, indent=1))
    fresh.replace(path)


def _described(dialect: Dialect, rows: list[dict[str, Any]]) -> list[Instrument]:
    """Through ccxt's own reading of the list, as though the venue had just sent it."""
    exchange = getattr(ccxt, dialect.name)({"number": str})
    unsaid = _UNSAID.get(dialect.name)
    answer = _ENVELOPES[dialect.name]([unsaid(row) | row for row in rows] if unsaid else rows)
    exchange.fetch = lambda *_: answer
    found: dict[str, Instrument] = {}
    for market in exchange.fetch_markets():
        if market["id"] not in found:
            with contextlib.suppress(FrameError, LookupError, TypeError, ValueError, ArithmeticError):
                found[market["id"]] = _instrument(dialect, market)
    return list(found.values())


def _instrument(dialect: Dialect, market: Mapping[str, Any]) -> Instrument:
    """What the dialect makes of it; where the entry is too old for that, what ccxt does."""
    try:
        return dialect.instrument(market)
    except FrameError:
        if not all(market.get(name) for name in ("id", "symbol", "type", "base", "quote")):
            raise
        expiry = market.get("expiry")
        return Instrument(
            venue=dialect.name,
            symbol=market["symbol"],
            market_id=market["id"],
            type=market["type"],
            base=market["base"],
            quote=market["quote"],
            settle=market.get("settle"),
            contract_size=Decimal(str(market.get("contractSize") or 1)),
            inverse=bool(market.get("inverse")),
            tick_size=_step(market, "price"),
            lot_size=_step(market, "amount"),
            min_amount=Decimal(0),
            active=True,
            expiry=None if expiry is None else int(expiry),
            valid_from=0,
            strike=None if market.get("strike") is None else Decimal(str(market["strike"])),
            option=market.get("optionType"),
        )


def _step(market: Mapping[str, Any], what: str) -> Decimal:
    found = Decimal(str(market["precision"].get(what) or 0))
    return found if 0 < found < 1 else _FINEST
