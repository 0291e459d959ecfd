"""Labelled micrographs as a picker sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cryoccd.downstream.picking.clean_signal import clean_images, signal_in
from cryoccd.downstream.picking.front import Front, flat, resize
from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder import MicrographFolder
from cryoccd.io.progress import progress_bar


@dataclass(frozen=True)
class Labelled:
    """Micrographs of a folder with picks, or with the truth of a simulation.

    Args:
        folder: real or simulated.
        names: which of its micrographs.

    Raises:
        CryoccdError: the folder has no picks, or no name is given.
    """

    folder: MicrographFolder
    names: Sequence[str]

    def __post_init__(self) -> None:
        if not self.folder.has_picks:
            raise CryoccdError(f"{self.folder.root}: no picks; a picker cannot be trained on it")
        if not self.names:
            raise CryoccdError(f"{self.folder.root}: no micrograph is named; name one or more")


@dataclass(frozen=True)
class SeenMicrograph:
    """A micrograph as a picker sees it, with its particles.

    Args:
        name: of the micrograph.
        values: (h, w) float32, see `Front.see`.
        centres_px: (n, 2) float64 particles x, y in pixels of `values`.
        signal: (h, w) the part of `values` that is no noise; None where it was not asked for.
    """

    name: str
    values: Tensor
    centres_px: Tensor
    signal: Tensor | None = None


def see_all(labelled: Labelled, front: Front, with_signal: bool = False) -> list[SeenMicrograph]:
    """What a picker sees of labelled micrographs, sorted by name.

    Args:
        labelled: the micrographs.
        front: what a picker sees.
        with_signal: with their signal, from the clean images of a simulated set.

    Raises:
        CryoccdError: a faulty micrograph, or its signal is asked for and cannot be had.
    """
    clean = clean_images(labelled.folder) if with_signal else None
    with progress_bar() as progress:
        names = progress.track(sorted(labelled.names), description="training micrographs")
        return [_see(labelled.folder, name, front, clean) for name in names]


def _see(
    folder: MicrographFolder, name: str, front: Front, clean: Dataset | None
) -> SeenMicrograph:
    try:
        values, grid = front.resampled(folder.image(name), folder.pixel_size_A)
    except CryoccdError as error:
        raise CryoccdError(f"{folder.path(name)}: {error}") from error
    picks_px = folder.picks_px(name)
    if picks_px is None:
        raise CryoccdError(f"{folder.root}: no picks of {name}; leave it out")
    centres_px = torch.from_numpy(grid.to_seen(picks_px))
    mean, sd = front.level(values)
    seen, signal = flat(values, mean, sd), None
    if clean is not None:
        image = resize(torch.from_numpy(clean.image(name, "clean")), grid)
        signal = signal_in(seen, sd, image, front, str(folder.path(name)))
    return SeenMicrograph(name, seen, centres_px, signal)
