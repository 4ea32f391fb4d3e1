"""What Deribit shows of its market: one index a currency, marks, tickers, candles, books with numbered changes."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from infra.simulated.bars import DAY, MINUTE, Bar
from infra.simulated.board import Board
from infra.simulated.deribit.encoding import Worth, implied_volatility, level_rows
from infra.simulated.deribit.naming import index_name, instrument_name, kind
from infra.simulated.market import Market

# Resolutions of candles: how long they are. All of them open on multiples of it.
RESOLUTIONS: Mapping[str, int] = {
    **{str(minutes): minutes * MINUTE for minutes in (1, 3, 5, 10, 15, 30, 60, 120, 180, 360, 720)},
    "1D": DAY,
}
_SECOND = 1000
_KEPT = 4096  # seconds whose worth is remembered


class DeribitBoard:
    """A board with Deribit's own figures beside."""

    def __init__(self, market: Market) -> None:
        self.board = Board(market, {instrument_name(listing): listing for listing in market.listings})
        self.numbers = {name: number for number, name in enumerate(self.board.listings, start=1)}
        self._worths: dict[tuple[str, int], tuple[Decimal, Decimal]] = {}

    def among(self, wanted_kind: str, currency: str) -> list[str]:
        """Return the instruments of a kind and a currency; `any` is all of them."""
        return [
            name
            for name, listing in self.board.listings.items()
            if wanted_kind in {"any", kind(listing)} and currency in {"any", listing.base}
        ]

    def indexed(self, index: str) -> str | None:
        """Return the instrument whose index has that name; None when there is none."""
        return next((name for name, one in self.board.listings.items() if index_name(one) == index), None)

    def worth(self, name: str) -> Worth:
        """Return what tells an instrument's mark price, and the index of its currency, at a time: new each second."""

        def at(time_ms: int) -> tuple[Decimal, Decimal]:
            key = (name, time_ms // _SECOND)
            if key not in self._worths:
                if len(self._worths) >= _KEPT:
                    self._worths.clear()
                self._worths[key] = self._worth(name, key[1] * _SECOND)
            return self._worths[key]

        return at

    def _worth(self, name: str, time_ms: int) -> tuple[Decimal, Decimal]:
        listing = self.board.listings[name]
        leading = next((one for one in self.among("future", listing.base)), name)
        own, theirs = self.board.mark(name, time_ms), self.board.mark(leading, time_ms)
        index = self.board.listings[leading].price if theirs is None else self.board.figures[leading].price(theirs.index)
        return (listing.price if own is None else self.board.figures[name].price(own.mark)), index

    def ticker(self, name: str, now_ms: int, told_ms: int) -> dict[str, Any] | None:
        """Return what a ticker says, on the websocket and over REST alike; None before anything was traded in a day."""
        day, quote = self.board.day(name, now_ms), self.board.quote(name, now_ms)
        if day is None or quote is None:
            return None
        figures, listing = self.board.figures[name], self.board.listings[name]
        mark, index = self.worth(name)(now_ms)
        row: dict[str, Any] = {
            "timestamp": told_ms,
            "stats": self._stats(name, day),
            "state": "open",
            "settlement_price": figures.price(day.open),
            "open_interest": figures.size(self.board.interest(name, now_ms)),
            "min_price": figures.price(max(1, day.close * 97 // 100)),
            "max_price": figures.price(day.close * 103 // 100 + 1),
            "mark_price": mark,
            "last_price": figures.price(day.close),
            "instrument_name": name,
            "index_price": index,
            "best_bid_price": figures.price(quote.bid.price),
            "best_bid_amount": figures.size(quote.bid.size),
            "best_ask_price": figures.price(quote.ask.price),
            "best_ask_amount": figures.size(quote.ask.size),
        }
        if listing.strike is not None:
            return row | self._greeks(name, index)
        if listing.expiry is not None:
            return row | {"estimated_delivery_price": index}
        funding = Decimal(f"{self.board.funding(name, now_ms):.8f}")
        return row | {"funding_8h": funding, "current_funding": round(funding / 8, 8)}

    def summary(self, name: str, now_ms: int, told_ms: int) -> dict[str, Any] | None:
        """Return the row of a book summary; None before anything was traded within a day."""
        ticker, day = self.ticker(name, now_ms, told_ms), self.board.day(name, now_ms)
        if ticker is None or day is None:
            return None
        figures, listing = self.board.figures[name], self.board.listings[name]
        bid, ask = ticker["best_bid_price"], ticker["best_ask_price"]
        row = {
            "volume": figures.volume(day).base,
            "quote_currency": "USD",
            "open_interest": ticker["open_interest"],
            "mid_price": (bid + ask) / 2,
            "mark_price": ticker["mark_price"],
            "low": figures.price(day.low),
            "last": ticker["last_price"],
            "instrument_name": name,
            "high": figures.price(day.high),
            "estimated_delivery_price": ticker["index_price"],
            "creation_timestamp": told_ms,
            "bid_price": bid,
            "base_currency": listing.base,
            "ask_price": ask,
        }
        if listing.strike is not None:
            return row | {field: ticker[field] for field in ("underlying_price", "underlying_index", "interest_rate")}
        return row | {field: ticker[field] for field in ("funding_8h", "current_funding") if field in ticker}

    def book(self, name: str, depth: int, now_ms: int, told_ms: int) -> dict[str, Any]:
        """Return the whole book as a channel with a depth tells it."""
        view, figures = self.board.book(name, depth, now_ms), self.board.figures[name]
        return {
            "timestamp": told_ms,
            "instrument_name": name,
            "change_id": now_ms,
            "bids": [] if view is None else level_rows(figures, view.bids),
            "asks": [] if view is None else level_rows(figures, view.asks),
        }

    def _stats(self, name: str, day: Bar) -> dict[str, Any]:
        figures = self.board.figures[name]
        low_high = {"low": figures.price(day.low), "high": figures.price(day.high)}
        stats = {"volume": figures.volume(day).base, **low_high}
        if figures.listing.strike is None:
            return stats
        change = Decimal(f"{(day.close - day.open) / day.open * 100:.4f}")
        return stats | {"price_change": change}

    def _greeks(self, name: str, index: Decimal) -> dict[str, Any]:
        """Return what an option's ticker says besides. Its greeks are of the right size and sign, not of any model."""
        figures, listing = self.board.figures[name], self.board.listings[name]
        volatility, sign = implied_volatility(figures), 1 if listing.call else -1
        return {
            "underlying_price": index,
            "underlying_index": name.rpartition("-")[0].rpartition("-")[0],
            "mark_iv": volatility,
            "bid_iv": volatility - Decimal("0.5"),
            "ask_iv": volatility + Decimal("0.5"),
            "interest_rate": Decimal("0.0"),
            "estimated_delivery_price": index,
            "greeks": {
                "vega": Decimal("152.31"),
                "theta": Decimal("-61.42"),
                "rho": Decimal("71.05") * sign,
                "gamma": Decimal("0.00002"),
                "delta": Decimal("0.49731") * sign,
            },
        }
