"""What the simulated Upbit answers over REST: trades by the day, candles where there were trades, errors with a name."""

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.faults import FaultKind
from infra.simulated.upbit.exchange import UPBIT
from tests.infra.simulated.samples import START, Speaking, body, moment

MARKET = {"market": "KRW-BTC"}
NOW = 240 * MINUTE


@pytest.fixture(scope="module")
def venue() -> Speaking:
    return Speaking(UPBIT)


def ids(venue: Speaking, low: int, high: int) -> list[int | str]:
    """The sequential ids between two positions, newest first."""
    tape = venue.exchange.told("KRW-BTC", START + NOW)
    return [venue.exchange.trade_id("KRW-BTC", one) for one in reversed(tape.slice(low, high).ids.tolist())]


def ticks(venue: Speaking, at: int = NOW, **query: str) -> list[int]:
    return [row["sequential_id"] for row in venue.ask("/v1/trades/ticks", at=at, **MARKET, **query)]


def test_trades_of_today_page_by_cursor_until_the_day_began(venue: Speaking) -> None:
    tape = venue.exchange.told("KRW-BTC", START + NOW)
    found: list[int] = []
    while page := ticks(venue, count="500", **({"cursor": str(found[-1])} if found else {})):
        found += page
    assert found == ids(venue, tape.before(START), tape.through(START + NOW))
    assert len(found) > 3000


def test_what_was_before_midnight_is_asked_for_by_days_ago(venue: Speaking) -> None:
    tape = venue.exchange.told("KRW-BTC", START + NOW)
    yesterday = ticks(venue, count="500", days_ago="1")
    assert yesterday == ids(venue, tape.before(START) - 500, tape.before(START))
    assert ticks(venue, days_ago="1", cursor=str(yesterday[-1]), count="3") == ids(
        venue, tape.before(START) - 503, tape.before(START) - 500
    )
    assert ticks(venue, days_ago="2") == []


def test_before_the_first_trade_of_a_day_the_newest_day_is_told(venue: Speaking) -> None:
    tape = venue.exchange.told("KRW-BTC", START)
    known = tape.through(START)
    newest = ticks(venue, at=0, count="2")
    assert newest == ids(venue, known - 2, known)


@pytest.mark.parametrize("to", ["010000", "01:00:00"])
def test_trades_until_a_time_of_day(venue: Speaking, to: str) -> None:
    tape = venue.exchange.told("KRW-BTC", START + NOW)
    high = tape.before(START + 60 * MINUTE + 1000)
    assert ticks(venue, to=to, count="4") == ids(venue, high - 4, high)


def test_five_hundred_trades_are_the_most(venue: Speaking) -> None:
    assert len(ticks(venue, count="2000")) == 500
    assert len(ticks(venue)) == 1


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/v1/trades/ticks", {}, 400),
        ("/v1/trades/ticks", {"market": "KRW-MOON"}, 404),
        ("/v1/trades/ticks", {**MARKET, "days_ago": "8"}, 400),
        ("/v1/trades/ticks", {**MARKET, "to": "noon"}, 400),
        ("/v1/trades/ticks", {**MARKET, "count": "many"}, 400),
        ("/v1/candles/minutes/1", {**MARKET, "to": "noon"}, 400),
        ("/v1/candles/minutes/7", MARKET, 404),
        ("/v1/ticker", {"markets": "KRW-BTC,KRW-MOON"}, 404),
        ("/v1/moon", {}, 404),
    ],
)
def test_what_is_wrong_is_refused_with_a_status(venue: Speaking, path: str, query: dict[str, str], status: int) -> None:
    answer = venue.answer(path, **query)
    assert (answer.status, body(answer)["error"]["name"]) == (status, status)


@pytest.mark.parametrize(
    ("query", "opened"),
    [
        ({"count": "3"}, ["04:00", "03:59", "03:58"]),
        ({"count": "2", "to": "2026-01-05T01:00:00Z"}, ["00:59", "00:58"]),
        ({"count": "2", "to": "2026-01-05T01:00:00.001Z"}, ["01:00", "00:59"]),
        ({"count": "1", "to": "2026-01-05 01:00:00"}, ["00:59"]),
        ({"count": "1", "to": "2026-01-05T10:00:00+09:00"}, ["00:59"]),
    ],
)
def test_candles_open_before_a_time(venue: Speaking, query: dict[str, str], opened: list[str]) -> None:
    rows = venue.ask("/v1/candles/minutes/1", at=NOW + 30_000, **MARKET, **query)
    assert [row["candle_date_time_utc"][11:16] for row in rows] == opened
    assert {row["unit"] for row in rows} == {1}


def test_minutes_without_trades_have_no_candle(venue: Speaking) -> None:
    rows = venue.ask("/v1/candles/minutes/1", at=NOW, market="KRW-FLOW", count="20")
    assert len(rows) == 20
    assert all(row["candle_acc_trade_volume"] > 0 for row in rows)
    opened = [row["candle_date_time_utc"] for row in rows]
    assert opened == sorted(set(opened), reverse=True)
    assert opened[-1] < "2026-01-05T03:40:00"


def test_longer_candles_add_up_the_shorter_ones(venue: Speaking) -> None:
    minutes = venue.ask("/v1/candles/minutes/1", at=NOW, count="60", to="2026-01-05T04:00:00Z", **MARKET)
    (hour,) = venue.ask("/v1/candles/minutes/60", at=NOW, count="1", to="2026-01-05T04:00:00Z", **MARKET)
    assert hour["candle_acc_trade_volume"] == pytest.approx(sum(row["candle_acc_trade_volume"] for row in minutes))
    assert hour["high_price"] == max(row["high_price"] for row in minutes)
    (day, before) = venue.ask("/v1/candles/days", at=NOW, count="2", **MARKET)
    assert day["prev_closing_price"] == before["trade_price"]
    (week,) = venue.ask("/v1/candles/weeks", at=NOW, count="1", **MARKET)
    assert week["first_day_of_period"] == "2026-01-05"


def test_steps_and_tickers_are_asked_for_by_name_or_currency(venue: Speaking) -> None:
    (policy,) = venue.ask("/v1/orderbook/instruments", markets="KRW-BTC")
    assert (policy["tick_size"], policy["quote_currency"]) == ("1000", "KRW")
    everything = venue.ask("/v1/ticker/all", quote_currencies="KRW,BTC")
    assert [row["market"] for row in everything] == [
        "KRW-BTC", "KRW-ETH", "KRW-XRP", "KRW-SOL", "KRW-USDT", "KRW-FLOW", "BTC-ETH",
    ]  # fmt: skip
    assert [row["market"] for row in venue.ask("/v1/market/all", isDetails="true") if not row["market_event"]["warning"]][:2] == [
        "KRW-BTC",
        "KRW-ETH",
    ]


def test_requests_left_are_told_in_a_header(venue: Speaking) -> None:
    assert venue.answer("/v1/market/all").headers["Remaining-Req"].startswith("group=")


@pytest.mark.parametrize(
    ("kind", "status"), [(FaultKind.RATE_LIMIT, 429), (FaultKind.MAINTENANCE, 503), (FaultKind.SERVER_ERROR, 500)]
)
def test_under_a_fault_everything_is_refused(venue: Speaking, kind: FaultKind, status: int) -> None:
    refusal = venue.exchange.refusal(kind, "/v1/market/all", 60.0, moment())
    assert refusal is not None
    assert (refusal.status, set(body(refusal)["error"])) == (status, {"name", "message"})
