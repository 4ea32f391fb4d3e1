"""The fold: `step(state, input) -> (state, outputs)`, and nothing else decides anything.

Event time decides, not which trades came in one record: what a feed tells one by one and what a repair tells at once
lead to the same outputs. Within a move, trades and signals are merged by time. Before a signal is decided, the trades of
earlier times fill what rests, one by one in log order: an entry filled by one trade has its exits at the venue before
the next. An entry that outlived its signal is taken back as of that moment. Then the signal is decided as of its own
time, the end of its candle, and the trades from that time on may fill what it led to. So no signal is ever too late
here; how old one may be by the clock on the wall is for the gateway of a live venue to judge. A command acts at its
place in the log, at the time the market had reached there. A trade of a time that the feed is not complete up to waits until
it is, so what a repair brings late comes before it.

An input at or below the last one folded of its source is a copy and changes nothing; neither does a copy of a move that
the pipeline published twice, nor a trade or a signal seen before.
"""

import msgspec
from msgspec import Struct

from consumers.execution import orders, position, strategy
from consumers.execution.desk import Desk, Output
from consumers.execution.market import Market
from consumers.execution.strategy import Refused, StrategySettings
from consumers.execution.waiting import Waiting
from consumers.gateway import paper
from schemas import codec, ids
from schemas.market import Move, Trades
from schemas.signals import Signal
from schemas.trading import Command, Fill, Input, Intent, Order, Refusal


class StateError(RuntimeError):
    """Stored state that this version cannot read."""


class State(Struct):
    """Everything execution knows of one market: what it has folded, what the market did, what its strategy holds."""

    folded: dict[str, int]
    moved: int = -1
    market: Market = msgspec.field(default_factory=Market)
    desk: Desk = msgspec.field(default_factory=Desk)
    waiting: Waiting = msgspec.field(default_factory=Waiting)

    def is_new(self, source: str, offset: int) -> bool:
        """Whether an input was not folded yet; from now on it was."""
        if offset <= self.folded.get(source, -1):
            return False
        self.folded[source] = offset
        return True


def step(raw: bytes | None, arrived: Input, settings: StrategySettings) -> tuple[bytes | None, tuple[Output, ...]]:
    """The state after one input and what it led to, in the order to publish.

    `raw` is the state of this market as the previous step left it, None before the first. Raises codec.DecodeError for a
    payload that is no record of its kind, StateError for state that this version cannot read.
    """
    state = _unpack(raw)
    if not state.is_new(f"{arrived.source}-{arrived.partition}", arrived.offset):
        return raw, ()
    if arrived.kind == "command":
        outputs = _on_command(state, codec.decode_as(Command, arrived.payload), settings)
    else:
        outputs = _on_move(state, codec.decode_as(Move, arrived.payload), settings)
    return msgspec.msgpack.encode(state), tuple(outputs)


def _unpack(raw: bytes | None) -> State:
    if raw is None:
        return State({})
    try:
        return msgspec.msgpack.decode(raw, type=State)
    except msgspec.MsgspecError as error:
        raise StateError(
            f"execution's stored state cannot be read ({error}): run the version of Tapeflow that wrote it"
        ) from error


def _on_command(state: State, command: Command, settings: StrategySettings) -> list[Output]:
    """Start or stop entering; those for other accounts and strategies are none of ours."""
    if (command.account, command.strategy) != (settings.account, settings.name):
        return []
    desk = state.desk
    desk.running = command.action == "start"
    if desk.running or desk.entry() is None:
        return []
    return desk.cancel_all("strategy stopped", state.market.clock)


def _on_move(state: State, move: Move, settings: StrategySettings) -> list[Output]:
    """Trades and signals, merged by event time."""
    if move.offset <= state.moved:
        return []
    trades = codec.decode_as(Trades, move.trades)
    raised = _raised(move, settings)
    market, desk = state.market, state.desk
    state.moved = move.offset
    market.observe(trades)
    outputs: list[Output] = []
    tape = _due(state, trades, needed=bool(raised or desk.resting))
    if raised or desk.resting:
        terms = market.terms(move.symbol, settings.fee_rate)
        *before, after = paper.split(tape, [signal.time for signal in raised])
        for part, signal in zip(before, raised, strict=True):
            outputs += _trade(desk, market, part, terms, settings)
            outputs += _expire(desk, signal.time)
            market.note_gap(trades.gap, before=signal.time)
            outputs += _on_signal(desk, market, signal, settings)
        outputs += _trade(desk, market, after, terms, settings)
        outputs += _expire(desk, market.clock)
    market.note_gap(trades.gap)
    return outputs


