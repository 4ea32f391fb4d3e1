"""The venues' sockets: websocket and REST on one port, each venue below its ccxt id.

`python -m infra.simulated --venues okx,binance --port 8700` runs them alone; `running(config)` runs them beside a test.

ccxt takes each for the real one when its addresses are replaced, scheme and host by `http://host:port/<venue>`:

    exchange = ccxt.okx({"urls": {"api": {"rest": venue.address + "/okx", "ws": venue.ws_address + "/okx/ws/v5"}}})

(`ws` is for `ccxt.pro`, which needs `asyncio`; `exchange.number = str` keeps the venue's digits.)
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from email.utils import formatdate
from typing import Any, cast

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from infra.settings import UserError
from infra.simulated.connection import Connection
from infra.simulated.control import PAGE, control
from infra.simulated.encoded import written
from infra.simulated.venue import SimulatedVenueConfig, Venue, open_venues

_METHODS = ["GET", "POST", "PUT", "DELETE"]


def application(venues: Mapping[str, Venue]) -> FastAPI:
    """Return the web application: the REST API of every venue and the control of them."""
    app = FastAPI(title="Simulated venues", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(control(venues))

    @app.api_route("/{name}/{path:path}", methods=_METHODS)
    async def ask(name: str, path: str, request: Request) -> Response:
        venue = venues.get(name)
        if venue is None:
            return Response(f"no venue {name}; there are {', '.join(venues)}\n", status_code=404)
        answer = venue.answer(request.method, f"/{path}", request.query_params, await request.body())
        return Response(written(answer.body), answer.status, {**answer.headers, **_dated(venue)}, media_type="application/json")

    @app.head("/{name}")
    async def tell_time(name: str) -> Response:
        venue = venues.get(name)
        return Response(status_code=404) if venue is None else Response(headers=_dated(venue))

    return app


def _dated(venue: Venue) -> dict[str, str]:
    """What the venue's clock says, as every answer does."""
    return {"Date": formatdate(venue.now().told // 1000, usegmt=True)}


def _server(venues: Mapping[str, Venue], haste: float) -> uvicorn.Server:
    def websocket(config: uvicorn.Config, server_state: Any, app_state: object) -> Connection:  # noqa: ARG001 - uvicorn's words
        return Connection(venues, server_state.connections, haste)

    return uvicorn.Server(
        uvicorn.Config(
            application(venues),
            ws=cast("Any", websocket),
            log_config=None,
            access_log=False,
            date_header=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )


def _listening(host: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UserError(f"cannot listen on {host}:{port} ({error.strerror}); choose another --port, or 0") from error
    listener.listen(128)
    return listener


async def serve(
    config: SimulatedVenueConfig,
    host: str = "127.0.0.1",
    port: int = 0,
    on_ready: Callable[[int], object] | None = None,
) -> None:
    """Run the venues until SIGINT or SIGTERM; `on_ready` is told the port once connections are accepted.

    Raises UserError when the port is taken or the settings make no market.
    """
    server = _server(open_venues(config), config.haste)
    listener = _listening(host, port)
    if on_ready is not None:
        on_ready(listener.getsockname()[1])
    await server.serve(sockets=[listener])


class RunningVenue:
    """Venues that run beside a test, and their back door."""

    def __init__(self, venues: Mapping[str, Venue], port: int, client: httpx.AsyncClient) -> None:
        self.venues, self.port = venues, port
        self.address = f"http://127.0.0.1:{port}"
        self.ws_address = f"ws://127.0.0.1:{port}"
        self._client = client

    async def fault(self, venue: str, kind: str, **numbers: Any) -> int:
        """Let a fault happen, see FaultKind; returns how many connections there are to suffer it."""
        answer = await self._client.post(f"/control/{venue}/fault", json={"kind": kind, **numbers})
        return int(answer.raise_for_status().json()["connections"])

    async def clear(self, venue: str) -> None:
        """End every fault of a venue."""
        (await self._client.delete(f"/control/{venue}/fault")).raise_for_status()

    async def clock(self, venue: str | None = None, **order: Any) -> dict[str, Any]:
        """Set `speed` or `state` of a venue's clock (or of every venue's), or neither, and return how (the first) stands."""
        for name in (venue,) if venue is not None else self.venues:
            if order:
                (await self._client.post(f"/control/{name}/clock", json=order)).raise_for_status()
        asked = await self._client.get(f"/control/{venue or next(iter(self.venues))}/clock")
        answer: dict[str, Any] = asked.raise_for_status().json()
        return answer

    async def ledger(self, venue: str) -> dict[str, dict[str, int | None]]:
        """Return, by the venue's own names, the counts and first and last ids of its trades until now."""
        answer = await self._client.get(f"/control/{venue}/ledger")
        instruments: dict[str, dict[str, int | None]] = answer.raise_for_status().json()["instruments"]
        return instruments

    async def trades(self, venue: str, name: str) -> list[list[Any]]:
        """Return every trade since the start as [id or name, time, price, amount, side], oldest first."""
        rows: list[list[Any]] = []
        while True:
            query: dict[str, str | int] = {"instrument": name, "skip": len(rows)}
            answer = await self._client.get(f"/control/{venue}/ledger/trades", params=query)
            page = answer.raise_for_status().json()["trades"]
            rows += page
            if len(page) < PAGE:
                return rows


@contextlib.asynccontextmanager
async def running(config: SimulatedVenueConfig, monotonic: Callable[[], float] = time.monotonic) -> AsyncIterator[RunningVenue]:
    """Run venues in a thread of their own, so that clients that block may use them too; `monotonic` gives real seconds."""
    venues = open_venues(config, monotonic)
    server, listener = _server(venues, config.haste), _listening("127.0.0.1", 0)
    port = listener.getsockname()[1]
    thread = threading.Thread(target=server.run, args=([listener],), name="simulated venues")
    thread.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield RunningVenue(venues, port, client)
    finally:
        server.should_exit = True
        await asyncio.to_thread(thread.join)
