"""The API over HTTP, as clients meet it: a real server on a free port, a real database and, where it matters, a real broker."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from consumers.api import events, server
from consumers.storage.database import Database
from infra.settings import Settings
from schemas.codec import Record
from tests.consumers.storage.records import staged

NO_BROKER = "127.0.0.1:1"


@contextmanager
def serving(settings: Settings) -> Iterator[httpx.Client]:
    """A client of a server of its own."""
    config = uvicorn.Config(server.build(settings), log_config=None, log_level="warning", timeout_graceful_shutdown=2)
    own = server.Server(config)
    with server._listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(own.serve([listener])))
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with httpx.Client(base_url=address, timeout=15, transport=httpx.HTTPTransport(retries=5)) as client:
                yield client
        finally:
            own.should_exit = True
            thread.join()


@pytest.fixture
def database_settings(database_url: str, tmp_path: Path) -> Settings:
    """A database and no broker."""
    return Settings(kafka_bootstrap=NO_BROKER, database_url=database_url, state=tmp_path / "state")


@pytest.fixture
def store(database_url: str) -> Iterator[Callable[..., None]]:
    """Puts records into the database, as storage does."""
    database = Database(database_url)

    def put(*records: Record) -> None:
        assert database.store(staged(*records)) == []

    put()
    yield put
    database.close()


@pytest.fixture
def client(database_settings: Settings, store: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """Of an API with tables and without a broker, whose absence is noticed at once."""
    monkeypatch.setattr(events, "_ANSWER_S", 0.05)
    with serving(database_settings) as client:
        yield client
