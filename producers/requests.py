"""What is asked for on one connection and what the venue says to that: numbers, acknowledgements, refusals, pace.

`now` is seconds of a clock that never runs back.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from producers.dialect import Acknowledged, Channel, Dialect, Message, Refused

ACKNOWLEDGE_S: Final = 5.0
DOUBT_S: Final = 2.0  # how long a venue that acknowledges nothing may take to refuse
FIRST_RETRY_S: Final = 10.0
LONGEST_RETRY_S: Final = 3_600.0
UNANSWERED: Final = "not acknowledged"


class _Retry(Struct):
    times: int
    at: float


class Refusals:
    """Channels that a venue has refused, across the connections of a session: each asked for again at growing intervals."""

    def __init__(self) -> None:
        self._found: dict[Channel, _Retry] = {}

    def refused(self, channel: Channel, now: float) -> float:
        """Note another refusal; returns in how many seconds it is asked for again."""
        retry = self._found.setdefault(channel, _Retry(0, now))
        wait = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0**retry.times)
        retry.times, retry.at = min(retry.times + 1, 20), now + wait
        return wait

    def granted(self, channels: Iterable[Channel]) -> None:
        """Forget what was refused before."""
        if self._found:
            for channel in channels:
                self._found.pop(channel, None)

    def waiting(self, now: float) -> set[Channel]:
        """Those that are not to be asked for yet."""
        return {channel for channel, retry in self._found.items() if retry.at > now}


class Answer(Struct, frozen=True):
    """What became of channels: those granted now, and those refused with the venue's code and words.

    `unknown`: what was refused is not known.
    """

    granted: tuple[Channel, ...] = ()
    refused: tuple[Channel, ...] = ()
    code: str = ""
    message: str = ""
    unknown: bool = False


class _Wish(Struct, frozen=True):
    """Channels to ask for, or to give up; it becomes messages when its turn comes, as these depend on what is held then."""

    channels: list[Channel]
    again: bool = False
    give_up: bool = False


class _Open(Struct):
    """A message that was said. `channels` are those still without an answer."""

    channels: list[Channel]
    said: float
    again: bool


class Requests:
    """One connection's. `due` gives what may be said now; whatever is not granted is asked for once more, or was refused."""

    def __init__(self, dialect: Dialect, channels: Sequence[Channel], refusals: Refusals, now: float) -> None:
        self._dialect = dialect
        self._channels = channels
        self._refusals = refusals
        self._ready: deque[tuple[Message, bool]] = deque((message, False) for message in dialect.greeting())
        self._wishes: deque[_Wish] = deque()
        self._open: dict[int, _Open] = {}
        self._number = 1 + max((message.request or 0 for message, _ in self._ready), default=0)
        self._unnumbered = -1
        self._next = now
        self._alone = False  # after a refusal of several: one request at a time, so that each answer has its request
        self.granted: set[Channel] = set()
        self.answered: set[Channel] = set()
        """All that were ever granted, also those that were given up since."""
        waiting = refusals.waiting(now)
        self._ask([channel for channel in channels if channel not in waiting])

    @property
    def settled(self) -> bool:
        """Whether everything that was asked for is answered."""
        return not (self._wishes or self._ready or self._open)

    def due(self, now: float) -> tuple[list[Message], tuple[Channel, ...]]:
        """What may be said now, at the venue's pace, and what is granted by that alone."""
        said: list[Message] = []
        granted: tuple[Channel, ...] = ()
        while now >= self._next and not (self._alone and self._busy(now)):
            if not self._ready and self._wishes:
                granted += self._prepare(self._wishes.popleft())
            if not self._ready:
                break
            message, again = self._ready.popleft()
            self._next = now + 1.0 / self._dialect.limits.messages_per_s
            granted += self._say(message, again, now)
            said.append(message)
        return said, granted

    def acknowledged(self, told: Acknowledged) -> Answer:
        """The venue grants. Where it names channels as well as a request, it refuses the request's others."""
        named = [channel for channel in told.channels if self._take(channel)]
        request = None if told.request is None else self._open.pop(told.request, None)
        granted = self._grant(named if request is None or told.channels else request.channels)
        if request is None or not told.channels:
            return Answer(granted)
        return Answer(granted, tuple(request.channels), "missing", "not among the channels that the venue acknowledged")

    def refused(self, told: Refused) -> Answer:
        """The venue refuses. What it refuses as a whole is asked for again in halves, until one channel is to blame."""
        if told.channels:
            blamed = [channel for channel in told.channels if self._take(channel)]
        else:  # venues answer in the order in which they were asked
            number = told.request if told.request is not None else next(iter(self._open), -1)
            request = self._open.pop(number, None)
            blamed = request.channels if request else []
        self.granted.difference_update(blamed)
        if len(blamed) > 1 and not told.channels:
            self._alone = True
            middle = len(blamed) // 2
            self._wishes.extendleft((_Wish(blamed[middle:]), _Wish(blamed[:middle])))
            return Answer()
        return Answer((), tuple(blamed), told.code, told.message, unknown=not blamed)

    def overdue(self, now: float) -> Answer | None:
        """What was asked for twice and not answered. None when the venue has not answered anything at all."""
        patience = ACKNOWLEDGE_S if self._dialect.acknowledges else DOUBT_S
        late = [number for number, request in self._open.items() if now - request.said > patience]
        requests = [self._open.pop(number) for number in late]
        if not self._dialect.acknowledges:
            return Answer()
        for request in requests:
            if not request.again:
                self._ask(request.channels, again=True)
        unanswered = tuple(channel for request in requests if request.again for channel in request.channels)
        if unanswered and not self.answered:
            return None
        return Answer((), unanswered, UNANSWERED, f"no answer within {ACKNOWLEDGE_S:.0f} s, twice")

    def retry(self, now: float) -> None:
        """Ask again, one by one, for what was refused long enough ago."""
        if self.settled and len(self.granted) < len(self._channels):
            waiting = self._refusals.waiting(now)
            for channel in self._channels:
                if channel not in self.granted and channel not in waiting:
                    self._ask([channel])

    def unread(self, now: float) -> None:
        """Nothing is read just now, answers neither."""
        for request in self._open.values():
            request.said = now

    def anew(self, channels: Sequence[Channel]) -> None:
        """Give channels up and ask for them again."""
        held = [channel for channel in channels if channel in self.granted]
        self.granted.difference_update(held)
        if held:
            self._wishes.append(_Wish(held, give_up=True))
        self._ask(list(channels))

    def _ask(self, channels: list[Channel], *, again: bool = False) -> None:
        if channels:
            self._wishes.append(_Wish(channels, again))

    def _prepare(self, wish: _Wish) -> tuple[Channel, ...]:
        """Make messages of it. Channels that none of them names come with what is held already."""
        asked = {channel for request in self._open.values() for channel in request.channels}
        held = [channel for channel in self._channels if channel in self.granted or channel in asked]
        if wish.give_up:  # nobody waits for the answer
            messages = self._dialect.unsubscribe(wish.channels, held, self._number)
            self._ready += ((Message(message.text), wish.again) for message in messages)
        else:
            messages = self._dialect.subscribe(wish.channels, held, self._number)
            self._ready += ((message, wish.again) for message in messages)
        self._number = max((self._number, *((message.request or 0) + 1 for message in messages)))
        named = {channel for message in messages for channel in message.channels}
        return () if wish.give_up else self._grant([channel for channel in wish.channels if channel not in named])

    def _say(self, message: Message, again: bool, now: float) -> tuple[Channel, ...]:
        if not message.channels:
            return ()
        number = message.request
        if number is None:
            number, self._unnumbered = self._unnumbered, self._unnumbered - 1
        self._open[number] = _Open(list(message.channels), now, again)
        return () if self._dialect.acknowledges else self._grant(message.channels)

    def _busy(self, now: float) -> bool:
        """Whether an answer may still come to what was said last."""
        return any(self._dialect.acknowledges or now - request.said <= DOUBT_S for request in self._open.values())

    def _take(self, channel: Channel) -> bool:
        """Whether a channel is one of ours; it waits for no answer any more."""
        for number, request in self._open.items():
            if channel in request.channels:
                request.channels.remove(channel)
                if not request.channels:
                    del self._open[number]
                return True
        return channel in self._channels

    def _grant(self, channels: Sequence[Channel]) -> tuple[Channel, ...]:
        new = tuple(channel for channel in channels if channel not in self.granted)
        self.granted.update(new)
        self.answered.update(new)
        self._refusals.granted(new)
        return new
