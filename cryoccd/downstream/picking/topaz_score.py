"""Topaz's own average precision, to check ours against.

`topaz precision_recall_curve` pools micrographs and matches picks with targets one to one, a hit
closer than the radius (see cryoccd.metrics.picking.matching).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from cryoccd.downstream.picking.topaz_files import aliases, write_picks, write_table
from cryoccd.downstream.picking.topaz_program import run_topaz
from cryoccd.errors import CryoccdError
from cryoccd.metrics.picking.picks import Picks


def topaz_average_precision(
    picks: Mapping[str, Picks], targets_px: Mapping[str, NDArray[np.float64]], radius_px: float
) -> float:
    """Average precision of picks, pooled over all micrographs of either.

    Args:
        picks: by the names of micrographs.
        targets_px: (m, 2) particles, the same.
        radius_px: distance below which a pick is a hit. Topaz takes whole pixels.

    Returns:
        0 without picks.

    Raises:
        CryoccdError: a radius that is no whole number, no targets, or a fault of the program.
    """
    if not (radius_px >= 1 and float(radius_px).is_integer()):
        raise CryoccdError(f"topaz: radius_px = {radius_px:g}, expected a whole number above 0")
    if not sum(len(points) for points in targets_px.values()):
        raise CryoccdError("topaz: no targets to score picks with; give micrographs that have some")
    if not sum(len(each.scores) for each in picks.values()):
        return 0.0  # the program ends in an error of types
    short = aliases([*picks, *targets_px])
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_picks(folder / "picks.txt", picks, short)
        write_table(folder / "targets.txt", targets_px, short)
        files = ("--predicted", "picks.txt", "--targets", "targets.txt", "--images", "union")
        radius = ("--assignment-radius", int(radius_px))
        curve = run_topaz(
            "precision_recall_curve", *files, *radius, log=folder / "log", folder=folder
        )
    found = re.search(r"auprc=([0-9.e+-]+)", curve)
    if found is None:
        raise CryoccdError(f"topaz precision_recall_curve: no auprc in {curve[:80]!r}")
    return float(found[1])
