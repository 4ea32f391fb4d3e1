"""REST answers page as OKX's do, and what they serve is the tape."""

from decimal import Decimal
from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.board import Board
from infra.simulated.listing import Contract, listings
from infra.simulated.market import random_market
from infra.simulated.okx.naming import by_inst_id
from infra.simulated.okx.rest import answer
from tests.infra.simulated.wire import moment

START = 1_767_571_200_000
NOW = START + 7 * MINUTE + 12_345


@pytest.fixture(scope="module")
def board() -> Board:
    return Board(market := random_market(7, listings(8), START), by_inst_id(market.listings))


def get(board: Board, path: str, **query: object) -> list[Any]:
    status, body = answer(board, path, {name: str(value) for name, value in query.items()}, moment(NOW))
    assert (status, body["code"], body["msg"]) == (200, "0", "")
    rows: list[Any] = body["data"]
    return rows


def test_history_pages_by_id_through_everything_exactly_once(board: Board) -> None:
    """From the newest trade to the first of the history, a hundred at a time."""
    for name in ("ETH-USDT", "FLOW-USDT"):
        seen: list[int] = []
        while page := get(board, "market/history-trades", instId=name, **({"after": seen[-1]} if seen else {})):
            seen += [int(row["tradeId"]) for row in page]
        tape = board.tape(name, NOW)
        assert seen[::-1] == tape.slice(0, tape.through(NOW)).ids.tolist()


def test_before_alone_gives_the_newest_and_not_the_next(board: Board) -> None:
    tape = board.tape("ETH-USDT", NOW)
    ids = tape.slice(0, tape.through(NOW)).ids.tolist()
    page = get(board, "market/history-trades", instId="ETH-USDT", before=ids[-300], limit=50)
    assert [int(row["tradeId"]) for row in page] == ids[: -50 - 1 : -1]
    few = get(board, "market/history-trades", instId="ETH-USDT", before=ids[-4])
    assert [int(row["tradeId"]) for row in few] == ids[:-4:-1]


def test_between_two_ids_are_those_between_them(board: Board) -> None:
    tape = board.tape("ETH-USDT", NOW)
    ids = tape.slice(0, tape.through(NOW)).ids.tolist()
    page = get(board, "market/history-trades", instId="ETH-USDT", before=ids[100], after=ids[110])
    assert [int(row["tradeId"]) for row in page] == ids[109:100:-1]


def test_by_time_history_is_older_than_the_time(board: Board) -> None:
    page = get(board, "market/history-trades", instId="ETH-USDT", type=2, after=START, limit=20)
    tape = board.tape("ETH-USDT", NOW)
    last = tape.before(START)
    assert [int(row["tradeId"]) for row in page] == tape.slice(last - 20, last).ids.tolist()[::-1]


@pytest.mark.parametrize(
    ("path", "limit", "rows"),
    [
        ("market/trades", None, 100),
        ("market/trades", 3, 3),
        ("market/trades", 900, 500),
        ("market/history-trades", 900, 100),
        ("market/candles", None, 100),
        ("market/candles", 900, 300),
        ("market/history-candles", 900, 300),
    ],
)
def test_limits_are_okx_s(board: Board, path: str, limit: int | None, rows: int) -> None:
    assert len(get(board, path, instId="ETH-USDT", **({} if limit is None else {"limit": limit}))) == rows


