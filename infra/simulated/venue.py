"""The venue as one thing: its settings, its market and clock, and who is connected."""

import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from infra.settings import UserError
from infra.simulated.clock import ClockState, MarketClock
from infra.simulated.faults import Fault, FaultKind, Silence
from infra.simulated.listing import listings
from infra.simulated.market import MINUTE, Market, random_market
from infra.simulated.okx.board import Board
from infra.simulated.okx.recorded import recorded_market
from infra.simulated.okx.session import Session

START_MS = 1_767_571_200_000  # 2026-01-05T00:00:00Z


@dataclass(frozen=True, slots=True)
class SimulatedVenueConfig:
    """How the venue is set up.

    `start_ms` is when the market's clock starts (epoch ms, a whole minute), `speed` market seconds a real second;
    with `hold` the clock stands at the start until the first subscription to trades. Trading ends `minutes` after the
    start (the clock goes on) and there are `history_minutes` of it before. `pace` multiplies how often is traded.
    With `capture`, a recording is the market instead, and `seed`, `instruments`, `pace` and the lengths have no say.
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


class Venue:
    """A running venue without its sockets. Raises UserError when the settings make no market."""

    def __init__(self, config: SimulatedVenueConfig) -> None:
        try:
            self.market = _market(config)
            self.clock = MarketClock(config.start_ms, 1.0, ClockState.HOLD if config.hold else ClockState.RUN)
            self.clock.set_speed(config.speed)
        except (ValueError, KeyError, OSError) as error:
            raise UserError(f"the simulated venue cannot start: {error}") from error
        self.board = Board(self.market)
        self._silence = Silence(time.monotonic)
        self._sessions: set[Session] = set()

    def connected(self, address: str) -> Session:
        """Take a new connection to an address of the websocket."""
        session = Session(self.board, address, secrets.token_hex(4), self._silence, time.monotonic())
        self._sessions.add(session)
        return session

    def disconnected(self, session: Session) -> None:
        """Forget a connection."""
        self._sessions.discard(session)

    def strike(self, fault: Fault) -> int:
        """Let a fault happen and return how many connections suffer it."""
        if fault.kind is FaultKind.SILENCE:
            self._silence.begin(fault.seconds)
        for session in self._sessions:
            session.strike(fault, self.clock.now_ms(), time.monotonic())
        return len(self._sessions)


def _market(config: SimulatedVenueConfig) -> Market:
    if config.start_ms % MINUTE:
        raise ValueError(f"start must be a whole minute, not {config.start_ms} ms")
    if config.capture is not None:
        return recorded_market(config.capture, config.capture.parent / "instruments.json", config.start_ms)
    chosen = listings(config.instruments, config.pace)
    return random_market(config.seed, chosen, config.start_ms, config.history_minutes, config.minutes)
