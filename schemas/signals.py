"""What the rules say of a closed candle."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct


class Signal(Struct, frozen=True):
    """A rule's verdict. `id` derives from everything that decided it, so the same candle gives the same signal."""

    id: str
    venue: str
    symbol: str
    timeframe: str
    open_time: int
    candle_revision: int
    indicator_revision: int
    side: Literal["long", "short"]
    rule: str
    parameters: dict[str, str]
    parameters_hash: str
    strength: float
    price: Decimal
    values: dict[str, float]
    time: int
    expires: int
    received: int
