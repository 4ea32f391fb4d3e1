"""One connection of a session: what is asked for on it, the books that it keeps, and whether it is alive."""

from typing import Final

from producers.dialect import Dialect, Kind
from producers.lines import Line
from producers.requests import Refusals, Requests
from producers.shelf import Shelf

QUIET_S: Final = 5.0  # without a frame, after which a sign of life is asked for
PONG_S: Final = 10.0
BEFORE_S: Final = 600.0  # how long before the venue ends a connection another takes over, where it lives that long
OVERLAP_S: Final = 2.0
OVERLAP_AGAIN_S: Final = 30.0


class Talk:
    """Times are seconds of a clock that never runs back; `seen` is the newest venue time (epoch ms) told on the connection."""

    def __init__(self, dialect: Dialect, line: Line, refusals: Refusals, server_time: int, now: float) -> None:
        self._dialect = dialect
        self.requests = Requests(dialect, line.channels, refusals, now)
        self.shelf = Shelf(dialect, line.instruments)
        self.server_time = self.seen = server_time
        self.began = self.heard = self._pinged = now
        self.ending = False
        """Whether it was given up, and is on its way out."""
        self._overlap_at = float("inf")
        if dialect.limits.lifetime_s is not None:
            self._overlap_at = now + dialect.limits.lifetime_s - min(BEFORE_S, dialect.limits.lifetime_s / 2)

    def trades(self) -> set[str]:
        """The instruments whose trades the venue has agreed to tell."""
        return {channel.market_id for channel in self.requests.granted if channel.kind is Kind.TRADES}

    def carried(self) -> set[str]:
        """The instruments whose trades it has ever agreed to tell."""
        return {channel.market_id for channel in self.requests.answered if channel.kind is Kind.TRADES}

    def unread(self, now: float) -> None:
        """Nothing is read just now: silence is ours, not the venue's."""
        self.heard = now
        self.requests.unread(now)

    def dead(self, now: float) -> bool:
        """Whether a sign of life was asked for, and none came."""
        return self._pinged > self.heard and now - self._pinged > PONG_S

    def ping(self, now: float) -> bool:
        """Whether to ask for a sign of life now: as often as the venue wants it, and sooner when it is quiet."""
        if self._pinged > self.heard:
            return False
        since = now - self._pinged
        if since < self._dialect.keepalive_s and min(since, now - self.heard) <= QUIET_S:
            return False
        self._pinged = now
        return True

    def closing(self, now: float) -> None:
        """The venue will end the connection soon."""
        self._overlap_at = min(self._overlap_at, now)

    def overlap(self, now: float) -> bool:
        """Whether another connection is to be made now, to take over from this one."""
        if now < self._overlap_at:
            return False
        self._overlap_at = now + OVERLAP_AGAIN_S
        return True

    def takes_over(self, before: "Talk", now: float) -> bool:
        """Whether everything that the one before brings comes here too."""
        complete = self.requests.settled and before.trades() <= self.trades()
        return complete and now - self.began >= OVERLAP_S
