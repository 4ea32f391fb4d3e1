"""What Deribit says over the websocket: notifications and answers to events. See `deribit`."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from producers.dialect import (
    Acknowledged,
    Announced,
    Asked,
    BookPushed,
    CandlePushed,
    Channel,
    Event,
    FrameError,
    Funded,
    Held,
    Ignored,
    Kind,
    Level,
    Marked,
    Quoted,
    Refused,
    Told,
    Trade,
    TradesPushed,
)
from producers.digits import Table, above, positive, shaped, signed, whole
from schemas.market import HistoryCandle

CHANNELS: Final = {
    Kind.TRADES: "trades.{}.100ms",
    Kind.QUOTES: "quote.{}",
    Kind.BOOK: "book.{}.100ms",
    Kind.CANDLES: "chart.trades.{}.1",
    Kind.MARK: "ticker.{}.100ms",
    Kind.FUNDING: "ticker.{}.100ms",
    Kind.INTEREST: "ticker.{}.100ms",
}
_INTERVALS: Final = {"100ms", "raw", "agg2"}
_SIDES: Final = {"buy": True, "sell": False}
_MAINTENANCE: Final = 11051
COLUMNS: Final = ("tick", "open", "high", "low", "close", "volume", "cost")


def call(method: str, params: Mapping[str, Any], number: int | str) -> str:
    """A call, numbered where its answer is waited for and named where it is not."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).decode()


def events(told: dict[str, Any]) -> tuple[Event, ...]:
    """What one frame says."""
    method = told.get("method")
    if method == "subscription":
        return _pushed(shaped(told["params"]["channel"], str), told["params"]["data"])
    if method == "heartbeat":
        asked = told["params"]["type"] == "test_request"
        return (Asked(call("public/test", {}, "alive")) if asked else Ignored("heartbeat"),)
    if method is not None or not ("result" in told or "error" in told):
        raise FrameError(f"neither a notification nor an answer: {method!r:.60}")
    number = told["id"] if type(told.get("id")) is int else None  # what `greeting` says is known by a word
    if "error" in told:
        return _refused(told["error"], number)
    if number is None or not isinstance(told["result"], list):
        return (Ignored("answer"),)
    granted = tuple(channel for name in told["result"] for channel in _channels(shaped(name, str)))
    return (Acknowledged(number, granted) if granted else Refused("", "none of these channels was granted", number),)


def _refused(error: Mapping[str, Any], number: int | None) -> tuple[Event, ...]:
    code, reason = str(error["code"]), f"{error['message']} {error.get('data') or ''}".strip()
    notice = (Announced("maintenance", code, reason),) if error["code"] == _MAINTENANCE else ()
    return (Refused(code, reason, number), *notice)


def _named(name: str) -> tuple[str, str]:
    """The kind and the instrument in a channel's name; no instrument where nothing here reads the channel."""
    kind, _, rest = name.partition(".")
    market_id, _, interval = (rest, "", "raw") if kind == "quote" else rest.removeprefix("trades.").rpartition(".")
    read = interval == "1" if kind == "chart" else kind in _READ and interval in _INTERVALS
    return kind, market_id if read and "." not in market_id else ""


def _channels(name: str) -> tuple[Channel, ...]:
    """The channels behind a name; none where nothing here reads it."""
    kind, market_id = _named(name)
    return tuple(Channel(one, market_id) for one, form in CHANNELS.items() if market_id and form.startswith(f"{kind}."))


def _pushed(name: str, data: Any) -> tuple[Event, ...]:
    kind, market_id = _named(name)
    if market_id:
        # The raw ticker, which recordings have, is told with every quote; the one asked for here lags behind them.
        quoted = kind == "ticker" and name.endswith(".raw") and "combo_state" not in data
        return (*_READ[kind](market_id, data), *(_read_quote(market_id, data) if quoted else ()))
    if name == "platform_state" and "maintenance" in data:
        state: Literal["maintenance", "resumed"] = "maintenance" if data["maintenance"] is True else "resumed"
        return (Announced(state, name, f"maintenance: {data['maintenance']}"),)
    if kind == "platform_state":
        return (Announced("other", name, str(data)),)
    if name.startswith("instrument.state."):
        listed, listing = shaped(data["instrument_name"], str), shaped(data["state"], str)
        return (Announced("listing", listing, f"{listed} {listing}", listed),)
    return (Ignored(name),)


