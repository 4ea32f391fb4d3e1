"""Bitget, API v2: https://www.bitget.com/api-doc/common/websocket-intro (public websocket and REST, spot and futures)."""

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
from producers.dialects import bitget_stream
from producers.dialects.bitget_stream import CHANNELS, MINUTE, names
from schemas.market import Instrument

_ORDER: Final = tuple(CHANNELS)
_ARGS: Final = 40  # of one request: their length together is limited to 4,096 characters
_TRADES_PAGE: Final = 1_000
_CANDLES_PAGE: Final = 1_000
_BOOK_LEVELS: Final = 10_000
# What Bitget calls the futures that are settled in a currency. Those settled in coins count amounts another way.
_FUTURES: Final = {"USDT": "USDT-FUTURES", "USDC": "USDC-FUTURES"}
_ACTIVE: Final = {"online", "normal"}
# What only some types of instruments have.
_ONLY: Final = {Kind.MARK: ("swap", "future"), Kind.FUNDING: ("swap",), Kind.INTEREST: ("swap", "future")}


class Bitget:
    """The dialect of Bitget. Spot and futures share names and a connection: `USDT-FUTURES:BTCUSDT` tells which is meant."""

    name = "bitget"
    hosts: tuple[str, ...] = ("wss://ws.bitget.com",)
    # Fifty topics are advised; 300 connections in five minutes, each of which is ended after a day.
    limits = Limits(channels=50, messages_per_s=5.0, connects_per_minute=60, lifetime_s=86_400.0)
    # Bitget ends a connection that has not pinged for two minutes, whatever else goes over it.
    ping: str | None = "ping"
    keepalive_s = 25.0
    acknowledges = True
    margin_ms = 1_000

    parse = staticmethod(bitget_stream.parse)

    def path(self, channel: Channel, instrument: Instrument) -> str | None:
        """One for everything."""
        if channel.kind in _ONLY and instrument.type not in _ONLY[channel.kind]:
            return None
        return "/v2/ws/public"

    def ids(self, instrument: Instrument) -> Ids:
        """They hold a time: each is above the last."""
        del instrument
        return Ids.RISING

    def recent_trades(self, instrument: Instrument) -> int:
        """A page of `GET market/fills-history`."""
        del instrument
        return _TRADES_PAGE

    def greeting(self) -> tuple[Message, ...]:
        """Nothing."""
        return ()

    def subscribe(self, wanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """Requests of at most forty topics: Bitget counts 240 requests an hour."""
        return _requests("subscribe", wanted, held, request)

    def unsubscribe(self, unwanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """The same topics, given up, unless something that stays comes from them, too."""
        return _requests("unsubscribe", unwanted, held, request)

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """Contract size: 1, as Bitget tells amounts in base units."""
        try:
            return self._instrument(market, market["info"])
        except (KeyError, TypeError) as missing:
            raise FrameError(f"an instrument without {missing}") from None

    def _instrument(self, market: Mapping[str, Any], info: Mapping[str, Any]) -> Instrument:
        spot = market["type"] == "spot"
        product = "SPOT" if spot else _FUTURES.get(market["settle"])
        if product is None or market["type"] not in ("spot", "swap", "future"):
            raise FrameError(f"{market['type']} settled in {market['settle']!r:.60} is not read")
        return Instrument(
            venue=self.name,
            symbol=market["symbol"],
            market_id=bitget_stream.named(product, info["symbol"]),
            type=market["type"],
            base=market["base"],
            quote=market["quote"],
            settle=market["settle"] or None,
            contract_size=Decimal(1),
            inverse=False,
            tick_size=_step(info["pricePrecision"]) if spot else positive(info["priceEndStep"]) * _step(info["pricePlace"]),
            lot_size=_step(info["quantityPrecision"]) if spot else positive(info["sizeMultiplier"]),
            min_amount=number(info["minTradeAmount" if spot else "minTradeNum"]),
            active=info["status" if spot else "symbolStatus"] in _ACTIVE,
            expiry=integer(info["deliveryTime"]) if market["type"] == "future" else None,
            valid_from=integer(info.get("openTime" if spot else "launchTime") or "0"),
        )

    def trades_request(self, instrument: Instrument, before: Trade | None) -> Request | None:
        """`GET market/fills-history`: by id, the newest first, 90 days back."""
        older = {} if before is None else {"idLessThan": str(before.first_id)}
        return _asked("fills_history", instrument, limit=str(_TRADES_PAGE), **older)

    def trades_page(self, instrument: Instrument, answer: Any) -> tuple[Trade, ...]:
        """Rows like those of the channel `trade`. Bitget has told names with the type of the market behind: `BTCUSDT_SPBL`."""
        inst_id = names(instrument.market_id)[1]
        trades = []
        for row in reversed(_rows(answer, dict[str, Any])):
            name, time, *parts, symbol = (_text(row.get(key)) for key in ("tradeId", "ts", "price", "size", "side", "symbol"))
            if symbol.partition("_")[0] != inst_id:
                raise FrameError(f"a trade of {symbol!r:.60} among those of {instrument.market_id!r:.60}")
            trades.append(bitget_stream.trade(integer(name), integer(time), *parts))
        return tuple(sorted(trades, key=lambda trade: trade.id))

    def candles_request(self, instrument: Instrument, before: int) -> Request:
        """`GET market/candles`: the last thirty days; `endTime` is not among them."""
        minute = "1min" if instrument.type == "spot" else "1m"
        return _asked("candles", instrument, granularity=minute, endTime=str(before), limit=str(_CANDLES_PAGE))

    def candles_page(self, instrument: Instrument, answer: Any) -> tuple[VenueCandle, ...]:
        """Rows like those of the channel `candle1m`."""
        del instrument
        minutes = [bitget_stream.candle([_text(value) for value in row]) for row in _rows(answer, list[Any])]
        answered = integer(_text(answer.get("requestTime")))
        return tuple(VenueCandle(minute, minute.open_time + MINUTE <= answered) for minute in minutes)

    def book_request(self, instrument: Instrument) -> Request | None:
        """None: the channel begins with the whole book."""
        del instrument
        return None

    def book_page(self, instrument: Instrument, answer: Any) -> BookPushed:
        """Never asked for."""
        del answer
        raise FrameError(f"nobody asked for a book of {instrument.market_id}")

    def book_rule(self, instrument: Instrument) -> BookRule:
        """All levels are told: the depth bounds memory alone. Not every frame has numbers: the checksums vouch."""
        del instrument
        return BookRule(continues="counted", checksum="bitget", depth=_BOOK_LEVELS)


def _topic(channel: Channel) -> tuple[str, str]:
    return CHANNELS[channel.kind], channel.market_id


def _requests(operation: str, channels: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
    """Trades first, so that no ticker is told before its trade; a topic of several channels once, and not if one is held."""
    topics: dict[tuple[str, str], list[Channel]] = {}
    kept = {_topic(channel) for channel in held}
    for channel in sorted(channels, key=lambda channel: _ORDER.index(channel.kind)):
        if _topic(channel) not in kept:
            topics.setdefault(_topic(channel), []).append(channel)
    messages = []
    for number_, begin in enumerate(range(0, len(topics), _ARGS), request):
        part = list(topics)[begin : begin + _ARGS]
        args = [dict(zip(("instType", "instId"), names(market_id), strict=True), channel=name) for name, market_id in part]
        text = msgspec.json.encode({"op": operation, "args": args}).decode()
        messages.append(Message(text, number_, tuple(channel for topic in part for channel in topics[topic])))
    return tuple(messages)


def _asked(endpoint: str, instrument: Instrument, **params: str) -> Request:
    """Spot and futures have the same endpoints under different names."""
    product, inst_id = names(instrument.market_id)
    if product == "SPOT":
        return Request(f"public_spot_get_v2_spot_market_{endpoint}", {"symbol": inst_id, **params})
    return Request(f"public_mix_get_v2_mix_market_{endpoint}", {"symbol": inst_id, "productType": product, **params})


def _rows(answer: Any, shape: Any) -> list[Any]:
    """The rows of a REST answer."""
    try:
        return list(msgspec.convert(answer["data"], list[shape]))
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
        raise FrameError(f"not an answer of Bitget: {error}") from None


def _text(value: Any) -> str:
    """What a REST answer tells as a string, or as a number."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return format(Decimal(str(value)), "f")
    raise FrameError(f"neither a text nor a number: {value!r:.60}")


def _step(places: Any) -> Decimal:
    """The smallest step of a number with so many decimal places."""
    return Decimal(1).scaleb(-min(integer(_text(places)), 18))
