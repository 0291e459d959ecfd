"""Several processes on one fit: how they are started, who speaks, how they part."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch.distributed as dist
from torch.distributed.distributed_c10d import _get_default_store

from cryoccd.errors import Stopped


@contextmanager
def one_voice(argv: list[str]) -> Iterator[None]:
    """Fit in one process or several.

    Those that the trainer starts run this fit, whatever command it is part of. Where one fails the
    others fail too, waiting for it in vain: the first tells of its fault, the others leave in
    silence.

    Args:
        argv: the arguments of the fit.
    """
    words, variables = sys.argv, dict(os.environ)
    sys.argv = [words[0], "fit", *argv]
    try:
        yield
    except Stopped:  # in all of them
        if dist.is_initialized():
            dist.destroy_process_group()
        raise
    except Exception as error:
        if not _first():
            raise SystemExit(2) from error
        raise
    else:
        if dist.is_initialized():  # else its threads may abort the interpreter on its way out
            dist.destroy_process_group()
    finally:
        sys.argv = words
        os.environ.clear()  # the next fit is to start processes of its own
        os.environ.update(variables)


def _first() -> bool:
    """Whether no other process has failed before."""
    if not dist.is_initialized():
        return True
    try:
        return int(_get_default_store().add("cryoccd/failed", 1)) == 1
    except RuntimeError:  # the process that keeps the count is gone
        return False
