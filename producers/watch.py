"""When REST is to be asked for a stream's newest trades."""

from typing import Final

from producers.dialect import Ids

MINUTE: Final = 60_000
VERIFY_S: Final = 4.0  # between audits of a stream whose ids do not show what is missing
MINUTE_END_MS: Final = 1_000  # how long a minute may lie behind the venue's clock before somebody has to confirm it
AGAIN_S: Final = 1.0  # between two questions
FRESH_S: Final = 1.0  # how old a venue time may be that stands for the venue's clock
_LONGEST_WAIT_S: Final = 30.0


class Watch:
    """Follows the venue's clock as messages show it; counts what was not confirmed. `reach`: trades that REST gives at once."""

    def __init__(self, ids: Ids, reach: int, margin_ms: int) -> None:
        self._verifies = ids is not Ids.CONSECUTIVE
        self._most = max(1, reach // 2)
        self._slack_ms = max(MINUTE_END_MS, margin_ms)
        self.unconfirmed = 0
        """Trades that came since the last question."""
        self._failing_since: float | None = None
        self._time = 0
        self._seen_at = self._asked_at = self._again_at = float("-inf")
        self._failures = 0
        self._asked = False

    def see(self, time: int, now: float) -> None:
        """The venue's clock shows at least this time (ms)."""
        if time > self._time:
            self._time, self._seen_at = time, now

    def seen(self, now: float) -> int:
        """The venue's time if it was seen just now, 0 otherwise."""
        return self._time if now - self._seen_at <= FRESH_S else 0

    def full(self) -> bool:
        """Whether so many trades came that REST may soon not reach back to the last that it confirmed."""
        return self._verifies and self.unconfirmed >= self._most

    def due(self, watermark: int, now: float) -> bool:
        """Whether to ask now, if nothing has been confirmed up to more than the watermark (ms)."""
        if self._asked or now < self._again_at or now - self._asked_at < AGAIN_S:
            return self.full() and not self._asked and now >= self._again_at
        if self._verifies and self.unconfirmed and now - self._asked_at >= VERIFY_S:
            return True
        return self.full() or self._minute_ended(watermark, now)

    def asked(self, now: float) -> None:
        """REST is being asked."""
        self._asked, self._asked_at, self.unconfirmed = True, now, 0

    def free(self, now: float) -> bool:
        """Whether a question may be put for another reason."""
        return not self._asked and now >= self._again_at

    def answered(self, now: float, *, failed: bool) -> None:
        """REST has answered, or failed to."""
        self._asked = False
        if failed:
            self._failures += 1
            self.unconfirmed += 1
            self._again_at = now + min(_LONGEST_WAIT_S, AGAIN_S * 2.0 ** min(self._failures, 10) / 2.0)
            self._failing_since = now if self._failing_since is None else self._failing_since
        else:
            self._failures, self._failing_since = 0, None

    def failing(self, now: float) -> float:
        """For how many seconds questions have failed."""
        return 0.0 if self._failing_since is None else now - self._failing_since

    def _minute_ended(self, watermark: int, now: float) -> bool:
        end = (watermark // MINUTE + 1) * MINUTE + self._slack_ms
        if self._time >= end:
            return True
        quiet_s = now - self._seen_at  # a venue that tells nothing at all has a clock that runs on
        return quiet_s > FRESH_S and self._time > 0 and self._time + (quiet_s - FRESH_S) * 1000 >= end
