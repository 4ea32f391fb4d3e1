"""What the API answers. A field's type says how its column is read: `Exact` as digits, `Ms` and `Us` as epoch numbers."""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Exact = Annotated[str, "exact", Field(description="a decimal number, exactly as stored", examples=["64250.1"])]
Ms = Annotated[int, "to_ms", Field(description="epoch milliseconds, UTC", examples=[1_700_000_040_000])]
Us = Annotated[int, "to_us", Field(description="epoch microseconds, UTC: our clock", examples=[1_700_000_100_012_345])]
Venue = Annotated[str, Field(description="ccxt exchange id", examples=["okx"])]
Symbol = Annotated[str, Field(description="ccxt unified symbol", examples=["BTC/USDT"])]
Timeframe = Annotated[str, Field(examples=["1m"])]
Account = Annotated[str, Field(examples=["paper"])]
Strategy = Annotated[str, Field(examples=["rsi-trend"])]
Id = Annotated[str, Field(description="derived from what caused it", examples=["s7u3c2q5nmwg4hbd6o2ykptj4e"])]


class Candle(BaseModel):
    """OHLC and volumes, volumes in base units."""

    venue: Venue
    symbol: Symbol
    market_id: str | None
    timeframe: Timeframe
    open_time: Ms
    open: Exact
    high: Exact
    low: Exact
    close: Exact
    volume: Exact
    quote_volume: Exact
    taker_buy_volume: Exact
    trades: int
    status: Annotated[str, Field(description="complete, partial, synthetic or repaired", examples=["complete"])]
    revision: Annotated[int, Field(description="the newest one", examples=[0])]
    source: Annotated[str, Field(description="trades, or venue for what the venue itself told", examples=["trades"])]
    received: Us


class Trade(BaseModel):
    """One public trade, its amount in native units."""

    venue: Venue
    symbol: Symbol
    trade_id: int
    time: Ms
    price: Exact
    amount: Exact
    taker_side: Annotated[str, Field(examples=["buy"])]
    kind: Annotated[str, Field(description="live, repair or replay", examples=["live"])]
    arrival: Annotated[int, Field(description="offset of the record it came in")]
    arrival_index: Annotated[int, Field(description="its place in that record")]
    received: Us


class Signal(BaseModel):
    """A rule's verdict on a closed candle."""

    id: Id
    venue: Venue
    symbol: Symbol
    timeframe: Timeframe
    open_time: Ms
    candle_revision: int
    indicator_revision: int
    side: Annotated[str, Field(examples=["long"])]
    rule: str
    parameters: dict[str, str]
    parameters_hash: str
    strength: float
    price: Exact
    indicators: Annotated[dict[str, float], Field(description="the values that decided it", examples=[{"rsi_14": 31.5}])]
    time: Ms
    expires: Ms
    received: Us


class Order(BaseModel):
    """The newest state of an order, amounts in native units."""

    client_order_id: Id
    revision: int
    venue: Venue
    symbol: Symbol
    account: Account
    strategy: Strategy
    cause: Id
    leg: Annotated[str, Field(description="entry, stop or target", examples=["entry"])]
    side: Annotated[str, Field(examples=["buy"])]
    type: Annotated[str, Field(examples=["market"])]
    status: Annotated[str, Field(description="open, closed, canceled or rejected", examples=["closed"])]
    amount: Exact
    price: Exact | None
    filled: Exact
    average: Exact | None
    reason: str | None
    time: Ms


class Fill(BaseModel):
    """One execution of an order."""

    id: Id
    client_order_id: Id
    venue: Venue
    symbol: Symbol
    account: Account
    strategy: Strategy
    leg: Annotated[str, Field(examples=["entry"])]
    side: Annotated[str, Field(examples=["buy"])]
    price: Exact
    amount: Exact
    fee: Exact
    fee_currency: Annotated[str, Field(examples=["USDT"])]
    trade_id: Annotated[int, Field(description="the market trade that proves the price")]
    time: Ms


class Position(BaseModel):
    """The newest state of a strategy's position, its amount in native units."""

    id: Id
    revision: int
    venue: Venue
    symbol: Symbol
    account: Account
    strategy: Strategy
    side: Annotated[str, Field(examples=["long"])]
    status: Annotated[str, Field(description="open or closed", examples=["open"])]
    amount: Exact
    entry_price: Exact
    exit_price: Exact | None
    stop_price: Exact
    target_price: Exact
    realized: Annotated[Exact, Field(description="in settle or quote currency, after fees")]
    fees: Exact
    cause: Id
    exit_reason: str | None
    opened: Ms
    time: Ms


class Refusal(BaseModel):
    """Why a signal did not become an order."""

    id: Id
    venue: Venue
    symbol: Symbol
    account: Account
    strategy: Strategy
    cause: Id
    reason: Annotated[str, Field(examples=["position open"])]
    detail: str
    time: Ms


Item = TypeVar("Item", bound=BaseModel)


class Page(BaseModel, Generic[Item]):
    """Newest first. `next` goes into `before` for the page that follows; null on the last one."""

    items: list[Item]
    next: Annotated[str | None, Field(examples=["1700000040000"])]


class CommandRequest(BaseModel):
    """The market that a strategy is to be started or stopped in."""

    model_config = ConfigDict(extra="forbid")

    venue: Venue
    symbol: Symbol


class CommandAccepted(CommandRequest):
    """The command as it was published; what comes of it is seen in orders, positions and refusals."""

    id: Id
    account: Account
    strategy: Strategy
    action: Annotated[str, Field(examples=["stop"])]
    requested: Ms


class Problem(BaseModel):
    """What is wrong, in one sentence."""

    detail: Annotated[str, Field(examples=["unknown venue 'okex': known are okx"])]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, for the documentation."""
    return {status: {"model": Problem} for status in statuses}
