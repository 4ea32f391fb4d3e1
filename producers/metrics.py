"""What Prometheus may ask the producer for, read from the tallies at that moment: see docs/metrics.md."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from infra.settings import UserError
from producers.clock import Clock
from producers.continuity import Stream
from producers.publish import Publisher
from producers.venue import Venue

_HOST: Final = "127.0.0.1"

# Attributes of `Counts`, and below of `Tally`, and what they are shown as.
_COUNTS: Final = {
    "trades": ("trades", "Trades published, whichever way they came"),
    "repaired": ("repaired_trades", "Trades that REST brought, or that came out of order"),
    "duplicates": ("duplicates", "Trades that were known already, and dropped"),
    "gaps": ("gaps", "Gaps opened"),
    "closed": ("gaps_repaired", "Gaps of which every trade was found"),
    "given_up": ("gaps_unrepairable", "Gaps, or parts of them, that stay open for good"),
    "unverified": ("unverified", "Stretches that REST could not confirm, where ids do not show what is missing"),
    "audits": ("audits", "Times that REST was asked what its newest trades are"),
    "repairs": ("repairs", "Times that REST was asked for missing trades"),
    "set_aside": ("impossible_trades", "Trades of impossible times, which became dead letters"),
}
_TALLIED: Final = {
    "dead_letters": ("dead_letters", "Frames that could not be understood"),
    "refused": ("refused_channels", "Refusals of channels by the venue"),
}
_LABELLED: Final = {
    "messages": ("messages", "kind", "What the venue told, by what it is about"),
    "conflated": ("conflated", "kind", "What newer news replaced before it was published"),
    "reconnects": ("reconnects", "cause", "Connections that ended or came to nothing"),
}
_GAUGES: Final[dict[str, tuple[str, Callable[[Venue], float]]]] = {
    "open_gaps": ("Gaps that are being fetched", lambda venue: sum(len(one.open_gaps) for one in _streams(venue))),
    "connections": ("Websockets that are open", lambda venue: sum(feed.connections for feed in venue.feeds)),
    "held_bytes": ("Bytes of messages that were read and not taken", lambda venue: sum(feed.held for feed in venue.feeds)),
    "maintenance": ("1 while the venue is worked on", lambda venue: any(one.maintenance is not None for one in venue.sessions)),
}


class Metrics(Collector):
    """Everything, anew each time that it is asked for."""

    def __init__(self, venues: Sequence[Venue], publisher: Publisher, clock: Clock) -> None:
        self._venues = venues
        self._publisher = publisher
        self._clock = clock

    def collect(self) -> Iterable[Metric]:
        """The families, each with a sample a venue, or a venue and kind, cause or symbol."""
        for attribute, (name, told) in _COUNTS.items():
            yield self._counter(name, told, {venue.name: getattr(venue.tally.counts, attribute) for venue in self._venues})
        for attribute, (name, told) in _TALLIED.items():
            yield self._counter(name, told, {venue.name: getattr(venue.tally, attribute) for venue in self._venues})
        for attribute, (name, label, told) in _LABELLED.items():
            family = CounterMetricFamily(f"tapeflow_{name}", told, labels=["venue", label])
            for venue in self._venues:
                for value, count in list(getattr(venue.tally, attribute).items()):
                    family.add_metric([venue.name, value], count)
            yield family
        yield from self._gauges()
        yield from self._ages()

    @staticmethod
    def _counter(name: str, told: str, counts: Mapping[str, int]) -> Metric:
        family = CounterMetricFamily(f"tapeflow_{name}", told, labels=["venue"])
        for venue, count in counts.items():
            family.add_metric([venue], count)
        return family

    def _gauges(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "tapeflow_unacknowledged_records", "Records that Kafka has not acknowledged yet", self._publisher.in_flight
        )
        for name, (told, value) in _GAUGES.items():
            family = GaugeMetricFamily(f"tapeflow_{name}", told, labels=["venue"])
            for venue in self._venues:
                family.add_metric([venue.name], value(venue))
            yield family
        offset = GaugeMetricFamily("tapeflow_clock_offset_seconds", "Our clock less the venue's", labels=["venue"])
        for venue in self._venues:
            if venue.tally.offset.ms is not None:
                offset.add_metric([venue.name], venue.tally.offset.ms / 1000)
        yield offset

    def _ages(self) -> Iterator[Metric]:
        now, received = self._clock.now(), self._clock.received() // 1000
        ticks = GaugeMetricFamily("tapeflow_tick_age_seconds", "Since the last message of a kind", labels=["venue", "kind"])
        complete = GaugeMetricFamily(
            "tapeflow_watermark_age_seconds",
            "How far the feed's completeness is behind the venue's clock",
            labels=["venue", "symbol"],
        )
        for venue in self._venues:
            for kind, at in list(venue.tally.newest.items()):
                ticks.add_metric([venue.name, kind], now - at)
            shown = received - (venue.tally.offset.ms or 0)
            for stream in _streams(venue):
                if stream.watermark:
                    complete.add_metric([venue.name, stream.instrument.symbol], (shown - stream.watermark) / 1000)
        yield ticks
        yield complete


@contextmanager
def served(port: int, venues: Sequence[Venue], publisher: Publisher, clock: Clock) -> Iterator[None]:
    """The metrics at http://127.0.0.1:port/metrics for as long as the block lasts; not at all at port 0. Raises UserError."""
    if not port:
        yield
        return
    registry = CollectorRegistry()
    registry.register(Metrics(venues, publisher, clock))
    try:
        server, thread = start_http_server(port, _HOST, registry)
    except OSError as error:
        raise UserError(
            f"cannot serve metrics at {_HOST}:{port}: {error.strerror}; TAPEFLOW_METRICS_PORT names another"
        ) from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _streams(venue: Venue) -> list[Stream]:
    return [stream for session in venue.sessions for stream in session.streams.values()]
