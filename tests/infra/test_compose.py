"""The compose file is well formed, pinned, on loopback, and mounts only what is there."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

INFRA = Path(__file__).parents[2] / "infra"
COMPOSE = INFRA / "compose.yaml"


@pytest.fixture
def compose() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text())


@pytest.mark.parametrize(
    ("service", "image"),
    [
        ("kafka", "apache/kafka:4.1."),
        ("timescaledb", "timescale/timescaledb:2."),
        ("grafana", "grafana/grafana:"),
        ("prometheus", "prom/prometheus:v"),
    ],
)
def test_every_service_is_pinned_watched_and_on_loopback(compose, service, image):
    """A pinned image, a health check, ports for this machine alone, data that outlives the container."""
    found = compose["services"][service]
    assert found["image"].startswith(image)
    assert not found["image"].endswith("latest")
    assert found["healthcheck"]["test"][0] == "CMD"
    assert found["ports"]
    assert all(port.startswith("127.0.0.1:") for port in found["ports"])
    assert any(volume.split(":")[0] in compose["volumes"] for volume in found["volumes"])


def test_the_database_is_postgresql_17(compose):
    """TimescaleDB 2.x on PostgreSQL 17."""
    assert compose["services"]["timescaledb"]["image"].endswith("-pg17")


def test_every_mount_is_declared_or_is_there(compose):
    """A named volume is declared; a path exists beside the compose file."""
    for service in compose["services"].values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert (INFRA / source).exists() if source.startswith(".") else source in compose["volumes"]
        for dependency in service.get("depends_on", {}):
            assert dependency in compose["services"]


@pytest.mark.parametrize("path", sorted(str(p.relative_to(INFRA)) for p in INFRA.rglob("*.y*ml")))
def test_provisioned_files_are_yaml(path):
    """Grafana and Prometheus get files that parse to a mapping."""
    assert isinstance(yaml.safe_load((INFRA / path).read_text()), dict)


def test_the_datasource_is_the_database_of_the_compose_file(compose):
    """Grafana connects to the service, user and database that compose creates."""
    source = yaml.safe_load((INFRA / "grafana/provisioning/datasources/tapeflow.yaml").read_text())["datasources"][0]
    database = compose["services"]["timescaledb"]["environment"]
    assert source["url"].split(":")[0] in compose["services"]
    assert (source["user"], source["jsonData"]["database"]) == (database["POSTGRES_USER"], database["POSTGRES_DB"])


def test_docker_accepts_it():
    """Docker's own parser, where there is one."""
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no docker compose on this machine")
    subprocess.run([docker, "compose", "-f", str(COMPOSE), "config", "--quiet"], check=True, capture_output=True)
