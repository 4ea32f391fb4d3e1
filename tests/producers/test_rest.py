"""The venue's REST interface through ccxt, against a real server."""

import pytest

from infra.settings import Settings, UserError
from infra.simulated.server import RunningVenue
from infra.simulated.venue import START_MS
from producers.dialect import Request
from producers.rest import Rest, RestError
from tests.producers.live import OKX, instruments


async def test_instruments_are_those_of_the_symbols_in_their_order(venue: RunningVenue):
    found = await instruments(venue, ["BTC/USD:BTC", "BTC/USDT", "BTC/USDT"])
    assert [(one.market_id, str(one.contract_size), one.inverse) for one in found] == [
        ("BTC-USD-SWAP", "100", True),
        ("BTC-USDT", "1", False),
    ]


async def test_a_symbol_that_the_venue_does_not_have_is_named_with_its_neighbours(venue: RunningVenue):
    with pytest.raises(UserError, match="okx has no market 'BTC/USDC'; near are BTC/USDT") as raised:
        await instruments(venue, ["BTC/USDC"])
    assert "\n" not in str(raised.value)


async def test_the_time_is_the_venue_s_own(venue: RunningVenue):
    async with Rest(Settings(venue_url=venue.url)) as rest:
        assert await rest.time() == START_MS


async def test_a_refusal_of_the_venue_is_an_error_that_says_so(venue: RunningVenue):
    async with Rest(Settings(venue_url=venue.url)) as rest:
        with pytest.raises(RestError, match="51001"):
            await rest.ask(OKX.trades_request("NO-SUCH", None))


async def test_a_venue_that_is_not_there_is_an_error(unused_tcp_port: int):
    async with Rest(Settings(venue_url=f"http://127.0.0.1:{unused_tcp_port}")) as rest:
        with pytest.raises(RestError, match=r"ExchangeNotAvailable|NetworkError"):
            await rest.ask(Request("public_get_public_time", {}))


async def test_a_venue_that_is_not_there_at_the_start_is_told_to_the_user(unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("producers.rest.START_S", 0.5)
    async with Rest(Settings(venue_url=f"http://127.0.0.1:{unused_tcp_port}")) as rest:
        with pytest.raises(UserError, match=f"no answer from http://127.0.0.1:{unused_tcp_port}: .*check the network"):
            await rest.instruments(OKX, ["BTC/USDT"])
