"""A market told in a few words: builds the inputs of one market, folds them, and tells what came out."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from consumers.execution.desk import Output
from consumers.execution.fold import step
from consumers.execution.strategy import StrategySettings
from schemas import codec, exact, topics
from schemas.market import Gap, Move, Trades
from schemas.signals import Signal
from schemas.trading import Command, Fill, Input, Intent, Order, Position

T0 = 1_700_000_040_000  # a full minute
MINUTE = 60_000
SWAP = "BTC/USDT:USDT"
SETTINGS = StrategySettings(
    account="paper",
    position_quote=Decimal(1000),
    stop_percent=Decimal(1),
    target_percent=Decimal(2),
    fee_rate=Decimal("0.001"),
)

LONG_ASKED = ["intent entry: buy 10 market", "order entry open"]
LONG_OPENED = [
    *LONG_ASKED,
    "fill entry: buy 10 at 100, fee 1 USDT",
    "order entry closed",
    "position long open: 10 from 100, realized -1",
    "intent stop: sell 10 stop at 99",
    "order stop open",
    "intent target: sell 10 limit at 102",
    "order target open",
]


class Log:
    """One market's inputs, with offsets and trade ids that rise by themselves. Times are milliseconds after T0; a tick is 0.1."""

    def __init__(self, symbol: str = SWAP, contract_size: str = "1", lot: str = "1", *, inverse: bool = False) -> None:
        self.symbol = symbol
        self.contract_size = Decimal(contract_size)
        self.lot = Decimal(lot)
        self.inverse = inverse
        self.inputs: list[Input] = []
        self.next_id = 1
        self.watermark = T0
        self.moves = 0
        self.commands = 0

    def move(
        self,
        trades: Iterable[tuple[int, str]] = (),
        signals: Iterable[Signal] = (),
        *,
        at: int | None = None,
        ids: Sequence[int] = (),
        gap: Gap | None = None,
        offset: int | None = None,
    ) -> Input:
        """Trades as (time, price), with the next ids or these; the watermark is `at` or the latest trade's time."""
        rows = [(T0 + time, Decimal(price)) for time, price in trades]
        scale = max((exact.places(price) for _, price in rows), default=0)
        ids = ids or range(self.next_id, self.next_id + len(rows))
        self.next_id = max([self.next_id, *(trade_id + 1 for trade_id in ids)])
        self.watermark = max(self.watermark, *(time for time, _ in rows), T0 + (at or 0))
        record = Trades(
            venue="okx",
            symbol=self.symbol,
            market_id="M",
            kind="live",
            received=0,
            watermark=self.watermark,
            contract_size=self.contract_size,
            inverse=self.inverse,
            tick_size=Decimal("0.1"),
            lot_size=self.lot,
            price_scale=scale,
            ids=tuple(ids),
            times=tuple(time for time, _ in rows),
            prices=tuple(exact.to_scaled(price, scale) for _, price in rows),
            amounts=(1,) * len(rows),
            taker_buys=(True,) * len(rows),
            gap=gap,
        )
        raised = tuple(codec.encode(signal) for signal in signals)
        move = Move("okx", self.symbol, self.moves if offset is None else offset, codec.encode(record), raised)
        self.moves += 1
        return self._input("move", topics.MOVES.name, codec.encode(move))

    def command(self, action: str, *, account: str = "paper", strategy: str = "rsi-trend") -> Input:
        """What a person asks of the strategy."""
        asked = Command(f"c{self.commands}", "okx", self.symbol, account, strategy, action, T0, "test")
        self.commands += 1
        return self._input("command", topics.COMMANDS.name, codec.encode(asked))

    def signal(
        self, side: str, *, at: int = 0, price: str = "100", ttl: int = MINUTE, timeframe: str = "1m", name: str = ""
    ) -> Signal:
        """Of the minute that ended at `at`."""
        return Signal(
            id=name or f"signal-{side}-{at}-{timeframe}",
            venue="okx",
            symbol=self.symbol,
            timeframe=timeframe,
            open_time=T0 + at - MINUTE,
            candle_revision=1,
            indicator_revision=1,
            side=side,
            rule="rsi-trend",
            parameters={},
            parameters_hash="h",
            strength=0.5,
            price=Decimal(price),
            values={},
            time=T0 + at,
            expires=T0 + at + ttl,
            received=0,
        )

    def _input(self, kind: str, source: str, payload: bytes) -> Input:
        offset = sum(one.source == source for one in self.inputs)
        made = Input(f"{source}-0-{offset}", "okx", self.symbol, kind, source, 0, offset, T0, payload)
        self.inputs.append(made)
        return made


def fold(inputs: Iterable[Input], settings: StrategySettings = SETTINGS) -> list[Output]:
    """Everything that a log of one market leads to, the state going through bytes at every step."""
    state: bytes | None = None
    outputs: list[Output] = []
    for one in inputs:
        state, more = step(state, one, settings)
        outputs += more
    return outputs


def tell(outputs: Iterable[Output]) -> list[str]:
    """One line an output."""
    return [_line(one) for one in outputs]


def _line(one: Output) -> str:
    if isinstance(one, Intent):
        price = "" if one.price is None else f" at {one.price}"
        return f"intent {one.leg}: {one.side} {one.amount} {one.type}{price}"
    if isinstance(one, Order):
        return f"order {one.leg} {one.status}" + (f": {one.reason}" if one.reason else "")
    if isinstance(one, Fill):
        return f"fill {one.leg}: {one.side} {one.amount} at {one.price}, fee {one.fee} {one.fee_currency}"
    if isinstance(one, Position):
        end = f", {one.exit_reason} at {one.exit_price}" if one.status == "closed" else ""
        return f"position {one.side} {one.status}: {one.amount} from {one.entry_price}{end}, realized {one.realized}"
    return f"refused: {one.reason}"


def opened(log: Log, side: str = "long") -> None:
    """A signal at T0, an entry filled at 100 a tenth of a second later."""
    log.move([(0, "100.0")], [log.signal(side)])
    log.move([(100, "100.0")])
