"""A venue that misbehaves in every way the tests can think of, a process that dies, and one stream that makes the best of it."""

from collections.abc import Sequence

from hypothesis import strategies as st
from msgspec import structs

from producers.continuity import Audit, Audited, Counts, Outcome, Repair, Repaired, Stream
from producers.dialect import Ids, Told, Trade
from producers.ending import Ending
from producers.repair import Fetcher
from schemas.market import Trades
from tests.producers.model import PAGE, ModelClock, ModelDialect, ModelRest, ModelVenue, finish
from tests.producers.tape import BTC

GAPS_MS = (0, 1, 40, 900, 2_500, 9_000, 31_000)
few = st.integers(1, 5)
steps = st.one_of(
    st.tuples(st.just("push"), few),
    st.tuples(st.just("each"), few),
    st.tuples(st.just("lose"), few),
    st.tuples(st.just("again"), st.integers(1, 12)),
    st.tuples(st.just("swap"), st.integers(2, 4)),
    st.tuples(st.just("hold"), st.just(0)),
    st.tuples(st.just("release"), st.just(0)),
    st.tuples(st.just("wrong"), st.integers(0, 2)),
    st.tuples(st.just("drop"), st.integers(0, 4)),
    st.tuples(st.just("join"), st.integers(0, 12)),
    st.tuples(st.just("rejoin"), st.just(0)),
    st.tuples(st.just("restart"), st.integers(0, 6)),
    st.tuples(st.just("fetch"), st.just(0)),
    st.tuples(st.just("deliver"), st.just(0)),
    st.tuples(st.just("wait"), st.integers(0, 8_000)),
    st.tuples(st.just("told"), st.just(0)),
    st.tuples(st.just("fail"), st.just(0)),
    st.tuples(st.just("lag"), st.integers(0, 900)),
)


