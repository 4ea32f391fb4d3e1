"""Mutations of JSON texts: of their tokens, so that most are still JSON, and of their bytes."""

import random
import re
from collections.abc import Callable, Sequence
from typing import Final

TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null|[\[\]{},:]', re.DOTALL)
_HOSTILE: Final = (
    "NaN", "Infinity", "-Infinity", "null", "true", "false", "0", "-0", "-1", "-0.5", "0.0", "1e400", "1E-400", "1e999999999999",
    "1.", "00", "01.5", "9" * 40, "0." + "1" * 40, "9223372036854775807", "9223372036854775808", "18446744073709551616",
    "1" + "0" * 5_000, '""', '"NaN"', '"Infinity"', '"-1"', '"1_0"', '" 1"', '"1 "', '"+1"', '"١٢"', '"1e5"', '"0x10"', '"1,5"',
    '"\\u0031"', '"\\u0000"', '"\\ud800"', '"' + "9" * 40 + '"', '"' + "a" * 3_000 + '"', "[]", "{}", "[[]]", '["1","2"]',
    '{"price":"1"}', "[" * 2_000, '{"a":' * 2_000, "[" * 1_200 + "]" * 1_200, '"1970-01-01T00:00:00Z"', '"0001-01-01T00:00:00Z"',
    '"9999-12-31T23:59:59.999999999Z"', '"2024-02-30T00:00:00Z"', '"ping"', '"pong"', '"buy"', '"SELL"', '"snapshot"', '"update"',
    '"error"', '"💥"',
)  # fmt: skip
_PLAUSIBLE: Final = ("1", "0.5", "42.10", "1e-7", "2.5E2", "1700000000000", "7", "0.00000001", "99999.9", "123456789.123456789")
_EDGES: Final = (b"", b"\x00", b"\xff\xfe", b"{", b"}", b"[", b'"', b",", b"\\", b"\xc3", b"\xf0\x9f\x92\xa5", b"-", b"e5", b".")

Mutation = Callable[[random.Random, list[str]], list[str]]


def values(tokens: Sequence[str]) -> list[int]:
    """Where values are: everything but punctuation and keys."""
    last = len(tokens) - 1
    return [at for at, token in enumerate(tokens) if token not in "[]{},:" and not (at < last and tokens[at + 1] == ":")]


def _replaced(tokens: list[str], at: int, token: str) -> list[str]:
    return [*tokens[:at], token, *tokens[at + 1 :]]


def put_hostile(rng: random.Random, tokens: list[str]) -> list[str]:
    """A value becomes one that should not be there."""
    return _replaced(tokens, rng.choice(values(tokens)), rng.choice(_HOSTILE))


def put_number(rng: random.Random, tokens: list[str]) -> list[str]:
    """A value becomes a number that could be, bare or as text."""
    at, number = rng.choice(values(tokens)), rng.choice(_PLAUSIBLE)
    return _replaced(tokens, at, f'"{number}"' if tokens[at].startswith('"') else number)


def swap_values(rng: random.Random, tokens: list[str]) -> list[str]:
    """Two values change places: a price is where the side was."""
    first, second = rng.choice(values(tokens)), rng.choice(values(tokens))
    return _replaced(_replaced(tokens, first, tokens[second]), second, tokens[first])


def swap_type(rng: random.Random, tokens: list[str]) -> list[str]:
    """A number becomes text or text a bare token."""
    at = rng.choice(values(tokens))
    token = tokens[at]
    return _replaced(tokens, at, token[1:-1] if token.startswith('"') else f'"{token}"')


def nest(rng: random.Random, tokens: list[str]) -> list[str]:
    """A value goes a level down."""
    at = rng.choice(values(tokens))
    before, after = rng.choice((("[", "]"), ('{"a":', "}"), ("[[", "]]"), ("[1,", "]")))
    return _replaced(tokens, at, before + tokens[at] + after)


def change_digit(rng: random.Random, tokens: list[str]) -> list[str]:
    """A digit becomes another character."""
    at = rng.choice(values(tokens))
    token = tokens[at]
    place = rng.randrange(len(token))
    return _replaced(tokens, at, token[:place] + rng.choice("0123456789.-+eE_ ,x") + token[place + 1 :])


def drop_token(rng: random.Random, tokens: list[str]) -> list[str]:
    """A key, a value or a bracket is missing."""
    at = rng.randrange(len(tokens))
    return tokens[:at] + tokens[at + 1 :]


def repeat_key(rng: random.Random, tokens: list[str]) -> list[str]:
    """A key comes twice, with another value."""
    keys = [at for at in range(len(tokens) - 2) if tokens[at + 1] == ":"]
    if not keys:
        return tokens
    at = rng.choice(keys)
    return [*tokens[:at], tokens[at], ":", rng.choice([*_HOSTILE, tokens[rng.choice(values(tokens))]]), ",", *tokens[at:]]


def rename_key(rng: random.Random, tokens: list[str]) -> list[str]:
    """A key is called as another one."""
    keys = [at for at in range(len(tokens) - 1) if tokens[at + 1] == ":"]
    return _replaced(tokens, rng.choice(keys), tokens[rng.choice(keys)]) if keys else tokens


def repeat_part(rng: random.Random, tokens: list[str]) -> list[str]:
    """A stretch comes again, or is left out."""
    begin, end = sorted((rng.randrange(len(tokens) + 1), rng.randrange(len(tokens) + 1)))
    return tokens[:end] + (tokens[begin:end] if rng.random() < 0.5 else []) + tokens[end if rng.random() < 0.5 else begin :]


MUTATIONS: Final[tuple[Mutation, ...]] = (
    put_hostile, put_hostile, put_number, put_number, swap_values, swap_type, nest, change_digit, change_digit, drop_token,
    repeat_key, rename_key, repeat_part,
)  # fmt: skip


def spoil_bytes(rng: random.Random, frame: bytes) -> bytes:
    """Cut off, flipped, or with something else in it."""
    at = rng.randrange(len(frame) + 1)
    kind = rng.randrange(4)
    if kind == 0:
        return frame[:at]
    if kind == 1 and at < len(frame):
        return frame[:at] + bytes([frame[at] ^ (1 << rng.randrange(8))]) + frame[at + 1 :]
    if kind == 2:
        return frame[:at] + rng.choice(_EDGES) + frame[at:]
    return frame[:at] + rng.randbytes(rng.randrange(1, 6)) + frame[at + rng.randrange(6) :]


def mutated(rng: random.Random, frame: bytes) -> bytes:
    """One to three mutations of tokens, of bytes, or of both."""
    tokens = TOKEN.findall(frame.decode(errors="replace"))
    how = rng.random()
    if how < 0.85 and values(tokens):
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            if values(tokens):
                tokens = rng.choice(MUTATIONS)(rng, tokens)
        frame = "".join(tokens).encode(errors="surrogatepass")
    return spoil_bytes(rng, frame) if how > 0.75 else frame
