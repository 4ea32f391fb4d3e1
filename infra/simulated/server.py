"""The venue's sockets: websocket and REST on one port, by FastAPI and uvicorn.

`python -m infra.simulated --seed 7 --port 8700` runs it alone; `running(config)` runs it beside a test.

ccxt takes it for OKX when pointed at it:

    exchange = ccxt.okx({"urls": {"api": {"rest": venue.url, "ws": venue.ws_url + "/ws/v5"}}})

(`ws` is for `ccxt.pro`, which needs `asyncio`; `exchange.number = str` keeps the venue's digits.)
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from infra.settings import UserError
from infra.simulated.control import PAGE, control
from infra.simulated.okx import rest
from infra.simulated.okx.session import ADDRESSES, Session
from infra.simulated.venue import SimulatedVenueConfig, Venue

WAKE_SECONDS = 0.005
_TURN = 64  # frames sent before others get a turn


def application(venue: Venue) -> FastAPI:
    """Return the web application of a venue: its own API and the control of it."""
    app = FastAPI(title="Simulated OKX", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(control(venue))

    @app.get("/api/v5/{path:path}")
    async def read(path: str, request: Request) -> Response:
        status, body = rest.answer(venue.board, path, request.query_params, venue.clock.now_ms())
        return JSONResponse(body, status_code=status)

    @app.websocket("/ws/v5/{address}")
    async def connect(websocket: WebSocket, address: str) -> None:
        if address not in ADDRESSES:
            await websocket.close()
            return
        await websocket.accept()
        session, turn = venue.connected(address), asyncio.Lock()
        speaking = asyncio.create_task(_speak(websocket, session, venue, turn))
        try:
            await _listen(websocket, session, venue, turn)
        finally:
            venue.disconnected(session)
            speaking.cancel()

    return app


async def _listen(websocket: WebSocket, session: Session, venue: Venue, turn: asyncio.Lock) -> None:
    """Answer the client until it is gone; `turn` keeps what it subscribed to from arriving before the answer.

    The clock starts after the first subscription to trades is answered.
    """
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while (message := await websocket.receive())["type"] == "websocket.receive":
            said = message.get("text")
            said = message["bytes"].decode(errors="replace") if said is None else said
            async with turn:
                for reply in session.receive(said, venue.clock.now_ms(), time.monotonic()):
                    await websocket.send_text(reply)
            if session.follows_trades:
                venue.clock.release()


async def _speak(websocket: WebSocket, session: Session, venue: Venue, turn: asyncio.Lock) -> None:
    """Send what is due until the session is over; a client that reads slowly is sent things later, not more at once."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while (end := session.over(time.monotonic())) is None:
            async with turn:
                for sent, frame in enumerate(session.due(venue.clock.now_ms(), time.monotonic()), start=1):
                    await (websocket.send_text(frame) if isinstance(frame, str) else websocket.send_bytes(frame))
                    if sent % _TURN == 0:
                        await asyncio.sleep(0)
            await asyncio.sleep(WAKE_SECONDS)
        await websocket.close(*end)


def _server(venue: Venue) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            application(venue),
            ws="websockets-sansio",
            ws_ping_interval=None,  # OKX's heartbeat is a text that the client sends
            ws_per_message_deflate=False,
            log_config=None,
            access_log=False,
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
    """Run the venue until SIGINT or SIGTERM; `on_ready` is told the port once connections are accepted.

    Raises UserError when the port is taken or the settings make no market.
    """
    server = _server(Venue(config))
    listener = _listening(host, port)
    if on_ready is not None:
        on_ready(listener.getsockname()[1])
    await server.serve(sockets=[listener])


class RunningVenue:
    """A venue that runs beside a test, and its back door."""

    def __init__(self, venue: Venue, port: int, client: httpx.AsyncClient) -> None:
        self.venue, self.port = venue, port
        self.url = f"http://127.0.0.1:{port}"
        self.ws_url = f"ws://127.0.0.1:{port}"
        self._client = client

    async def fault(self, kind: str, **numbers: Any) -> int:
        """Let a fault happen, see FaultKind; returns how many connections suffer it."""
        answer = await self._client.post("/control/fault", json={"kind": kind, **numbers})
        return int(answer.raise_for_status().json()["connections"])

    async def clock(self, **order: Any) -> dict[str, Any]:
        """Set `speed` or `state` of the clock, or neither, and return how it stands."""
        asked = self._client.post("/control/clock", json=order) if order else self._client.get("/control/clock")
        answer: dict[str, Any] = (await asked).raise_for_status().json()
        return answer

    async def ledger(self) -> dict[str, dict[str, int | None]]:
        """Return, by instrument name, the counts and first and last ids of its trades until now."""
        answer = await self._client.get("/control/ledger")
        instruments: dict[str, dict[str, int | None]] = answer.raise_for_status().json()["instruments"]
        return instruments

    async def trades(self, name: str) -> list[list[Any]]:
        """Return every trade since the start as [id, time, price, amount, side], oldest first."""
        rows: list[list[Any]] = []
        while True:
            query = {"instId": name, "after": rows[-1][0] if rows else 0}
            page = (await self._client.get("/control/ledger/trades", params=query)).raise_for_status().json()["trades"]
            rows += page
            if len(page) < PAGE:
                return rows


@contextlib.asynccontextmanager
async def running(config: SimulatedVenueConfig) -> AsyncIterator[RunningVenue]:
    """Run a venue in a thread of its own, so that clients that block may use it too."""
    venue = Venue(config)
    server, listener = _server(venue), _listening("127.0.0.1", 0)
    port = listener.getsockname()[1]
    thread = threading.Thread(target=server.run, args=([listener],), name="simulated venue")
    thread.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            yield RunningVenue(venue, port, client)
    finally:
        server.should_exit = True
        await asyncio.to_thread(thread.join)
