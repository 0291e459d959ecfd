"""Other programs that pose the images of a dataset folder, as rows beside our own estimator."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from cryoccd.downstream.pose.cryodrgn import AbinitOptions, cryodrgn_abinit, cryodrgn_program
from cryoccd.downstream.pose.cryofire import check_checkout, cryofire
from cryoccd.io.dataset import Dataset
from cryoccd.metrics.pose.poses import Poses


def pose_programs(
    root: Path,
    work: Path,
    box_A: float,
    species: tuple[str, ...] | None,
    cryodrgn: bool,
    checkout: Path | None,
) -> dict[str, Callable[[], Poses]]:
    """The programs that are asked for, by the names of their rows.

    Args:
        root: the images, a dataset folder.
        work: folder for what they write.
        box_A: side of the boxes, so that they see the particles that others see.
        species: which to take; None for all.
        cryodrgn: whether to run cryoDRGN's ab initio.
        checkout: folder of CryoFIRE; None for not.

    Raises:
        CryoccdError: one is absent; before anything is trained.
    """
    box_px = 2 * round(box_A / Dataset(root).pixel_size_A / 2)
    found: dict[str, Callable[[], Poses]] = {}
    if cryodrgn:
        cryodrgn_program()
        options = AbinitOptions(box_px=box_px, species=species)
        found["cryodrgn"] = partial(cryodrgn_abinit, root, work / "cryodrgn", options)
    if checkout is not None:
        check_checkout(checkout)
        places = (checkout, root, work / "cryofire")
        found["cryofire"] = partial(cryofire, *places, box_px=box_px, species=species)
    return found
