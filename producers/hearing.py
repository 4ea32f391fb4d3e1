"""Takes apart what was read together: whose trades, which answers, and of everything that may be overtaken the newest.

`received` is epoch microseconds, `now` seconds of a clock that never runs back.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from producers import news
from producers.bursts import Bursting, Run
from producers.conflation import Newest
from producers.dialect import (
    Acknowledged,
    Announced,
    Asked,
    BookPushed,
    Dialect,
    Event,
    FrameError,
    Ignored,
    Kind,
    Refused,
    Told,
    Trade,
    TradesPushed,
)
from producers.frames import KEPT, Cut
from producers.tally import Tally
from schemas.market import DeadLetter, Instrument

MANY: Final = 2  # messages an instrument, from which on it pays to take them together
AHEAD_MS: Final = 3_600_000  # how far a venue's clock may be ahead of ours


class Pushed(Struct):
    """Trades of one instrument, in the order in which they came; when the venue sent the last (epoch ms, 0: it does not say)."""

    trades: Sequence[Trade]
    event_time: int


class Heard(Struct):
    """What one burst of frames says. `time`: the newest venue time in it, epoch ms."""

    trades: dict[str, Pushed] = {}
    snapshots: list[TradesPushed] = []
    told: dict[str, Told] = {}
    books: list[BookPushed] = []
    answers: list[Acknowledged | Refused] = []
    announced: list[Announced] = []
    replies: list[str] = []
    told_else: list[news.News] = []
    buried: list[DeadLetter] = []
    time: int = 0


class Hearing:
    """Of one session. What cannot be understood, or cannot be, is buried with its bytes; the frame's other events count."""

    def __init__(self, dialect: Dialect, instruments: Mapping[str, Instrument], source: str, tally: Tally) -> None:
        self._dialect = dialect
        self._bursting = dialect if isinstance(dialect, Bursting) else None
        self._instruments = instruments
        self._source = source
        self._tally = tally
        self._news: Newest[news.News] = Newest()
        self._heard = Heard()
        self._received = 0
        self._now = 0.0
        self._handlers: dict[type, Callable[[Any], None]] = {
            **dict.fromkeys(news.KINDS, self._on_news),
            TradesPushed: self._on_snapshot,
            Told: self._on_told,
            BookPushed: self._on_book,
            Acknowledged: self._on_answer,
            Refused: self._on_answer,
            Announced: self._on_announced,
            Asked: self._on_asked,
            Ignored: self._on_ignored,
        }

    def take(self, messages: Sequence[bytes], received: int, now: float) -> Heard:
        """Of messages that were read together, the last at `received`."""
        heard = self._heard = Heard()
        self._received, self._now = received, now
        runs, messages = self._runs(messages)
        told, sent, pushes = self._told(messages)
        for market_id, run in runs.items():
            heard.trades[market_id] = Pushed(run, run.event_time)
        for market_id, trades in told.items():
            before = runs.get(market_id, ())
            heard.trades[market_id] = Pushed([*before, *trades] if before else trades, sent[market_id])
        pushes += sum(map(len, runs.values()))
        if pushes:
            self._count(Kind.TRADES, pushes)
        heard.told_else = self._news.take()
        for market in heard.trades.values():
            self._see(market.event_time or market.trades[-1].time)
        return heard

    def _runs(self, messages: Sequence[bytes]) -> tuple[dict[str, Run], Sequence[bytes]]:
        """Trades that a dialect can take out of many messages at once, and the messages that are left."""
        if self._bursting is None or len(messages) < MANY * len(self._instruments):
            return {}, messages
        runs, rest = self._bursting.burst(messages)
        return (runs, rest) if runs.keys() <= self._instruments.keys() else ({}, messages)

    def _told(self, messages: Sequence[bytes]) -> tuple[dict[str, list[Trade]], dict[str, int], int]:
        """Each message by itself: plain trades by instrument, when the last of them was sent, and how many messages had some."""
        parse, known = self._dialect.parse, self._instruments
        told: dict[str, list[Trade]] = {}
        sent: dict[str, int] = {}
        pushes = 0
        for message in messages:
            try:
                for event in parse(message):
                    if type(event) is not TradesPushed or event.snapshot or event.market_id not in known:
                        self._other(event, message)
                        continue
                    pushes += 1
                    sent[event.market_id] = event.event_time
                    trades = told.get(event.market_id)
                    if trades is None:
                        told[event.market_id] = [*event.trades]
                    else:
                        trades += event.trades
            except FrameError as error:
                self._bury(message, str(error))
        return told, sent, pushes

    def _other(self, event: Event, message: bytes) -> None:
        """Whatever is not plain trades."""
        try:
            self._handlers[type(event)](event)
        except FrameError as error:
            self._bury(message, str(error))

    def _on_snapshot(self, event: TradesPushed) -> None:
        self._check(event.market_id, 0)
        self._count(Kind.TRADES)
        self._heard.snapshots.append(event)

    def _on_news(self, event: news.News) -> None:
        time = news.time_of(event)
        self._check(event.market_id, time)
        self._see(time)
        kind = news.KINDS[type(event)]
        self._count(kind)
        self._tally.conflated[kind] += self._news.put(news.key(event), event)

    def _on_told(self, event: Told) -> None:
        self._check(event.market_id, event.time)
        self._see(event.time)
        self._heard.told[event.market_id] = event

    def _on_book(self, event: BookPushed) -> None:
        self._check(event.market_id, event.time)
        self._see(event.time)
        self._count(Kind.BOOK)
        self._heard.books.append(event)

    def _on_answer(self, event: Acknowledged | Refused) -> None:
        self._heard.answers.append(event)

    def _on_announced(self, event: Announced) -> None:
        self._heard.announced.append(event)

    def _on_asked(self, event: Asked) -> None:
        self._heard.replies.append(event.reply)

    def _on_ignored(self, event: Ignored) -> None:
        """It is known and of no use."""

    def _check(self, market_id: str, time: int) -> None:
        if market_id not in self._instruments:
            raise FrameError(f"not subscribed to {market_id!r:.60}")
        if time > self._received // 1000 + AHEAD_MS:
            raise FrameError(f"time {time} is in the future")

    def _see(self, time: int) -> None:
        """The venue's clock shows at least so much."""
        received = self._received // 1000
        if 0 < time <= received + AHEAD_MS:
            self._tally.offset.seen(time, received, self._now)
            if time > self._heard.time:
                self._heard.time = time

    def _count(self, kind: Kind, messages: int = 1) -> None:
        self._tally.messages[kind] += messages
        self._tally.newest[kind] = self._now

    def _bury(self, message: bytes, reason: str) -> None:
        size = message.size if isinstance(message, Cut) else len(message)
        if size > KEPT:
            reason = f"{reason} (the first {KEPT} of {size} bytes)"
        self._tally.dead_letters += 1
        self._heard.buried.append(DeadLetter(self._source, None, None, reason, bytes(message[:KEPT]), self._received))
