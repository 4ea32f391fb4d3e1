"""`tapeflow up`: every part, on live public feeds or wherever TAPEFLOW_VENUE_URL points, until Ctrl-C."""

import time
from contextlib import suppress
from typing import Final

from filelock import FileLock, Timeout
from rich.console import Console
from rich.live import Live

from infra import topics as broker
from infra.settings import Settings, UserError
from infra.supervisor import Supervisor
from sql.migrate import migrate
from tapeflow.lag import Lags
from tapeflow.observation import Watch
from tapeflow.parts import command, names
from tapeflow.screen import Frame, draw

_START_S: Final = 120
_REFRESH_S: Final = 1.0


def run_up(settings: Settings) -> None:
    """Run until told to stop. Raises UserError when a part gives up: an unknown symbol, a venue that cannot be reached."""
    console = Console(stderr=True)
    lock = running_lock(settings)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise UserError(f"Tapeflow already runs on {settings.state}; stop it first, or set TAPEFLOW_STATE for another") from None
    with lock:
        _run(settings, console)


def running_lock(settings: Settings) -> FileLock:
    """Held for as long as the system runs on a state directory, however its process ends."""
    folder = settings.state / "run"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / "up.lock")


def _run(settings: Settings, console: Console) -> None:
    with console.status("creating topics and tables"):
        broker.create(settings)
        migrate(settings.database_url or "")
    with Supervisor({name: command(name) for name in names(settings)}, settings.state, settings.environment()) as supervisor:
        with console.status("starting every part"):
            supervisor.wait_ready(_START_S)
        console.print(f"up: API http://{settings.api_host}:{settings.api_port}/docs, logs in {settings.state / 'logs'}")
        if console.is_terminal:
            _screen(settings, console, supervisor)
        else:
            supervisor.wait()


def _screen(settings: Settings, console: Console, supervisor: Supervisor) -> None:
    lags = Lags(settings)
    began = time.monotonic()
    behind: dict[str, int] = {}
    where = f"at {settings.venue_url}" if settings.venue_url else "live"
    title = f"Tapeflow   {', '.join(settings.symbols())} {where}, account {settings.account}"
    with Watch(settings, from_end=True).running() as watch, Live(console=console, refresh_per_second=2) as live:
        while True:
            supervisor.check()
            with suppress(UserError):  # Kafka is away: the parts wait for it, and so does the screen
                behind = lags.now()
            frame = Frame(title, time.monotonic() - began, None, behind, time.time_ns() // 1000, console.width)
            with watch.lock:
                live.update(draw(watch.observation, frame))
            time.sleep(_REFRESH_S)
