"""Numbers and times as venues write them in JSON: bare digits or text, taken exactly.

For venues that send numbers where others send strings, and for REST answers, where ccxt hands on every bare number as its text.
No float is ever made: `decode` reads a bare number as `int` or as the `Decimal` of its digits, and what is text stays text until
one of the functions below takes it for a number.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from producers.dialect import FrameError, checked, integer, rate
from schemas.exact import INT64_MAX

_EXPONENT: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]{1,2}")
_MOMENT: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?Z")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Shape = TypeVar("Shape")
Table = list[dict[str, Any]]
_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def decode(frame: bytes) -> dict[str, Any]:
    """The JSON object in a frame, its bare numbers as `int` and `Decimal`. Raises FrameError."""
    try:
        return _decoder.decode(frame)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError) as error:
        raise FrameError(f"not a JSON object: {error}") from None


def shaped(value: object, shape: type[Shape]) -> Shape:
    """A part of an answer in the shape that it should have: what is text is never taken for a list. Raises FrameError."""
    try:
        return msgspec.convert(value, shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise FrameError(f"not what was expected: {error}") from None


def guarded(understand: Callable[..., Shape], *told: Any) -> Shape:
    """What a function makes of what was told; a FrameError where something is missing or of another kind."""
    try:
        return understand(*told)
    except FrameError:
        raise
    except KeyError as error:
        raise FrameError(f"missing or unknown: {error!s:.60}") from None
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise FrameError(f"not what was expected: {error!r:.120}") from None


def signed(value: object) -> Decimal:
    """A number of either sign from its text, or from the digits of JSON. Raises FrameError."""
    if isinstance(value, str):
        return rate(value) if _EXPONENT.fullmatch(value) is None else _of_either_sign(Decimal(value))
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _of_either_sign(Decimal(value))
    if isinstance(value, float):  # of a decoder that is not ours: its shortest digits are those it was read from
        return signed(repr(value))
    raise FrameError(f"not a number: {value!r:.60}")


def above(value: object) -> Decimal:
    """As `signed`, at least zero."""
    found = signed(value)
    if found < 0:
        raise FrameError(f"a price or amount below zero: {value!s:.60}")
    return found


def positive(value: object) -> Decimal:
    """As `signed`, above zero."""
    found = signed(value)
    if found <= 0:
        raise FrameError(f"a price or amount that is not above zero: {value!s:.60}")
    return found


def whole(value: object) -> int:
    """An id or a time, from 0 to what 64 bits hold. Raises FrameError."""
    if type(value) is int and 0 <= value <= INT64_MAX:
        return value
    if isinstance(value, str):
        return integer(value)
    raise FrameError(f"not a whole number: {value!r:.60}")


def moment(value: object) -> int:
    """Epoch ms of an RFC 3339 time in UTC, its finer digits cut off; 0 of one before 1970. Raises FrameError."""
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise FrameError(f"not a time: {value!r:.60}")
    try:
        seconds = datetime(*(int(part) for part in found.groups()[:6]), tzinfo=UTC) - _EPOCH  # type: ignore[arg-type,misc]
    except ValueError as error:
        raise FrameError(f"not a time: {value!r:.60}: {error}") from None
    return max(0, (seconds.days * 86_400 + seconds.seconds) * 1_000 + int((found[7] or "0").ljust(3, "0")[:3]))


def _of_either_sign(value: Decimal) -> Decimal:
    magnitude = checked(value.copy_abs())
    return -magnitude if value < 0 else magnitude
