"""The `tapeflow` command. Every subcommand is a few lines here; its work lies in the module of the same name."""

import contextlib
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from infra.settings import Settings, UserError, load_settings
from tapeflow import __version__

app = typer.Typer(
    name="tapeflow",
    help="Algorithmic crypto trading as a dataflow on Kafka: exact candles, signals and orders from the venue's own tape.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
replay_app = typer.Typer(help="Run recorded market data through the real pipeline.", rich_markup_mode=None)
app.add_typer(replay_app, name="replay")


def main() -> None:
    """Run the command line: 0 when all went well, 2 for bad input (one line), 130 or 143 when interrupted."""
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    try:
        code = app(standalone_mode=False)
    except UserError as error:
        _fail(str(error))
    except typer.TyperException as error:
        _fail(getattr(error, "format_message", error.__str__)())
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str) -> None:
    sys.stderr.write(f"tapeflow: {' '.join(message.split())}\n")
    sys.exit(2)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"tapeflow {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)


@contextlib.contextmanager
def _servers() -> Iterator[Settings]:
    """Settings with a broker and a database behind them: the configured ones, or embedded ones for as long as this runs."""
    from infra.embedded import running  # noqa: PLC0415 - starting servers is not every command's business

    signal.signal(signal.SIGTERM, _terminated)
    with running(load_settings(), Console(stderr=True)) as settings:
        yield settings


@app.command()
def demo(
    seconds: Annotated[int, typer.Option(min=5, max=86_400, help="How long the market runs, in real seconds.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulated market: the same seed gives the same trades.")] = 7,
    venues: Annotated[str, typer.Option(help="Which venues to simulate, as okx,binance,...")] = "okx",
    json: Annotated[bool, typer.Option("--json", help="No screen; one JSON object on stdout at the end.")] = False,
) -> None:
    """Run the whole flow on simulated venues, 60 times faster than real time, on one live screen.

    Example: tapeflow demo --seconds 60 --seed 7 --venues okx,upbit --json
    """
    from tapeflow.demo import run_demo  # noqa: PLC0415

    signal.signal(signal.SIGTERM, _terminated)
    run_demo(load_settings(), venues=venues, seconds=seconds, seed=seed, as_json=json)


@app.command()
def up() -> None:
    """Run on the venue's live public feeds with a paper account, until Ctrl-C.

    Markets and strategy come from TAPEFLOW_* variables; KAFKA_BOOTSTRAP and DATABASE_URL point at real servers. Each venue has a
    producer of its own.

    Example: TAPEFLOW_MARKETS=okx:BTC/USDT,bybit:BTC/USDT:USDT tapeflow up
    """
    from tapeflow.up import run_up  # noqa: PLC0415

    with _servers() as settings:
        run_up(settings)


@replay_app.command("capture")
def replay_capture(
    file: Annotated[Path, typer.Argument(help="A recording: gzipped lines of {received, conn, data}, or a folder of them.")],
    venue: Annotated[str, typer.Option(help="Whose protocol the recording speaks.")],
    instruments: Annotated[
        Path | None, typer.Option(help="The venue's own instrument list. Default: instruments.json beside the recording.")
    ] = None,
    candles: Annotated[Path | None, typer.Option(help="Write the candles to this CSV file.")] = None,
    timeframe: Annotated[str, typer.Option(help="Which candles to write: 1m, 5m, 15m, 1h or all.")] = "1m",
    speed: Annotated[
        float | None, typer.Option(min=0.001, help="How many times as fast as it was received. Default: as fast as it goes.")
    ] = None,
) -> None:
    """Run a recording through the real parsers, Kafka and the pipeline, in topics of its own that are removed afterwards.

    Example: tapeflow replay capture okx.ws.ndjson.gz --venue okx --candles out.csv --speed 10
    """
    from tapeflow.replay import Replay  # noqa: PLC0415

    folder = file if file.is_dir() else file.parent
    wanted = Replay(file, venue, instruments or folder / "instruments.json", candles, timeframe, speed)
    wanted.check()
    with _servers() as settings:
        summary = wanted.run(settings)
    Console(stderr=True).print(summary, soft_wrap=True)


@app.command()
def record(
    out: Annotated[Path, typer.Option(help="The folder to write to; it is made.")],
    markets: Annotated[str | None, typer.Option(help="What to record, as venue:symbol,... Default: TAPEFLOW_MARKETS.")] = None,
    seconds: Annotated[int, typer.Option(min=0, help="Stop after so many seconds; 0 means at Ctrl-C.")] = 0,
    max_mb: Annotated[int, typer.Option(min=1, help="What all files may take; the oldest are removed.")] = 10_000,
    rotate_mb: Annotated[int, typer.Option(min=1, help="What one file may take before the next is begun.")] = 100,
) -> None:
    """Write every frame that the venues send to gzipped files, each with when it was received and on which connection.

    Example: tapeflow record --markets okx:BTC/USDT,upbit:BTC/KRW --out tape --seconds 600
    """
    from tapeflow.record import Recording  # noqa: PLC0415

    settings = load_settings(markets=markets) if markets else load_settings()
    Recording(settings, out, seconds, max_mb * 1_000_000, rotate_mb * 1_000_000).run(Console(stderr=True))


