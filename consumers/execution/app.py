"""The execution core in its quixstreams shell: one ordered log in, what was decided out."""

from functools import partial
from typing import Any, Final

from quixstreams import Application, message_context
from quixstreams.state import State

from consumers.execution import fold
from consumers.execution.desk import Output
from consumers.execution.strategy import StrategySettings
from infra import stream
from infra.settings import Settings, UserError
from schemas import codec, topics
from schemas.market import DeadLetter
from schemas.trading import Input

PART: Final = "execution"

OUTPUTS: Final = (
    topics.INTENTS,
    topics.ORDERS,
    topics.FILLS,
    topics.POSITIONS,
    topics.REFUSALS,
    topics.DEAD_LETTERS,
)


def strategy_settings(settings: Settings) -> StrategySettings:
    """What the strategy takes from the system's settings."""
    return StrategySettings(
        account=settings.account,
        position_quote=settings.position_quote,
        stop_percent=settings.stop_percent,
        target_percent=settings.target_percent,
        fee_rate=settings.fee_rate,
    )


def build(app: Application, settings: Settings) -> None:
    """Fold the inputs of each market, publish each output to its topic."""
    inputs = app.dataframe(stream.topic(app, settings, topics.INPUTS))
    outputs = inputs.apply(partial(_fold_message, strategy_settings(settings)), stateful=True, expand=True, metadata=True)
    stream.publish(app, settings, outputs, OUTPUTS)


def run(settings: Settings) -> None:
    """Decide until told to stop by SIGTERM or SIGINT. Raises UserError for state that this version cannot read."""
    app = stream.application(settings, PART, topics.INPUTS)
    build(app, settings)
    stream.ready(settings, PART)
    try:
        app.run()
    except fold.StateError as error:
        raise UserError(str(error)) from error


def _fold_message(
    settings: StrategySettings, raw: bytes | None, _key: bytes, timestamp: int, _headers: Any, state: State[Any, Any]
) -> list[Output | DeadLetter]:
    """One step on the state of this market and account; what cannot be understood changes nothing and is set aside."""
    desk = f"{settings.account}|{settings.name}"
    before = state.get_bytes(desk)
    try:
        after, outputs = fold.step(before, codec.decode_as(Input, raw or b""), settings)
    except codec.DecodeError as error:
        context = message_context()
        source = topics.INPUTS.name
        return [DeadLetter(source, context.partition, context.offset, str(error), raw or b"", timestamp * 1000)]
    if after is not None and after is not before:
        state.set_bytes(desk, after)
    return list(outputs)
