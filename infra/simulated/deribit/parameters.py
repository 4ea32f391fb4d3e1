"""The parameters of one request to Deribit: JSON values over the websocket, texts over REST."""

from collections.abc import Mapping
from typing import Any

from infra.simulated.deribit.board import DeribitBoard


class RpcError(Exception):
    """A request that Deribit refuses: a JSON-RPC error, with the HTTP status it has over REST."""

    def __init__(self, code: int, message: str, data: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code, self.data = code, data

    @classmethod
    def invalid(cls, param: str, reason: str) -> "RpcError":
        """Return the error of a parameter that is missing or makes no sense."""
        return cls(-32602, "Invalid params", {"reason": reason, "param": param})


class Parameters:
    """What a request gives, one by one. Everything raises RpcError."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given

    def given(self, name: str) -> bool:
        """Whether it is there at all."""
        return self._given.get(name) is not None

    def text(self, name: str, default: str) -> str:
        """Return a text."""
        value = self._given.get(name, default)
        if not isinstance(value, str):
            raise RpcError.invalid(name, "wrong format")
        return value

    def required(self, name: str) -> str:
        """Return a text that has to be there."""
        if not self.given(name):
            raise RpcError.invalid(name, "value required")
        return self.text(name, "")

    def number(self, name: str, default: int | None) -> int:
        """Return a whole number; without a default it has to be there."""
        value = self._given.get(name, default)
        if value is None:
            raise RpcError.invalid(name, "value required")
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise RpcError.invalid(name, "wrong format")
        return value

    def flag(self, name: str) -> bool:
        """Return whether it is set."""
        return self._given.get(name) in {True, "true"}

    def instrument(self, board: DeribitBoard) -> str:
        """Return the instrument that is asked for."""
        name = self.required("instrument_name")
        if name not in board.board.listings:
            raise RpcError(13020, "not_found")
        return name

    def texts(self, name: str) -> list[str]:
        """Return a list of texts that has to be there."""
        value = self._given.get(name)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise RpcError.invalid(name, "wrong format")
        return value