@app.command()
def backfill(
    venue: Annotated[str, typer.Option(help="ccxt's name of the venue.")],
    symbol: Annotated[str, typer.Option(help="As ccxt unifies it: BTC/USDT, BTC/USDT:USDT.")],
    since: Annotated[str, typer.Option("--from", help="The beginning, as 2026-01-31 or 2026-01-31T12:00 (UTC).")],
    until: Annotated[str | None, typer.Option("--to", help="The end, which is not part of it. Default: now.")] = None,
    timeframe: Annotated[str, typer.Option(help="Which candles: 1m, 5m, 1h, 1d or what else the venue has.")] = "1m",
    trades: Annotated[bool, typer.Option("--trades", help="Trades instead of candles.")] = False,
    out: Annotated[Path | None, typer.Option(help="The CSV file to write, gzipped if its name ends in .gz.")] = None,
) -> None:
    """Fetch a venue's past into a file: every candle or trade once, in order, in the venue's own digits.

    Stopped, the same command goes on where it was. Ends with 3 when something is missing, and says what.

    Example: tapeflow backfill --venue okx --symbol BTC/USDT --from 2026-01-01 --to 2026-02-01 --timeframe 1m --out btc.csv.gz
    """
    from tapeflow.backfill import Backfill  # noqa: PLC0415

    wanted = Backfill(venue, symbol, since, until, None if trades else timeframe, out)
    raise typer.Exit(wanted.run(load_settings(), Console(stderr=True)))


@app.command()
def topics(
    create: Annotated[bool, typer.Option("--create", help="Create what is missing on the broker.")] = False,
) -> None:
    """Show the table of topics.

    Example: tapeflow topics --create
    """
    from infra import topics as broker  # noqa: PLC0415
    from schemas.topics import TOPICS  # noqa: PLC0415

    if create:
        with _servers() as settings:
            broker.create(settings)
    table = Table("topic", "record", "key", "partitions", "clean-up")
    for topic in TOPICS:
        table.add_row(
            topic.name, topic.record.__name__, topic.key, str(topic.partitions), "compact" if topic.compact else "delete"
        )
    Console().print(table)


@app.command()
def tail(
    topic: Annotated[str, typer.Argument(help="A topic's name, as `tapeflow topics` shows it.")],
    beginning: Annotated[bool, typer.Option("--beginning", help="From the oldest record on.")] = False,
    count: Annotated[int, typer.Option(min=0, help="Stop after so many records; 0 means never.")] = 0,
) -> None:
    """Print a topic's decoded records, one JSON object a line.

    Example: tapeflow tail signals --beginning --count 10
    """
    from tapeflow.tail import tail as print_records  # noqa: PLC0415
    from tapeflow.tail import topic_named  # noqa: PLC0415

    print_records(load_settings(), topic_named(topic), beginning=beginning, count=count)


@app.command()
def status(
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Show what runs, how far behind each stage is and what is stored.

    Example: tapeflow status --json
    """
    from tapeflow.status import report  # noqa: PLC0415

    report(load_settings(), as_json=json)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema.

    Example: DATABASE_URL=postgresql://tapeflow@localhost/tapeflow tapeflow migrate
    """
    from sql.migrate import migrate as apply  # noqa: PLC0415
    from tapeflow.stored import connect  # noqa: PLC0415

    with _servers() as settings:
        connect(settings).close()
        applied = apply(settings.database_url or "")
    Console().print("\n".join(f"applied {name}" for name in applied) or "the schema is up to date")


@app.command()
def doctor() -> None:
    """Check this machine and its settings, and say what to do about what is missing.

    Example: tapeflow doctor
    """
    from tapeflow.doctor import examine  # noqa: PLC0415

    findings = examine(load_settings())
    signs = {"good": "[green]ok[/]", "note": "[yellow]note[/]", "bad": "[red]bad[/]"}
    table = Table(box=None, show_header=False)
    for finding in findings:
        table.add_row(signs[finding.verdict], finding.what, finding.detail)
    Console().print(table)
    if any(finding.verdict == "bad" for finding in findings):
        raise typer.Exit(1)


@app.command(hidden=True)
def run(part: Annotated[str, typer.Argument(help="One of the system's parts.")]) -> None:
    """Run one part in this process: what the supervisor starts."""
    from tapeflow.parts import run as run_part  # noqa: PLC0415

    run_part(part, load_settings())
