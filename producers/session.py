"""One connection's worth of instruments, without the connection: frames and answers in, actions out.

Frames that are read together are taken one after another with `frame`; `flush` then says what to do about all of them.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from producers.continuity import Counts, Repair, Repaired, State, Stream
from producers.dialect import Dialect, Event, FrameError, Notice, Refused, Subscribed, Ticker, Trade, TradesPushed
from schemas.market import DeadLetter, Quote, Trades

PENDING_TRADES: Final = 20_000  # waiting for repairs, of all instruments: above it no more is read
ACKNOWLEDGE_S: Final = 5.0
_AHEAD_MS: Final = 3_600_000  # how far a venue's clock may be ahead of ours
_BEHIND_MS: Final = 60_000  # an id may be told late by so much before it is no repetition


class Publish(Struct, frozen=True):
    """Hand a record to Kafka."""

    record: Trades | Quote | DeadLetter


class Send(Struct, frozen=True):
    """Say something to the venue."""

    text: str


class Probe(Struct, frozen=True):
    """Ask the venue for its time, and then for the newest trade."""

    market_id: str


class Reconnect(Struct, frozen=True):
    """Give the connection up and make another; `cause` is one of few, `detail` what the venue said."""

    cause: str
    detail: str = ""


Action = Publish | Send | Repair | Probe | Reconnect


class Session:
    """The instruments of one connection, by the venue's own names. Lives on when the connection is made anew."""

    def __init__(self, dialect: Dialect, streams: Mapping[str, Stream], source: str, counts: Counts) -> None:
        self._dialect = dialect
        self.streams = streams
        self._source = source
        self.counts = counts
        self._actions: list[Action] = []
        self._trades: dict[str, list[Trade]] = {}
        self._tickers: dict[str, tuple[Ticker, int]] = {}
        self._received = 0
        self._heard = self._joined = self._pinged = 0.0
        self._deaf: set[str] = set()

    @property
    def full(self) -> bool:
        """Whether so much waits for repairs that nothing more should be read."""
        return sum(len(stream.pending) for stream in self.streams.values()) > PENDING_TRADES

    def connected(self, server_time: int, now: float) -> list[Action]:
        """A connection was made, after the venue's time was `server_time` (epoch ms)."""
        self._restart(now)
        for stream in self.streams.values():
            stream.join(server_time, now)
        return [Send(text) for text in self._dialect.subscribe(list(self.streams))]

    def frame(self, data: str | bytes, received: int, now: float) -> None:
        """Take one frame, `received` at an epoch microsecond."""
        self._heard, self._received = now, received
        try:
            text = data if isinstance(data, str) else data.decode()
            for event in self._dialect.parse(text):
                self._take(event, received)
        except (FrameError, UnicodeDecodeError) as error:
            self._bury(data, str(error), received)

    def flush(self, now: float) -> list[Action]:
        """What to do about the frames since the last flush: one record of trades and one quote an instrument."""
        for market_id, trades in self._trades.items():
            self._emit(*self.streams[market_id].arrived(trades, self._received, now))
        for market_id, (ticker, received) in self._tickers.items():
            stream = self.streams[market_id]
            stream.ticker(ticker, self._dialect.margin_ms, now)
            self.counts.quotes += 1
            self._actions.append(Publish(_quote(stream, ticker, received)))
            self._beat(stream, received)
        self._trades.clear()
        self._tickers.clear()
        return self._done()

    def repaired(self, market_id: str, found: Repaired, received: int) -> list[Action]:
        """A repair ended."""
        self.counts.repairs += 1
        self._emit(*self.streams[market_id].repaired(found, received))
        return self._done()

    def probed(self, market_id: str, newest_id: int | None, server_time: int, received: int, now: float) -> list[Action]:
        """The venue's newest trade, asked for after `server_time`. If we were not sent it: fetch, and subscribe anew."""
        self.counts.probes += 1
        stream = self.streams[market_id]
        repair = stream.probed(newest_id, server_time - self._dialect.margin_ms, now)
        self._beat(stream, received)
        if repair is None:
            return self._done()
        if market_id in self._deaf:
            return [*self._done(), Reconnect("silent stream")]
        self._deaf.add(market_id)
        anew = self._dialect.unsubscribe([market_id]) + self._dialect.subscribe([market_id])
        return [*self._done(), repair, *(Send(text) for text in anew)]

    def tick(self, now: float) -> list[Action]:
        """Time passes: keep the connection alive, and watch over what has become quiet."""
        if self.full:
            self._heard = now
        quiet = now - self._heard
        if quiet > 2 * self._dialect.keepalive_s:
            return [Reconnect("silent connection")]
        joining = any(stream.state is State.JOINING for stream in self.streams.values())
        if joining and now - self._joined > ACKNOWLEDGE_S:
            return [Reconnect("subscription not acknowledged")]
        if quiet > self._dialect.keepalive_s and now - self._pinged > self._dialect.keepalive_s:
            self._pinged = now
            self._actions.append(Send(self._dialect.ping))
        for market_id, stream in self.streams.items():
            if stream.state is State.LIVE and stream.silence.ask(now):
                self._actions.append(Probe(market_id))
        return self._done()

    def _restart(self, now: float) -> None:
        self._heard = self._joined = self._pinged = now
        self._deaf.clear()

    def _take(self, event: Event, received: int) -> None:
        match event:
            case TradesPushed(market_id, trades):
                self._check(market_id, max((trade.time for trade in trades), default=0), received)
                self._check_ids(self.streams[market_id], trades)
                self._trades.setdefault(market_id, []).extend(trades)
            case Ticker(market_id, time):
                self._check(market_id, time, received)
                self._tickers[market_id] = event, received
            case Subscribed(channel, market_id):
                stream = self.streams.get(market_id)
                if stream and channel == self._dialect.trades_channel and stream.state is State.JOINING:
                    self._actions.append(stream.repair())
            case Refused(code, message):
                self._actions.append(Reconnect("refused", f"{code} {message}"))
            case Notice(message=message, closing=True):
                self._actions.append(Reconnect("announced", message))

    def _check(self, market_id: str, time: int, received: int) -> None:
        if market_id not in self.streams:
            raise FrameError(f"not subscribed to {market_id!r:.60}")
        if time > received // 1000 + _AHEAD_MS:
            raise FrameError(f"time {time} is in the future")

    def _check_ids(self, stream: Stream, trades: tuple[Trade, ...]) -> None:
        """A lower id is a repetition, unless its trade is later: then ids have begun again, which nobody after us could order."""
        last = stream.last
        for trade in trades:
            if last and trade.id <= last.id and trade.time > last.time + _BEHIND_MS:
                raise FrameError(f"trade {trade.id} is later than trade {last.id}")

    def _bury(self, data: str | bytes, reason: str, received: int) -> None:
        payload = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
        letter = DeadLetter(self._source, partition=None, offset=None, reason=reason, payload=payload, received=received)
        self.counts.dead_letters += 1
        self._actions.append(Publish(letter))

    def _emit(self, records: list[Trades], repair: Repair | None) -> None:
        self._actions.extend(Publish(record) for record in records)
        if repair is not None:
            self._actions.append(repair)

    def _beat(self, stream: Stream, received: int) -> None:
        heartbeat = stream.heartbeat(received)
        if heartbeat is not None:
            self.counts.heartbeats += 1
            self._actions.append(Publish(heartbeat))

    def _done(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions


def _quote(stream: Stream, ticker: Ticker, received: int) -> Quote:
    instrument = stream.instrument
    return Quote(
        venue=instrument.venue,
        symbol=instrument.symbol,
        time=ticker.time,
        received=received,
        bid=ticker.bid,
        bid_amount=ticker.bid_amount,
        ask=ticker.ask,
        ask_amount=ticker.ask_amount,
    )
