"""A venue's REST interface that answers what a test says: a real server on a port of its own."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


class Answering:
    """`answers` by path, each `(status, body, headers)`; `asked` says when (monotonic seconds) which path was asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str, dict[str, str]]] = {}
        self.asked: list[tuple[float, str]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((time.monotonic(), request.path))
        status, body, headers = self.answers.get(request.path, (404, "", {}))
        return web.Response(status=status, text=body, headers=headers, content_type="application/json")


@asynccontextmanager
async def answering() -> AsyncIterator[Answering]:
    """It listens for as long as the block lasts."""
    venue = Answering()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", venue.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    venue.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    try:
        yield venue
    finally:
        await runner.cleanup()
