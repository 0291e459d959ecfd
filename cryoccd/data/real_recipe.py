"""A user's real micrographs, binned, and a simulated side made like them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import cryoccd
from cryoccd.data.made_from import note_sources
from cryoccd.data.matched_scene import simulate_like
from cryoccd.data.recipe import Recipe
from cryoccd.errors import CryoccdError
from cryoccd.fourier import fourier_crop
from cryoccd.io.folder import MicrographFolder, open_folder
from cryoccd.io.folder_tables import inside_field
from cryoccd.io.folder_write import FolderWriter
from cryoccd.io.progress import progress_bar
from cryoccd.randomness import item_seed


class RealRecipe(Recipe):
    """Real side: a folder with micrographs/, picks/, split.csv and optics, binned in Fourier space.

    Args:
        data: the folder; never written to.
        structure: structure file, or `assembly:NAME`.
        bin: integer factor.
        n_train: simulated training micrographs; by default as many as real ones.
        seed: seed of the simulated side.
        workers: processes of the simulation.
        defocus_factor: range of the simulated defocus over that of the real side's optics.
    """

    def __init__(
        self,
        data: Path,
        structure: str,
        bin: int = 1,
        n_train: int | None = None,
        seed: int = 0,
        workers: int = 2,
        defocus_factor: float = 1.0,
    ) -> None:
        if bin < 1:
            raise CryoccdError(f"bin = {bin}, expected 1 (none), 2, 3, ...")
        self.data = Path(data)
        self.structure = structure
        self.bin = bin
        self.n_train = n_train
        self.seed = seed
        self.workers = workers
        self.defocus_factor = defocus_factor

    @property
    def domain(self) -> str:
        """Name of the real side."""
        return self.data.resolve().name

    def check(self) -> None:
        """The folder is there, with splits and optics."""
        source = open_folder(self.data)
        source.optics()
        source.names("train")

    def prepare(self, simulated: Path, real: Path) -> None:
        """Bin the real side and simulate the training side, where they are absent."""
        source = open_folder(self.data)
        bin_folder(source, real, self.bin)
        count = self.n_train or len(source.names("train"))
        self._simulate("train", real, simulated, count)

    def prepare_test(self, simulated: Path, real: Path) -> None:
        """Make the simulated side that is translated and compared: as many as real test ones."""
        self._simulate("test", real, simulated, len(open_folder(real).names("test")))

    def prepare_labelled(self, simulated: Path, real: Path, count: int) -> None:
        """Make another simulated side, that others are trained on."""
        self._simulate("labelled", real, simulated, count)

    def _simulate(self, split: str, real: Path, output: Path, count: int) -> None:
        seed = item_seed(self.seed, "simulated", split)
        title = f"simulate · {split} · {self.domain}"
        folder = open_folder(real)
        known = (folder, self.structure, output, count, seed, self.workers, title)
        simulate_like(*known, self.defocus_factor)


def bin_folder(source: MicrographFolder, output: Path, factor: int) -> None:
    """Write a plain folder with binned images, picks, split and optics; finished files are kept.

    The optics are written last, so a folder that has them is whole. Picks on a row or column that
    binning cuts off are dropped.

    Raises:
        CryoccdError: the source lacks a split, optics or picks, or the output was made from
            another folder, other files or another factor.
    """
    optics = source.optics()
    splits = {name: split for split in ("train", "test") for name in source.names(split)}
    note_sources(source.root, output, {"bin": factor})
    writer = FolderWriter(output)
    if writer.finished:
        return
    pixel_size_A = optics.pixel_size_A * factor
    with progress_bar() as progress:
        for name in progress.track(list(splits), description=f"bin {factor} · {source.root.name}"):
            image, picks = torch.from_numpy(source.image(name)), source.picks_px(name)
            if picks is None:
                raise CryoccdError(f"{source.root}: no picks/, so density is unknown; give picks")
            binned = fourier_crop(image, factor).numpy().astype(np.float32)
            label = f"cryoccd {cryoccd.__version__} bin {factor} of {name}"
            inside = picks[inside_field(picks / factor, binned.shape)] / factor
            writer.write(name, binned, pixel_size_A, inside, label)
    writer.finish(splits, replace(optics, pixel_size_A=pixel_size_A))
