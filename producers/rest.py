"""The venue's REST interface, through ccxt: markets, candles, server time, upkeep, and the requests that a dialect describes.

Every request waits for its turn among all processes of the host (`producers.rates`), stands back while the venue fails
(`producers.breaker`), and ends in its answer or in a RestError that says what kind of failure it is.
"""

import asyncio
import math
import sqlite3
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiohttp
import ccxt.async_support as ccxt
from platformdirs import user_state_path

from infra.settings import Settings
from producers.breaker import Breaker
from producers.clock import Clock
from producers.dialect import Request
from producers.exchange import beside, configured
from producers.failures import MaintenanceError, RateLimitedError, RefusedError, RestError, line, of, patiently
from producers.rates import Pace, RestingError

__all__ = ["MaintenanceError", "RateLimitedError", "RefusedError", "Rest", "RestError", "patiently"]

PATIENCE_S: Final = 10.0  # how long a request waits for its turn, where nobody says otherwise
_LOCAL_UNIT_MS: Final = 1.0  # a simulated venue may be asked as fast as it answers
_REST_S: Final = 1.0  # how long to rest where a venue says "too often" without saying for how long
_LONGEST_REST_S: Final = 3 * 86_400.0
_UNKNOWN: Final = "Unknown error"  # 503 says this also of one request that went wrong
_MALFORMED: Final = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)

T = TypeVar("T")


