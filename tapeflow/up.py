"""`tapeflow up`: every part, on live public feeds or wherever TAPEFLOW_VENUE_URL points, until Ctrl-C."""

import time
from typing import Final

from rich.console import Console
from rich.live import Live

from infra import topics as broker
from infra.settings import Settings
from infra.supervisor import Supervisor
from sql.migrate import migrate
from tapeflow.lag import lags
from tapeflow.observation import Watch
from tapeflow.parts import PARTS, command
from tapeflow.screen import Frame, draw

_START_S: Final = 120
_REFRESH_S: Final = 1.0


def run_up(settings: Settings) -> None:
    """Run until told to stop. Raises UserError when a part gives up: an unknown symbol, a venue that cannot be reached."""
    console = Console(stderr=True)
    with console.status("creating topics and tables"):
        broker.create(settings)
        migrate(settings.database_url or "")
    with Supervisor({part: command(part) for part in PARTS}, settings.state, settings.environment()) as supervisor:
        with console.status("starting every part"):
            supervisor.wait_ready(_START_S)
        console.print(f"up: API http://{settings.api_host}:{settings.api_port}/docs, logs in {settings.state / 'logs'}")
        if console.is_terminal:
            _screen(settings, console, supervisor)
        else:
            supervisor.wait()


def _screen(settings: Settings, console: Console, supervisor: Supervisor) -> None:
    admin = broker.admin(settings)
    began = time.monotonic()
    title = f"Tapeflow   {settings.venue} live, account {settings.account}"
    with Watch(settings, from_end=True).running() as watch, Live(console=console, refresh_per_second=2) as live:
        while True:
            supervisor.check()
            frame = Frame(title, time.monotonic() - began, None, lags(admin, settings), time.time_ns() // 1000)
            with watch.lock:
                live.update(draw(watch.observation, frame))
            time.sleep(_REFRESH_S)