class Play:
    """`records` is what is on the broker. Each trade comes so much later than the last as `gaps` says, over and over."""

    def __init__(self, ids: Ids, gaps: Sequence[int], *, cursor: bool = True, forgets: int = 10**9) -> None:
        self.venue = ModelVenue(ids, forgets=forgets)
        self._gaps = gaps
        dialect = ModelDialect(self.venue, cursor=cursor)
        self._fetcher = Fetcher(ModelRest(self.venue), dialect, ModelClock(self.venue))  # type: ignore[arg-type]
        self.records: list[Trades] = []
        self.dead = 0
        self.now = 0.0
        self.counts = Counts()
        self._began = self.venue.time
        self._held: list[Trade] = []
        self._wanted: list[Repair | Audit] = []
        self._answers: list[Repaired | Audited] = []
        for _ in range(PAGE + 3):
            self._trade()
        self._start()
        self.joined = True
        self._join()

    def step(self, kind: str, number: int) -> None:
        """One thing happens."""
        self._pass(20)
        getattr(self, f"_{kind}")(number)
        self._clock()

    def settle(self) -> None:
        """Everything that was wrong is over, and time passes until there is nothing left to do."""
        self.venue.failing, self.venue.lag_ms = False, 0
        if not self.joined:
            self._join()
        self._release(0)
        self._push(2)
        end = self.venue.time
        for _ in range(400):
            self._wait(700)
            while self._wanted:
                self._fetch(0)
            while self._answers:
                self._deliver(0)
            if not self.stream.open_gaps and self.stream.watermark >= end:
                return
        raise AssertionError(f"never done: {self.stream.open_gaps}, {self.stream.watermark - end}")

    def _start(self) -> None:
        ending = Ending()
        for at in range(len(self.records), -3, -3):  # read backwards, in small stretches
            for record in self.records[max(0, at - 3) : max(0, at)]:
                ending.take(record)
            ending.earlier()
            if ending.complete:
                break
        position = None if ending.empty else ending.position()
        self.stream = Stream(BTC, self.venue.ids, PAGE, "live", position, self.counts, self.now, 500)

    def _take(self, out: Outcome) -> None:
        for record in out.records:
            if isinstance(record, Trades):
                self.records.append(record)
            else:
                self.dead += 1
        self._wanted += out.wanted

    def _pass(self, ms: int) -> None:
        self.venue.time += ms
        self._clock()

    def _clock(self) -> None:
        self.now = (self.venue.time - self._began) / 1000

    @property
    def _received(self) -> int:
        return self.venue.time * 1000

    def _trade(self) -> Trade:
        made = self.venue.trade(self._gaps[len(self.venue.trades) % len(self._gaps)])
        self._clock()
        return made

    def _tell(self, trades: Sequence[Trade], *, snapshot: bool = False) -> None:
        if self.joined and trades:
            self._take(self.stream.arrived(trades, self._received, self.venue.time, self.now, snapshot=snapshot))

    def _push(self, number: int) -> None:
        self._tell([self._trade() for _ in range(number)])

    def _each(self, number: int) -> None:
        for _ in range(number):
            self._tell([self._trade()])

    def _lose(self, number: int) -> None:
        for _ in range(number):
            self._trade()

    def _again(self, number: int) -> None:
        self._tell([trade for trade in self.venue.trades[-number:] if trade not in self._held])

    def _swap(self, number: int) -> None:
        for trade in reversed([self._trade() for _ in range(number)]):
            self._tell([trade])

    def _hold(self, _: int) -> None:
        self._held.append(self._trade())

    def _release(self, _: int) -> None:
        held, self._held = self._held, []
        self._tell(held)

    def _wrong(self, number: int) -> None:
        """Among good trades, one whose time cannot be."""
        first, trade, last = self._trade(), self._trade(), self._trade()
        time = (0, trade.time + 4_000_000, trade.time - 4_000_000)[number]
        self._tell([first, structs.replace(trade, time=time), last])

    def _drop(self, number: int) -> None:
        if self.joined:
            self.joined = False
            self._held.clear()
            self._take(self.stream.left(self._received, self.now))
        self._lose(number)

    def _join(self, number: int = 0) -> None:
        """Subscribed again, perhaps with a snapshot of the newest trades, newest first."""
        if self.records and self.joined and number:
            return
        self.joined = True
        self._take(self.stream.joined(self.venue.time, self._received, self.now))
        if number:
            self._tell(self.venue.trades[-number:][::-1], snapshot=True)

    def _rejoin(self, _: int) -> None:
        if self.joined:
            self._join()

    def _restart(self, unsaid: int) -> None:
        """The process dies; the last records were not delivered. What was asked of REST is forgotten."""
        del self.records[len(self.records) - min(unsaid, len(self.records)) :]
        self._wanted.clear()
        self._answers.clear()
        self._held.clear()
        self._start()
        self.joined = True
        self._join()

    def _fetch(self, _: int) -> None:
        if self._wanted:
            wanted = self._wanted.pop(0)
            work = self._fetcher.fetch if isinstance(wanted, Repair) else self._fetcher.audit
            self._answers.append(finish(work(BTC, wanted)))  # type: ignore[operator]
            self._clock()

    def _deliver(self, _: int) -> None:
        if self._answers:
            answer = self._answers.pop(0)
            take = self.stream.repaired if isinstance(answer, Repaired) else self.stream.audited
            self._take(take(answer, self._received, self.now))  # type: ignore[operator]

    def _wait(self, number: int) -> None:
        self._pass(number)
        seen = self.venue.time if number % 2 else 0  # sometimes nothing else tells the venue's time
        self._take(self.stream.tick(seen, self._received, self.now))

    def _told(self, _: int) -> None:
        last = self.venue.trades[-1]
        trade_id = None if self.venue.ids is Ids.NAMED else last.id
        if self.joined:
            self._take(self.stream.told(Told("BTC-USDT", self.venue.time, trade_id, last.price), self._received, self.now))

    def _fail(self, _: int) -> None:
        self.venue.failing = not self.venue.failing

    def _lag(self, number: int) -> None:
        self.venue.lag_ms = number