class Rest:
    """One venue. Numbers are the strings of digits that the venue sent, or whole numbers; never floats."""

    def __init__(self, settings: Settings, venue: str, patience_s: float = PATIENCE_S, clock: Clock | None = None) -> None:
        self.venue = venue
        self._address = settings.venue_address(venue)
        self.where = self._address or venue
        self._patience_s = patience_s
        self._clock = clock or Clock()
        self._breaker = Breaker()
        self._last: RestError = RestError("never asked")
        self._exchange = self._new_exchange()
        # Limits count by the host's address, whatever state directories its processes use. A simulated venue is nobody else's.
        folder = user_state_path("tapeflow") if self._address is None else settings.state
        unit_ms = float(self._exchange.rateLimit) if self._address is None else _LOCAL_UNIT_MS
        self._file = folder / "rates.sqlite"
        self._pace = Pace(self._file, self.where, unit_ms)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        await self._exchange.close()
        self._pace.close()

    async def time(self) -> int:
        """The venue's clock, epoch milliseconds. Raises RestError.

        To the second, rounded down, of a venue that has no request for it.
        """
        if not self._exchange.has["fetchTime"]:
            return await self._guarded(self._date())
        found = await self._call("fetch_time")
        if not isinstance(found, int):
            raise RestError(f"{self.where} told no time")
        return found

    async def ask(self, request: Request) -> Any:
        """The raw answer to a dialect's request. Raises RestError."""
        return await self._call(request.method, request.params)

    async def maintenance(self) -> str | None:
        """What the venue says of work on it just now; None when there is none or it never tells. Raises RestError."""
        if not self._exchange.has["fetchStatus"]:
            return None
        try:
            status = await self._call("fetch_status")
        except MaintenanceError as told:
            return str(told)
        if status.get("status") != "maintenance":
            return None
        return f"{self.where} is in maintenance" + (f" until {status['eta']}" if status.get("eta") else "")

    async def markets(self) -> dict[str, Any]:
        """All of ccxt's markets by unified symbol, asked for anew. Raises RestError.

        Thousands of them keep a core busy for a second: that is done beside the event loop.
        """

        async def load() -> dict[str, Any]:
            exchange = self._new_exchange()
            try:
                markets: dict[str, Any] = await exchange.load_markets()
                return markets
            finally:
                await exchange.close()

        return await self._guarded(beside(load))

    async def candles(self, symbol: str, timeframe: str, since: int, until: int) -> list[list[Any]]:
        """Up to a hundred candles of a unified symbol that open in [since, until), oldest first, as ccxt has them.

        Each is [open time, open, high, low, close, volume], strings but for the time. Raises RestError.
        """
        step = self._exchange.parse_timeframe(timeframe) * 1000
        limit = min(100, max(1, -(-(until - since) // step)))
        rows = await self._call("fetch_ohlcv", symbol, timeframe, since, limit, {"until": until - 1})
        return sorted(row for row in rows if since <= row[0] < until)

    @property
    def timeframes(self) -> dict[str, int]:
        """The candles that the venue has, and their lengths in milliseconds."""
        return {name: self._exchange.parse_timeframe(name) * 1000 for name in self._exchange.timeframes or {}}

    async def _call(self, method: str, *arguments: Any) -> Any:
        return await self._guarded(getattr(self._exchange, method)(*arguments))

    async def _guarded(self, work: Coroutine[Any, Any, T]) -> T:
        """What every request has around it."""
        wait = self._breaker.wait(self._clock.now())
        if wait:
            work.close()
            raise type(self._last)(f"{self._last} (failing; asked again in {wait:.1f} s)")
        try:
            async with self._told():
                found = await work
        except RestError as error:
            self._learn(error)
            raise
        except asyncio.CancelledError:
            self._breaker.gave_up()
            raise
        self._breaker.succeeded()
        return found

    def _learn(self, error: RestError) -> None:
        """What an error says of the venue: nothing where the request was never sent; that it lives where it answers."""
        self._last = error
        if isinstance(error.__cause__, ccxt.NetworkError) and not isinstance(error, RateLimitedError):
            self._breaker.failed(self._clock.now())
        elif error.__cause__ is None:
            self._breaker.gave_up()
        else:
            self._breaker.succeeded()

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        """Whatever goes wrong becomes a RestError."""
        try:
            yield
        except RestingError as resting:
            raise RateLimitedError(f"{self.where}: {resting}") from None
        except sqlite3.Error as error:
            message = f"cannot keep the host's rate limits in {self._file}: {error}; XDG_STATE_HOME may name another folder"
            raise RestError(message) from None
        except ccxt.BaseError as error:
            told = of(error)
            if isinstance(told, RateLimitedError):
                self._pace.rest(self._clock.real(_REST_S))  # some say so in the body only
            raise told from error
        except _MALFORMED as error:
            raise RestError(f"an answer of {self.where} that makes no sense: {line(error)}") from error

    async def _date(self) -> int:
        """When the venue's server says that it has answered."""
        exchange = self._exchange
        exchange.open(lazy=True)
        await self._throttle(1.0)
        address = exchange.implode_hostname(next(iter(exchange.urls["api"].values())))
        try:
            async with exchange.session.head(address, timeout=aiohttp.ClientTimeout(total=exchange.timeout / 1000)) as answer:
                return int(parsedate_to_datetime(answer.headers["Date"]).timestamp()) * 1000
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ccxt.ExchangeNotAvailable(f"{self.where} {error!r}") from error

    async def _throttle(self, cost: float | None = None) -> None:
        """Instead of ccxt's own, which knows of this process only."""
        await self._pace.enter(1.0 if cost is None else cost, self._patience_s)

    def _new_exchange(self) -> Any:
        exchange = configured(self.venue, self._address)
        exchange.throttle = self._throttle
        exchange.on_rest_response = self._answered
        return exchange

    def _answered(self, code: int, reason: str, url: str, method: str, headers: dict[str, str], body: str, *_: object) -> str:
        """See every answer before ccxt does."""
        del url, method
        named = {name.lower(): value for name, value in headers.items()}
        told = f"{self.where} {code} {reason} {body[:200]}"
        if code in (429, 418):
            self._pace.rest(self._clock.real(_seconds(named.get("retry-after"))))
            raise ccxt.RateLimitExceeded(told)
        if code == 503 and _UNKNOWN not in body:
            raise ccxt.OnMaintenance(told)
        return body.strip()


def _seconds(retry_after: str | None) -> float:
    """What `Retry-After` says: seconds, or a date."""
    try:
        seconds = float(retry_after or _REST_S)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after or "").timestamp() - time.time()
        except ValueError:
            seconds = _REST_S
    return min(_LONGEST_REST_S, max(_REST_S, seconds)) if math.isfinite(seconds) else _REST_S
