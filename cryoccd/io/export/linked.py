"""Images and texts that several formats put beside their labels."""

import os
import shutil
from pathlib import Path

from cryoccd.io.atomic import atomic_path


def link(source: Path, target: Path) -> None:
    """A hard link, or a copy where the file system has none; kept where it is there."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)
