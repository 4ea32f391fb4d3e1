"""`tapeflow status`: what runs, how far behind each stage is, what is stored."""

import sys
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from infra import topics as broker
from infra.embedded import found
from infra.settings import Settings, UserError
from tapeflow import stored
from tapeflow.lag import lags
from tapeflow.parts import PARTS


def report(configured: Settings, *, as_json: bool) -> None:
    """Print it. Starts nothing: where nothing runs, that is the answer."""
    settings = found(configured)
    answer = {
        "state": str(settings.state),
        "kafka": settings.kafka_bootstrap,
        "database": settings.database_url,
        "parts": {part: (settings.state / "run" / f"{part}.ready").exists() for part in PARTS},
        "lag": _unless_gone(lambda: lags(broker.admin(settings), settings)) if settings.kafka_bootstrap else None,
        "rows": _unless_gone(lambda: stored.counts(settings)) if settings.database_url else None,
    }
    if as_json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    else:
        Console().print(_table(answer))


def _unless_gone(ask: Any) -> Any:
    try:
        return ask()
    except UserError as error:
        return str(error)


def _table(answer: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False)
    for name, value in answer.items():
        if value is None:
            table.add_row(name, "not running: `tapeflow up` starts it")
        elif isinstance(value, dict):
            table.add_row(name, "   ".join(f"{key} {_word(part)}" for key, part in value.items()))
        else:
            table.add_row(name, str(value))
    return table


def _word(value: bool | int) -> str:
    if isinstance(value, bool):
        return "ready" if value else "-"
    return f"{value:,}"
