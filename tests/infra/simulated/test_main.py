"""`python -m infra.simulated` says where it listens and ends at once when told to."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest
import websockets

ROOT = Path(__file__).parents[3]


async def start(*arguments: str) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "infra.simulated", *arguments)
    return await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_within_two_seconds_though_clients_are_connected(tmp_path: Path, ending: signal.Signals) -> None:
    ready = tmp_path / "port"
    process = await start("--venues", "okx,binance", "--instruments", "2", "--ready-file", str(ready))
    assert process.stdout is not None
    first_line = (await process.stdout.readline()).decode()
    port = int(ready.read_text())
    assert f"http://127.0.0.1:{port}/okx" in first_line
    async with websockets.connect(f"ws://127.0.0.1:{port}/okx/ws/v5/public") as websocket:
        await websocket.send('{"op":"subscribe","args":[{"channel":"trades","instId":"BTC-USDT"}]}')
        await websocket.recv()
        process.send_signal(ending)
        async with asyncio.timeout(2):
            assert await process.wait() == 0
    assert process.stderr is not None
    assert await process.stderr.read() == b""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--instruments", "501"), b"instruments must be 1 to 500"),
        (("--speed", "0"), b"speed must be above 0"),
        (("--venues", "okx,mtgox"), b"no simulated venue 'mtgox'; there are okx"),
    ],
)
async def test_bad_settings_end_with_one_line_and_code_two(arguments: tuple[str, str], said: bytes) -> None:
    process = await start(*arguments)
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert said in errors
    assert errors.count(b"\n") == 1
