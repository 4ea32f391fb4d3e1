"""ccxt as Tapeflow wants it: numbers in the venue's own digits, addresses that can be moved, every answer seen."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any, Final, TypeVar

import ccxt.async_support as ccxt

_PLACES: Final = 40  # an exponent beyond which a number would only cost memory

# Of the venues whose dialect speaks of some kinds of markets only: what need not be asked for cannot fail.
_TYPES: Final = {
    "binance": ["spot"],
    "binanceusdm": ["linear"],
    "bybit": ["spot", "linear", "inverse"],
}

T = TypeVar("T")


def configured(venue: str, address: str | None) -> Any:
    """An exchange of ccxt's, at another address where one is given."""
    exchange = getattr(ccxt, venue)({"number": str})
    exchange.on_json_response = loads
    if venue in _TYPES:
        exchange.options["fetchMarkets"] = {**(exchange.options["fetchMarkets"] or {}), "types": _TYPES[venue]}
    if address is not None:
        exchange.urls["api"] = _at(exchange.urls["api"], address)
    return exchange


def loads(text: str) -> Any:
    """JSON with its numbers as the venue wrote them."""
    return json.loads(text, parse_float=_digits, parse_constant=_no_number)


def _digits(text: str) -> str:
    """Plain digits, also where the venue writes an exponent."""
    if "e" not in text and "E" not in text:
        return text
    value = Decimal(text)
    return f"{value:f}" if abs(value.adjusted()) <= _PLACES else text


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _at(addresses: Any, url: str) -> Any:
    """Addresses as ccxt keeps them, moved to another place."""
    if isinstance(addresses, dict):
        return {name: _at(address, url) for name, address in addresses.items()}
    if not isinstance(addresses, str):
        return addresses
    _, _, path = addresses.partition("://")[2].partition("/")
    return f"{url}/{path}" if path else url


async def beside(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run something in a thread and event loop of its own; to cancel it is to cancel that."""
    begun: dict[str, Any] = {}

    def run() -> T:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            begun["loop"], begun["task"] = loop, loop.create_task(work())
            found: T = loop.run_until_complete(begun["task"])
            return found

    future = asyncio.get_running_loop().run_in_executor(None, run)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if "task" in begun and not future.done():
            begun["loop"].call_soon_threadsafe(begun["task"].cancel)
        raise
