"""What OKX's collected samples hold, read in another way than the dialect does."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from producers.dialect import (
    Acknowledged,
    Announced,
    BookPushed,
    CandlePushed,
    Channel,
    Event,
    Funded,
    Held,
    Ignored,
    Kind,
    Marked,
    Quoted,
    Refused,
    Told,
    Trade,
    TradesPushed,
)
from schemas.market import HistoryCandle

Row = Any
KINDS = {
    "trades": Kind.TRADES,
    "tickers": Kind.QUOTES,
    "books": Kind.BOOK,
    "mark-price": Kind.MARK,
    "funding-rate": Kind.FUNDING,
    "open-interest": Kind.INTEREST,
}


def meant(message: Any) -> tuple[Event, ...]:
    """The events of one sample. Raises KeyError where something is missing in it."""
    if message == "pong":
        return (Ignored("pong"),)
    if "event" in message:
        return (_EVENTS[message["event"]](message),)
    read = _CHANNELS.get(message["arg"]["channel"])
    return read(message) if read else (Ignored(message["arg"]["channel"]),)


def _rows(read: Callable[[str, Row], list[Event]]) -> Callable[[dict[str, Any]], tuple[Event, ...]]:
    return lambda message: tuple(event for row in message["data"] for event in read(message["arg"]["instId"], row))


def _acknowledged(message: dict[str, Any]) -> Event:
    channel = message["arg"]["channel"]
    if channel not in KINDS:
        return Ignored(f"subscribe {channel}")
    return Acknowledged(channels=(Channel(KINDS[channel], message["arg"]["instId"]),))


def _refused(message: dict[str, Any]) -> Event:
    named = {
        "Invalid request: channel not found": (Channel(Kind.QUOTES, "INVALID-INST"),),
        'Invalid request: {"op": "subscribe", "args":[{ "channel" : "trades", "instId" : "BTC-USD-191227"}]}': (
            Channel(Kind.TRADES, "BTC-USD-191227"),
        ),
    }
    return Refused(message["code"], message["msg"], channels=named.get(message["msg"], ()))


def _trades(message: dict[str, Any]) -> tuple[Event, ...]:
    trades = []
    for row in message["data"]:
        last, count = int(row["tradeId"]), int(row.get("count", "1"))
        buy = {"buy": True, "sell": False}[row["side"]]
        trades.append(Trade(last, last - count + 1, int(row["ts"]), Decimal(row["px"]), Decimal(row["sz"]), buy, count))
    return (TradesPushed(message["arg"]["instId"], tuple(trades)),)


def _ticker(market_id: str, row: Row) -> list[Event]:
    at = int(row["ts"])
    sides = (Decimal(row[key]) for key in ("bidPx", "bidSz", "askPx", "askSz"))
    return [Quoted(market_id, at, *sides), Told(market_id, at, price=Decimal(row["last"]), amount=Decimal(row["lastSz"]))]


def _book(message: dict[str, Any]) -> tuple[Event, ...]:
    (row,) = message["data"]
    bids, asks = (tuple((Decimal(level[0]), Decimal(level[1])) for level in row[side]) for side in ("bids", "asks"))
    whole = {"snapshot": True, "update": False}[message["action"]]
    previous = None if whole else row.get("prevSeqId")
    market_id = message["arg"]["instId"]
    return (BookPushed(market_id, int(row["ts"]), bids, asks, snapshot=whole, last=row.get("seqId"), previous=previous),)


def _candle(market_id: str, row: Row) -> list[Event]:
    """All that are collected are of spot."""
    candle = HistoryCandle(int(row[0]), *(Decimal(row[at]) for at in (1, 2, 3, 4, 5, 7)))
    return [CandlePushed(market_id, candle, trades=None, closed=row[8] == "1")]


def _status(message: dict[str, Any]) -> tuple[Event, ...]:
    (row,) = message["data"]
    kind = {"0": "resumed", "11": "other"}[row["serviceType"]]
    return (Announced(kind, row["state"], f"{row['title']}, from {row['begin']} to {row['end']}"),)


def _instruments(message: dict[str, Any]) -> tuple[Event, ...]:
    rows = message["data"]
    if len(rows) > 1:
        return (Announced("listing", "", f"{len(rows)} instruments"),)
    name, state = rows[0]["instId"], rows[0]["state"]
    return (Announced("listing", state, f"{name} is {state}", name),)


_EVENTS: dict[str, Callable[[dict[str, Any]], Event]] = {
    "subscribe": _acknowledged,
    "error": _refused,
    "notice": lambda message: Announced("closing", message["code"], message["msg"]),
    "channel-conn-count": lambda _: Ignored("channel-conn-count"),
    "channel-conn-count-error": lambda message: Refused(
        message["event"], f"too many connections have the channel {message['channel']}"
    ),
}
_CHANNELS: dict[str, Callable[[dict[str, Any]], tuple[Event, ...]]] = {
    "trades": _trades,
    "tickers": _rows(_ticker),
    "books": _book,
    "books-l2-tbt": _book,
    "candle1m": _rows(_candle),
    "mark-price": _rows(lambda market_id, row: [Marked(market_id, int(row["ts"]), Decimal(row["markPx"]))]),
    "funding-rate": _rows(
        lambda market_id, row: [Funded(market_id, int(row.get("ts", 0)), Decimal(row["fundingRate"]), int(row["fundingTime"]))]
    ),
    "open-interest": _rows(lambda market_id, row: [Held(market_id, int(row["ts"]), Decimal(row["oi"]))]),
    "status": _status,
    "instruments": _instruments,
}
