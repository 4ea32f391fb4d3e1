"""Silence lasts as long as it was told to."""

from infra.simulated.faults import Silence


def test_silence_ends_by_itself() -> None:
    now = [10.0]
    silence = Silence(lambda: now[0])
    assert not silence
    silence.begin(2.0)
    assert silence
    now[0] += 2.0
    assert not silence
