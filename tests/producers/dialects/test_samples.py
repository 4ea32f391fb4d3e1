"""Every sample of every venue: what it publicly says is read or classed, and nothing else than FrameError is ever raised.

A new venue is in this test by being registered and having a folder of samples.
"""

import json
import re
from pathlib import Path
from typing import Final

import ccxt
import pytest

from producers.dialect import (
    BookPushed,
    CandlePushed,
    FrameError,
    Funded,
    Held,
    Marked,
    Quoted,
    Told,
    TradesPushed,
)
from producers.dialects import DIALECTS
from tests.producers.dialects.samples import FOLDERS, PAGES, Sample, instrument, samples

# What the names of the files mean.
PUSHED: Final = {
    "ack", "book_delta", "book_snapshot", "book_ticker", "candle", "error", "exchange_full_channel", "funding",
    "instruments_push", "liquidation", "mark_index", "other_push", "ping_pong", "sequence_book", "system_notice", "ticker",
    "trade",
}  # fmt: skip
"""What a venue sends to anybody over its websocket."""
PRIVATE: Final = {
    "account", "algo_order_update", "fill", "leverage_update", "login", "order_update_cancelled", "order_update_expired",
    "order_update_filled", "order_update_open", "order_update_other", "order_update_partial", "order_update_rejected",
    "order_update_untriggered", "position", "ws_api_response", "ws_order_response",
}  # fmt: skip
"""What it sends to an account."""
SENT: Final = {"subscribe_request", "ws_order_request"}
"""What a client sends."""
ELSEWHERE: Final = re.compile(r"futures_.*|book_l3")
"""Kraken's futures, another API altogether; its level 3, for accounts only."""
# Public samples that are set aside, by why.
MADE_UP, FRAGMENT, FORMER = "made up by somebody's test", "a part of a message", "a form that the venue has left behind"
MISNAMED, OTHER = "an example that names another instrument", "of another API of the venue"
REQUEST, UNASKED = "what a client sends", "of an endpoint that nobody asks"
SET_ASIDE: Final[dict[str, dict[str, str]]] = {
    "okx": {
        "a book that says neither snapshot nor update": "book_snapshot[5]",
        MADE_UP: "book_snapshot[7] trade[14]",
        FORMER: "candle[14] funding[0]",
        MISNAMED: "funding[3] mark_index[12] ticker[9] trade[6]",
        FRAGMENT: "rest_klines[3] rest_recent_trades[0] rest_recent_trades[2]",
        UNASKED: "rest_klines[1]",
    },
    "binance": {
        FORMER: "book_delta[12]",
        FRAGMENT: "candle[1] candle[2] rest_klines[2] rest_recent_trades[2] rest_recent_trades[7] rest_recent_trades[11]",
        MADE_UP: "trade[11] trade[13]",
        "of Binance's options": "rest_klines[5] rest_klines[6] rest_order_book[3]",
        UNASKED: " ".join(f"rest_recent_trades[{index}]" for index in (0, 1, 3, 4, 5, 9, 10)),
    },
    "binanceusdm": {
        FRAGMENT: "candle[6] candle[7]",
        "a number followed by blanks": "rest_klines[2] rest_klines[4]",
        UNASKED: "rest_recent_trades[3] rest_recent_trades[4]",
    },
    "bybit": {
        MADE_UP: "book_delta[7] book_delta[9] book_snapshot[7] trade[7]",
        MISNAMED: "ticker[13] ticker[15] trade[2] trade[5]",
        UNASKED: "rest_klines[0] rest_klines[2]",
        FRAGMENT: "rest_klines[3] rest_klines[4]",
    },
    "bitget": {
        FORMER: "ticker[6]",
        "a month's volume, of more digits than 64 bits hold": "rest_klines[1]",
        REQUEST: "rest_klines[3]",
        MISNAMED: "rest_recent_trades[3]",
        FRAGMENT: "rest_recent_trades[4]",
        OTHER: "rest_recent_trades[5]",
    },
    "upbit": {FRAGMENT: "rest_klines[0] rest_recent_trades[0]"},
    "deribit": {
        FRAGMENT: "book_snapshot[7] rest_recent_trades[3]",
        REQUEST: "ping_pong[1] ping_pong[2] ping_pong[3]",
        MADE_UP: "trade[5]",
    },
    "kraken": {
        OTHER: "ack[1] ack[2] ack[3] ack[4] error[0] error[1] error[2] error[3] ping_pong[0] rest_klines[0] rest_klines[1] "
        "rest_klines[2] rest_klines[4] rest_klines[5] rest_klines[6] rest_recent_trades[0] rest_recent_trades[2] "
        "rest_recent_trades[3] rest_recent_trades[6] rest_recent_trades[7]",
        FRAGMENT: "book_delta[2] ticker[1] trade[1] rest_recent_trades[5]",
    },
    "coinbaseexchange": {
        OTHER: "book_delta[4] book_delta[11] book_delta[12] book_snapshot[6] book_snapshot[7] candle[0] candle[1] candle[2] "
        "ping_pong[0] ping_pong[1] ticker[3] ticker[13] trade[19] trade[20] trade[21] rest_klines[0] rest_klines[1] "
        "rest_klines[2] rest_klines[3] rest_recent_trades[0] rest_recent_trades[1] "
        + " ".join(
            f"{kind}[{index}]"
            for kind, indices in (("ack", (*range(8), 14)), ("instruments_push", range(6)))
            for index in indices
        ),
        "a capture with a corrupted amount": "book_snapshot[1]",
    },
}

MARKET_DATA: Final = (TradesPushed, Quoted, Told, BookPushed, CandlePushed, Marked, Funded, Held)


