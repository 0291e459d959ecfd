"""The commit that the running code is of."""

import os
import subprocess
from pathlib import Path


def source_commit(tree: Path) -> str:
    """Commit of a source tree, with "-dirty" where tracked files differ; "unknown" outside one."""
    if not (tree / ".git").exists():
        return "unknown"
    command = ["git", "-C", str(tree), "describe", "--always", "--dirty", "--abbrev=40"]
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            # no tag takes part, so that the answer is the bare hash
            [*command, "--exclude", "*"],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
