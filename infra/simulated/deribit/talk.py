"""What is said on one connection to Deribit v2: JSON-RPC requests in, answers out, and the channels that were subscribed to.

    {"jsonrpc":"2.0","id":1,"method":"public/subscribe","params":{"channels":["trades.BTC-PERPETUAL.100ms"]}}
    {"jsonrpc":"2.0","id":1,"result":["trades.BTC-PERPETUAL.100ms"],"usIn":..,"usOut":..,"usDiff":..,"testnet":false}

The result lists what was granted: a channel that does not exist is silently missing. Who has set a heartbeat is asked
`test_request` once an interval, and has to say `public/test` before the next one. Requests cost credits.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from infra.simulated.deribit import rpc
from infra.simulated.deribit.board import DeribitBoard
from infra.simulated.deribit.channels import RAW, feeds, is_quiet
from infra.simulated.deribit.encoding import notification, text
from infra.simulated.deribit.parameters import Parameters, RpcError
from infra.simulated.exchange import Close
from infra.simulated.feeds import Feed, Frame, Moment

MOST_CHANNELS = 500  # a request
SHORTEST_HEARTBEAT = 10
_POOL, _REFILL = 30_000, 10_000  # credits to begin with, and those that come back each second
_COSTS = {"public/subscribe": 3000, "public/unsubscribe": 500, "public/test": 0}
_COST = 500


class DeribitTalk:
    """One connection, of somebody who has not logged in."""

    def __init__(self, board: DeribitBoard, now: Moment) -> None:
        self.feeds: dict[Hashable, Feed] = {}
        self._board = board
        self._channels: set[str] = set()
        self._credits, self._counted = float(_POOL), now.seconds
        self._interval: float | None = None
        self._next_beat = self._asked = 0.0
        self._waiting = False
        self._ends: Close | None = None

    def greet(self, now: Moment) -> Iterable[Frame]:  # noqa: ARG002 - the venue says nothing first
        """Say nothing."""
        return ()

    def hear(self, said: str, now: Moment) -> Iterable[Frame]:
        """Answer a request."""
        request = rpc.parsed(said)
        if request is None or not isinstance(request.get("method"), str):
            refusal = RpcError(-32700, "Parse error") if request is None else RpcError(-32600, "Invalid Request")
            return [text(rpc.reply(None, now, error=rpc.error(refusal)))]
        number, method = request.get("id"), request["method"]
        try:
            self._pay(_COSTS.get(method, _COST), now)
            params = request.get("params")
            result = self._answer(method, params if isinstance(params, dict) else {}, now)
        except RpcError as refusal:
            return [text(rpc.reply(number, now, error=rpc.error(refusal)))]
        return [text(rpc.reply(number, now, result=result))]

    def heartbeat(self, said: str, now: Moment) -> Sequence[Frame] | None:
        """Answer a test."""
        request = rpc.parsed(said)
        return list(self.hear(said, now)) if request is not None and request.get("method") == "public/test" else None

    def beats(self, now: Moment) -> Iterable[Frame]:
        """Beat, and ask whether the client is there, once an interval."""
        if self._interval is None or now.seconds < self._next_beat:
            return ()
        self._next_beat = now.seconds + self._interval
        if not self._waiting:
            self._waiting, self._asked = True, now.seconds
        kinds = ("heartbeat", "test_request")
        return [text({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": kind}}) for kind in kinds]

    def over(self, now: Moment) -> Close | None:
        """End when a test was not answered within an interval, or there were too many requests."""
        if self._interval is not None and self._waiting and now.seconds - self._asked >= self._interval:
            return Close(1000, "heartbeat was not answered")
        return self._ends

    def notice(self, seconds: float, now: Moment) -> Iterable[Frame]:  # noqa: ARG002 - the venue never says
        """Say nothing."""
        return ()

    def maintenance(self, seconds: float, now: Moment) -> Iterable[Frame]:  # noqa: ARG002 - it does not say how long
        """Tell those who follow the platform's state."""
        told = {
            "platform_state": {"maintenance": True},
            "platform_state.public_methods_state": {"allow_unauthenticated_public_requests": False},
        }
        return [notification(channel, data) for channel, data in told.items() if channel in self._channels]

    def _pay(self, cost: int, now: Moment) -> None:
        self._credits = min(_POOL, self._credits + (now.seconds - self._counted) * _REFILL) - cost
        self._counted = now.seconds
        if self._credits < 0:
            self._ends = Close(1008, "too_many_requests")
            raise RpcError(10028, "too_many_requests")

    def _answer(self, method: str, params: dict[str, Any], now: Moment) -> Any:
        match method:
            case "public/subscribe":
                return self._subscribe(Parameters(params).texts("channels"), now)
            case "public/unsubscribe":
                return self._unsubscribe(Parameters(params).texts("channels"))
            case "public/unsubscribe_all":
                self._unsubscribe(list(self._channels))
                return "ok"
            case "public/set_heartbeat":
                interval = Parameters(params).number("interval", None)
                if interval < SHORTEST_HEARTBEAT:
                    raise RpcError.invalid("interval", f"value must be at least {SHORTEST_HEARTBEAT}")
                self._interval, self._next_beat, self._waiting = float(interval), now.seconds + interval, False
                return "ok"
            case "public/disable_heartbeat":
                self._interval, self._waiting = None, False
                return "ok"
        if method == "public/test":
            self._waiting = False
        return rpc.call(self._board, method, params, now)

    def _subscribe(self, channels: list[str], now: Moment) -> list[str]:
        if len(channels) > MOST_CHANNELS:
            raise RpcError.invalid("channels", "too many channels")
        if any(channel.endswith(f".{RAW}") for channel in channels):
            raise RpcError(13778, "raw_subscriptions_not_available_for_unauthorized")
        return [channel for channel in dict.fromkeys(channels) if self._granted(channel, now)]

    def _granted(self, channel: str, now: Moment) -> bool:
        if channel not in self._channels:
            opened = feeds(self._board, channel, now)
            if not opened and not is_quiet(channel):
                return False
            self.feeds |= {(channel, feed.name): feed for feed in opened}
            self._channels.add(channel)
        return True

    def _unsubscribe(self, channels: list[str]) -> list[str]:
        left = [channel for channel in dict.fromkeys(channels) if channel in self._channels]
        self._channels -= set(left)
        self.feeds = {key: feed for key, feed in self.feeds.items() if isinstance(key, tuple) and key[0] in self._channels}
        return left
