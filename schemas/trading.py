"""Records of trading: from what may change a decision to what became of it."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

Side = Literal["buy", "sell"]
Leg = Literal["entry", "stop", "target"]
PositionSide = Literal["long", "short"]


class Command(Struct, frozen=True):
    """What a person asks of a strategy."""

    id: str
    venue: str
    symbol: str
    account: str
    strategy: str
    action: Literal["start", "stop"]
    requested: int
    by: str


class Input(Struct, frozen=True):
    """One input of a market's decisions. `id` is `source-partition-offset`: one forwarded twice is recognised by it."""

    id: str
    venue: str
    symbol: str
    kind: Literal["move", "command"]
    source: str
    partition: int
    offset: int
    recorded: int
    payload: bytes


class Intent(Struct, frozen=True):
    """An order that execution wants; published before it is acted upon. Amounts in native units."""

    client_order_id: str
    venue: str
    symbol: str
    account: str
    strategy: str
    cause: str
    leg: Leg
    attempt: int
    side: Side
    type: Literal["market", "stop", "limit"]
    amount: Decimal
    price: Decimal | None
    reduce_only: bool
    time: int


class Order(Struct, frozen=True):
    """State of an order; the newest revision wins."""

    client_order_id: str
    revision: int
    venue: str
    symbol: str
    account: str
    strategy: str
    cause: str
    leg: Leg
    side: Side
    type: Literal["market", "stop", "limit"]
    status: Literal["open", "closed", "canceled", "rejected"]
    amount: Decimal
    price: Decimal | None
    filled: Decimal
    average: Decimal | None
    reason: str | None
    time: int


class Fill(Struct, frozen=True):
    """One execution of an order, at a price a market trade proved."""

    id: str
    client_order_id: str
    venue: str
    symbol: str
    account: str
    strategy: str
    leg: Leg
    side: Side
    price: Decimal
    amount: Decimal
    fee: Decimal
    fee_currency: str
    trade_id: int
    time: int


class Position(Struct, frozen=True):
    """State of one strategy's position; the newest revision wins."""

    id: str
    revision: int
    venue: str
    symbol: str
    account: str
    strategy: str
    side: PositionSide
    status: Literal["open", "closed"]
    amount: Decimal
    entry_price: Decimal
    exit_price: Decimal | None
    stop_price: Decimal
    target_price: Decimal
    realized: Decimal
    fees: Decimal
    cause: str
    exit_reason: str | None
    opened: int
    time: int


class Refusal(Struct, frozen=True):
    """Why a signal did not become an order."""

    id: str
    venue: str
    symbol: str
    account: str
    strategy: str
    cause: str
    reason: str
    detail: str
    time: int
