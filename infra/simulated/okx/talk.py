"""What is said on one websocket connection to OKX v5.

    {"op":"subscribe","args":[{"channel":"trades","instId":"BTC-USDT"}],"id":"1"}
    {"id":"1","event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"},"connId":"4adc328c"}

Errors are answered with the codes 60012 (not a request), 60018 (no such channel on this address, or no such instrument) and
60014 (more than 480 requests within an hour).
"""

import json
from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from infra.simulated.board import Board
from infra.simulated.encoded import text
from infra.simulated.exchange import Close
from infra.simulated.feeds import Feed, Moment
from infra.simulated.okx.channels import feed
from infra.simulated.okx.encoding import push, status_row

_REQUESTS = 480  # of subscribing and unsubscribing that a connection may make
_HOUR_S = 3600.0
_STATUS = {"channel": "status"}


class Talk:
    """One client's subscriptions and the answers to what it says."""

    def __init__(self, board: Board, address: str, connection: str) -> None:
        self._board, self._address, self._connection = board, address, connection
        self.feeds: dict[Hashable, Feed] = {}
        self._requests: deque[float] = deque()

    def greet(self, now: Moment) -> Iterable[str]:  # noqa: ARG002 - OKX waits for the client
        """Say nothing."""
        return ()

    def hear(self, said: str, now: Moment) -> list[str]:
        """Answer a ping, or each argument of a request."""
        if (pong := self.heartbeat(said, now)) is not None:
            return pong
        try:
            request = json.loads(said)
            operation, args = request["op"], request["args"]
            fine = operation in {"subscribe", "unsubscribe"} and args and all(_is_arg(arg) for arg in args)
        except (ValueError, KeyError, TypeError):
            request, fine = {}, False
        if not fine:
            return [self._error("60012", f"Illegal request: {said}", request)]
        if self._too_many(now):
            return [self._error("60014", "Requests too frequent", request)]
        return [self._answer(request, operation, arg, now) for arg in args]

    def heartbeat(self, said: str, now: Moment) -> list[str] | None:  # noqa: ARG002 - part of the contract
        """`ping` is answered with `pong`."""
        return ["pong"] if said == "ping" else None

    def beats(self, now: Moment) -> Iterable[str]:  # noqa: ARG002 - part of the contract
        """Send none: the client is to ping."""
        return ()

    def over(self, now: Moment) -> Close | None:  # noqa: ARG002 - part of the contract
        """Never for a reason of its own."""
        return None

    def notice(self, seconds: float, now: Moment) -> list[str]:  # noqa: ARG002 - OKX does not say when
        """Announce the end of this connection."""
        message = "The connection will soon be closed for a service upgrade. Please reconnect."
        return [self._event({"event": "notice", "msg": message, "code": "64008"})]

    def maintenance(self, seconds: float, now: Moment) -> list[str]:
        """Push the maintenance to who follows `status`, and announce the end to all."""
        row = status_row(now.told, now.told + int(seconds * 1000), now.told)
        told = [push(_STATUS, row)] if tuple(_STATUS.items()) in self.feeds else []
        return [*told, *self.notice(seconds, now)]

    def _answer(self, request: Mapping[str, Any], operation: str, arg: Mapping[str, str], now: Moment) -> str:
        """Subscribe to one channel, or leave it, and return the acknowledgement or the error."""
        key = tuple(sorted(arg.items()))
        if operation == "subscribe" and key not in self.feeds:
            opened = feed(self._board, self._address, arg, now)
            if opened is None:
                wanted = ",".join(f"{field}:{value}" for field, value in arg.items())
                advice = "Please use the correct URL, channel and parameters referring to API document."
                return self._error("60018", f"Wrong URL or {wanted} doesn't exist. {advice}", request)
            self.feeds[key] = opened
        if operation == "unsubscribe":
            self.feeds.pop(key, None)
        return self._event({**_id_of(request), "event": operation, "arg": dict(arg)})

    def _too_many(self, now: Moment) -> bool:
        self._requests.append(now.seconds)
        while self._requests[0] <= now.seconds - _HOUR_S:
            self._requests.popleft()
        return len(self._requests) > _REQUESTS

    def _error(self, code: str, message: str, request: Mapping[str, Any]) -> str:
        return self._event({**_id_of(request), "event": "error", "msg": message, "code": code})

    def _event(self, event: dict[str, Any]) -> str:
        return text({**event, "connId": self._connection})


def _is_arg(arg: object) -> bool:
    return isinstance(arg, dict) and "channel" in arg and all(isinstance(value, str) for value in arg.values())


def _id_of(request: object) -> dict[str, Any]:
    return {"id": request["id"]} if isinstance(request, dict) and "id" in request else {}
