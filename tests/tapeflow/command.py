"""Runs the `tapeflow` command as a person would: another process, with its own environment."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tapeflow(*arguments: str | Path, timeout: float = 120, **variables: str | Path) -> subprocess.CompletedProcess[str]:
    """Its exit code and what it said."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TAPEFLOW_", "KAFKA_", "DATABASE_"))}
    return subprocess.run(
        [sys.executable, "-m", "tapeflow", *map(str, arguments)],
        cwd=ROOT,
        env=inherited | {name: str(value) for name, value in variables.items()},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
