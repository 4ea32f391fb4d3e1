"""The id recipe. Golden vectors in the tests freeze it: a changed id is an order placed twice.

An id is the first 130 bits of SHA-256 over its parts, each preceded by its length so that no two lists of parts run together, in
lower-case base 32. Twenty-six letters and digits fit every venue's alphabet and length for client order ids.
"""

import base64
import hashlib
from collections.abc import Mapping


def derive(*parts: str | int) -> str:
    """26 characters of [a-z2-7] that depend on every part and their order."""
    digest = hashlib.sha256()
    for part in parts:
        text = str(part).encode()
        digest.update(b"%d:" % len(text))
        digest.update(text)
    return base64.b32encode(digest.digest())[:26].decode().lower()


def parameters_hash(parameters: Mapping[str, str]) -> str:
    """Of a rule's parameters, whatever order they are written in."""
    return derive("parameters", *(part for item in sorted(parameters.items()) for part in item))


def signal_id(
    venue: str,
    symbol: str,
    timeframe: str,
    open_time: int,
    candle_revision: int,
    indicator_revision: int,
    rule: str,
    parameters: str,
) -> str:
    """Of one rule's verdict on one revision of one candle; `parameters` is their hash."""
    return derive("signal", venue, symbol, timeframe, open_time, candle_revision, indicator_revision, rule, parameters)


def client_order_id(account: str, strategy: str, cause: str, leg: str, attempt: int) -> str:
    """Of one leg of what one cause led to. It starts with a letter, as some venues ask."""
    return "t" + derive("order", account, strategy, cause, leg, attempt)


def position_id(account: str, strategy: str, cause: str) -> str:
    """Of the position that one signal opened."""
    return derive("position", account, strategy, cause)


def fill_id(client_order_id: str, trade_id: int) -> str:
    """Of the part of an order that one market trade filled."""
    return derive("fill", client_order_id, trade_id)


def refusal_id(account: str, strategy: str, cause: str) -> str:
    """Of a strategy's refusal to act on one cause."""
    return derive("refusal", account, strategy, cause)


def name_id(name: str) -> int:
    """63 bits of SHA-256 of a venue's own name for a trade, where it has no number."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1
