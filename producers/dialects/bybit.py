"""Bybit, API v5: https://bybit-exchange.github.io/docs/v5/ws/connect (public websockets of spot, linear and inverse)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from producers.dialect import (
    BookPushed,
    BookRule,
    Channel,
    FrameError,
    Ids,
    Kind,
    Limits,
    Message,
    Request,
    Trade,
    VenueCandle,
    integer,
    number,
    positive,
)
from producers.dialects import bybit_stream
from producers.dialects.bybit_stream import TOPICS
from schemas.market import Instrument

_ORDER: Final = tuple(TOPICS)
_ARGS: Final = 10  # of one request: spot takes no more
_CANDLES_PAGE: Final = 1_000
_MINUTE: Final = 60_000
# What only some types of instruments have.
_ONLY: Final = {Kind.MARK: ("swap", "future"), Kind.FUNDING: ("swap",), Kind.INTEREST: ("swap", "future")}


class Bybit:
    """The dialect of Bybit. Spot and linear contracts share names: an instrument is its name and its path."""

    name = "bybit"
    hosts: tuple[str, ...] = ("wss://stream.bybit.com", "wss://stream.bytick.com")
    # The topics of one connection may have 21,000 characters together; 500 connections in five minutes.
    limits = Limits(channels=500, messages_per_s=10.0, connects_per_minute=100)
    ping: str | None = '{"op":"ping"}'
    keepalive_s = 20.0
    acknowledges = True
    margin_ms = 1_000

    parse = staticmethod(bybit_stream.parse)

    def path(self, channel: Channel, instrument: Instrument) -> str | None:
        """One path a category."""
        if channel.kind in _ONLY and instrument.type not in _ONLY[channel.kind]:
            return None
        return f"/v5/public/{_category(instrument)}"

    def ids(self, instrument: Instrument) -> Ids:
        """Numbers that rise in spot, names elsewhere."""
        return Ids.RISING if instrument.type == "spot" else Ids.NAMED

    def recent_trades(self, instrument: Instrument) -> int:
        """As many as `GET market/recent-trade` gives."""
        return 60 if instrument.type == "spot" else 1_000

    def greeting(self) -> tuple[Message, ...]:
        """Nothing."""
        return ()

    def subscribe(self, wanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """Requests of at most ten topics; for one that is wrong Bybit refuses the whole request, and names none."""
        return _requests("subscribe", wanted, held, request)

    def unsubscribe(self, unwanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """The same topics, given up, unless something that stays comes from them, too."""
        return _requests("unsubscribe", unwanted, held, request)

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """Contract size: 1 base unit, of inverse contracts 1 USD: amounts are told in these."""
        try:
            return self._instrument(market, market["info"], market["info"]["lotSizeFilter"])
        except (KeyError, TypeError) as missing:
            raise FrameError(f"an instrument without {missing}") from None

    def _instrument(self, market: Mapping[str, Any], info: Mapping[str, Any], lot: Mapping[str, str]) -> Instrument:
        if market["type"] not in ("spot", "swap", "future"):
            raise FrameError(f"instruments of type {market['type']} are not read")
        return Instrument(
            venue=self.name,
            symbol=market["symbol"],
            market_id=info["symbol"],
            type=market["type"],
            base=market["base"],
            quote=market["quote"],
            settle=market["settle"] or None,
            contract_size=Decimal(1),
            inverse=bool(market["inverse"]),
            tick_size=positive(info["priceFilter"]["tickSize"]),
            lot_size=positive(lot["basePrecision" if market["type"] == "spot" else "qtyStep"]),
            min_amount=number(lot["minOrderQty"]),
            active=info["status"] == "Trading",
            expiry=integer(info["deliveryTime"]) if market["type"] == "future" else None,
            valid_from=integer(info.get("launchTime") or "0"),
        )

    def trades_request(self, instrument: Instrument, before: Trade | None) -> Request | None:
        """`GET market/recent-trade`: the newest alone, there is no cursor."""
        if before is not None:
            return None
        return _asked("public_get_v5_market_recent_trade", instrument, limit=str(self.recent_trades(instrument)))

    def trades_page(self, instrument: Instrument, answer: Any) -> tuple[Trade, ...]:
        """Rows of that answer, the newest first there; those of one millisecond keep their order."""
        trades = []
        for row in reversed(_rows(answer, dict[str, Any])):
            if row.get("symbol") != instrument.market_id:
                raise FrameError(f"a trade of {row.get('symbol')!r:.60} among those of {instrument.market_id!r:.60}")
            name, time, price, amount, side = (_text(row.get(key)) for key in ("execId", "time", "price", "size", "side"))
            trades.append(bybit_stream.trade(name, integer(time), price, amount, side))
        rising = self.ids(instrument) is Ids.RISING
        return tuple(sorted(trades, key=lambda trade: trade.id if rising else trade.time))

    def candles_request(self, instrument: Instrument, before: int) -> Request:
        """`GET market/kline`: the newest first, `end` included."""
        return _asked("public_get_v5_market_kline", instrument, interval="1", end=str(before - 1), limit=str(_CANDLES_PAGE))

    def candles_page(self, instrument: Instrument, answer: Any) -> tuple[VenueCandle, ...]:
        """Rows of [start, open, high, low, close, volume, turnover]; closed if they had ended when Bybit answered."""
        candles = []
        for row in _rows(answer, list[Any]):
            if len(row) != 7:
                raise FrameError(f"a candle of {len(row)} columns instead of 7")
            start, *prices, volume, turnover = (_text(value) for value in row)
            minute = bybit_stream.candle(integer(start), prices, number(volume), number(turnover), swapped=instrument.inverse)
            candles.append(VenueCandle(minute, closed=minute.open_time + _MINUTE <= integer(_text(answer.get("time")))))
        return tuple(candles)

    def book_request(self, instrument: Instrument) -> Request | None:
        """None: the topic begins with the whole book."""
        del instrument
        return None

    def book_page(self, instrument: Instrument, answer: Any) -> BookPushed:
        """Never asked for."""
        del answer
        raise FrameError(f"nobody asked for a book of {instrument.market_id}")

    def book_rule(self, instrument: Instrument) -> BookRule:
        """Each push has the next number; another snapshot may come at any time."""
        del instrument
        return BookRule(continues="adjoining", depth=50)


def _category(instrument: Instrument) -> str:
    return "spot" if instrument.type == "spot" else "inverse" if instrument.inverse else "linear"


def _topic(channel: Channel) -> str:
    return f"{TOPICS[channel.kind]}.{channel.market_id}"


def _requests(operation: str, channels: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
    """Trades first, so that no ticker is told before its trade; a topic of several channels once, and not if one is held."""
    topics: dict[str, list[Channel]] = {}
    kept = {_topic(channel) for channel in held}
    for channel in sorted(channels, key=lambda channel: _ORDER.index(channel.kind)):
        if _topic(channel) not in kept:
            topics.setdefault(_topic(channel), []).append(channel)
    messages = []
    for number_, begin in enumerate(range(0, len(topics), _ARGS), request):
        args = list(topics)[begin : begin + _ARGS]
        text = msgspec.json.encode({"req_id": str(number_), "op": operation, "args": args}).decode()
        messages.append(Message(text, number_, tuple(channel for topic in args for channel in topics[topic])))
    return tuple(messages)


def _asked(method: str, instrument: Instrument, **params: str) -> Request:
    return Request(method, {"category": _category(instrument), "symbol": instrument.market_id, **params})


def _rows(answer: Any, shape: Any) -> list[Any]:
    """The list in a REST answer."""
    try:
        return list(msgspec.convert(answer["result"]["list"], list[shape]))
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
        raise FrameError(f"not an answer of Bybit: {error}") from None


def _text(value: Any) -> str:
    """What a REST answer tells as a string, or as a number."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return format(Decimal(str(value)), "f")
    raise FrameError(f"neither a text nor a number: {value!r:.60}")
