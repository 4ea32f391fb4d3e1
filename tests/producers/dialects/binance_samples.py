"""What Binance's collected samples hold, read in another way than the dialects do."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from producers.dialect import (
    Acknowledged,
    Announced,
    BookPushed,
    CandlePushed,
    Event,
    FrameError,
    Funded,
    Ignored,
    Marked,
    Quoted,
    Refused,
    Trade,
    TradesPushed,
)
from schemas.market import HistoryCandle, Instrument

BTC = Instrument(
    venue="binance",
    symbol="BTC/USDT",
    market_id="BTCUSDT",
    type="spot",
    base="BTC",
    quote="USDT",
    settle=None,
    contract_size=Decimal(1),
    inverse=False,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.00001"),
    min_amount=Decimal("0.00001"),
    active=True,
    expiry=None,
    valid_from=0,
)
UNREAD = ("24hrTicker", "24hrMiniTicker", "1hTicker", "forceOrder", "assetIndexUpdate", "compositeIndex", "eventStreamTerminated")


def check_samples(parse: Callable[[bytes], tuple[Event, ...]], path: Path, unreadable: Sequence[str]) -> None:
    """Every sample of a file gives exactly the events that are in it, or is one of those that cannot be read."""
    reasons = iter(unreadable)
    for sample in json.loads(path.read_text()):
        message = sample["message"]
        for separators in ((",", ":"), (", ", ": ")):
            try:
                events = parse(json.dumps(message, separators=separators).encode())
            except FrameError as error:
                reason = str(error)
                if separators == (",", ":"):
                    expected = next(reasons)
                assert expected in reason
            else:
                assert events == _meant(message)
    assert not [*reasons]


def _meant(message: dict[str, Any]) -> tuple[Event, ...]:
    if "error" in message:
        return (Refused(str(message["error"]["code"]), message["error"]["msg"], message["id"]),)
    if "result" in message:
        return (Acknowledged(message["id"]) if message["result"] is None else Ignored("an answer"),)
    if "event" in message:
        return (Ignored("an event of a user's stream"),)
    data = message.get("data", message)
    if isinstance(data, list):
        return (Ignored(f"a list of {message['stream']}"),)
    if "lastUpdateId" in data:
        return (Ignored("a part of a book"),)
    return _EVENTS.get(data.get("e", "bookTicker"), _unread)(data)


def _unread(data: dict[str, Any]) -> tuple[Event, ...]:
    assert data["e"] in UNREAD
    return (Ignored(data["e"]),)


def _aggregate(data: dict[str, Any]) -> tuple[Event, ...]:
    count = data["l"] - data["f"] + 1
    trade = Trade(data["a"], data["a"], data["T"], Decimal(data["p"]), Decimal(data["q"]), not data["m"], count)
    return (TradesPushed(data["s"], (trade,), data["E"]),)


def _single(data: dict[str, Any]) -> tuple[Event, ...]:
    if data.get("X", "MARKET") != "MARKET":
        return (Ignored(f"a trade of kind {data['X']}"),)
    trade = Trade(data["t"], data["t"], data["T"], Decimal(data["p"]), Decimal(data["q"]), not data["m"])
    return (TradesPushed(data["s"], (trade,), data["E"]),)


def _quote(data: dict[str, Any]) -> tuple[Event, ...]:
    return (Quoted(data["s"], data.get("T", 0), *(Decimal(data[key]) for key in "bBaA")),)


def _depth(data: dict[str, Any]) -> tuple[Event, ...]:
    bids, asks = (tuple((Decimal(price), Decimal(amount)) for price, amount in data[side]) for side in "ba")
    numbers = {"first": data["U"], "last": data["u"], "previous": data.get("pu")}
    return (BookPushed(data["s"], data.get("T", data["E"]), bids, asks, snapshot=False, **numbers),)


def _kline(data: dict[str, Any]) -> tuple[Event, ...]:
    bar = data["k"]
    candle = HistoryCandle(bar["t"], *(Decimal(bar[key]) for key in "ohlcvq"))
    return (CandlePushed(data["s"], candle, bar["n"], bar["x"]),)


def _mark(data: dict[str, Any]) -> tuple[Event, ...]:
    marked = Marked(data["s"], data["E"], Decimal(data["p"]), Decimal(data["i"]))
    return marked, Funded(data["s"], data["E"], Decimal(data["r"]), data["T"])


_EVENTS: dict[str, Callable[[dict[str, Any]], tuple[Event, ...]]] = {
    "aggTrade": _aggregate,
    "trade": _single,
    "bookTicker": _quote,
    "depthUpdate": _depth,
    "kline": _kline,
    "markPriceUpdate": _mark,
    "serverShutdown": lambda data: (Announced("closing", data["e"], "the server is about to shut down"),),
    "contractInfo": lambda data: (Announced("listing", data["cs"], f"{data['s']} is {data['cs']}", data["s"]),),
}
