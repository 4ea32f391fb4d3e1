"""Whether processes live."""

from contextlib import suppress
from pathlib import Path

import psutil


def on(state: Path) -> list[psutil.Process]:
    """Every living process that was started for a state directory."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = [*process.cmdline(), process.environ().get("TAPEFLOW_STATE", "")]
            if process.status() != psutil.STATUS_ZOMBIE and any(word.startswith(str(state)) for word in words):
                found.append(process)
    return found


def ended(processes: list[psutil.Process], timeout: float) -> bool:
    """Wait for processes to end. One that nobody has buried yet has ended."""
    _, alive = psutil.wait_procs(processes, timeout=timeout)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in alive if process.is_running())
