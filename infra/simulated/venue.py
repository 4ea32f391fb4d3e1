"""A venue as one thing: its settings, its market and clock, its faults, and who is connected; and all venues together."""

import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.settings import UserError
from infra.simulated.clock import ClockState, MarketClock
from infra.simulated.exchange import Answer, Exchange, Query
from infra.simulated.exchanges import EXCHANGES
from infra.simulated.faults import ONCE, Fault, FaultKind, Faults
from infra.simulated.feeds import Moment
from infra.simulated.market import MINUTE, Market, random_market
from infra.simulated.session import Session

START_MS: Final = 1_767_571_200_000  # 2026-01-05T00:00:00Z
_FIRST: Final = "okx"  # what a seed gave when this was the only venue, it gives there still
_CLOSED: Final = (FaultKind.MAINTENANCE, FaultKind.RATE_LIMIT, FaultKind.SERVER_ERROR)


@dataclass(frozen=True, slots=True)
class SimulatedVenueConfig:
    """How the venues are set up; each has a market, a clock and faults of its own.

    `start_ms` is when a market's clock starts (epoch ms, a whole minute), `speed` market seconds a real second; with
    `hold` a venue's clock stands at the start until the first subscription to its trades. Trading ends `minutes` after the
    start (the clock goes on) and there are `history_minutes` of it before. `pace` multiplies how often is traded.
    `haste` is how many seconds pass on the venues' watches, by which they end idle connections and faults last, in a real
    one. With `capture`, a recording is the market instead, and `seed`, `instruments`, `pace` and the lengths have no say.
    """

    seed: int = 7
    instruments: int = 8
    start_ms: int = START_MS
    speed: float = 60.0
    hold: bool = True
    minutes: int | None = None
    history_minutes: int = 500
    pace: float = 1.0
    capture: Path | None = None
    venues: tuple[str, ...] = ("okx",)
    haste: float = 1.0


class Venue:
    """One running venue without its sockets. Raises ValueError, KeyError or OSError when the settings make no market."""

    def __init__(self, name: str, config: SimulatedVenueConfig, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.market = _market(name, config)
        self.clock = MarketClock(config.start_ms, 1.0, ClockState.HOLD if config.hold else ClockState.RUN, monotonic)
        self.clock.set_speed(config.speed)
        self.exchange: Exchange = EXCHANGES[name].exchange(self.market)
        self.board = self.exchange.board
        self.faults = Faults()
        limited = (FaultKind.RATE_LIMIT,) if self.exchange.rules.connects_limited else ()
        self._closed_to_connections = (FaultKind.MAINTENANCE, *limited)
        self._haste, self._monotonic = config.haste, monotonic
        self._sessions: dict[Session, Callable[[], None]] = {}

    def now(self) -> Moment:
        """Return what time it is here."""
        real, now_ms = self._monotonic(), self.clock.now_ms()
        seconds = real * self._haste
        skew = self.faults.holding(FaultKind.CLOCK_SKEW, seconds)
        return Moment(now_ms, now_ms + (skew.count if skew else 0), seconds, real)

    def refused(self, path: str, *, connecting: bool) -> Answer | None:
        """Return what a request, or a connection, is refused with at present."""
        now = self.now()
        for kind in _CLOSED if not connecting else self._closed_to_connections:
            left = self.faults.left(kind, now.seconds)
            answer = self.exchange.refusal(kind, path, left, now) if left else None
            if answer is not None and kind is FaultKind.RATE_LIMIT:
                return Answer(answer.status, answer.body, {**answer.headers, "Retry-After": str(math.ceil(left))})
            if answer is not None:
                return answer
        return None

    def answer(self, method: str, path: str, query: Query, body: bytes) -> Answer:
        """Answer one request."""
        return self.refused(path, connecting=False) or self.exchange.rest(method, path, query, body, self.now())

    def connected(self, path: str, query: Query, wake: Callable[[], None]) -> Session:
        """Take a new connection to an address of the websocket; `wake` is called when it ought to look again."""
        now = self.now()
        session = Session(self.exchange, self.exchange.talk(path, query, secrets.token_hex(4), now), self.faults, now)
        self._sessions[session] = wake
        return session

    def disconnected(self, session: Session) -> None:
        """Forget a connection."""
        self._sessions.pop(session, None)

    def strike(self, fault: Fault) -> int:
        """Let a fault happen and return how many connections there are to suffer it."""
        now = self.now()
        if fault.kind not in ONCE:
            self.faults.begin(fault, now.seconds)
        for session in self._sessions:
            session.strike(fault, now)
        self.wake()
        return len(self._sessions)

    def clear(self) -> None:
        """End every fault."""
        self.faults.clear()
        for session in self._sessions:
            session.clear()
        self.wake()

    def release(self) -> None:
        """Start a clock that was held for the first subscription to trades."""
        if self.clock.state is ClockState.HOLD:
            self.clock.release()
            self.wake()

    @property
    def pace(self) -> float:
        """Market seconds a real second at present: 0 while the clock stands."""
        return self.clock.speed if self.clock.state is ClockState.RUN else 0.0

    def wake(self) -> None:
        """Let every connection look at the time again: the clock or the faults have changed."""
        for wake in self._sessions.values():
            wake()


def open_venues(config: SimulatedVenueConfig, monotonic: Callable[[], float] = time.monotonic) -> dict[str, Venue]:
    """Open every venue of the settings; `monotonic` gives real seconds. Raises UserError when they make no market."""
    for name in config.venues:
        if name not in EXCHANGES:
            raise UserError(f"no simulated venue {name!r}; there are {', '.join(EXCHANGES)}")
    try:
        if not config.haste > 0:
            raise ValueError(f"haste must be above 0, not {config.haste}")
        return {name: Venue(name, config, monotonic) for name in config.venues}
    except (ValueError, KeyError, OSError) as error:
        raise UserError(f"the simulated venue cannot start: {error}") from error


def _market(name: str, config: SimulatedVenueConfig) -> Market:
    if config.start_ms % MINUTE:
        raise ValueError(f"start must be a whole minute, not {config.start_ms} ms")
    opening = EXCHANGES[name]
    if config.capture is not None:
        if opening.recorded is None:
            raise ValueError(f"a capture of {name} cannot be read")
        return opening.recorded(config.capture, config.start_ms)
    chosen = opening.listings(config.instruments, config.pace)
    salt = "" if name == _FIRST else name
    return random_market(config.seed, chosen, config.start_ms, config.history_minutes, config.minutes, salt)
