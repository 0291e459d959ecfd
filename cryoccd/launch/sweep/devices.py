"""How many jobs fit on this machine, and which GPUs each of them gets."""

import os
import subprocess
from collections.abc import Sequence

from cryoccd.errors import CryoccdError
from cryoccd.launch.sweep.config import Resources


def slots(resources: Resources, jobs: int | None) -> list[dict[str, str]]:
    """The environment of each place for a job.

    Args:
        resources: of one job.
        jobs: how many at once; None for as many as there are cores and GPUs for.

    Raises:
        CryoccdError: one job needs more GPUs than there are, or several machines.
    """
    if resources.nodes > 1:
        raise CryoccdError(
            f"resources.nodes = {resources.nodes} needs a cluster; add --cluster slurm"
        )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    count = jobs or max(1, (cores or 1) // (resources.cpus * resources.tasks_per_node))
    if not resources.gpus:
        return [{}] * count
    known = gpus()
    most = len(known) // resources.gpus
    if not most:
        raise CryoccdError(
            f"resources.gpus = {resources.gpus}, but this machine has {len(known)}; set it to 0"
        )
    return [
        {"CUDA_VISIBLE_DEVICES": ",".join(known[i * resources.gpus : (i + 1) * resources.gpus])}
        for i in range(min(count, most))
    ]


def gpus() -> Sequence[str]:
    """The GPUs of this machine that may be used, by the names that CUDA takes."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name.strip() for name in given.split(",") if name.strip()]
    query = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return done.stdout.split()
