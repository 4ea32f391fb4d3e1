"""How a market's trades were cut into records: it must not be told from what comes out."""

from itertools import accumulate
from typing import NamedTuple

from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from schemas import codec, exact
from schemas.market import Gap
from schemas.signals import Signal
from schemas.trading import Input
from tests.consumers.execution.scenario import MINUTE, T0, Log, fold

Rows = list[tuple[int, str]]

STEPS = st.tuples(
    st.sampled_from([0, 1, 5, 20, 60, 400, MINUTE]),  # ms after the trade before
    st.integers(-25, 25),  # tenths more than its price
    st.sampled_from([0, 0, 0, 1, 30]),  # ms that it is told too early: times of a venue do not always rise with ids
)
ASKED = st.tuples(  # a signal: when, as a trade and ms after it; its side; how long it holds
    st.integers(0, 20), st.integers(-30, 60), st.sampled_from(["long", "short"]), st.sampled_from([20, 1000, MINUTE])
)
COMMANDS = st.dictionaries(st.integers(1, 20), st.sampled_from(["stop", "start"]), max_size=2)
GAPS = st.dictionaries(st.integers(1, 20), st.just("gap"), max_size=1)  # a record has room for one


class Story(NamedTuple):
    """What happened. Times are ms after T0; `before` tells of which trades a gap or a command stands right before."""

    ids: list[int]
    rows: Rows
    asked: list[tuple[int, str, int]]
    before: dict[int, str]
    end: int


class Cut(NamedTuple):
    """How it was told before one trade: whether a record ends there, and what else comes in between."""

    ends: bool
    reach: int  # quarters of the way to the next trade that the record's watermark covers
    heartbeat: int  # quarters that a heartbeat then covers
    known: int  # trades that the next record tells again
    again: bool  # whether the record is published twice and its input forwarded twice


CUTS = st.builds(Cut, st.booleans(), st.integers(0, 4), st.integers(0, 4), st.integers(0, 3), st.booleans())
ALONE = Cut(ends=True, reach=0, heartbeat=0, known=0, again=False)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A market of up to 20 trades."""
    steps = draw(st.lists(STEPS, min_size=1, max_size=20))
    before = {at: what for at, what in (draw(COMMANDS) | draw(GAPS)).items() if at < len(steps)}
    risen = list(accumulate(wait for wait, _, _ in steps))
    prices = accumulate((change for _, change, _ in steps), lambda price, change: max(300, price + change), initial=1000)
    asked = {max(1, risen[at % len(risen)] + later): (side, ttl) for at, later, side, ttl in draw(st.lists(ASKED, max_size=4))}
    times = []
    for at, ((_, _, early), time) in enumerate(zip(steps, risen, strict=True)):
        # A trade from before the end of a closed candle does not come any more.
        closed = max((moment for moment in asked if moment <= max(times, default=0)), default=0)
        times.append(time if at in before else max(closed, time - early))
    holes = accumulate(5 * (before.get(at) == "gap") for at in range(len(steps)))
    return Story(
        [1 + at + hole for at, hole in enumerate(holes)],
        [(time, str(exact.from_scaled(price, 1))) for time, price in zip(times, list(prices)[1:], strict=True)],
        [(time, side, ttl) for time, (side, ttl) in sorted(asked.items())],
        before,
        max([*risen, *asked]) + draw(st.sampled_from([0, 50, 2 * MINUTE])),
    )


class Teller:
    """Tells a story in records, each signal in the first whose watermark reaches its time."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.log = Log()
        self.inputs: list[Input] = []
        self.watermark = 0
        self.waiting = [self.log.signal(side, at=time, ttl=ttl) for time, side, ttl in story.asked]

    def record(self, start: int, stop: int, watermark: int, *, again: bool = False) -> None:
        """The trades from `start` to `stop`."""
        self.watermark = max(self.watermark, watermark)
        due = [signal for signal in self.waiting if signal.time <= T0 + self.watermark]
        self.waiting = self.waiting[len(due) :]
        for _ in range(1 + again):
            self.inputs += [self._move(start, stop, due)] * (1 + again)

    def told(self, cuts: list[Cut]) -> list[Input]:
        """The whole story."""
        rows, start, known = self.story.rows, 0, 0
        for at, cut in enumerate(cuts[: len(rows) - 1], start=1):
            if not cut.ends and self.story.before.get(at) in {None, "gap"}:
                continue
            low, high = self._reach(at)
            self.record(max(0, start - known), at, low + (high - low) * cut.reach // 4, again=cut.again)
            if cut.heartbeat:
                self.record(0, 0, low + (high - low) * cut.heartbeat // 4)
            start, known = at, cut.known
            if self.story.before.get(at) in {"stop", "start"}:
                self.inputs.append(self.log.command(self.story.before[at]))
        self.record(max(0, start - known), len(rows), self._reach(len(rows))[0])
        self.record(0, 0, self.story.end)
        return self.inputs

    def _reach(self, at: int) -> tuple[int, int]:
        """Between which times the watermark may lie before a trade: complete up to it, unless something stands in between."""
        times = [time for time, _ in self.story.rows]
        low = max(times[:at])
        return low, low if at in self.story.before else max(low, min(times[at:], default=low))

    def _move(self, start: int, stop: int, due: list[Signal]) -> Input:
        rows, ids = self.story.rows, self.story.ids
        gap = None
        for at in (at for at in range(start, stop) if self.story.before.get(at) == "gap"):
            since = max(time for time, _ in rows[:at])
            gap = Gap(ids[at - 1], ids[at], T0 + since, T0 + rows[at][0] + 1, "reconnect")
        return self.log.move(rows[start:stop], due, ids=ids[start:stop], at=self.watermark, gap=gap)


def outputs(story: Story, cuts: list[Cut]) -> list[bytes]:
    """What comes out of a story told in this way."""
    return [codec.encode(one) for one in fold(Teller(story).told(cuts))]


@given(stories(), st.lists(CUTS, min_size=20, max_size=20))
@profile(max_examples=300, deadline=None)
def test_records_are_not_told_apart(story: Story, cuts: list[Cut]) -> None:
    """Trade by trade, in as few records as can be, or anything between, with heartbeats and copies: the same bytes, in order."""
    undisturbed = outputs(story, [ALONE] * 20)
    assert outputs(story, cuts) == undisturbed
    assert outputs(story, [cut._replace(ends=False) for cut in cuts]) == undisturbed


def test_times_do_not_wait_for_the_record() -> None:
    """A record that comes late decides as of the signal, refuses as of the signal and cancels as of the expiry."""
    log = Log()
    log.move([(5 * MINUTE, "100.0")], [log.signal("long", at=10), log.signal("short", at=20)])
    told = [(type(one).__name__, one.time - T0) for one in fold(log.inputs)]
    assert told == [("Intent", 10), ("Order", 10), ("Refusal", 20), ("Order", MINUTE + 10)]
