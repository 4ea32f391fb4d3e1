"""Which cases run, and the table of what became of each fault on each venue."""

import os
from collections.abc import Sequence

import pytest
from rich.console import Console
from rich.table import Table

from tests.faults.kinds import KINDS, VENUES

ALL = os.environ.get("FAULTS") == "all"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The suite runs what is marked as short. FAULTS=all runs everything."""
    for item in items:
        if not ALL and item.get_closest_marker("faults") and not item.get_closest_marker("short"):
            item.add_marker(pytest.mark.skip(reason="`make faults` runs it"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A row a fault, a column a venue."""
    found: dict[tuple[str, str], str] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            for key, value in report.user_properties:
                if key == "case":
                    found[value[0], value[1]] = value[2] if outcome == "passed" else "FAILED"
    if found:
        _print(found)


def _print(found: dict[tuple[str, str], str]) -> None:
    table = Table("", *VENUES, title="faults", title_justify="left")
    notes: dict[str, int] = {}
    rows: Sequence[str] = list(dict.fromkeys([*KINDS, *(kind for _, kind in found)]))
    for kind in rows:
        table.add_row(kind, *(_cell(found, name, kind, notes) for name in VENUES))
    console = Console(width=110)
    console.print(table)
    for note, number in notes.items():
        console.print(f"  {number}: {note}")


def _cell(found: dict[tuple[str, str], str], name: str, kind: str, notes: dict[str, int]) -> str:
    lacks = KINDS[kind].lacks.get(name) if kind in KINDS else None
    text = found.get((name, kind), "" if lacks is None else f"n.a.: {lacks}")
    short, _, note = text.partition(": ")
    return f"{short} {notes.setdefault(note, len(notes) + 1)}" if note else short