def set_aside(venue: str) -> set[str]:
    return {name for names in SET_ASIDE.get(venue, {}).values() for name in names.split()}


def pages(venue: str, shared: Path) -> list[Sample]:
    """Of books only where one is asked for over REST."""
    fetched = DIALECTS[venue].book_request(instrument(venue)) is not None
    wanted = {kind for kind in PAGES if kind != "rest_order_book" or fetched}
    return [sample for sample in samples(shared, venue) if sample.kind in wanted]


def read(venue: str, sample: Sample, page: str) -> object:
    """As ccxt hands it on: bare numbers as text."""
    return getattr(DIALECTS[venue], page)(instrument(venue, sample.text), json.loads(sample.text, parse_float=str, parse_int=str))


@pytest.mark.parametrize("venue", DIALECTS)
def test_a_venue_has_samples_and_every_file_has_a_meaning(shared: Path, venue: str) -> None:
    kinds = {sample.kind for sample in samples(shared, venue)}
    assert len(kinds & PUSHED) >= 5
    unknown = {kind for kind in kinds - PUSHED - PRIVATE - SENT if not ELSEWHERE.fullmatch(kind) and not kind.startswith("rest_")}
    assert unknown == set()
    assert venue in FOLDERS


@pytest.mark.parametrize("venue", DIALECTS)
def test_what_a_venue_sends_to_anybody_is_read_or_classed(shared: Path, venue: str) -> None:
    """What is set aside is named above with its reason; what is named there and could be read would be named wrongly."""
    refused = {}
    for sample in samples(shared, venue):
        if sample.kind in PUSHED:
            try:
                assert DIALECTS[venue].parse(sample.text), sample.name
            except FrameError as error:
                refused[sample.name] = str(error)
    assert refused.keys() == {name for name in set_aside(venue) if not name.startswith("rest_")}, refused


@pytest.mark.parametrize("venue", DIALECTS)
def test_its_public_pages_over_rest_are_read(shared: Path, venue: str) -> None:
    refused = {}
    for sample in pages(venue, shared):
        try:
            assert read(venue, sample, PAGES[sample.kind]), sample.name
        except FrameError as error:
            refused[sample.name] = str(error)
    assert refused.keys() == {name for name in set_aside(venue) if name.startswith("rest_")}, refused


@pytest.mark.parametrize("venue", DIALECTS)
def test_nothing_private_is_taken_for_market_data(shared: Path, venue: str) -> None:
    """Nor is what a client sends, an answer over REST, or what another API says."""
    for sample in samples(shared, venue):
        if sample.kind not in PUSHED:
            try:
                events = DIALECTS[venue].parse(sample.text)
            except FrameError:
                continue
            assert not any(isinstance(event, MARKET_DATA) for event in events), sample.name


@pytest.mark.parametrize("venue", DIALECTS)
def test_any_sample_taken_for_a_page_is_read_or_refused(shared: Path, venue: str) -> None:
    """An endpoint that answers something else raises nothing but FrameError."""
    for sample in samples(shared, venue):
        if not sample.text.startswith((b"{", b"[")):
            continue
        for page in PAGES.values():
            try:
                read(venue, sample, page)
            except FrameError as error:
                assert str(error)  # noqa: PT017 - which of the two it is depends on the sample


@pytest.mark.parametrize("venue", DIALECTS)
def test_any_market_of_ccxt_is_an_instrument_or_refused(shared: Path, venue: str) -> None:
    """Whatever `info` holds: here, anything that the venue ever said."""
    for sample in samples(shared, venue):
        if sample.text.startswith(b"{"):
            info = json.loads(sample.text, parse_float=str, parse_int=str)
            for market in (
                {"info": info},
                {"info": info, "symbol": "A/B", "base": "A", "quote": "B", "settle": None, "type": "spot"},
            ):
                try:
                    DIALECTS[venue].instrument(market)
                except FrameError as error:
                    assert str(error)  # noqa: PT017


# What ccxt makes of the samples of instruments, its answer to everything else being empty.
EMPTY: Final = {"get_currencies": {"result": [{"currency": "BTC"}]}, "/Assets?": {"error": [], "result": {}}}
LISTED: Final = {
    "deribit": {
        "rest_instruments[2]": ["BTC/USD:BTC", "BTC/USD:BTC-241227", "BTC/USD:BTC-241227-100000-C"],
        "rest_instruments[3]": ["BTC/USD:BTC-230929", "BTC/USD:BTC"],
        "rest_instruments[8]": ["SOL/USD:SOL-220610-28-P", "SOL/USD:SOL-220603-30-C", "SOL/USD:SOL-220603-48-P"],
    },
    "kraken": {"rest_instruments[2]": ["ETH/BTC", "BTC/USD"], "rest_instruments[6]": ["ETH/USDT"]},
    "coinbaseexchange": {"rest_instruments[5]": ["BTCAUCTION/USD", "BTC/USD"]},
}


@pytest.mark.parametrize("venue", LISTED)
def test_what_ccxt_makes_of_a_venues_instruments_is_read(shared: Path, venue: str) -> None:
    for sample in samples(shared, venue):
        if sample.name not in LISTED[venue]:
            continue
        answer = json.loads(sample.text, parse_float=str, parse_int=str)
        exchange = getattr(ccxt, venue)()
        exchange.fetch = lambda url, *_, answer=answer, **__: next((told for part, told in EMPTY.items() if part in url), answer)
        made = [DIALECTS[venue].instrument(market) for market in exchange.fetch_markets()[:3]]
        assert [one.symbol for one in made] == LISTED[venue][sample.name]
        assert all(one.tick_size > 0 and one.lot_size > 0 and one.contract_size == 1 for one in made)
