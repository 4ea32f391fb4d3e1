"""Fixtures of the whole suite: one real broker and one real database, whatever pytest-xdist makes of the session.

Every worker that needs a server becomes a user of the same state directory, which the controller makes and removes. The servers
themselves count their users (see `infra.embedded.keeper`): they start with the first worker that asks, stop with the last that
ends, and stop as well when workers are killed.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from rich.console import Console

from infra import topics
from infra.embedded import running
from infra.settings import Settings

_SERVERS = "PYTEST_SERVERS"
_SHARED = Path(__file__).parents[2] / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Before any worker starts: a folder for the servers, and nobody's own settings in the environment."""
    if not hasattr(config, "workerinput"):
        os.environ[_SERVERS] = tempfile.mkdtemp(prefix="tapeflow-tests-")
    for name in list(os.environ):
        if name.startswith(("TAPEFLOW_", "KAFKA_", "DATABASE_URL")):
            del os.environ[name]


def pytest_unconfigure(config: pytest.Config) -> None:
    """After all workers have ended."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(_SERVERS), ignore_errors=True)


def _server(**configured: str) -> Iterator[Settings]:
    with running(Settings(state=Path(os.environ[_SERVERS]), **configured), Console(stderr=True)) as settings:
        yield settings


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """`host:port` of the suite's broker. Its topics are shared by all tests: put `topic_prefix` before every name."""
    for settings in _server(database_url="postgresql://none"):
        assert settings.kafka_bootstrap
        yield settings.kafka_bootstrap


@pytest.fixture(scope="session")
def _database_server() -> Iterator[str]:
    for settings in _server(kafka_bootstrap="none:1"):
        assert settings.database_url
        yield settings.database_url


@pytest.fixture
def database_url(_database_server: str) -> Iterator[str]:
    """The address of an empty database of this test's own."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(_database_server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield f"{_database_server.rpartition('/')[0]}/{name}"
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def topic_prefix() -> str:
    """What this test puts before its topics and consumer groups."""
    return f"t{uuid.uuid4().hex[:12]}."


@pytest.fixture
def settings(kafka_bootstrap: str, database_url: str, topic_prefix: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings for this test alone on the suite's broker and a fresh database. Its topics are deleted afterwards."""
    own = Settings(kafka_bootstrap=kafka_bootstrap, database_url=database_url, prefix=topic_prefix, state=tmp_path / "state")
    yield own
    topics.delete(own, topic_prefix)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded captures and wire samples beside the checkout."""
    if not _SHARED.is_dir():
        message = f"the recorded data is not at {_SHARED}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return _SHARED
