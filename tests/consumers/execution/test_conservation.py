"""A market at random, with copies, crashes and commands: what must hold of the outputs whatever came in."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consumers.execution.desk import Output
from consumers.execution.fold import step
from schemas import codec, exact
from schemas.market import Gap
from schemas.trading import Fill, Input, Intent, Order, Position, Refusal
from tests.consumers.execution.scenario import MINUTE, SETTINGS, T0, Log

MARKETS = {"BTC/USDT": ("1", "0.001", False), "BTC/USDT:USDT": ("0.1", "0.05", False), "BTC/USD:BTC": ("100", "1", True)}
RATE = Fraction("0.001")
PLACES = 10**12
SIDES = st.sampled_from(["", "long", "short"])
MOVES = st.lists(st.tuples(st.integers(0, 90), st.integers(-25, 25)), min_size=1, max_size=6)


class Market(RuleBasedStateMachine):
    """Feeds one market and keeps the books a second time, in fractions."""

    @initialize(symbol=st.sampled_from(sorted(MARKETS)))
    def begin(self, symbol: str) -> None:
        contract_size, lot, inverse = MARKETS[symbol]
        self.log = Log(symbol, contract_size, lot, inverse=inverse)
        self.now = 0
        self.price = 1000  # tenths
        self.states: list[bytes | None] = [None]
        self.folded: list[Input] = []
        self.outputs: list[tuple[Output, ...]] = []
        self.tape: dict[int, Decimal] = {}
        self.take(self.log.move(self.traded([(self.now, "100.0")])))

    @rule(moves=MOVES, side=SIDES)
    def trade(self, moves: list[tuple[int, int]], side: str) -> None:
        """Trades at prices that wander by up to 2.5 % each, and perhaps a signal."""
        self.wander(moves, side)

    @rule(moves=MOVES, side=SIDES)
    def trade_after_a_minute(self, moves: list[tuple[int, int]], side: str) -> None:
        """The same in a later minute."""
        self.now += MINUTE
        self.wander(moves, side)

    def wander(self, moves: list[tuple[int, int]], side: str) -> None:
        """One move of trades."""
        rows = []
        for later, change in moves:
            self.now += later
            self.price = max(300, min(3000, self.price + change))
            rows.append((self.now, str(exact.from_scaled(self.price, 1))))
        self.take(self.log.move(self.traded(rows), self.signals(side), at=self.now))

    @rule(hole=st.integers(1, 5000), side=st.sampled_from(["", "long"]))
    def gap(self, hole: int, side: str) -> None:
        """Part of the feed is lost."""
        self.now += hole
        gap = Gap(self.log.next_id - 1, self.log.next_id + 5, T0 + self.now - hole, T0 + self.now, "reconnect")
        self.log.next_id += 5
        rows = self.traded([(self.now, str(exact.from_scaled(self.price, 1)))])
        self.take(self.log.move(rows, self.signals(side), gap=gap))

    @rule(later=st.sampled_from([1, MINUTE // 2, MINUTE + 1]), side=SIDES)
    def heartbeat(self, later: int, side: str) -> None:
        """Time passes without a trade."""
        self.now += later
        self.take(self.log.move([], self.signals(side), at=self.now))

    @rule(action=st.sampled_from(["start", "stop", "start"]))
    def command(self, action: str) -> None:
        """A person starts or stops the strategy."""
        self.take(self.log.command(action))

    @precondition(lambda self: self.log.moves > 0)
    @rule(back=st.integers(1, 5))
    def trades_again(self, back: int) -> None:
        """A producer that restarted publishes known trades once more, at prices that would fill anything."""
        first = max(1, self.log.next_id - back)
        count = self.log.next_id - first
        self.take(self.log.move([(self.now, "1.0"), (self.now, "9999.0")][:count], ids=range(first, first + min(count, 2))))

    @precondition(lambda self: self.folded)
    @rule(data=st.data())
    def copy(self, data: st.DataObject) -> None:
        """The sequencer forwards an old input again."""
        old = data.draw(st.sampled_from(self.folded))
        assert step(self.states[-1], old, SETTINGS) == (self.states[-1], ())

    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        """The process dies and goes on from an older state: the same bytes come out again."""
        start = data.draw(st.integers(0, len(self.folded)))
        state = self.states[start]
        for at in range(start, len(self.folded)):
            state, outputs = step(state, self.folded[at], SETTINGS)
            assert [codec.encode(one) for one in outputs] == [codec.encode(one) for one in self.outputs[at]]
        assert state == self.states[-1]

    def traded(self, rows: list[tuple[int, str]]) -> list[tuple[int, str]]:
        """The rows, noted under the ids they will have."""
        self.tape.update({self.log.next_id + at: Decimal(price) for at, (_, price) in enumerate(rows)})
        return rows

    def signals(self, side: str) -> list[object]:
        """A signal of a candle that closed since the last record, or none."""
        reached = self.log.watermark - T0
        if not side or self.now <= reached:
            return []
        price, at = str(exact.from_scaled(self.price, 1)), (reached + self.now) // 2 + 1
        return [self.log.signal(side, at=min(at, self.now), price=price, ttl=MINUTE // 2, name=f"s{self.log.moves}")]

    def take(self, one: Input) -> None:
        """Fold one new input."""
        state, outputs = step(self.states[-1], one, SETTINGS)
        self.states.append(state)
        self.folded.append(one)
        self.outputs.append(outputs)

    def of(self, kind: type) -> list:
        """All outputs of a kind so far."""
        return [one for outputs in self.outputs for one in outputs if isinstance(one, kind)]

    def latest(self) -> tuple[dict[str, Order], dict[str, Position]]:
        """The newest revision of every order and position."""
        return {one.client_order_id: one for one in self.of(Order)}, {one.id: one for one in self.of(Position)}

    @invariant()
    def intents_come_first_and_once(self) -> None:
        """No client order id twice with different content; no order before its intent; revisions count up."""
        seen: dict[str, int] = {}
        for outputs in self.outputs:
            for one in outputs:
                if isinstance(one, Intent):
                    assert one.client_order_id not in seen
                    seen[one.client_order_id] = 0
                elif isinstance(one, Order):
                    seen[one.client_order_id] += 1
                    assert one.revision == seen[one.client_order_id] <= 2

    @invariant()
    def every_fill_is_proved_by_a_trade(self) -> None:
        """A target fills at its own price once a new trade reached it, anything else at the price of the trade."""
        for fill in self.of(Fill):
            traded = self.tape[fill.trade_id]
            if fill.leg == "target":
                assert traded >= fill.price if fill.side == "sell" else traded <= fill.price
            else:
                assert traded == fill.price

    @invariant()
    def prices_and_amounts_are_whole_steps(self) -> None:
        """Of the tick and of the lot."""
        for asked in self.of(Intent):
            assert asked.amount > 0
            assert asked.amount % self.log.lot == (asked.price or 0) % Decimal("0.1") == 0

    @invariant()
    def every_signal_has_one_answer(self) -> None:
        """An entry or a refusal, never both."""
        answered = [one.cause for one in self.of(Refusal)] + [one.cause for one in self.of(Intent) if one.leg == "entry"]
        assert len(answered) == len(set(answered))

    @invariant()
    def position_is_the_sum_of_its_fills(self) -> None:
        """What is held is what was bought less what was sold."""
        held = sum((one.amount if one.side == "buy" else -one.amount for one in self.of(Fill)), Decimal(0))
        _, positions = self.latest()
        assert held == sum((one.amount if one.side == "long" else -one.amount for one in positions.values()), Decimal(0))

    @invariant()
    def every_position_is_covered(self) -> None:
        """An open position has exactly one live stop and one live target of its whole amount; nothing else rests but an entry."""
        orders, positions = self.latest()
        live = sorted((one.leg, one.amount) for one in orders.values() if one.status == "open")
        held = [one for one in positions.values() if one.status == "open"]
        if held:
            assert len(held) == 1
            assert live == [("stop", held[0].amount), ("target", held[0].amount)]
        else:
            assert [leg for leg, _ in live] in ([], ["entry"])

    @invariant()
    def cash_is_conserved(self) -> None:
        """What positions say they made is, to the last decimal, what fills moved."""
        cash: dict[str, Fraction] = defaultdict(Fraction)
        _, positions = self.latest()
        order_ids = {one.client_order_id: one.cause for one in self.of(Intent)}
        for fill in self.of(Fill):
            worth = self.worth(fill)
            assert Fraction(fill.fee) == worth * RATE
            flow = -worth if (fill.side == "buy") != self.log.inverse else worth
            cause = order_ids[fill.client_order_id]
            cash[order_ids.get(cause, cause)] += flow - Fraction(fill.fee)
        for held in positions.values():
            fees = Fraction(held.fees)
            expected = cash[held.cause] if held.status == "closed" else -fees
            assert Fraction(held.realized) == expected

    def worth(self, fill: Fill) -> Fraction:
        """Notional by its definition."""
        face = Fraction(fill.amount) * Fraction(self.log.contract_size)
        if not self.log.inverse:
            return face * Fraction(fill.price)
        return Fraction(round(face / Fraction(fill.price) * PLACES), PLACES)


Market.TestCase.settings = profile(max_examples=100, stateful_step_count=40, deadline=None, derandomize=True)
TestMarket = Market.TestCase
