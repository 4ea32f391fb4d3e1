"""The venue's REST interface through ccxt, against a real server that answers what it is told to."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import pytest_asyncio

from infra.settings import VENUES, Settings
from producers.breaker import FAILURES
from producers.clock import Clock
from producers.dialect import Request
from producers.exchange import configured, loads
from producers.rest import MaintenanceError, RateLimitedError, RefusedError, Rest, RestError, _seconds, patiently
from tests.producers.answering import Answering, answering

TIME = Request("public_get_public_time", {})
PATH = "/okx/api/v5/public/time"
GOOD = (200, '{"code":"0","data":[{"ts":"1597026383085"}],"msg":""}', {})


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[Answering]:
    async with answering() as one:
        one.answers[PATH] = GOOD
        yield one


@pytest_asyncio.fixture
async def rest(venue: Answering, tmp_path: Path) -> AsyncIterator[Rest]:
    async with Rest(Settings(venue_url=venue.url, state=tmp_path), "okx") as one:
        yield one


async def test_the_time_is_the_venue_s_own(rest: Rest):
    """In epoch milliseconds."""
    assert await rest.time() == 1597026383085


async def test_a_venue_without_a_request_for_its_time_tells_it_with_any_answer(venue: Answering, tmp_path: Path):
    """To the second, never ahead of it; also when that answer is a refusal."""
    async with Rest(Settings(venue_url=venue.url, state=tmp_path), "upbit") as rest:
        before = time.time()
        told = await rest.time() / 1000
        assert int(before) <= told <= time.time()


@pytest.mark.parametrize("name", VENUES)
def test_every_address_of_every_venue_is_moved(name: str):
    """Below the venue's name, with the paths that ccxt adds."""
    exchange = configured(name, "http://127.0.0.1:8700/here")

    def addresses(found: object) -> list[str]:
        return [one for part in found.values() for one in addresses(part)] if isinstance(found, dict) else [str(found)]

    told = addresses(exchange.urls["api"])
    assert told
    assert [one for one in told if not one.startswith("http://127.0.0.1:8700/here") or "{" in one or one.endswith("/")] == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 0.10, "b": [1.50, 2], "c": "3"}', {"a": "0.10", "b": ["1.50", 2], "c": "3"}),
        ('{"a": 67899000.00000000}', {"a": "67899000.00000000"}),
        ('{"a": 1e-8, "b": -1.5E3}', {"a": "0.00000001", "b": "-1500"}),
        ('{"a": 1e999999999}', {"a": "1e999999999"}),
    ],
)
def test_numbers_keep_the_digits_that_the_venue_sent(text: str, value: object):
    """No float between the wire and a decimal; an exponent that would fill the memory stays text."""
    assert loads(text) == value


def test_what_is_no_number_is_no_json():
    """Python would read it."""
    with pytest.raises(ValueError, match="NaN"):
        loads('{"a": NaN}')


BUSY = '{"code":"50011","data":[],"msg":"Too Many Requests"}'


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        ((200, '{"code":"51001","data":[],"msg":"no instrument"}', {}), RefusedError, "51001"),
        ((200, '{"code":"50001","data":[],"msg":"upgrading"}', {}), MaintenanceError, "upgrading"),
        ((503, "<html>upgrade</html>", {}), MaintenanceError, "503"),
        ((500, "oops", {}), RestError, "500"),
        ((502, "", {}), RestError, "502"),
        ((429, BUSY, {}), RateLimitedError, "50011"),
        ((200, BUSY, {}), RateLimitedError, "50011"),
        ((200, '{"code":"0","data":{},"msg":""}', {}), RestError, "told no time|no sense"),
    ],
)
async def test_each_failure_says_what_kind_it_is(
    answer: tuple[int, str, dict[str, str]], kind: type[RestError], says: str, venue: Answering, rest: Rest
):
    """Work on the venue, a request that is wrong, too many of them, or anything else."""
    venue.answers[PATH] = answer
    with pytest.raises(kind, match=says) as raised:
        await rest.time()
    assert type(raised.value) is kind
    assert "\n" not in str(raised.value)
    assert raised.value.again is (kind is not RefusedError)


async def test_after_retry_after_nobody_asks_before_it_is_over(venue: Answering, tmp_path: Path):
    """Neither the one that was told nor another one on the same host, which waits and then asks."""
    settings = Settings(venue_url=venue.url, state=tmp_path)
    async with Rest(settings, "okx") as told, Rest(settings, "okx") as other:
        venue.answers[PATH] = (429, BUSY, {"Retry-After": "2"})
        with pytest.raises(RateLimitedError):
            await told.time()
        venue.answers[PATH] = GOOD
        assert await asyncio.gather(other.time(), told.time()) == [1597026383085] * 2
        (first, _), *later = venue.asked
        assert len(later) == 2
        assert min(at for at, _ in later) - first > 1.95


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 1), ("", 1), ("0", 1), ("7", 7), ("2.5", 2.5), ("-3", 1), ("soon", 1), ("nan", 1), ("inf", 1), ("99999999", 259_200)],
)
def test_a_retry_after_of_no_sense_is_a_second(header: str | None, seconds: float):
    """Nor is any longer than three days."""
    assert _seconds(header) == seconds


