"""What a ticker of the simulated Bybit says agrees with the trades, and derivatives say more than spot."""

import pytest

from infra.simulated.bybit.exchange import BYBIT
from infra.simulated.bybit.tickers import ticker, ticker_row
from tests.infra.simulated.samples import START, Speaking

NOW = START + 600_000


@pytest.fixture(scope="module")
def venue() -> Speaking:
    return Speaking(BYBIT)


@pytest.mark.parametrize("name", ["BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC", "BTC/USDT:USDT-260327"])
def test_the_last_price_is_that_of_the_last_trade(venue: Speaking, name: str) -> None:
    tape, figures = venue.exchange.told(name, NOW), venue.exchange.board.figures[name]
    row = ticker_row(venue.exchange.board, name, NOW)
    assert row is not None
    last = int(tape.slice(0, tape.through(NOW)).prices[-1])
    assert row["lastPrice"] == figures.fixed_price(last)
    assert float(row["bid1Price"]) < float(row["ask1Price"])


def test_a_dated_contract_has_no_funding_and_a_day_of_delivery(venue: Speaking) -> None:
    dated = ticker(venue.exchange.board, "BTC/USD:BTC-260327", NOW)
    perpetual = ticker(venue.exchange.board, "BTC/USD:BTC", NOW)
    assert dated is not None
    assert perpetual is not None
    assert (dated["fundingRate"], dated["nextFundingTime"], dated["deliveryTime"]) == ("", "", "2026-03-27T08:00:00Z")
    assert int(perpetual["nextFundingTime"]) == START + 8 * 3_600_000
    assert abs(float(perpetual["fundingRate"])) < 0.001


def test_a_spot_ticker_has_an_index_and_no_quote(venue: Speaking) -> None:
    spot = ticker(venue.exchange.board, "BTC/USDT", NOW)
    assert spot is not None
    assert "usdIndexPrice" in spot
    assert "bid1Price" not in spot
