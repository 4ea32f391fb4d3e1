"""Pages of trades and candles and books as Binance gives them over REST."""

from decimal import Decimal

import pytest

from producers.dialect import BookPushed, FrameError, Request, Trade, VenueCandle
from producers.dialects.binance import Binance
from schemas.market import HistoryCandle
from tests.producers.dialects.binance_samples import BTC

BINANCE = Binance()


def before(trade_id: int) -> Trade:
    return Trade(trade_id, trade_id, 1, Decimal(1), Decimal(1), taker_buy=True)


@pytest.mark.parametrize(
    ("trade", "asked"),
    [
        (None, {"symbol": "BTCUSDT", "limit": "1000"}),
        (before(5_000), {"symbol": "BTCUSDT", "limit": "1000", "fromId": "4000"}),
        (before(30), {"symbol": "BTCUSDT", "limit": "30", "fromId": "0"}),
    ],
)
def test_a_page_of_trades_is_asked_for_by_id(trade, asked):
    assert BINANCE.trades_request(BTC, trade) == Request("public_get_aggtrades", asked)


def test_nothing_is_older_than_the_first_trade():
    assert BINANCE.trades_request(BTC, before(0)) is None


def test_a_page_of_trades_is_read_whether_ccxt_left_numbers_or_strings():
    row = {"a": 26129, "p": "0.01633102", "q": "4.70443515", "f": 27781, "l": 27783, "T": 1498793709153, "m": True, "M": True}
    text = {key: str(value) if isinstance(value, int) and not isinstance(value, bool) else value for key, value in row.items()}
    trade = Trade(26129, 26129, 1498793709153, Decimal("0.01633102"), Decimal("4.70443515"), taker_buy=False, count=3)
    assert BINANCE.trades_page(BTC, [row]) == BINANCE.trades_page(BTC, [text]) == (trade,)


def test_an_aggregate_of_nothing_is_no_trade():
    nothing = {"a": 26130, "p": "0", "q": "0.0", "f": -1, "l": -1, "T": 1498793709153, "m": True}
    assert BINANCE.trades_page(BTC, [nothing]) == ()


def test_the_newest_candle_of_a_page_may_still_be_open():
    rows = [
        [1499040000000, "2", "5", "1", "4", "148.9", 1499040059999, "2434.1", 308, "1756.8", "28.4", "0"],
        ["1499040060000", "4", "4", "4", "4", "0", "1499040119999", "0", "0", "0", "0", "0"],
    ]
    first = HistoryCandle(1499040000000, Decimal(2), Decimal(5), Decimal(1), Decimal(4), Decimal("148.9"), Decimal("2434.1"))
    second = HistoryCandle(1499040060000, Decimal(4), Decimal(4), Decimal(4), Decimal(4), Decimal(0), Decimal(0))
    assert BINANCE.candles_page(BTC, rows) == (VenueCandle(first, closed=True), VenueCandle(second, closed=False))
    assert BINANCE.candles_page(BTC, []) == ()


def test_a_page_of_candles_holds_the_one_that_opens_at_its_end():
    request = BINANCE.candles_request(BTC, 1499040060000)
    assert request.method == "public_get_klines"
    assert (request.params["endTime"], request.params["interval"]) == ("1499040060000", "1m")


def test_a_book_over_rest_has_the_number_that_changes_go_on_from():
    answer = {"lastUpdateId": "1027024", "bids": [["4.00000000", "431.0"]], "asks": [["4.00000200", "12.0"]]}
    book = BookPushed(
        "BTCUSDT", 0, ((Decimal(4), Decimal(431)),), ((Decimal("4.000002"), Decimal(12)),), snapshot=True, last=1027024
    )
    assert BINANCE.book_page(BTC, answer) == book
    assert BINANCE.book_rule(BTC).continues == "adjoining"


@pytest.mark.parametrize("answer", [{}, None, "", [1], [[1]], [{"a": 1}], {"code": -1121, "msg": "Invalid symbol."}])
def test_an_answer_of_another_shape_is_refused(answer):
    for page in (BINANCE.trades_page, BINANCE.candles_page, BINANCE.book_page):
        with pytest.raises(FrameError):
            page(BTC, answer)
