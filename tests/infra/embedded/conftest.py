"""Servers of a test's own, in its own folder."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from rich.console import Console

from infra.embedded import running
from infra.settings import Settings
from tests.infra.processes import on


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state directory; no process may be left on it."""
    yield tmp_path / "state"
    left = on(tmp_path / "state")
    for process in left:
        process.kill()
    assert left == []


@pytest.fixture
def database(state: Path) -> Callable[[], AbstractContextManager[Settings]]:
    """A user of an embedded PostgreSQL alone: what is true of the servers' life is true of either."""
    return lambda: running(Settings(state=state, kafka_bootstrap="none:1"), Console(stderr=True))
