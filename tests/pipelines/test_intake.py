"""What counts, what is turned away, and why."""

from decimal import Decimal

import pytest
from msgspec import structs

from pipelines import intake
from pipelines.continuity import Continuity
from schemas.market import HistoryCandle
from tests.pipelines.tape import MINUTE, START, Trade, heartbeat, record

ONE = Decimal(1)
GOOD = record(Trade(1, START))
TOLD = HistoryCandle(START, ONE, ONE, ONE, ONE, ONE, ONE)


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        (structs.replace(GOOD, ids=(1, 2)), "unequal length"),
        (structs.replace(GOOD, price_scale=19), "scale"),
        (structs.replace(GOOD, amount_scale=-1), "scale"),
        (structs.replace(GOOD, contract_size=Decimal(0)), "contract size"),
        (structs.replace(GOOD, contract_size=Decimal("NaN")), "contract size"),
        (structs.replace(GOOD, tick_size=Decimal(0)), "tick size"),
        (structs.replace(GOOD, lot_size=Decimal(-1)), "lot size"),
        (structs.replace(GOOD, contract_size=Decimal("1e40")), "contract size"),
        (structs.replace(GOOD, watermark=START + 2 * 86_400_000), "watermark"),
        (structs.replace(GOOD, counts=(1, 2)), "counts"),
        (structs.replace(GOOD, counts=(0,)), "counts"),
        (heartbeat(0, kind="history", history=(structs.replace(TOLD, open_time=START + 1),)), "history"),
        (heartbeat(0, kind="history", history=(TOLD, TOLD)), "history"),
        (heartbeat(0, kind="history", history=(structs.replace(TOLD, close=Decimal("Infinity")),)), "history"),
        (heartbeat(0, kind="history", history=(structs.replace(TOLD, volume=Decimal(-1)),)), "history"),
    ],
)
def test_a_record_that_makes_no_sense_is_told_by_its_reason(broken, word):
    """Avro says the types fit; what the numbers mean is checked here, before they are folded."""
    assert word in (intake.broken(broken) or "")


@pytest.mark.parametrize("good", [GOOD, heartbeat(START), heartbeat(0), heartbeat(0, kind="history", history=(TOLD,))])
def test_a_record_that_makes_sense_passes(good):
    """Heartbeats, unknown watermarks and history are all in order."""
    assert intake.broken(good) is None


def test_a_recording_may_lie_in_any_time():
    """A replay's clock is the recording's; a live record from next week is not believed."""
    later = structs.replace(GOOD, watermark=START + 7 * 86_400_000)

    assert intake.broken(structs.replace(later, kind="replay")) is None
    assert intake.broken(later) is not None


def test_trades_out_of_order_are_taken_in_order_of_their_ids():
    """Ids are the order of a venue's trades; none is lost for standing in the wrong row."""
    columns, rejected = intake.take(
        record(Trade(3, START), Trade(1, START), Trade(2, START), Trade(2, START)), Continuity(), START, 0
    )

    assert (columns.ids, rejected) == ([1, 2, 3], [])


def test_an_impossible_trade_does_not_make_later_ids_known():
    """Rubbish with a huge id must not silence the feed behind it."""
    seen = Continuity()
    intake.take(record(Trade(10**15, -1), watermark=START), seen, START, 0)
    columns, _ = intake.take(record(Trade(5, START)), seen, START, 0)

    assert list(columns.ids) == [5]


def test_a_rejected_trade_travels_alone():
    """Its record has its heading, one row and no gap, so it can be read and repaired by hand."""
    late = record(Trade(1, START), Trade(2, START + MINUTE), places=2)
    _, (rejected,) = intake.take(late, Continuity(), START + MINUTE, 0)

    assert rejected.trade == structs.replace(record(Trade(1, START), places=2), watermark=late.watermark)
