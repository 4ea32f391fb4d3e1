"""`tapeflow status`: what runs, how far behind each stage is, what is stored."""

import sys
from typing import Any

import msgspec
from filelock import Timeout

from infra.embedded import found
from infra.settings import Settings, UserError
from tapeflow import stored
from tapeflow.lag import Lags
from tapeflow.parts import names
from tapeflow.up import running_lock


def report(configured: Settings, *, as_json: bool) -> None:
    """Print it. Starts nothing: where nothing runs, that is the answer."""
    settings = found(configured)
    runs = _runs(settings)
    answer = {
        "state": str(settings.state),
        "kafka": settings.kafka_bootstrap,
        "database": settings.database_url,
        "parts": {part: runs and (settings.state / "run" / f"{part}.ready").exists() for part in names(settings)},
        "lag": _unless_gone(lambda: Lags(settings).now()) if settings.kafka_bootstrap else None,
        "rows": _unless_gone(lambda: stored.counts(settings)) if settings.database_url else None,
    }
    if as_json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_lines(answer)) + "\n")


def _runs(settings: Settings) -> bool:
    """Whether `tapeflow up` holds this state directory: a part that was killed leaves its ready file behind."""
    if not settings.state.exists():
        return False
    try:
        with running_lock(settings).acquire(blocking=False):
            return False
    except Timeout:
        return True


def _unless_gone(ask: Any) -> Any:
    try:
        return ask()
    except UserError as error:
        return str(error)


def _lines(answer: dict[str, Any]) -> list[str]:
    """One line a fact, never cut: addresses are there to be copied."""
    return [f"{name:<10}{_told(value)}" for name, value in answer.items()]


def _told(value: Any) -> str:
    if value is None:
        return "not running: `tapeflow up` starts it"
    if isinstance(value, dict):
        return "   ".join(f"{key} {_word(part)}" for key, part in value.items())
    return str(value)


def _word(value: bool | int) -> str:
    if isinstance(value, bool):
        return "ready" if value else "-"
    return f"{value:,}"
