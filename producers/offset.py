"""How far a venue's clock is behind ours, in milliseconds: `received - offset` is the venue's time."""

from typing import Final

WINDOW_S: Final = 60.0


class Offset:
    """Two bounds, the closer of which counts: what REST told, and what came fastest of late over the websocket.

    A message is always older than its receipt says, so the least of `received - event time` is the offset and the shortest way.
    `now` is seconds of a clock that never runs back, times are epoch ms.
    """

    def __init__(self) -> None:
        self._least: int | None = None
        self._before: int | None = None
        self._begun = 0.0
        self._asked: int | None = None

    @property
    def ms(self) -> int | None:
        """None while nothing is known."""
        known = [bound for bound in (self._least, self._before, self._asked) if bound is not None]
        return min(known, default=None)

    def seen(self, time: int, received: int, now: float) -> None:
        """A message of a venue time was received."""
        late = received - time
        if now - self._begun > WINDOW_S:
            self._begun, self._before, self._least = now, self._least, None
        if self._least is None or late < self._least:
            self._least = late

    def asked(self, time: int, sent: int, received: int) -> None:
        """REST told the venue's time; half of the way there and back is taken for the way back."""
        self._asked = (sent + received) // 2 - time
