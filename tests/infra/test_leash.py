"""A leashed program ends with its parent."""

import subprocess
import sys

from infra import leash

PARENT = """
import subprocess, sys
from infra import leash
child = subprocess.Popen(leash.command([sys.executable, "-c", "print(1, flush=True); import time; time.sleep(60)"]))
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_a_program_runs_under_its_own_name_with_its_own_arguments():
    """What runs in the end is the program alone, with its exit code."""
    done = subprocess.run(
        leash.command(["sh", "-c", "echo $0 $1; exit 3", "a b", "c"]), capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("a b c\n", 3)


def test_a_program_whose_parent_is_gone_does_not_start():
    """The parent may die before the kernel was asked."""
    argv = leash.command(["echo", "started"])
    argv[4] = "1" if argv[4] != "1" else "2"
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert "parent is gone" in done.stderr


def test_killing_the_parent_kills_the_program():
    """Even kill -9: the pipe that both hold is closed at once."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout.readline().strip()
    assert parent.stdout.readline().strip()
    parent.kill()
    # Reads to the end of the pipe, which comes when the last process that can write to it has ended.
    parent.communicate(timeout=10)