@pytest.mark.parametrize("name", ["BTC-USDT", "BTC-USDT-SWAP", "BTC-USD-SWAP", "FLOW-USDT"])
def test_candles_are_those_of_the_trades_that_are_served(board: Board, name: str) -> None:
    """Recomputed with decimals from every page of history: prices, volumes in all three units, and flat minutes."""
    listing, size = board.listings[name], board.listings[name].contract_size
    trades: list[dict[str, str]] = []
    while page := get(board, "market/history-trades", instId=name, **({"after": trades[-1]["tradeId"]} if trades else {})):
        trades += page
    candles: list[list[str]] = []
    while page := get(board, "market/candles", instId=name, limit=300, **({"after": candles[-1][0]} if candles else {})):
        candles += page
    opens = [int(candle[0]) for candle in candles]
    assert opens == list(range(NOW // MINUTE * MINUTE, opens[-1] - 1, -MINUTE))
    assert [candle[8] for candle in candles] == ["0", *["1"] * (len(candles) - 1)]
    minutes: dict[int, list[dict[str, str]]] = {}
    for trade in reversed(trades):
        minutes.setdefault(int(trade["ts"]) // MINUTE * MINUTE, []).append(trade)
    assert min(minutes) == opens[-1]
    close = Decimal(0)
    for open_time, *figures, _ in reversed(candles):
        inside = [(Decimal(one["px"]), Decimal(one["sz"])) for one in minutes.get(int(open_time), [])]
        prices = [price for price, _ in inside] or [close]
        close = prices[-1]
        volume = sum((amount for _, amount in inside), Decimal(0))
        if listing.contract is Contract.INVERSE:
            base = round(sum((amount * size / price for price, amount in inside), Decimal(0)), 4)
            volumes = [volume, base, volume * size]
        else:
            quote = sum((price * amount * size for price, amount in inside), Decimal(0))
            volumes = [volume, quote if listing.contract is Contract.SPOT else volume * size, quote]
        assert [Decimal(figure) for figure in figures] == [prices[0], max(prices), min(prices), close, *volumes]


def test_candles_between_two_times_are_newest_first(board: Board) -> None:
    """The window ccxt asks for with `since`: one millisecond before it, exclusive, to so many bars after it."""
    since = START - 20 * MINUTE
    page = get(board, "market/history-candles", instId="ETH-USDT", before=since - 1, after=since + 5 * MINUTE)
    assert [int(row[0]) for row in page] == [since + minute * MINUTE for minute in (4, 3, 2, 1, 0)]


def test_longer_bars_join_the_minutes(board: Board) -> None:
    hour = get(board, "market/candles", instId="ETH-USDT", bar="1H", after=START, limit=1)[0]
    minutes = get(board, "market/candles", instId="ETH-USDT", after=START, limit=60)
    assert hour[0] == minutes[-1][0]
    assert hour[1] == minutes[-1][1]
    assert Decimal(hour[2]) == max(Decimal(row[2]) for row in minutes)
    assert Decimal(hour[5]) == sum(Decimal(row[5]) for row in minutes)


def test_closed_candles_alone_are_history(board: Board) -> None:
    page = get(board, "market/history-candles", instId="ETH-USDT", limit=2)
    assert [(int(row[0]), row[8]) for row in page] == [(START + minute * MINUTE, "1") for minute in (6, 5)]


def test_instruments_are_listed_by_kind_and_family(board: Board) -> None:
    names = [row["instId"] for row in get(board, "public/instruments", instType="SPOT")]
    assert names == [name for name, one in board.listings.items() if one.contract is Contract.SPOT]
    family = get(board, "public/instruments", instType="SWAP", instFamily="BTC-USD")
    assert [row["instId"] for row in family] == ["BTC-USD-SWAP"]
    assert get(board, "public/instruments", instType="FUTURES") == []
    assert get(board, "public/instruments", instType="OPTION", uly="BTC-USD") == []


def test_tickers_of_a_kind_are_the_ticker_of_each(board: Board) -> None:
    swaps = get(board, "market/tickers", instType="SWAP")
    assert swaps == [get(board, "market/ticker", instId=name)[0] for name in ("BTC-USDT-SWAP", "BTC-USD-SWAP")]
    assert {row["ts"] for row in swaps} == {str(NOW)}


def test_a_book_has_the_ticker_s_best_prices(board: Board) -> None:
    (book,), (ticker,) = get(board, "market/books", instId="BTC-USDT", sz=5), get(board, "market/ticker", instId="BTC-USDT")
    assert (len(book["asks"]), len(book["bids"])) == (5, 5)
    assert (book["asks"][0][0], book["bids"][0][0]) == (ticker["askPx"], ticker["bidPx"])


def test_the_time_is_the_clock_s(board: Board) -> None:
    assert get(board, "public/time") == [{"ts": str(NOW)}]


@pytest.mark.parametrize(
    ("path", "query", "status", "code", "message"),
    [
        ("market/ticker", {}, 400, "50014", "Parameter instId can not be empty"),
        ("market/ticker", {"instId": "NO-SUCH"}, 200, "51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist."),
        ("public/instruments", {}, 400, "50014", "Parameter instType can not be empty"),
        ("public/instruments", {"instType": "SHOE"}, 400, "51000", "Parameter instType error"),
        ("public/instruments", {"instType": "SPOT", "instId": "NO-SUCH"}, 200, "51001", "Instrument ID, "),
        ("public/instruments", {"instType": "OPTION"}, 400, "50015", "Either parameter uly or instFamily is required"),
        ("market/candles", {"instId": "BTC-USDT", "bar": "7m"}, 400, "51000", "Parameter bar error"),
        ("market/candles", {"instId": "BTC-USDT", "after": "soon"}, 400, "51000", "Parameter after error"),
        ("market/history-trades", {"instId": "BTC-USDT", "type": "3"}, 400, "51000", "Parameter type error"),
        ("market/trades", {"instId": "BTC-USDT", "limit": "-1"}, 400, "51000", "Parameter limit error"),
    ],
)
def test_refusals_are_okx_s(board: Board, path: str, query: dict[str, str], status: int, code: str, message: str) -> None:
    got, body = answer(board, path, query, moment(NOW))
    assert (got, body["code"], body["data"]) == (status, code, [])
    assert body["msg"].startswith(message)


def test_an_unknown_path_is_not_found(board: Board) -> None:
    status, body = answer(board, "market/moon", {}, moment(NOW))
    assert (status, body["msg"]) == (404, "Not Found")


def test_derivatives_have_a_mark_funding_and_open_interest(board: Board) -> None:
    """Rates of intervals that have ended are told newest first, eight hours apart."""
    (ticker,) = get(board, "market/ticker", instId="BTC-USDT-SWAP")
    (mark,) = get(board, "public/mark-price", instType="SWAP", instId="BTC-USDT-SWAP")
    assert Decimal(ticker["bidPx"]) <= Decimal(mark["markPx"]) <= Decimal(ticker["askPx"])
    assert [row["instId"] for row in get(board, "public/open-interest", instType="SWAP")] == ["BTC-USDT-SWAP", "BTC-USD-SWAP"]
    (current,) = get(board, "public/funding-rate", instId="BTC-USDT-SWAP")
    history = get(board, "public/funding-rate-history", instId="BTC-USDT-SWAP", limit=3)
    ends = [int(row["fundingTime"]) for row in history]
    assert ends[0] == int(current["fundingTime"]) - 8 * 60 * MINUTE
    assert ends == [ends[0] - number * 8 * 60 * MINUTE for number in range(3)]
    older = get(board, "public/funding-rate-history", instId="BTC-USDT-SWAP", after=ends[1], limit=1)
    assert older == history[2:]
