"""How quiet an instrument usually is, and when its quiet becomes suspect. Times are seconds of a clock that never runs back."""

from typing import Final

LEAST_S: Final = 3.0
MOST_S: Final = 60.0
UNLEARNED_S: Final = 10.0  # before the rate of an instrument is known
DOUBT_S: Final = 2.0  # how long a trade that a ticker told of may be on its way
ASK_AGAIN_S: Final = 10.0  # after a question that got no answer
_FACTOR: Final = 10.0  # a Poisson stream is that much quieter than its mean once in 22,000 times
_LEARNING: Final = 0.1  # weight of the newest interval


class Silence:
    """Learns the interval between arrivals of trades; while `suspected`, a stream must not claim to be complete.

    Two things raise suspicion: no trade for much longer than usual, and a ticker that told of a trade which did not come.
    """

    def __init__(self, now: float) -> None:
        self._interval: float | None = None
        self.restart(now)

    def restart(self, now: float) -> None:
        """The connection is new, or trades were fetched another way; the learned interval stays."""
        self._sign = self._ask_at = now
        self._arrived: float | None = None
        self._doubt: float | None = None
        self._patience = 1.0
        self.suspected = False

    def arrived(self, now: float) -> None:
        """Trades came."""
        if self._arrived is not None:
            interval = now - self._arrived
            self._interval = interval if self._interval is None else self._interval + _LEARNING * (interval - self._interval)
        self._arrived = self._sign = self._ask_at = now
        if self.suspected or self._doubt is not None or self._patience != 1.0:
            self.suspected, self._doubt, self._patience = False, None, 1.0

    def told(self, now: float, *, known: bool) -> None:
        """A ticker told of the last trade there is: of one we know, or of another."""
        if known:
            self._doubt = None
        elif self._doubt is None:
            self._doubt = now

    def confirmed(self, now: float) -> None:
        """The venue says that there is no newer trade: wait twice as long before the next question.

        When nobody doubted it, the answer says nothing: it leaves out what may have been on its way.
        """
        if not self.suspected:
            return
        patience, arrived = self._patience * 2.0, self._arrived
        self.restart(now)
        self._patience, self._arrived = patience, arrived

    def ask(self, now: float) -> bool:
        """Whether the venue is to be asked for its newest trade now."""
        quiet = now - self._sign > self.limit
        doubtful = self._doubt is not None and now - self._doubt > min(MOST_S, DOUBT_S * self._patience)
        self.suspected = self.suspected or quiet or doubtful
        if not self.suspected or now < self._ask_at:
            return False
        self._ask_at = now + ASK_AGAIN_S
        return True

    @property
    def limit(self) -> float:
        """The longest quiet, in seconds, that is above suspicion."""
        learned = UNLEARNED_S if self._interval is None else self._interval * _FACTOR
        return min(MOST_S, max(LEAST_S, learned) * self._patience)
