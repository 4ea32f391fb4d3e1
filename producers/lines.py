"""Which channels go on which connection: as few connections as the venue's limits allow, what belongs together on one."""

from collections.abc import Sequence

from msgspec import Struct

from producers.dialect import Channel, Dialect, Kind
from schemas.market import Instrument


class Line(Struct, frozen=True):
    """One connection: where it leads to, what is asked for on it, and of which instruments; no two of the same market id."""

    path: str
    channels: tuple[Channel, ...]
    instruments: tuple[Instrument, ...]


def lines(dialect: Dialect, instruments: Sequence[Instrument]) -> tuple[Line, ...]:
    """Everything that the venue tells of these instruments. What one path tells of an instrument stays on one line."""
    filling: dict[str, list[tuple[Instrument, list[Channel]]]] = {}
    full: list[Line] = []
    for instrument in instruments:
        for path, channels in _by_path(dialect, instrument).items():
            line = filling.setdefault(path, [])
            crowded = sum(len(others) for _, others in line) + len(channels) > dialect.limits.channels
            if line and (crowded or any(other.market_id == instrument.market_id for other, _ in line)):
                full.append(_line(path, line))
                line.clear()
            line.append((instrument, channels))
    return (*full, *(_line(path, line) for path, line in filling.items()))


def _line(path: str, parts: Sequence[tuple[Instrument, list[Channel]]]) -> Line:
    channels = (channel for _, channels in parts for channel in channels)
    return Line(path, tuple(channels), tuple(instrument for instrument, _ in parts))


def _by_path(dialect: Dialect, instrument: Instrument) -> dict[str, list[Channel]]:
    found: dict[str, list[Channel]] = {}
    for kind in Kind:
        channel = Channel(kind, instrument.market_id)
        path = dialect.path(channel, instrument)
        if path is not None:
            found.setdefault(path, []).append(channel)
    return found
