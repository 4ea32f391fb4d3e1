"""Whatever happens to a stream, it publishes what the venue traded, once, and says what it could not get."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers import repair
from producers.dialect import Ids
from producers.outcome import NOTHING
from tests.producers.play import GAPS_MS, Play, steps
from tests.producers.seen import Seen

EXAMPLES = int(os.environ.get("PLAY_EXAMPLES", "400"))
EVER = 10**9
schemes = st.sampled_from([(Ids.CONSECUTIVE, True), (Ids.RISING, True), (Ids.RISING, False), (Ids.NAMED, False)])
gaps = st.lists(st.sampled_from(GAPS_MS), min_size=1, max_size=7)


@pytest.fixture(autouse=True, scope="module")
def _rest_is_asked_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repair, "FAILING_S", 0.0)
        yield


@settings(max_examples=EXAMPLES, deadline=None)
@given(schemes, gaps, st.lists(steps, max_size=40), st.sampled_from([EVER, 30, 12]))
def test_everything_is_published_once_or_lies_in_an_open_gap(scheme, gaps, taken, forgets):
    """Loss, repetition, disorder, lost connections, deaths of the process, a REST that fails, lags, forgets or has no cursor."""
    ids, cursor = scheme
    play = Play(ids, gaps, cursor=cursor, forgets=forgets)
    for kind, number in taken:
        play.step(kind, number)
    play.settle()
    seen = Seen(play)
    published = [trade.id for trade in seen.published]
    assert len(set(published)) == len(published)
    assert len({trade.price for trade in seen.published}) == len(published)
    left = seen.gaps()
    if ids is Ids.NAMED:
        assert not [one for one in seen.missing() if not any(gap.since <= one.time < gap.until for gap in left)]
    else:
        assert not [one for one in seen.missing() if not any(gap.after_id < one.id < gap.before_id for gap in left)]
    if ids is Ids.CONSECUTIVE:
        assert not [one for one in published if any(gap.after_id < one < gap.before_id for gap in left)]
    if cursor and forgets == EVER:
        assert not [gap for gap in left if gap.after_id != NOTHING]  # only ids that count show where a market begins
    assert not seen.wrong_watermarks()
    assert not seen.disorder()
    assert not seen.lies()
