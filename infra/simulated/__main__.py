"""`python -m infra.simulated`: the simulated venue on its own."""

import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from infra.settings import UserError
from infra.simulated.server import serve
from infra.simulated.venue import SimulatedVenueConfig


def main(
    seed: Annotated[int, typer.Option(help="What the random market grows from.")] = 7,
    speed: Annotated[float, typer.Option(help="Market seconds a real second.")] = 60.0,
    instruments: Annotated[int, typer.Option(help="How many instruments each venue lists.")] = 8,
    start: Annotated[datetime, typer.Option(help="Where the market's clock starts, UTC.")] = datetime(2026, 1, 5, tzinfo=UTC),
    minutes: Annotated[int | None, typer.Option(help="End trading after so many market minutes.")] = None,
    history: Annotated[int, typer.Option(help="Market minutes of earlier history.")] = 500,
    pace: Annotated[float, typer.Option(help="Multiplies how often is traded.")] = 1.0,
    hold: Annotated[bool, typer.Option(help="Start a venue's clock at the first subscription to its trades.")] = True,
    venues: Annotated[str, typer.Option(help="Which venues to open, by ccxt's ids.")] = "okx",
    haste: Annotated[float, typer.Option(help="Seconds on the venues' watches (idle ends, faults) a real second.")] = 1.0,
    capture: Annotated[Path | None, typer.Option(help="A recorded capture to be the market instead.")] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 0,
    ready_file: Annotated[Path | None, typer.Option(help="Where to write the port once it is open.")] = None,
) -> None:
    """Run venues on loopback, each below its ccxt id, until Ctrl-C or SIGTERM.

    Example: python -m infra.simulated --venues okx,binance --seed 7 --speed 60 --port 8700
    """
    start_ms = int(start.replace(tzinfo=UTC).timestamp() * 1000)
    named = tuple(dict.fromkeys(name.strip() for name in venues.split(",") if name.strip()))
    config = SimulatedVenueConfig(seed, instruments, start_ms, speed, hold, minutes, history, pace, capture, named, haste)

    def ready(bound: int) -> None:
        if ready_file is not None:
            unfinished = ready_file.with_name(ready_file.name + ".part")
            unfinished.write_text(str(bound))
            unfinished.replace(ready_file)
        for name in named:
            typer.echo(f"simulated {name} on http://{host}:{bound}/{name} and ws://{host}:{bound}/{name}")

    # uvicorn raises the signal that ended it once more after it has closed everything: end well, not by the signal.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: sys.exit(0))
    try:
        asyncio.run(serve(config, host, port, ready))
    except (UserError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(main)