def test_a_retry_after_may_be_a_date():
    """As RFC 9110 writes it."""
    assert 58 <= _seconds(format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)) <= 60
    assert _seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 1


async def test_a_retry_after_is_of_the_clock_that_runs_the_producer(venue: Answering, tmp_path: Path):
    clock = Clock(scale=100.0)
    async with Rest(Settings(venue_url=venue.url, state=tmp_path), "okx", clock=clock) as rest:
        venue.answers[PATH] = (429, BUSY, {"retry-after": "60"})
        with pytest.raises(RateLimitedError):
            await rest.time()
        venue.answers[PATH] = GOOD
        begun = clock.now()
        assert await rest.time() == 1597026383085
        assert 50 < clock.now() - begun < 600


async def test_patience_is_of_the_clock_that_it_is_given():
    clock, attempts = Clock(scale=50.0), 0
    begun = clock.now()

    async def ask() -> None:
        nonlocal attempts
        async for attempt in patiently(20.0, clock):
            with attempt:
                attempts += 1
                raise RestError("not now")

    with pytest.raises(RestError):
        await ask()
    assert attempts > 2
    assert 20 <= clock.now() - begun < 100


async def test_a_rest_too_long_to_wait_for_is_told(venue: Answering, tmp_path: Path):
    """With when it ends; and no request is sent."""
    async with Rest(Settings(venue_url=venue.url, state=tmp_path), "okx", patience_s=1.0) as rest:
        venue.answers[PATH] = (418, BUSY, {"retry-after": "600"})
        with pytest.raises(RateLimitedError):
            await rest.time()
        with pytest.raises(RateLimitedError, match=r"asked enough for now; again in (600|599) s"):
            await rest.time()
        assert len(venue.asked) == 1


async def test_a_venue_that_fails_and_fails_is_left_alone_for_a_while(venue: Answering, rest: Rest):
    """What it said last is repeated without asking it; then one request finds out that it is back."""
    venue.answers[PATH] = (503, "upgrade", {})
    for _ in range(FAILURES + 20):
        with pytest.raises(MaintenanceError, match="upgrade"):
            await rest.time()
    assert len(venue.asked) == FAILURES
    venue.answers[PATH] = GOOD
    async for attempt in patiently(10):
        with attempt:
            assert await rest.time() == 1597026383085
    assert len(venue.asked) == FAILURES + 1


async def test_a_refused_request_is_no_failure_of_the_venue(venue: Answering, rest: Rest):
    """However often it is refused, others are asked for; nor is it repeated."""
    venue.answers["/okx/api/v5/market/history-trades"] = (200, '{"code":"51001","data":[],"msg":"no instrument"}', {})

    async def ask() -> None:
        async for attempt in patiently(5):
            with attempt:
                await rest.ask(Request("public_get_market_history_trades", {"instId": "NO"}))

    for _ in range(2 * FAILURES):
        with pytest.raises(RefusedError):
            await ask()
    assert len(venue.asked) == 2 * FAILURES
    assert await rest.time() == 1597026383085


async def test_a_venue_that_is_not_there_is_an_error(unused_tcp_port: int, tmp_path: Path):
    """Of the kind that may pass."""
    async with Rest(Settings(venue_url=f"http://127.0.0.1:{unused_tcp_port}", state=tmp_path), "okx") as rest:
        with pytest.raises(RestError, match="ExchangeNotAvailable") as raised:
            await rest.ask(TIME)
        assert type(raised.value) is RestError


async def test_a_folder_that_cannot_be_written_is_named(venue: Answering, tmp_path: Path):
    """With what to do about it."""
    (tmp_path / "plain").write_text("")
    async with Rest(Settings(venue_url=venue.url, state=tmp_path / "plain"), "okx") as rest:
        with pytest.raises(RestError, match=r"rate limits in .*XDG_STATE_HOME"):
            await rest.time()


@pytest.mark.parametrize(
    ("state", "told"),
    [("ongoing", "in maintenance until 1672823600000"), ("scheduled", None), (None, None)],
)
async def test_work_on_the_venue_is_told(state: str | None, told: str | None, venue: Answering, rest: Rest):
    """As the venue tells it."""
    rows = [{"state": state, "end": "1672823600000", "title": "Upgrade"}] if state else []
    venue.answers["/okx/api/v5/system/status"] = (200, json.dumps({"code": "0", "data": rows, "msg": ""}), {})
    found = await rest.maintenance()
    assert found is None if told is None else told in (found or "")


async def test_a_venue_that_never_tells_of_work_is_not_asked(venue: Answering, tmp_path: Path):
    """There is nothing to ask it."""
    async with Rest(Settings(venue_url=venue.url, state=tmp_path), "bitget") as rest:
        assert await rest.maintenance() is None
    assert venue.asked == []


async def test_a_cancelled_request_ends_at_once(tmp_path: Path):
    """Also the one for the markets, which runs beside the event loop."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with Rest(Settings(venue_url=url, state=tmp_path), "okx") as rest:
        for ask in (rest.time, rest.markets):
            begun = time.monotonic()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await ask()
            assert time.monotonic() - begun < 2
    server.close()
