"""Processes that don't outlive those who started them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PARENT = "P2P_PARENT"  # environment: the process id of who wants us to end when it ends

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """On Linux: be killed by the kernel as soon as the process named in `P2P_PARENT` ends, if it started this one.

    A killed worker can't end what it has started; a Blender that goes on for an hour for nobody costs the next attempt
    its cores and memory. Without the variable, or elsewhere, nothing happens.

    SIGINT ends it again, too, where a shell that started all of us in the background has it ignored: that is how
    whoever started it asks it to clean up and end.
    """
    parent = os.environ.get(PARENT)
    if parent is None or sys.platform != "linux" or not parent.isdigit():
        return
    if os.getppid() != int(parent) and _is_running(int(parent)):
        return  # started by another that inherited the variable, as Blender's helpers are
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):  # it ended before the kernel knew
        os.kill(os.getpid(), signal.SIGKILL)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
