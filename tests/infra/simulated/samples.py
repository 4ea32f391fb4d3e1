"""A simulated venue without sockets, and the shape of what it says compared with messages of the real one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.simulated.exchange import Answer, Exchange, Opening, Talk
from infra.simulated.faults import Faults
from infra.simulated.feeds import Feed, Frame, Moment
from infra.simulated.market import random_market
from infra.simulated.session import Session

START = 1_767_571_200_000  # 2026-01-05T00:00:00Z


def moment(ms: int = 0, *, seconds: float | None = None, skew: int = 0) -> Moment:
    """The market's start and so many ms; the venue's watch goes as fast unless it is set."""
    return Moment(START + ms, START + ms + skew, ms / 1000 if seconds is None else seconds, ms / 1000)


def decoded(frame: Frame) -> Any:
    return json.loads(frame)


class Speaking:
    """One venue and what it says."""

    def __init__(self, opening: Opening, count: int = 8, history: int = 500) -> None:
        self.market = random_market(7, opening.listings(count, 1.0), START, history, salt="test")
        self.exchange: Exchange = opening.exchange(self.market)

    def talk(self, path: str, now: Moment | None = None) -> Talk:
        assert self.exchange.accepts(path, {})
        return self.exchange.talk(path, {}, "13ac3a8f", now or moment())

    def pushed(self, path: str, request: Any, until: int = 10_000) -> list[Any]:
        """Everything that is pushed after a request, asked for ten times until a time."""
        talk = self.talk(path)
        list(talk.hear(request if isinstance(request, str) else json.dumps(request), moment()))
        return [decoded(frame) for frame in due(talk, until)]

    def answered(self, path: str, request: Any) -> list[Any]:
        said = request if isinstance(request, str) else json.dumps(request)
        return [decoded(frame) for frame in self.talk(path).hear(said, moment())]

    def answer(self, path: str, at: int = 0, **query: str) -> Answer:
        return self.exchange.rest("GET", path, query, b"", moment(at))

    def ask(self, path: str, at: int = 0, **query: str) -> Any:
        """The body of an answer."""
        return body(self.answer(path, at, **query))


def due(talk: Talk, until: int, since: int = 0, steps: int = 10) -> Iterator[Frame]:
    """What a connection's feeds have to say until a time, asked several times."""
    for step in range(1, steps + 1):
        feeds: list[Feed] = sorted(talk.feeds.values(), key=lambda feed: not feed.of_trades)
        for feed in feeds:
            yield from feed.due(moment(since + (until - since) * step // steps))


def body(answer: Answer) -> Any:
    return json.loads(answer.body) if isinstance(answer.body, str) else answer.body


def closed_after(speaking: Speaking, path: str, seconds: int, *, said: dict[int, str]) -> int | None:
    """After how many seconds of the venue's watch a connection on which this is said is ended; None when it is not."""
    session = Session(speaking.exchange, speaking.talk(path, moment(0, seconds=0.0)), Faults(), moment(0, seconds=0.0))
    for second in range(seconds + 1):
        now = moment(0, seconds=float(second))
        if second in said:
            session.receive(said[second], now)
        list(session.due(now))
        if session.over(now) is not None:
            return second
    return None


def shape(value: object) -> object:
    """Objects by field, arrays by the shapes of their elements, everything else by its JSON type."""
    if isinstance(value, dict):
        return {field: shape(value[field]) for field in sorted(value)}
    if isinstance(value, list):
        shapes: list[object] = []
        for inner in value:
            if (one := shape(inner)) not in shapes:
                shapes.append(one)
        return shapes
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def samples(shared: Path, venue: str, kind: str, source: str = "") -> list[Any]:
    """The recorded messages of a kind whose source holds a text."""
    entries = json.loads((shared / "wire" / venue / f"{kind}.json").read_text())
    found = [entry["message"] for entry in entries if source in entry["source"]]
    assert found, f"no sample of {kind} from {source}"
    return found
