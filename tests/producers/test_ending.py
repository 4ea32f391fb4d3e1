"""Where a stream stood, read from its end backwards."""

import pytest
from msgspec import structs

from producers.columns import Columns
from producers.ending import SLACK_MS, Ending
from producers.outcome import BEING_FETCHED, OPEN_END, Position, Unfinished
from schemas.market import Gap, Trades
from tests.producers.tape import BTC, START, trade, trades

LIVE = Columns(BTC, "live")


def live(first: int, last: int, watermark: int | None = None) -> Trades:
    (record,) = LIVE.records(trades(first, last), 7, trade(last).time if watermark is None else START + watermark)
    return record


def repair(first: int, last: int, watermark: int) -> Trades:
    (record,) = LIVE.records(trades(first, last), 7, START + watermark, kind="repair")
    return record


def told(gap: Gap, watermark: int) -> Trades:
    return LIVE.bare(7, START + watermark, kind="repair", gap=gap)


def gap(after: int, before: int, reason: str = BEING_FETCHED, *, closed: bool = False) -> Gap:
    return Gap(after, before, trade(after).time, OPEN_END if before == OPEN_END else trade(before).time + 1, reason, not closed)


def stood(records: list[Trades], stretch: int = 100) -> Position:
    ending = Ending()
    for end in range(len(records), 0, -stretch):
        for record in records[max(0, end - stretch) : end]:
            ending.take(record)
        ending.earlier()
        if ending.complete:
            break
    return ending.position()


@pytest.mark.parametrize("stretch", [1, 2, 100])
def test_a_stream_stands_at_its_last_trade_and_its_last_watermark(stretch):
    """Heartbeats come after trades and have none."""
    position = stood([live(1, 20), live(21, 23), LIVE.bare(7, START + 90_000)], stretch)
    assert (position.last, position.watermark, position.unfinished) == (trade(23), START + 90_000, ())


def test_a_count_is_read_back():
    (record,) = LIVE.records([structs.replace(trade(3), count=3)], 7, START)
    assert stood([record]).last == structs.replace(trade(3), count=3)


@pytest.mark.parametrize("stretch", [1, 3, 100])
@pytest.mark.parametrize(
    ("records", "unfinished"),
    [
        ([told(gap(20, 25), 20_000), live(25, 30, 20_000)], [Unfinished(gap(20, 25))]),
        ([told(gap(20, 25), 20_000), live(25, 30, 20_000), repair(21, 22, 20_000)], [Unfinished(gap(20, 25), trade(22))]),
        ([told(gap(20, 25), 20_000), live(25, 30, 20_000), told(gap(20, 25, closed=True), 20_000)], []),
        ([told(gap(20, 25), 20_000), live(25, 30, 20_000), told(gap(20, 25, "gone"), 20_000)], []),
        ([told(gap(20, OPEN_END), 20_000), told(gap(20, 25), 20_000), live(25, 30, 20_000)], [Unfinished(gap(20, 25))]),
        (
            [told(gap(20, 25), 20_000), live(25, 26, 20_000), told(gap(26, 29), 20_000), live(29, 30, 20_000)],
            [Unfinished(gap(20, 25)), Unfinished(gap(26, 29))],
        ),
    ],
)
def test_gaps_that_were_being_fetched_are_known(records, unfinished, stretch):
    position = stood([live(1, 12), live(13, 20), *records], stretch)
    assert list(position.unfinished) == unfinished
    assert position.last is not None
    assert position.last.id == 30


def test_reading_stops_where_nothing_older_can_matter():
    ending = Ending()
    ending.take(live(21, 30))
    ending.earlier()
    assert not ending.complete
    ending.take(live(1, 20))
    ending.earlier()
    assert ending.complete
    assert [one.id for one in ending.position().recent] == list(range(30 - SLACK_MS // 1000, 31))


def test_trades_that_the_watermark_has_not_passed_are_read_however_old_they_are():
    """Where ids do not show what is missing, the watermark is behind: all that it has not passed must be recognised."""
    records = [live(1, 10), *(live(number, number, 10_000) for number in range(11, 40))]
    for stretch in (1, 7, 100):
        position = stood(records, stretch)
        assert [one.id for one in position.recent][-35:] == list(range(5, 40))


def test_nothing_is_nothing():
    assert Ending().empty
    ending = Ending()
    ending.take(LIVE.bare(7, START))
    assert not ending.empty
