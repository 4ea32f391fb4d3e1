"""`tapeflow doctor`: what this machine and its settings have, lack, and what to do about it."""

import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import psycopg
from platformdirs import user_state_path

from infra import topics as broker
from infra.settings import Settings, UserError
from producers.dialects import DIALECTS
from schemas.topics import TOPICS

NEEDED_BYTES = 2 * 1024**3
_REACH_S = 3.0


@dataclass(frozen=True)
class Finding:
    """One line of the report; `bad` means that Tapeflow will not work."""

    what: str
    verdict: Literal["good", "note", "bad"]
    detail: str


def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which a start would meet them."""
    checks: list[Callable[[Settings], Iterator[Finding]]] = [_python, _state, _kafka, _database, _api_port, _limits, _venues]
    return [finding for check in checks for finding in check(settings)]


def _python(_: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", "good" if sys.version_info >= (3, 11) else "bad", version)


def _state(settings: Settings) -> Iterator[Finding]:
    folder = settings.state
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        yield Finding("state directory", "bad", f"{folder} cannot be written: {error.strerror}; set TAPEFLOW_STATE")
        return
    free = shutil.disk_usage(folder).free
    verdict: Literal["good", "bad"] = "good" if free >= NEEDED_BYTES else "bad"
    yield Finding("state directory", verdict, f"{folder}, {free / 1024**3:.0f} GiB free (2 are needed)")


def _kafka(settings: Settings) -> Iterator[Finding]:
    if settings.kafka_bootstrap is None:
        yield Finding("Kafka", "good", "embedded, started when needed (set KAFKA_BOOTSTRAP for a real cluster)")
        return
    try:
        names = broker.admin(settings).list_topics(timeout=10).topics
    except UserError as error:
        yield Finding("Kafka", "bad", str(error))
        return
    yield Finding("Kafka", "good", f"answers at {settings.kafka_bootstrap}")
    missing = [topic.name for topic in TOPICS if broker.name(settings, topic) not in names]
    if missing:
        yield Finding("topics", "note", f"{len(missing)} of {len(TOPICS)} are missing; `tapeflow topics --create` makes them")
    else:
        yield Finding("topics", "good", f"all {len(TOPICS)} are there")


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is None:
        yield Finding("database", "good", "embedded PostgreSQL, started when needed (set DATABASE_URL for a real server)")
        yield Finding("TimescaleDB", "note", "not in the embedded server: tables stay plain, without compression and retention")
        return
    try:
        with psycopg.connect(settings.database_url, connect_timeout=5, autocommit=True) as connection:
            yield from _extension(connection)
    except psycopg.OperationalError as error:
        yield Finding("database", "bad", f"{str(error).splitlines()[0]}; check DATABASE_URL")


def _extension(connection: psycopg.Connection) -> Iterator[Finding]:
    server = connection.info.parameter_status("server_version")
    yield Finding("database", "good", f"PostgreSQL {server} answers")
    available = connection.execute("SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'").fetchone()
    preloaded = connection.execute("SELECT current_setting('shared_preload_libraries') LIKE '%timescaledb%'").fetchone()
    if available is None:
        yield Finding("TimescaleDB", "note", "not available on this server: tables stay plain, without compression and retention")
    elif not (preloaded and preloaded[0]):
        yield Finding("TimescaleDB", "note", f"{available[0]} is there but not in shared_preload_libraries: add it and restart")
    else:
        yield Finding("TimescaleDB", "good", available[0])


def _api_port(settings: Settings) -> Iterator[Finding]:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.api_host, settings.api_port))
        except OSError as error:
            detail = f"{settings.api_host}:{settings.api_port}: {error.strerror}; set TAPEFLOW_API_PORT"
            yield Finding("API port", "note", detail)
            return
    yield Finding("API port", "good", f"{settings.api_host}:{settings.api_port} is free")


def _venues(settings: Settings) -> Iterator[Finding]:
    for venue in settings.symbols():
        address = settings.venue_address(venue) or DIALECTS[venue].hosts[0]
        parts = urlsplit(address)
        try:
            with socket.create_connection((parts.hostname or "", parts.port or 443), timeout=_REACH_S):
                pass
        except OSError as error:
            cure = "start the simulated venue, or unset TAPEFLOW_VENUE_URL" if settings.venue_url else "the demo does not need it"
            yield Finding(venue, "note", f"{address} cannot be reached from here ({error.strerror or error}); {cure}")
            continue
        if settings.venue_url is not None:
            yield Finding(venue, "note", f"answers at {address}, which is not the real one (TAPEFLOW_VENUE_URL)")
        else:
            yield Finding(venue, "good", f"answers at {address}")


def _limits(settings: Settings) -> Iterator[Finding]:
    """What all processes on this host share, so that together they ask a venue no more often than it allows."""
    folder = user_state_path("tapeflow")
    if settings.venue_url is not None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with sqlite3.connect(folder / "rates.sqlite", timeout=1) as connection:
            connection.execute("PRAGMA user_version")
    except (OSError, sqlite3.Error) as error:
        yield Finding("rate limits", "bad", f"{folder} cannot be written: {error}; XDG_STATE_HOME may name another folder")
        return
    yield Finding("rate limits", "good", f"shared by all on this host in {folder}")
