"""The venue's REST interface, through ccxt: markets, server time, and the requests that a dialect describes."""

import difflib
import re
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

import ccxt.async_support as ccxt
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from infra.settings import Settings, UserError
from producers.dialect import Dialect, FrameError, Request
from schemas.market import Instrument

START_S: Final = 10.0  # how long a venue that does not answer is asked again, at the start
_LOCAL_RATE_LIMIT_MS: Final = 1


class RestError(Exception):
    """The venue does not answer, or answers with an error."""


class Rest:
    """One venue. Numbers stay the strings that the venue sent."""

    def __init__(self, settings: Settings) -> None:
        pace = {} if settings.venue_url is None else {"rateLimit": _LOCAL_RATE_LIMIT_MS}
        self._exchange = getattr(ccxt, settings.venue)({"number": str, **pace})
        self.where = settings.venue_url or settings.venue
        if settings.venue_url is not None:
            self._exchange.urls["api"] = _at(self._exchange.urls["api"], settings.venue_url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        await self._exchange.close()

    async def time(self) -> int:
        """The venue's clock, epoch milliseconds. Raises RestError."""
        found = await self._call("fetch_time")
        if not isinstance(found, int):
            raise RestError(f"{self.where} told no time")
        return found

    async def ask(self, request: Request) -> Any:
        """The raw answer to a dialect's request. Raises RestError."""
        return await self._call(request.method, request.params)

    async def instruments(self, dialect: Dialect, symbols: Sequence[str]) -> list[Instrument]:
        """The instruments of these symbols. Raises UserError when the venue does not have one of them, or does not answer."""
        try:
            markets = await self._markets()
        except RestError as error:
            raise UserError(f"no answer from {self.where}: {error}; check the network or TAPEFLOW_VENUE_URL") from None
        found = []
        for symbol in dict.fromkeys(symbols):
            if symbol not in markets:
                near = ", ".join(difflib.get_close_matches(symbol, markets, n=3, cutoff=0.3))
                raise UserError(f"{dialect.name} has no market {symbol!r}" + (f"; near are {near}" if near else ""))
            try:
                found.append(dialect.instrument(markets[symbol]))
            except FrameError as error:
                raise UserError(f"{dialect.name} does not describe {symbol}: {error}") from None
        return found

    async def _markets(self) -> dict[str, Any]:
        async for attempt in patiently(START_S):
            with attempt:
                markets: dict[str, Any] = await self._call("load_markets")
        return markets

    async def _call(self, method: str, *arguments: Any) -> Any:
        try:
            return await getattr(self._exchange, method)(*arguments)
        except ccxt.BaseError as error:
            raise RestError(f"{type(error).__name__} {error}"[:300]) from error


def patiently(seconds: float) -> AsyncRetrying:
    """Attempts that are repeated, ever more slowly, while the venue fails; the last error is raised after so many seconds."""
    return AsyncRetrying(
        retry=retry_if_exception_type((RestError, FrameError)),
        wait=wait_random_exponential(multiplier=0.2, max=5),
        stop=stop_after_delay(seconds),
        reraise=True,
    )


def _at(addresses: Any, url: str) -> Any:
    """Addresses as ccxt keeps them, moved to another host."""
    if isinstance(addresses, dict):
        return {name: _at(address, url) for name, address in addresses.items()}
    return re.sub(r"^https?://[^/]+", url, addresses) if isinstance(addresses, str) else addresses
