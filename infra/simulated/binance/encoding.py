"""Messages and rows as Binance writes them: figures are strings of a fixed number of places, ids and times are numbers."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from infra.simulated.bars import DAY, Bar, bar_of
from infra.simulated.binance.aggregates import Aggregates
from infra.simulated.binance.naming import symbol
from infra.simulated.binance.product import Product
from infra.simulated.encoded import text
from infra.simulated.feeds import BookPush, Moment
from infra.simulated.figures import Figures
from infra.simulated.marks import FUNDING_MS, Mark, next_funding
from infra.simulated.quotes import Level, Quote
from infra.simulated.tape import Tape, Trades

Message = dict[str, Any]
UPDATES_FROM = 1_600_000_000_000  # books are numbered by the milliseconds since then


class Writer:
    """Writes what concerns one instrument of one of Binance's markets."""

    def __init__(self, product: Product, figures: Figures) -> None:
        self.product, self.figures, self.listing = product, figures, figures.listing
        self.symbol = symbol(figures.listing)

    def price(self, ticks: int) -> str:
        """Write a price."""
        return self.product.price(self.figures, ticks)

    def size(self, lots: int) -> str:
        """Write a size in base coins."""
        return self.product.size(self.figures, lots)

    def aggregates(self, trades: Trades, spans: Aggregates, now: Moment) -> Iterator[str]:
        """Yield an `aggTrade` for each: written out by hand, for a burst is thousands of them."""
        head = f'{{"e":"aggTrade","E":{now.told},"s":"{self.symbol}","a":'
        tail = "}" if self.product.futures else ',"M":true}'
        firsts, lasts = (column.tolist() for column in spans.spans(trades.ids))
        rows = zip(*(column.tolist() for column in trades), firsts, lasts, strict=True)
        for number, time, price, lots, buy, first, last in rows:
            size = self.size(lots)
            normal = f'"nq":"{size}",' if self.product.futures else ""
            maker = "false" if buy else "true"
            yield (
                f'{head}{number},"p":"{self.price(price)}","q":"{size}",{normal}"f":{first},"l":{last},'
                f'"T":{time},"m":{maker}{tail}'
            )

    def trades(self, trades: Trades, now: Moment) -> Iterator[str]:
        """Yield a `trade` for each."""
        futures = self.product.futures
        for number, time, price, lots, buy in zip(*(column.tolist() for column in trades), strict=True):
            facts = {"t": number, "p": self.price(price), "q": self.size(lots)}
            if futures:
                yield text({"e": "trade", "E": now.told, "T": time, "s": self.symbol, **facts, "X": "MARKET", "m": not buy})
            else:
                yield text({"e": "trade", "E": now.told, "s": self.symbol, **facts, "T": time, "m": not buy, "M": True})

    def best(self, quote: Quote, now: Moment) -> Message:
        """Return a `bookTicker`, which on spot says neither what it is nor when."""
        sides = {"b": self.price(quote.bid.price), "B": self.size(quote.bid.size)}
        sides |= {"a": self.price(quote.ask.price), "A": self.size(quote.ask.size)}
        told = {"u": update(now.ms), "s": self.symbol, **sides}
        return {"e": "bookTicker", **told, "T": now.told, "E": now.told} if self.product.futures else told

    def levels(self, levels: Sequence[Level]) -> list[list[str]]:
        """Return book levels: price and size."""
        return [[self.price(level.price), self.size(level.size)] for level in levels]

    def change(self, push: BookPush, now: Moment) -> Message:
        """Return a `depthUpdate`: what changed in the milliseconds after the state before."""
        first, last = update(push.previous) + 1, update(push.number)
        sides = {"b": self.levels(push.bids), "a": self.levels(push.asks)}
        if not self.product.futures:
            return {"e": "depthUpdate", "E": now.told, "s": self.symbol, "U": first, "u": last, **sides}
        numbers = {"U": first, "u": last, "pu": update(push.previous)}
        return {"e": "depthUpdate", "E": now.told, "T": now.told, "s": self.symbol, **numbers, **sides}

    def top(self, asks: Sequence[Level], bids: Sequence[Level], now: Moment) -> Message:
        """Return the best levels: a snapshot on spot, on futures one that looks like a change."""
        if not self.product.futures:
            return {"lastUpdateId": update(now.ms), "bids": self.levels(bids), "asks": self.levels(asks)}
        numbers = {"U": update(now.ms), "u": update(now.ms), "pu": update(now.ms) - 1}
        sides = {"b": self.levels(bids), "a": self.levels(asks)}
        return {"e": "depthUpdate", "E": now.told, "T": now.told, "s": self.symbol, **numbers, **sides}

    def kline(self, bar: Bar, length: int, name: str, tape: Tape, closed: bool, now: Moment) -> Message:
        """Return a `kline`."""
        first, last, count, base, quote = self.details(bar, length, tape, now)
        k = {
            "t": bar.open_time,
            "T": bar.open_time + length - 1,
            "s": self.symbol,
            "i": name,
            "f": first,
            "L": last,
            "o": self.price(bar.open),
            "c": self.price(bar.close),
            "h": self.price(bar.high),
            "l": self.price(bar.low),
            "v": self.size(bar.lots),
            "n": count,
            "x": closed,
            "q": self.turnover(bar.tick_lots),
            "V": base,
            "Q": quote,
            "B": "0",
        }
        return {"e": "kline", "E": now.told, "s": self.symbol, "k": k}

    def kline_row(self, bar: Bar, length: int, tape: Tape, now: Moment) -> list[Any]:
        """Return a row of `GET klines`."""
        _, _, count, base, quote = self.details(bar, length, tape, now)
        prices = [self.price(ticks) for ticks in (bar.open, bar.high, bar.low, bar.close)]
        last = bar.open_time + length - 1
        return [bar.open_time, *prices, self.size(bar.lots), last, self.turnover(bar.tick_lots), count, base, quote, "0"]

    def details(self, bar: Bar, length: int, tape: Tape, now: Moment) -> tuple[int, int, int, str, str]:
        """Return the first and last trade of a bar, their count, and what takers bought, in base and in quote."""
        trades = tape.slice(tape.before(bar.open_time), min(tape.through(now.ms), tape.before(bar.open_time + length)))
        if not len(trades.ids):
            return -1, -1, 0, self.size(0), self.turnover(0)
        bought = Trades(*(column[trades.buys == 1] for column in trades))
        lots, tick_lots = (0, 0) if not len(bought.ids) else bar_of(bought, self.listing, bar.open_time)[5:7]
        return int(trades.ids[0]), int(trades.ids[-1]), len(trades.ids), self.size(lots), self.turnover(tick_lots)

    def turnover(self, tick_lots: int) -> str:
        """Write a sum of price times size, in quote currency."""
        places = self.product.places or self.figures.price_places + self.figures.size_places
        return f"{tick_lots * self.listing.tick * self.listing.lot:.{places}f}"

    def average(self, bar: Bar) -> str:
        """Write what was paid on average."""
        price = Decimal(bar.tick_lots) / bar.lots * self.listing.tick
        return f"{price:.{self.product.places or self.figures.price_places}f}"

    def day(self, bar: Bar, tape: Tape, quote: Quote, now: Moment) -> Message:
        """Return the row of `GET ticker/24hr`."""
        known = tape.through(now.ms)
        last, trades = tape.slice(known - 1, known), tape.slice(min(tape.before(bar.open_time), known - 1), known)
        before = tape.slice(max(0, known - len(trades.ids) - 1), known).prices[0]
        move = Decimal(bar.close - bar.open)
        row = {
            "symbol": self.symbol,
            "priceChange": f"{move * self.listing.tick:.{self.product.places or self.figures.price_places}f}",
            "priceChangePercent": f"{move * 100 / bar.open:.3f}",
            "weightedAvgPrice": self.average(bar),
            "prevClosePrice": self.price(int(before)),
            "lastPrice": self.price(bar.close),
            "lastQty": self.size(int(last.sizes[0])),
            "bidPrice": self.price(quote.bid.price),
            "bidQty": self.size(quote.bid.size),
            "askPrice": self.price(quote.ask.price),
            "askQty": self.size(quote.ask.size),
            "openPrice": self.price(bar.open),
            "highPrice": self.price(bar.high),
            "lowPrice": self.price(bar.low),
            "volume": self.size(bar.lots),
            "quoteVolume": self.turnover(bar.tick_lots),
            "openTime": now.told - DAY,
            "closeTime": now.told,
            "firstId": int(trades.ids[0]),
            "lastId": int(trades.ids[-1]),
            "count": len(trades.ids),
        }
        unknown = {"prevClosePrice", "bidPrice", "bidQty", "askPrice", "askQty"} if self.product.futures else set()
        return {field: value for field, value in row.items() if field not in unknown}

    def ticker(self, bar: Bar, tape: Tape, quote: Quote, now: Moment) -> Message:
        """Return a `24hrTicker`: the same row in short."""
        row = self.day(bar, tape, quote, now)
        short = {name: row[field] for name, field in _TICKER.items() if field in row}
        return {"e": "24hrTicker", "E": now.told, "s": self.symbol, **short, **({"st": 1} if self.product.futures else {})}

    def mini_ticker(self, bar: Bar, now: Moment) -> Message:
        """Return a `24hrMiniTicker`."""
        prices = zip("cohl", (bar.close, bar.open, bar.high, bar.low), strict=True)
        facts = {name: self.price(ticks) for name, ticks in prices}
        volumes = {"v": self.size(bar.lots), "q": self.turnover(bar.tick_lots)}
        return {"e": "24hrMiniTicker", "E": now.told, "s": self.symbol, **facts, **volumes}

    def mark(self, mark: Mark, rate: float, now: Moment) -> Message:
        """Return a `markPriceUpdate`; dated contracts have no funding."""
        funding = ("", 0) if self.listing.expiry is not None else (f"{rate:.8f}", next_funding(now.ms))
        prices = {"p": self.fine(mark.mark), "P": self.fine(mark.mark), "i": self.fine(mark.index)}
        return {"e": "markPriceUpdate", "E": now.told, "s": self.symbol, **prices, "r": funding[0], "T": funding[1]}

    def premium(self, mark: Mark, rate: float, now: Moment) -> Message:
        """Return the row of `GET premiumIndex`."""
        dated = self.listing.expiry is not None
        return {
            "symbol": self.symbol,
            "markPrice": self.fine(mark.mark),
            "indexPrice": self.fine(mark.index),
            "estimatedSettlePrice": self.fine(mark.index),
            "lastFundingRate": "" if dated else f"{rate:.8f}",
            "interestRate": "" if dated else "0.00010000",
            "nextFundingTime": 0 if dated else next_funding(now.ms),
            "time": now.told,
        }

    def funding(self, end: int, rate: float, mark: Mark | None) -> Message:
        """Return a row of `GET fundingRate`: of the interval that ended then."""
        price = "" if mark is None else self.fine(mark.mark)
        return {"symbol": self.symbol, "fundingRate": f"{rate:.8f}", "fundingTime": end, "markPrice": price}

    def fine(self, ticks: int) -> str:
        """Write a price with eight places, as marks are on futures too."""
        return f"{self.figures.price(ticks):.8f}"


def update(ms: int) -> int:
    """Return the number of a book's state at a market time."""
    return ms - UPDATES_FROM


def funding_end(now_ms: int) -> int:
    """Return when the last interval of funding ended."""
    return next_funding(now_ms) - FUNDING_MS


_TICKER = {
    "p": "priceChange",
    "P": "priceChangePercent",
    "w": "weightedAvgPrice",
    "x": "prevClosePrice",
    "c": "lastPrice",
    "Q": "lastQty",
    "b": "bidPrice",
    "B": "bidQty",
    "a": "askPrice",
    "A": "askQty",
    "o": "openPrice",
    "h": "highPrice",
    "l": "lowPrice",
    "v": "volume",
    "q": "quoteVolume",
    "O": "openTime",
    "C": "closeTime",
    "F": "firstId",
    "L": "lastId",
    "n": "count",
}
