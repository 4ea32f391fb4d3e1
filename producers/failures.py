"""What becomes of a REST request that fails: the kinds of errors, and which of ccxt's is which."""

import ccxt
from tenacity import AsyncRetrying, retry_if_exception, wait_random_exponential

from producers.clock import Clock
from producers.dialect import FrameError


class RestError(Exception):
    """The venue does not answer, or answers with an error. `again`: whether the same request may succeed later."""

    again = True


class RefusedError(RestError):
    """The venue says that the request itself is wrong."""

    again = False


class RateLimitedError(RestError):
    """We have asked often enough for now."""


class MaintenanceError(RestError):
    """The venue says that it is being worked on."""


def of(error: ccxt.BaseError) -> RestError:
    """One of ours for one of ccxt's."""
    match error:
        case ccxt.OnMaintenance():
            kind: type[RestError] = MaintenanceError
        case ccxt.RateLimitExceeded() | ccxt.DDoSProtection():
            kind = RateLimitedError
        case ccxt.BadRequest() | ccxt.ArgumentsRequired() | ccxt.NotSupported() | ccxt.AuthenticationError():
            kind = RefusedError
        case _:
            kind = RestError
    return kind(line(error))


def line(error: Exception) -> str:
    """Kind and words of an error, in one line."""
    return " ".join(f"{type(error).__name__} {error}".split())[:300]


def patiently(seconds: float, clock: Clock | None = None) -> AsyncRetrying:
    """Attempts that are repeated, ever more slowly, while the venue fails; the last error is raised after so many seconds.

    What the venue refuses is not repeated.
    """
    clock = clock or Clock()
    deadline = clock.now() + seconds
    return AsyncRetrying(
        retry=retry_if_exception(lambda error: isinstance(error, FrameError) or (isinstance(error, RestError) and error.again)),
        wait=wait_random_exponential(multiplier=0.2, max=5),
        stop=lambda _: clock.now() >= deadline,
        sleep=clock.sleep,
        reraise=True,
    )
