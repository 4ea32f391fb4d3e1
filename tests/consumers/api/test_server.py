"""The API as the process it is: its start, its end, and a database that goes and comes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from consumers.api import server
from consumers.storage.database import Database
from infra.embedded import child, postgres
from infra.settings import Settings, UserError
from tests.consumers.api.conftest import NO_BROKER, serving

RUN = "from infra.settings import load_settings; from consumers.api.server import run; run(load_settings())"


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.database
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly(database_settings: Settings, port: int, number: int) -> None:
    """With code 0 within 5 seconds, and its ready mark and token are where they belong."""
    environment = {
        "KAFKA_BOOTSTRAP": NO_BROKER,
        "DATABASE_URL": str(database_settings.database_url),
        "TAPEFLOW_STATE": str(database_settings.state),
        "TAPEFLOW_API_PORT": str(port),
    }
    process = subprocess.Popen([sys.executable, "-c", RUN], env=os.environ | environment, stderr=subprocess.PIPE)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            until(lambda: live(client))
        assert (database_settings.state / "run" / "api.ready").exists()
        assert (database_settings.state / "token").stat().st_mode & 0o777 == 0o600
        process.send_signal(number)
        _, told = process.communicate(timeout=5)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert b"Traceback" not in told
    assert f"listening on http://127.0.0.1:{port}".encode() in told


def live(client: httpx.Client) -> bool:
    try:
        return client.get("/health/live").status_code == 200
    except httpx.TransportError:
        return False


def until(true: Callable[[], bool], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    """By number, with the setting that changes it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings(kafka_bootstrap=NO_BROKER, database_url="postgresql://none", state=tmp_path, api_port=port)
        with pytest.raises(
            UserError, match=rf"^cannot listen on 127\.0\.0\.1:{port}: Address already in use; set TAPEFLOW_API_HOST"
        ):
            server.run(settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kafka_bootstrap": NO_BROKER}, "no database: set DATABASE_URL"),
        ({"database_url": "postgresql://none"}, "no Kafka broker"),
    ],
)
def test_what_it_cannot_work_without(tmp_path: Path, settings: dict[str, str], message: str) -> None:
    """Is told before anything starts."""
    with pytest.raises(UserError, match=message):
        server.build(Settings(state=tmp_path, **settings))


def test_a_database_that_goes_and_comes(tmp_path: Path) -> None:
    """503 while it is away, answers when it is back, from the same process."""
    place = tmp_path / "private"
    private = postgres.start(place)
    try:
        child.await_ready([private])
        database = Database(private.address)
        database.connect()
        database.close()
        settings = Settings(kafka_bootstrap=NO_BROKER, database_url=private.address, state=tmp_path / "state")
        with serving(settings) as client:
            statuses = [client.get("/v1/orders").status_code]
            child.stop([private])
            statuses.append(client.get("/v1/orders").status_code)
            private = postgres.start(place)
            child.await_ready([private])
            until(lambda: client.get("/v1/orders").status_code == 200, within_s=10)
    finally:
        child.stop([private])
    assert statuses == [200, 503]
