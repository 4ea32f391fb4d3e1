"""Become another program that does not outlive its parent.

A supervisor that is killed outright cannot stop its children, so on Linux the kernel is asked to, when the thread that started
them ends. It is a program of its own, not a function between fork and exec, because its parents have threads. The user, when
named, is whom root becomes: PostgreSQL refuses to run as root. That user keeps root's passage through folders, so that a database
below /root needs no wider permissions there.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def command(argv: Sequence[str], user: str = "") -> list[str]:
    """The same program, tied to the life of the calling thread's process, and run as `user` if one is named."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), user, *argv]


def become(user: str, libc: ctypes.CDLL | None) -> None:
    """Drop root for `user`. Without the capability to give (a stripped container) the folders have to be passable."""
    import pwd  # noqa: PLC0415 - most programs stay who they are

    entry = pwd.getpwnam(user)
    if libc:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    if libc:
        capability = 1 << _CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        effective_permitted_inheritable = (ctypes.c_uint32 * 6)(capability, capability, capability, 0, 0, 0)
        libc.capset(header, effective_permitted_inheritable)
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def main() -> None:
    """Tie this process to its parent, then become the program."""
    parent, user, *program = sys.argv[1:]
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if user:
        become(user, libc)
    if libc:
        # After the change of user, which would undo it.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("the parent is gone")
    os.execvp(program[0], program)  # noqa: S606 - the program our own code names, without a shell


if __name__ == "__main__":
    main()