def _due(state: State, trades: Trades, *, needed: bool) -> paper.Tape:
    """The new trades up to the time that the feed has reached; it may be empty when nobody needs it."""
    market = state.market
    if not state.waiting.idle(trades, market.clock):
        tape = state.waiting.due(trades, market.last_trade_id, market.clock)
        market.last_trade_id = max((market.last_trade_id, *tape.ids.tolist()))
        return tape
    known, market.last_trade_id = market.last_trade_id, max((market.last_trade_id, *trades.ids))
    return paper.tape(trades, known) if needed else paper.NOTHING


def _raised(move: Move, settings: StrategySettings) -> list[Signal]:
    """The move's signals that concern the strategy, in order of time."""
    signals = (codec.decode_as(Signal, raw) for raw in move.signals)
    return sorted((signal for signal in signals if signal.timeframe == settings.timeframe), key=lambda signal: signal.time)


def _trade(desk: Desk, market: Market, tape: paper.Tape, terms: paper.Terms, settings: StrategySettings) -> list[Output]:
    """Walk from one filling trade to the next; what a fill places may match from the trade after it."""
    outputs: list[Output] = []
    at = -1
    while True:
        at, fills = paper.match(desk.resting, tape, at + 1, terms)
        if not fills:
            return outputs
        for fill in fills:
            order = desk.take(fill.client_order_id)
            if order is None:
                continue  # canceled by another fill of the same trade
            outputs += [fill, orders.close(order, fill)]
            outputs += _entered(desk, market, order, fill, settings) if fill.leg == "entry" else _left(desk, fill, terms)


def _entered(desk: Desk, market: Market, entry: Order, fill: Fill, settings: StrategySettings) -> list[Output]:
    """A position, and its stop and target at once."""
    stop_price, target_price = strategy.exit_prices(fill.side, fill.price, market.tick_size, settings)
    desk.position = position.opened(entry, fill, stop_price, target_price)
    stop, target = strategy.exits(entry, fill, stop_price, target_price)
    return [desk.position, *desk.place(stop), *desk.place(target)]


def _left(desk: Desk, fill: Fill, terms: paper.Terms) -> list[Output]:
    """The position is closed and the other exit canceled."""
    if desk.position is None:
        raise orders.IllegalTransitionError(fill.client_order_id, "open", "the exit of no position")
    closed = position.closed(desk.position, fill, terms)
    desk.position = None
    return [*desk.cancel_all(f"{fill.leg} filled", fill.time), closed]


def _expire(desk: Desk, now: int) -> list[Output]:
    """An entry that found no trade before its signal expired is taken back, as of then: old signals get no new prices."""
    ended = [one.until for one in desk.resting if one.until is not None and one.until < now]
    return desk.cancel_all("signal expired", min(ended)) if ended else []


def _on_signal(desk: Desk, market: Market, signal: Signal, settings: StrategySettings) -> list[Output]:
    if not desk.is_new(signal):
        return []
    verdict = strategy.decide(signal, market, settings, running=desk.running, entry=desk.entry(), held=desk.position)
    if isinstance(verdict, Intent):
        return desk.place(verdict, until=signal.expires)
    return [_refusal(signal, verdict, settings)]


def _refusal(signal: Signal, verdict: Refused, settings: StrategySettings) -> Refusal:
    return Refusal(
        id=ids.refusal_id(settings.account, settings.name, signal.id),
        venue=signal.venue,
        symbol=signal.symbol,
        account=settings.account,
        strategy=settings.name,
        cause=signal.id,
        reason=verdict.reason,
        detail=verdict.detail,
        time=signal.time,
    )