def _rows(market_id: str, rows: Table) -> Table:
    for row in rows:
        if row["instrument_name"] != market_id:
            raise FrameError(f"news of {row['instrument_name']!r:.60} on the channel of {market_id!r:.60}")
    return rows


def trades(market_id: str, rows: Table) -> tuple[Trade, ...]:
    """Rows of one instrument."""
    return tuple(
        Trade(
            whole(row["trade_seq"]),
            whole(row["trade_seq"]),
            whole(row["timestamp"]),
            positive(row["price"]),
            positive(row["amount"]),
            _SIDES[row["direction"]],
        )
        for row in _rows(market_id, rows)
    )


def _read_trades(market_id: str, data: Any) -> tuple[Event, ...]:
    return (TradesPushed(market_id, trades(market_id, shaped(data, Table))),)


def _read_quote(market_id: str, data: Any) -> tuple[Event, ...]:
    (row,) = _rows(market_id, [data])
    names = ("best_bid_price", "best_bid_amount", "best_ask_price", "best_ask_amount")
    return (
        Quoted(market_id, whole(row["timestamp"]), *(Decimal(0) if row[name] is None else above(row[name]) for name in names)),
    )


def _read_book(market_id: str, data: Any) -> tuple[Event, ...]:
    (row,) = _rows(market_id, [data])
    previous = row.get("prev_change_id")
    return (
        BookPushed(
            market_id,
            whole(row["timestamp"]),
            _levels(row["bids"]),
            _levels(row["asks"]),
            {"snapshot": True, "change": False}[row["type"]],
            last=whole(row["change_id"]),
            previous=None if previous is None else whole(previous),
        ),
    )


def _levels(rows: object) -> tuple[Level, ...]:
    levels = shaped(rows, list[tuple[Literal["new", "change", "delete"], Any, Any]])
    return tuple((positive(price), Decimal(0) if action == "delete" else positive(amount)) for action, price, amount in levels)


def _read_ticker(market_id: str, data: Any) -> tuple[Event, ...]:
    """What the ticker holds of mark, funding, open interest and the last trade. Of expired contracts it holds zeros."""
    (row,) = _rows(market_id, [data])
    if "combo_state" in row:
        return (Ignored("ticker of a combination"),)
    time = whole(row["timestamp"])
    events: list[Event] = []
    mark, index, last = (above(row.get(name) or 0) for name in ("mark_price", "index_price", "last_price"))
    if mark:
        events.append(Marked(market_id, time, mark, index or None))
    if row.get("current_funding") is not None:
        events.append(Funded(market_id, time, signed(row["current_funding"])))
    if row.get("open_interest") is not None:
        events.append(Held(market_id, time, above(row["open_interest"])))
    if last:
        events.append(Told(market_id, time, price=last))
    return tuple(events) or (Ignored("ticker of nothing"),)


def _read_candle(market_id: str, data: Any) -> tuple[Event, ...]:
    return (CandlePushed(market_id, candle(*(data[name] for name in COLUMNS)), None, closed=False),)


def candle(tick: Any, opened: Any, high: Any, low: Any, close: Any, volume: Any, cost: Any) -> HistoryCandle:
    """A minute. `volume` counts base units and `cost` quote units, of inverse instruments too."""
    prices = positive(opened), positive(high), positive(low), positive(close)
    return HistoryCandle(whole(tick), *prices, above(volume), above(cost))


_READ: Final[dict[str, Callable[[str, Any], tuple[Event, ...]]]] = {
    "trades": _read_trades,
    "quote": _read_quote,
    "book": _read_book,
    "ticker": _read_ticker,
    "chart": _read_candle,
}
