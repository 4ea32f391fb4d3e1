"""Coinbase Exchange: https://docs.cdp.coinbase.com/exchange/docs/websocket-overview - spot.

A match has a `trade_id`, which rises by one within a product, and the side of the *maker*, so that the taker bought where it says
sell. On subscribing the last match comes first, as `last_match`:

    {"type":"match","trade_id":280232,"maker_order_id":"2a0da34e","taker_order_id":"3c82abaa","side":"sell","size":"985",
     "price":"0.00001305","product_id":"SKL-BTC","sequence":177100030,"time":"2021-04-17T16:43:37.089723Z"}

A heartbeat a second tells each product's last trade. A subscription is answered with the list of everything that the connection
has, an impossible one with an error that refuses the whole request: each product is asked for on its own. The websocket has no
candles; those of REST have no quote volume, which is told as 0.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from producers.dialect import (
    Acknowledged,
    BookPushed,
    BookRule,
    Channel,
    Event,
    FrameError,
    Ids,
    Ignored,
    Kind,
    Level,
    Limits,
    Message,
    Quoted,
    Refused,
    Request,
    Told,
    Trade,
    TradesPushed,
    VenueCandle,
)
from producers.digits import above, decode, guarded, moment, positive, shaped, whole
from schemas.market import HistoryCandle, Instrument

_CHANNELS: Final = {Kind.TRADES: ("matches", "heartbeat"), Kind.QUOTES: ("ticker",), Kind.BOOK: ("level2_batch",)}
_KINDS: Final = {
    "matches": Kind.TRADES,
    "ticker": Kind.QUOTES,
    "level2_batch": Kind.BOOK,
    "level2_50": Kind.BOOK,
    "level2": Kind.BOOK,
}
_UNREAD: Final = {"received", "open", "done", "change", "activate", "status", "auction"}
_TAKER_BUYS: Final = {"sell": True, "buy": False}  # by the maker's side
_UNKNOWN: Final = " is not a valid product"
_TRADES_PAGE: Final = 1_000
_CANDLES_PAGE: Final = 300
_BOOK_LEVELS: Final = 10_000
_MINUTE: Final = 60_000


class CoinbaseExchange:
    """The dialect of Coinbase Exchange."""

    name = "coinbaseexchange"
    hosts: tuple[str, ...] = ("wss://ws-feed.exchange.coinbase.com",)
    limits = Limits(channels=200, messages_per_s=50.0, connects_per_minute=60)
    ping: str | None = None
    keepalive_s = 20.0
    acknowledges = True
    margin_ms = 1_000

    def path(self, channel: Channel, instrument: Instrument) -> str | None:
        """One path for all that there is."""
        del instrument
        return "/" if channel.kind in _CHANNELS else None

    def ids(self, instrument: Instrument) -> Ids:
        """`trade_id`."""
        del instrument
        return Ids.CONSECUTIVE

    def recent_trades(self, instrument: Instrument) -> int:
        """The most that one answer holds."""
        del instrument
        return _TRADES_PAGE

    def greeting(self) -> tuple[Message, ...]:
        """Nothing."""
        return ()

    def subscribe(self, wanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """One request a product. Answers carry no number."""
        del held, request
        return _requests("subscribe", wanted)

    def unsubscribe(self, unwanted: Sequence[Channel], held: Sequence[Channel], request: int) -> tuple[Message, ...]:
        """The same."""
        del held, request
        return _requests("unsubscribe", unwanted)

    def parse(self, frame: bytes) -> tuple[Event, ...]:
        """What one frame says."""
        return guarded(_events, decode(frame))

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """From `products`; the venue has only notional minimums now, so that one lot is the least."""
        return guarded(_instrument, market, market.get("info"))

    def trades_request(self, instrument: Instrument, before: Trade | None) -> Request | None:
        """`products/{id}/trades`, newest first; `after` an id means older than it."""
        if before is not None and before.first_id <= 1:
            return None
        older = {} if before is None else {"after": str(before.first_id)}
        return Request("public_get_products_id_trades", {"id": instrument.market_id, "limit": str(_TRADES_PAGE), **older})

    def trades_page(self, instrument: Instrument, answer: Any) -> tuple[Trade, ...]:
        """Rows like a match without its product."""
        del instrument
        rows = shaped(answer, list[dict[str, Any]])
        return tuple(sorted(guarded(lambda: [_trade(row) for row in rows]), key=lambda trade: trade.id))

    def candles_request(self, instrument: Instrument, before: int) -> Request:
        """`products/{id}/candles` between two times in seconds, both included; there is none of a minute without trades.

        With the one that opens at `before`: its being there says that the one before it is closed.
        """
        span = {"start": str(max(0, before // 1_000 - (_CANDLES_PAGE - 1) * 60)), "end": str(before // 1_000)}
        return Request("public_get_products_id_candles", {"id": instrument.market_id, "granularity": "60", **span})

    def candles_page(self, instrument: Instrument, answer: Any) -> tuple[VenueCandle, ...]:
        """Rows of [seconds, low, high, open, close, volume], newest first. The newest may still be open."""
        del instrument
        rows = shaped(answer, list[tuple[Any, Any, Any, Any, Any, Any]])
        return guarded(lambda: tuple(_candle(rank, *row) for rank, row in enumerate(sorted(rows, key=_opened, reverse=True))))

    def book_request(self, instrument: Instrument) -> Request | None:
        """The websocket sends a snapshot first."""
        del instrument
        return None

    def book_page(self, instrument: Instrument, answer: Any) -> BookPushed:
        """Never asked for."""
        del answer
        raise FrameError(f"nobody asked for a book of {instrument.market_id}")

    def book_rule(self, instrument: Instrument) -> BookRule:
        """Neither numbers nor a checksum: the venue promises delivery on this channel.

        A snapshot has all levels: the depth bounds memory alone.
        """
        del instrument
        return BookRule("counted", depth=_BOOK_LEVELS)


def _requests(method: str, channels: Sequence[Channel]) -> tuple[Message, ...]:
    products: dict[str, list[Channel]] = {}
    for channel in channels:
        products.setdefault(channel.market_id, []).append(channel)
    return tuple(Message(_request(method, market_id, asked), channels=tuple(asked)) for market_id, asked in products.items())


def _request(method: str, market_id: str, channels: Sequence[Channel]) -> str:
    wanted = {channel.kind for channel in channels}
    names = [name for kind, names in _CHANNELS.items() if kind in wanted for name in names]
    return msgspec.json.encode({"type": method, "product_ids": [market_id], "channels": names}).decode()


def _events(told: dict[str, Any]) -> tuple[Event, ...]:
    kind = shaped(told["type"], str)
    if kind in _READ:
        return _READ[kind](told)
    if kind in _UNREAD:
        return (Ignored(kind),)
    raise FrameError(f"unknown type {kind!r:.60}")


def _read_match(told: dict[str, Any]) -> tuple[Event, ...]:
    return (TradesPushed(shaped(told["product_id"], str), (_trade(told),), snapshot=told["type"] == "last_match"),)


def _trade(row: Mapping[str, Any]) -> Trade:
    number = whole(row["trade_id"])
    amount, buy = positive(row["size"]), _TAKER_BUYS[row["side"]]
    return Trade(number, number, moment(row["time"]), positive(row["price"]), amount, buy)


def _read_ticker(told: dict[str, Any]) -> tuple[Event, ...]:
    """The quote after a trade, and that trade. Older forms lack the amounts, without which a quote is none."""
    market_id, time = shaped(told["product_id"], str), moment(told["time"]) if "time" in told else 0
    names = ("best_bid", "best_bid_size", "best_ask", "best_ask_size")
    quoted = (Quoted(market_id, time, *(above(told[name]) for name in names)),) if all(name in told for name in names) else ()
    if "trade_id" not in told:
        return quoted or (Ignored("ticker of nothing"),)
    price, amount = positive(told["price"]), positive(told["last_size"])
    return (*quoted, Told(market_id, time, whole(told["trade_id"]), price, amount, time))


def _read_heartbeat(told: dict[str, Any]) -> tuple[Event, ...]:
    return (Told(shaped(told["product_id"], str), moment(told["time"]), whole(told["last_trade_id"])),)


def _read_snapshot(told: dict[str, Any]) -> tuple[Event, ...]:
    bids, asks = (_levels(shaped(told[side], list[tuple[Any, Any]])) for side in ("bids", "asks"))
    return (
        BookPushed(shaped(told["product_id"], str), moment(told["time"]) if "time" in told else 0, bids, asks, snapshot=True),
    )


def _read_changes(told: dict[str, Any]) -> tuple[Event, ...]:
    changes = shaped(told["changes"], list[tuple[str, Any, Any]])
    if any(side not in _TAKER_BUYS for side, _, _ in changes):
        raise FrameError("a change on neither side")
    bids, asks = (_levels([row[1:] for row in changes if row[0] == side]) for side in ("buy", "sell"))
    return (BookPushed(shaped(told["product_id"], str), moment(told["time"]), bids, asks, snapshot=False),)


def _levels(rows: Sequence[tuple[Any, Any]]) -> tuple[Level, ...]:
    return tuple((positive(price), above(amount)) for price, amount in rows)


def _read_subscriptions(told: dict[str, Any]) -> tuple[Event, ...]:
    """All that the connection has now. `heartbeat` comes with `matches`."""
    channels = tuple(
        Channel(_KINDS[row["name"]], market_id)
        for row in shaped(told["channels"], list[dict[str, Any]])
        if row["name"] in _KINDS
        for market_id in shaped(row.get("product_ids") or [], list[str])
    )
    return (Acknowledged(channels=channels) if channels else Ignored("subscriptions"),)


def _read_error(told: dict[str, Any]) -> tuple[Event, ...]:
    reason = shaped(told.get("reason") or "", str)
    product = reason.removesuffix(_UNKNOWN) if reason.endswith(_UNKNOWN) else None
    channels = tuple(Channel(kind, product) for kind in _CHANNELS) if product else ()
    return (Refused("", ": ".join(part for part in (shaped(told["message"], str), reason) if part), channels=channels),)


def _opened(row: tuple[Any, ...]) -> int:
    return whole(row[0])


def _candle(rank: int, seconds: Any, low: Any, high: Any, opened: Any, close: Any, volume: Any) -> VenueCandle:
    prices = positive(opened), positive(high), positive(low), positive(close)
    return VenueCandle(HistoryCandle(whole(whole(seconds) * 1_000), *prices, above(volume), Decimal(0)), closed=rank > 0)


def _instrument(market: Mapping[str, Any], info: Mapping[str, Any]) -> Instrument:
    lot = positive(info["base_increment"])
    return Instrument(
        venue=CoinbaseExchange.name,
        symbol=market["symbol"],
        market_id=info["id"],
        type="spot",
        base=market["base"],
        quote=market["quote"],
        settle=None,
        contract_size=Decimal(1),
        inverse=False,
        tick_size=positive(info["quote_increment"]),
        lot_size=lot,
        min_amount=positive(info.get("base_min_size") or lot),
        active=info["status"] == "online" and not info["trading_disabled"],
        expiry=None,
        valid_from=0,
    )


_READ: Final[dict[str, Callable[[dict[str, Any]], tuple[Event, ...]]]] = {
    "match": _read_match,
    "last_match": _read_match,
    "ticker": _read_ticker,
    "heartbeat": _read_heartbeat,
    "snapshot": _read_snapshot,
    "l2update": _read_changes,
    "subscriptions": _read_subscriptions,
    "error": _read_error,
}
