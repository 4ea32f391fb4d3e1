"""A venue that misbehaves in every way the tests can think of, and one stream that makes the best of it."""

from hypothesis import strategies as st

from producers.continuity import Counts, Position, Repair, Repaired, State, Stream
from schemas.market import Trades
from tests.producers.tape import BTC, START, answer, ticker, trade

RECEIVED = 1_767_571_300_000_000
steps = st.one_of(
    st.tuples(st.just("push"), st.integers(1, 6)),
    st.tuples(st.just("skip"), st.integers(1, 4)),
    st.tuples(st.just("again"), st.integers(1, 8)),
    st.tuples(st.just("swap"), st.integers(2, 4)),
    st.tuples(st.just("reconnect"), st.integers(0, 4)),
    st.tuples(st.just("answer"), st.integers(0, 3)),
    st.tuples(st.just("fail"), st.integers(0, 1)),
    st.tuples(st.just("ticker"), st.integers(0, 900)),
)


class Play:
    """A venue that trades once a second, what it tells of that, and what a stream makes of it."""

    def __init__(self, position: int | None) -> None:
        self.at = 5 if position is None else position + 2  # the venue's newest trade
        self.records: list[Trades] = []
        self.now = 0.0
        known = None if position is None else Position(trade(position), trade(position).time)
        self.stream = Stream(BTC, "live", known, Counts(), 0.0)
        self.first = 1 if position is None else position + 1
        self.wanted: Repair | None = None
        self.reconnect(0)

    def reconnect(self, missed: int) -> None:
        self.at += missed
        self.stream.join(START, self.now)
        self.wanted = self.stream.repair()

    def take(self, made: tuple[list[Trades], Repair | None]) -> None:
        self.records += made[0]
        self.wanted = made[1] or self.wanted

    def arrive(self, told: list[int]) -> None:
        self.take(self.stream.arrived([trade(trade_id) for trade_id in told], RECEIVED, self.now))

    def step(self, kind: str, number: int) -> None:
        self.now += 0.1
        upcoming = list(range(self.at + 1, self.at + number + 1))
        match kind:
            case "push" | "swap":
                self.at += number
                self.arrive(upcoming if kind == "push" else upcoming[::-1])
            case "skip":
                self.at += number
            case "again":
                self.arrive(list(range(max(1, self.at - number), self.at + 1)))
            case "reconnect":
                self.reconnect(number)
            case "ticker":
                self.stream.ticker(ticker(trade(self.at).time + number, trade(self.at)), 0, self.now)
                heartbeat = self.stream.heartbeat(RECEIVED)
                self.records += [heartbeat] if heartbeat else []
            case _ if self.wanted:
                wanted, self.wanted = self.wanted, None
                behind = max(self.first - 1, self.at - number) if wanted.before_id is None else self.at
                failed = Repaired(wanted.since, failure="no answer")
                self.take(self.stream.repaired(failed if kind == "fail" else answer(wanted, behind), RECEIVED))

    def settle(self) -> None:
        """The venue answers whatever is asked, until nothing is."""
        self.step("push", 1)
        for _ in range(50):
            self.step("answer", 0)
        assert self.wanted is None
        assert self.stream.state is State.LIVE
