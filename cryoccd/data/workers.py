"""What a process that loads data does first."""

import signal


def leave_signals(worker: int) -> None:
    """Leave Ctrl-C and USR1 to the process that trains: it finishes its batch and sends us home.

    A cluster sends a notice to all processes of a job. TERM stays as it is, a loader ends its
    workers with it.

    Args:
        worker: its number.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
