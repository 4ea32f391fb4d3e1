"""The API as one process: routes, what they rest on, and the errors all of them share."""

import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

import consumers.api
from consumers.api import commands, database, events, health, history, token
from consumers.api.broker import Broker, UnacknowledgedError
from consumers.api.database import UnknownError
from consumers.api.events import Events
from consumers.api.queries import CursorError
from infra import stream
from infra.settings import Settings, UserError

PART: Final = "api"
_OPEN_REQUESTS_S: Final = 2


def build(settings: Settings) -> FastAPI:
    """The application. Raises UserError for settings it cannot work with."""
    if settings.database_url is None:
        raise UserError("no database: set DATABASE_URL, or start with `tapeflow up` or `tapeflow demo`")
    settings.librdkafka()
    app = FastAPI(title="Tapeflow", description=consumers.api.__doc__ or "", lifespan=_lifespan)
    app.state.settings = settings
    app.state.token = token.load(settings.state)
    for routes in (health, history, commands, events):
        app.include_router(routes.router)
    for error, answer in _ANSWERS.items():
        app.add_exception_handler(error, answer)
    return app


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises UserError when it cannot start: no database named, the port taken."""
    stream.configure_logging()
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # clients and /health/ready are told
    config = uvicorn.Config(
        build(settings), log_config=None, access_log=False, log_level="warning", timeout_graceful_shutdown=_OPEN_REQUESTS_S
    )
    server = Server(config)
    # The server repeats the signal that ended it; by then there is nothing left to end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None if server.should_exit else sys.exit(0))
    with _listen(settings.api_host, settings.api_port) as listener:
        logging.getLogger(__name__).info("listening on http://%s:%d", *listener.getsockname()[:2])
        server.run(sockets=[listener])


class Server(uvicorn.Server):
    """The server, which lets the open streams go before it waits for open requests."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """A stream has no end of its own: it would be waited for in vain, and cut."""
        self.config.app.state.events.end_streams()  # type: ignore[union-attr]  # it is ours
        await super().shutdown(sockets)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """What the routes rest on; none of it has to answer yet."""
    settings = app.state.settings
    app.state.broker = Broker(settings)
    app.state.events = Events(settings)
    app.state.pool = database.pool(settings.database_url)
    await app.state.pool.open(wait=False)
    app.state.events.start()
    stream.ready(settings, PART)
    try:
        yield
    finally:
        await app.state.events.stop()
        await app.state.pool.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # before the part says that it is ready
    except OSError as error:
        listener.close()
        raise UserError(
            f"cannot listen on {host}:{port}: {error.strerror}; set TAPEFLOW_API_HOST or TAPEFLOW_API_PORT to another"
        ) from None
    return listener


def _problem(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status)


async def _invalid(_request: Request, error: Any) -> JSONResponse:
    """The first complaint in one sentence."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:]) or "request"
    return _problem(422, f"{field}: {first['msg'][:1].lower()}{first['msg'][1:]}")


async def _not_found(_request: Request, error: Exception) -> JSONResponse:
    return _problem(404, str(error))


async def _unusable(_request: Request, error: Exception) -> JSONResponse:
    return _problem(422, str(error).partition("\n")[0])


async def _no_database(_request: Request, error: Exception) -> JSONResponse:
    return _problem(503, "the database does not answer: " + str(error).partition("\n")[0])


async def _no_tables(_request: Request, _error: Exception) -> JSONResponse:
    return _problem(503, "the database has no tables yet: start storage or run `tapeflow migrate`")


async def _no_broker(_request: Request, error: Exception) -> JSONResponse:
    return _problem(503, f"Kafka did not take the command: {error}")


_ANSWERS: Final[dict[type[Exception], Any]] = {
    RequestValidationError: _invalid,
    UnknownError: _not_found,
    CursorError: _unusable,
    psycopg.DataError: _unusable,
    psycopg.OperationalError: _no_database,
    psycopg.InterfaceError: _no_database,
    psycopg.errors.UndefinedTable: _no_tables,
    UnacknowledgedError: _no_broker,
}
