"""The bearer token that commands ask for: made once, readable by its owner only."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from infra.settings import UserError


def load(state: Path) -> str:
    """The token in `<state>/token`, made if it is missing; two processes that make it at once agree on one. Raises UserError."""
    file = state / "token"
    try:
        if not file.exists():
            state.mkdir(parents=True, exist_ok=True)
            _make(file)
        token = file.read_text().strip()
    except OSError as error:
        raise UserError(f"the token of the API is not to be had at {file}: {error.strerror}") from None
    if not token:
        raise UserError(f"{file} is empty: remove it and a new token is made")
    return token


def _make(file: Path) -> None:
    """Written under another name and linked when it is whole: nobody reads half a token, and nobody's is replaced."""
    draft = file.with_name(f".token-{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as handle:
            handle.write(secrets.token_urlsafe(32) + "\n")
        with suppress(FileExistsError):
            file.hardlink_to(draft)
    finally:
        draft.unlink()


def matches(given: str, expected: str) -> bool:
    """Compared in constant time: the answer's delay tells nothing of how much was right."""
    return secrets.compare_digest(given.encode(), expected.encode())
