"""One line's instruments, without the line: frames and answers in, what is to be done out.

A session outlives its connections, and may have two at a time while one takes over from the other: each is known by a number.
Trades are taken from both, everything else from the first. `received` is epoch microseconds, `now` seconds of a clock that never
runs back.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from producers import news
from producers.continuity import Audited, Outcome, Repaired, Stream
from producers.dialect import Acknowledged, Announced, BookPushed, Channel, Dialect, Kind, Refused, Trade
from producers.hearing import Hearing
from producers.ladder import Ladder
from producers.lines import Line
from producers.requests import Answer, Refusals
from producers.talk import Talk
from producers.tally import Tally
from producers.todo import End, Send, Snapshot, Todo
from schemas.codec import Record
from schemas.market import Notice, NoticeKind

STREAMS_S: Final = 0.5  # how often streams are told that time passes
BACKLOG_S: Final = 2.0  # after not reading, how long until quiet means anything again
LATE_S: Final = 5.0  # between two ticks, after which it is we who were away


class Session:
    """The instruments of one line, by the venue's own names."""

    def __init__(self, dialect: Dialect, line: Line, streams: Mapping[str, Stream], name: str, tally: Tally) -> None:
        self.name = name
        self.line = line
        self.streams = streams
        self.tally = tally
        self.maintenance: str | None = None
        """What the venue said of work on it, until trades arrive again."""
        self._dialect = dialect
        self.instruments = {one.market_id: one for one in line.instruments}
        self._talks: dict[int, Talk] = {}
        self._refusals = Refusals()
        self._carried: dict[str, set[int]] = {}
        self._ladder = Ladder()
        self._rejoined: set[str] = set()
        self._todo = Todo()
        self._received = 0
        self._now = self._streams_at = self._ticked = 0.0
        self._hearing = Hearing(dialect, self.instruments, name, tally)

    def connected(self, connection: int, server_time: int, received: int, now: float) -> Todo:
        """A connection was made, after the venue's time was `server_time` (epoch ms)."""
        self._received, self._now, self._ticked = received, now, now
        talk = self._talks[connection] = Talk(self._dialect, self.line, self._refusals, server_time, now)
        self._say(connection, talk)
        return self._done()

    def frames(self, connection: int, messages: Sequence[bytes], received: int, now: float) -> Todo:
        """Take what was read together: one record of trades an instrument, and the newest of everything else."""
        talk = self._talks[connection]
        talk.heard, self._received, self._now = now, received, now
        heard = self._hearing.take(messages, received, now)
        talk.seen = max(talk.seen, heard.time)
        self._todo.records += heard.buried
        for answer in heard.answers:
            self._answer(connection, talk, answer)
        for pushed in heard.snapshots:
            self._arrived(pushed.market_id, pushed.trades, pushed.event_time, snapshot=True)
        for market_id, burst in heard.trades.items():
            self._arrived(market_id, burst.trades, burst.event_time)
        for market_id, told in heard.told.items():
            if market_id in self.streams:
                self._take(self.streams[market_id].told(told, received, now))
        for book in heard.books:
            talk.shelf.pushed(book, received, now)
        if next(iter(self._talks)) == connection:
            self._todo.records += (self._record(talk, event) for event in heard.told_else)
        for announced in heard.announced:
            self._announce(talk, announced)
        self._todo.sends += (Send(connection, reply) for reply in heard.replies)
        if heard.trades and self.maintenance is not None:
            self.maintenance = None
            self._notice("resumed", "", "trades arrive again")
        self._books()
        return self._done()

    def tick(self, received: int, now: float, *, reading: bool = True) -> Todo:
        """Time passes: several times a second. `reading` is false while nothing is read because Kafka does not take it."""
        reading = reading and now - self._ticked < LATE_S
        self._received, self._now, self._ticked = received, now, now
        if not reading:
            self._streams_at = now + BACKLOG_S
        if now - self._streams_at >= STREAMS_S:
            self._streams_at = now
            for market_id, stream in self.streams.items():
                carrier = self._carrier(market_id)
                self._take(stream.tick(carrier.seen if carrier else 0, received, now))
        self._act_on_deafness()
        for connection, talk in self._talks.items():
            self._tend(connection, talk, reading=reading)
        self._hand_over()
        self._books(all_of_them=True)
        return self._done()

    def repaired(self, found: Repaired, received: int, now: float) -> Todo:
        """The answer to a `Repair`."""
        self._received, self._now = received, now
        stream = self.streams[found.wanted.market_id]
        self._take(stream.repaired(found, received, now))
        self._ladder.found(found.wanted.market_id, stream.deaf)
        return self._done()

    def audited(self, page: Audited, received: int, now: float) -> Todo:
        """The answer to an `Audit`."""
        self._received, self._now = received, now
        stream = self.streams[page.wanted.market_id]
        self._take(stream.audited(page, received, now))
        self._ladder.found(page.wanted.market_id, stream.deaf)
        return self._done()

    def fetched(self, wanted: Snapshot, book: BookPushed | None, received: int, now: float) -> Todo:
        """The answer to a `Snapshot`; None when there was none."""
        self._received, self._now = received, now
        talk = self._talks.get(wanted.connection)
        if talk is not None and book is not None:
            talk.shelf.pushed(book, received, now, fetched=True)
        if talk is not None:
            talk.shelf.failed(wanted.market_id, now)
            self._books()
        return self._done()

    def left(self, connection: int, received: int, now: float) -> Todo:
        """A connection is no more."""
        self._received, self._now = received, now
        talk = self._talks.pop(connection, None)
        if talk is not None and not self._talks:
            self._todo.records += talk.shelf.lost(received)
        for market_id, carriers in self._carried.items():
            if connection in carriers:
                carriers.discard(connection)
                if not carriers:
                    self._take(self.streams[market_id].left(received, now))
        return self._done()

    def paused(self, code: str, message: str, received: int, now: float) -> Todo:
        """The venue shows that it is being worked on: nobody can be connected."""
        self._received, self._now = received, now
        if self.maintenance is None:
            self._notice("maintenance", code, message)
        self.maintenance = message
        return self._done()

    def _tend(self, connection: int, talk: Talk, *, reading: bool) -> None:
        """Everything that is due on one connection."""
        if talk.ending:
            return
        if not reading:
            talk.unread(self._now)
        elif talk.dead(self._now):
            self._end(connection, talk, "silent connection")
        elif (answer := talk.requests.overdue(self._now)) is None:
            self._end(connection, talk, "subscription not acknowledged")
        else:
            self._answered(connection, talk, answer)
            talk.requests.retry(self._now)
        self._say(connection, talk)
        if talk.ping(self._now):
            self._todo.sends.append(Send(connection, self._dialect.ping))
        if len(self._talks) == 1 and talk.overlap(self._now):
            self._todo.overlap = True

    def _hand_over(self) -> None:
        """The second connection brings everything that the first does: that one may go."""
        if len(self._talks) > 1:
            (connection, first), (_, second), *_ = self._talks.items()
            if second.takes_over(first, self._now):
                self._end(connection, first, "planned")

    def _end(self, connection: int, talk: Talk, cause: str, detail: str = "", *, next_host: bool = False) -> None:
        if not talk.ending:
            talk.ending = True
            self._todo.ends.append(End(connection, cause, detail, next_host))

    def _say(self, connection: int, talk: Talk) -> None:
        said, granted = talk.requests.due(self._now)
        self._todo.sends += [Send(connection, message.text) for message in said]
        self._answered(connection, talk, Answer(granted))

    def _answered(self, connection: int, talk: Talk, answer: Answer) -> None:
        for kind, market_id in ((channel.kind, channel.market_id) for channel in answer.granted):
            if kind is Kind.TRADES:
                carriers = self._carried.setdefault(market_id, set())
                if not carriers or market_id in self._rejoined:
                    self._rejoined.discard(market_id)
                    self._take(self.streams[market_id].joined(talk.server_time, self._received, self._now))
                carriers.add(connection)
            elif kind is Kind.BOOK:
                talk.shelf.granted(market_id, self._now)
        for channel in answer.refused:
            wait = self._refusals.refused(channel, self._now)
            self.tally.refused += 1
            what = f"{channel.kind} of {channel.market_id}: {answer.message}; asked for again in {wait:.0f} s"
            self._notice("refused", answer.code, what, channel.market_id)

    def _act_on_deafness(self) -> None:
        if not self._ladder.waiting:
            return
        for connection, talk in self._talks.items():
            step = None if talk.ending else self._ladder.step(talk.carried())
            if step is None:
                continue
            self._notice("silent", str(step.rung), f"the venue traded and did not tell of {step.named}: {step.act}")
            if step.act == "resubscribe":
                self._rejoined.update(step.market_ids)
                talk.requests.anew([Channel(Kind.TRADES, market_id) for market_id in step.market_ids])
            else:
                self._end(connection, talk, "silent stream", step.named, next_host=step.act == "next host")

    def _books(self, *, all_of_them: bool = False) -> None:
        """Books are told by the first connection; each connection's are begun again where they broke."""
        for at, (connection, talk) in enumerate(self._talks.items()):
            made = talk.shelf.due(self._now, all_of_them=all_of_them)
            if not at:
                self._todo.records += made
                self.tally.conflated[Kind.BOOK] += talk.shelf.dropped
            talk.shelf.dropped = 0
            fetch, subscribe = talk.shelf.begin_again(self._now)
            self._todo.wanted += [Snapshot(connection, market_id) for market_id in fetch]
            if subscribe:
                talk.requests.anew([Channel(Kind.BOOK, market_id) for market_id in subscribe])

    def _arrived(self, market_id: str, trades: Sequence[Trade], event_time: int, *, snapshot: bool = False) -> None:
        if market_id in self.streams:
            stream = self.streams[market_id]
            self._take(stream.arrived(trades, self._received, event_time, self._now, snapshot=snapshot))

    def _record(self, talk: Talk, event: news.News) -> Record:
        """Where the venue tells no time, that of its clock."""
        offset = self.tally.offset.ms
        shown = talk.seen if offset is None else self._received // 1000 - offset
        return news.record(event, self.instruments[event.market_id], news.time_of(event) or shown, self._received)

    def _answer(self, connection: int, talk: Talk, told: Acknowledged | Refused) -> None:
        if isinstance(told, Acknowledged):
            self._answered(connection, talk, talk.requests.acknowledged(told))
            return
        answer = talk.requests.refused(told)
        self._answered(connection, talk, answer)
        if answer.unknown:
            self._notice("refused", told.code, told.message)

    def _announce(self, talk: Talk, told: Announced) -> None:
        self._notice(told.kind, told.code, told.message, told.market_id)
        if told.kind == "closing":
            talk.closing(self._now)
        elif told.kind == "listing":
            self._todo.listing = True
        elif told.kind in ("maintenance", "resumed"):
            self.maintenance = told.message if told.kind == "maintenance" else None

    def _carrier(self, market_id: str) -> Talk | None:
        return next((self._talks[one] for one in self._carried.get(market_id, ()) if one in self._talks), None)

    def _take(self, outcome: Outcome) -> None:
        self._todo.records += outcome.records
        self._todo.wanted += outcome.wanted

    def _notice(self, kind: NoticeKind, code: str, message: str, market_id: str | None = None) -> None:
        instrument = self.instruments.get(market_id) if market_id is not None else None
        symbol = instrument.symbol if instrument else None
        self._todo.notices.append(Notice(self._dialect.name, self._received, kind, code, message, symbol))

    def _done(self) -> Todo:
        todo, self._todo = self._todo, Todo()
        return todo
