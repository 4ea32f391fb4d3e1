"""REST of every simulated venue: its markets, its time, and what it says when it is not to be asked."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.settings import Settings
from infra.simulated.exchanges import EXCHANGES
from infra.simulated.server import RunningVenue, running
from infra.simulated.venue import START_MS, SimulatedVenueConfig
from producers.dialects import DIALECTS
from producers.instruments import Instruments, described
from producers.rest import MaintenanceError, RateLimitedError, Rest, RestError


@pytest.fixture
async def venue(request: pytest.FixtureRequest) -> AsyncIterator[RunningVenue]:
    async with running(SimulatedVenueConfig(seed=3, venues=(request.param,), instruments=12)) as one:
        yield one


@pytest.fixture
async def rest(venue: RunningVenue, tmp_path: Path) -> AsyncIterator[Rest]:
    (name,) = venue.venues
    async with Rest(Settings(venue_url=venue.address, state=tmp_path), name) as one:
        yield one


every = pytest.mark.parametrize("venue", EXCHANGES, indirect=True)


@every
async def test_every_market_is_described(venue: RunningVenue, rest: Rest, tmp_path: Path):
    """Under ccxt's symbols, each of them, with steps and sizes above zero."""
    dialect = DIALECTS[rest.venue]
    listing = described(dialect, await rest.markets())
    expected = {one.name for one in venue.venues[rest.venue].board.listings.values()}
    assert listing.undescribed == {}
    assert {one.symbol for one in listing.instruments.values()} == expected
    for one in listing.instruments.values():
        assert min(one.tick_size, one.lot_size, one.contract_size) > 0
        assert one.active
    loaded = await Instruments(rest, dialect, tmp_path / "instruments.json").load(sorted(expected))
    assert [one.symbol for one in loaded.found] == sorted(expected)
    assert set(loaded.found) <= set(listing.instruments.values())


@every
async def test_the_time_is_that_of_the_market(venue: RunningVenue, rest: Rest):
    """Its clock stands until somebody subscribes; a venue without a request for it tells it to the second."""
    assert START_MS - 1000 <= await rest.time() <= START_MS + 1000


@every
async def test_asked_too_often_it_says_so_and_is_left_alone(venue: RunningVenue, rest: Rest):
    """For as long as it wants."""
    await venue.fault(rest.venue, "rate_limit", seconds=2)
    with pytest.raises(RateLimitedError):
        await rest.markets()
    begun = time.monotonic()
    await venue.clear(rest.venue)
    assert await rest.markets()
    assert time.monotonic() - begun > 0.9


@every
async def test_work_on_it_is_told_from_other_failures(venue: RunningVenue, rest: Rest):
    """In the venue's own way; afterwards it answers again."""
    await venue.fault(rest.venue, "maintenance", seconds=60)
    with pytest.raises(MaintenanceError):
        await rest.markets()
    await venue.clear(rest.venue)
    await venue.fault(rest.venue, "server_error", seconds=60)
    with pytest.raises(RestError) as raised:
        await rest.markets()
    assert not isinstance(raised.value, MaintenanceError | RateLimitedError)
    await venue.clear(rest.venue)
    assert await rest.markets()
