"""Health: alive is one thing, ready another, and which part is missing is told."""

from collections.abc import Callable

import httpx
import pytest

from infra.settings import Settings
from tests.consumers.api.conftest import serving

pytestmark = pytest.mark.database


@pytest.mark.broker
def test_ready(settings: Settings, store: Callable[..., None]) -> None:
    """Broker and database answer."""
    with serving(settings) as client:
        answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"kafka": "ok", "database": "ok"})


def test_without_a_broker(client: httpx.Client) -> None:
    """Alive, not ready, for the one reason."""
    assert client.get("/health/live").json() == {"status": "live"}
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["database"] == "ok"
    assert answer.json()["kafka"] != "ok"


def test_without_a_database(database_settings: Settings) -> None:
    """Alive, not ready; the database says why."""
    with serving(database_settings.model_copy(update={"database_url": "postgresql://127.0.0.1:1/none"})) as client:
        assert client.get("/health/live").status_code == 200
        answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["database"] != "ok"
