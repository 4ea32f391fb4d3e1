"""The shapes of what OKX sends. Numbers are strings there; the decoders take ids and times from them."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from schemas.exact import INT64_MAX

Whole = Annotated[int, Meta(ge=0, le=INT64_MAX)]
_NOTHING: Final = msgspec.Raw()


class Arg(Struct, frozen=True, rename="camel"):
    """A channel."""

    channel: str = ""
    inst_id: str = ""


class Frame(Struct):
    """Any frame: an event, or data of a channel, not read yet."""

    event: str = ""
    arg: Arg = Arg()
    action: str = ""
    data: msgspec.Raw = _NOTHING
    code: str | int = ""
    msg: str = ""
    id: str = ""
    channel: str = ""


class TradeRow(Struct, gc=False, rename="camel"):
    """A trade, pushed or over REST."""

    inst_id: str
    trade_id: Whole
    px: str
    sz: str
    side: Literal["buy", "sell"]
    ts: Whole
    count: Whole = 1


class TradesFrame(Struct, gc=False):
    """A frame of the channel `trades`."""

    arg: Arg
    data: list[TradeRow]


class TickerRow(Struct, rename="camel"):
    """A row of `tickers`; what there is none of is an empty string."""

    inst_id: str
    ts: Whole
    bid_px: str
    bid_sz: str
    ask_px: str
    ask_sz: str
    last: str
    last_sz: str


class BookRow(Struct, rename="camel"):
    """A row of the book channels; a level is price, amount, nothing, orders."""

    asks: list[tuple[str, str, str, str]]
    bids: list[tuple[str, str, str, str]]
    ts: Whole
    seq_id: Whole | None = None
    prev_seq_id: Annotated[int, Meta(ge=-1, le=INT64_MAX)] | None = None


class MarkRow(Struct, rename="camel"):
    """A row of `mark-price`."""

    inst_id: str
    mark_px: str
    ts: Whole


class FundingRow(Struct, rename="camel"):
    """A row of `funding-rate`; `funding_time` is when the rate is paid."""

    inst_id: str
    funding_rate: str
    funding_time: Whole
    ts: Whole = 0


class InterestRow(Struct, rename="camel"):
    """A row of `open-interest`, in contracts."""

    inst_id: str
    oi: str
    ts: Whole


class StatusRow(Struct, rename="camel"):
    """A row of `status`."""

    title: str
    state: str
    begin: str
    end: str
    service_type: str


class InstrumentRow(Struct, rename="camel"):
    """A row of `instruments`."""

    inst_id: str
    state: str


decode_frame: Final = msgspec.json.Decoder(Frame).decode
decode_trades: Final = msgspec.json.Decoder(TradesFrame, strict=False).decode
trade_rows: Final = msgspec.json.Decoder(list[TradeRow], strict=False).decode
ticker_rows: Final = msgspec.json.Decoder(list[TickerRow], strict=False).decode
book_rows: Final = msgspec.json.Decoder(list[BookRow], strict=False).decode
candle_rows: Final = msgspec.json.Decoder(list[list[str]]).decode
mark_rows: Final = msgspec.json.Decoder(list[MarkRow], strict=False).decode
funding_rows: Final = msgspec.json.Decoder(list[FundingRow], strict=False).decode
interest_rows: Final = msgspec.json.Decoder(list[InterestRow], strict=False).decode
status_rows: Final = msgspec.json.Decoder(list[StatusRow]).decode
instrument_rows: Final = msgspec.json.Decoder(list[InstrumentRow]).decode
