"""One connection to a venue, without the socket: texts in, frames out, and when it is over.

What is the same for every venue is here: the venue's rules for connections, and the faults that a connection suffers.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from infra.simulated.exchange import Close, Exchange, Talk
from infra.simulated.faults import ONCE, Fault, FaultKind, Faults
from infra.simulated.feeds import Feed, Frame, Moment

_DUMB = (FaultKind.SILENCE, FaultKind.HEARTBEATS_ONLY, FaultKind.MAINTENANCE)
_BINARY = bytes(range(256))
_ABNORMAL = Close(1001)


class Ping(NamedTuple):
    """A protocol ping that the venue sends."""

    payload: bytes


class Session:
    """What one client has said and has been told, by the venue's rules."""

    def __init__(self, exchange: Exchange, talk: Talk, faults: Faults, now: Moment) -> None:
        self._exchange, self._rules = exchange, exchange.rules
        self._talk, self._faults = talk, faults
        self._extra: deque[Frame] = deque()
        self._began = self._heard = self._spoken = now.seconds
        self._pinged: float | None = None  # since when a ping waits for its pong
        self._next_ping = now.seconds + (self._rules.ping_every or 0.0)
        self._said: deque[float] = deque()
        self._ends: tuple[float, Close] | None = None
        self._known: set[Feed] = set()  # feeds that have met the faults of subscriptions
        self.lost = False  # neither read from nor written to any more
        if not self.silent(now):
            self._extra.extend(talk.greet(now))

    @property
    def follows_trades(self) -> bool:
        """Whether any trades are subscribed to."""
        return any(feed.of_trades for feed in self._talk.feeds.values())

    def silent(self, now: Moment) -> bool:
        """Whether the venue says nothing at all, not even a pong."""
        return self._faults.holding(FaultKind.SILENCE, now.seconds) is not None

    def receive(self, said: str, now: Moment) -> list[Frame]:
        """Take what the client said and return the answers."""
        self.touched(now)
        if self.silent(now):
            return []
        if self._faults.any_of(_DUMB, now.seconds):
            return list(self._talk.heartbeat(said, now) or ())
        answers = list(self._talk.hear(said, now))
        stale = self._faults.holding(FaultKind.STALE, now.seconds)
        for feed in self._talk.feeds.values():
            if stale is not None and feed not in self._known and stale.instrument in {None, feed.name}:
                feed.strike(stale, now)
        self._known = set(self._talk.feeds.values())
        if answers:
            self._spoken = now.seconds
        return answers

    def touched(self, now: Moment, *, pong: bool = False) -> None:
        """Take note that the client has sent a frame: a text, a ping or a pong."""
        self._heard = now.seconds
        if pong:
            self._pinged = None
        if self._rules.messages_per_second is not None:
            self._said.append(now.seconds)
            while self._said[0] <= now.seconds - 1.0:
                self._said.popleft()
            if len(self._said) > self._rules.messages_per_second:
                self._ends = (now.seconds, self._rules.excess)

    def due(self, now: Moment) -> Iterator[Frame | Ping]:
        """Yield what is to be sent now. A ticker of time T comes after every trade through T of its instrument."""
        if self.silent(now):
            self._extra.clear()
            self._forget(now)
            return
        yield from self._beats(now)
        dumb = self._faults.any_of(_DUMB, now.seconds)
        while self._extra:
            yield self._spoke(self._extra.popleft(), now)
        if dumb:
            self._forget(now)
            return
        for feed in self._feeds():
            for frame in feed.due(now):
                yield self._spoke(frame, now)

    def over(self, now: Moment) -> Close | None:
        """Return how to close the connection, if it is to be closed now."""
        if self._ends is not None and now.seconds >= self._ends[0]:
            return self._ends[1]
        if self.silent(now):
            return None
        rules, seconds = self._rules, now.seconds
        if rules.lifetime is not None and seconds - self._began >= rules.lifetime:
            return rules.expired
        last = max(self._heard, self._spoken)
        if rules.silence is not None and seconds - last >= rules.silence:
            return rules.idle
        if rules.unheard is not None and seconds - self._heard >= rules.unheard:
            return rules.idle
        if rules.pong_within is not None and self._pinged is not None and seconds - self._pinged >= rules.pong_within:
            return rules.idle
        return self._talk.over(now)

    def strike(self, fault: Fault, now: Moment) -> None:
        """Suffer a fault that strikes once, or the beginning of one that lasts."""
        match fault.kind:
            case FaultKind.DISCONNECT:
                self._ends = (now.seconds, _ABNORMAL)
            case FaultKind.NOTICE:
                self._extra.extend(self._talk.notice(fault.seconds, now))
                self._ends = (now.seconds + fault.seconds, _ABNORMAL)
            case FaultKind.MAINTENANCE:
                self._extra.extend(self._talk.maintenance(fault.seconds, now))
                if self._rules.maintenance is not None:
                    self._ends = (now.seconds, self._rules.maintenance)
            case FaultKind.HALF_OPEN:
                self.lost = True
            case _:
                self._extra.extend(self._rubbish(fault))
                for feed in self._feeds():
                    if fault.kind in ONCE and fault.instrument in {None, feed.name}:
                        feed.strike(fault, now)

    def clear(self) -> None:
        """Suffer no fault of streams any longer, and do not end by a notice."""
        self._ends = None
        for feed in self._feeds():
            feed.clear()

    def rest(self, now: Moment, speed: float) -> float:
        """For how many real seconds nothing will be due, if the market runs at that many seconds a real one, or stands."""
        if self._extra:
            return 0.0
        if not speed:
            return float("inf")
        waits = (max((feed.next_ms - now.ms) / 1000 / speed, feed.next_real - now.real) for feed in self._feeds())
        return max(0.0, min(waits, default=float("inf")))

    def _feeds(self) -> list[Feed]:
        return sorted(self._talk.feeds.values(), key=lambda feed: not feed.of_trades)

    def _forget(self, now: Moment) -> None:
        for feed in self._feeds():
            feed.forget(now)

    def _beats(self, now: Moment) -> Iterator[Frame | Ping]:
        """Yield the venue's own heartbeats: protocol pings, or texts."""
        for frame in self._talk.beats(now):
            yield self._spoke(frame, now)
        if self._rules.ping_every is not None and now.seconds >= self._next_ping:
            self._next_ping = now.seconds + self._rules.ping_every
            self._pinged = now.seconds if self._pinged is None else self._pinged
            yield Ping(str(now.told).encode())

    def _rubbish(self, fault: Fault) -> list[Frame]:
        """Return what the venue would never send."""
        kinds: dict[FaultKind, tuple[Frame, ...]] = {
            FaultKind.GARBAGE: self._exchange.garbage * fault.count,
            FaultKind.BINARY: (_BINARY,) * fault.count,
        }
        if fault.kind is FaultKind.HUGE:
            return ['{"huge":"' + "x" * (1024 * fault.count) + '"}']
        return list(kinds.get(fault.kind, ()))

    def _spoke(self, frame: Frame, now: Moment) -> Frame:
        self._spoken = now.seconds
        return frame
