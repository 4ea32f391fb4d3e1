"""The simulated venue, beside a test."""

from collections.abc import AsyncIterator

import pytest

from infra.simulated.server import RunningVenue, running
from infra.simulated.venue import SimulatedVenueConfig


@pytest.fixture
async def venue() -> AsyncIterator[RunningVenue]:
    """Sixty times as fast as real time, its clock held until somebody subscribes."""
    async with running(SimulatedVenueConfig(seed=11)) as one:
        yield one
