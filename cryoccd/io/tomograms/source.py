"""A folder of tomograms with their particles, whatever made it.

Four kinds are read: a dataset folder of this project, a plain folder (tomograms/ with picks beside
it), a copick project, and the layout of the CryoET data portal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cryoccd.errors import CryoccdError
from cryoccd.io.tomograms.copick_project import CONFIG, find_copick
from cryoccd.io.tomograms.dataset_folder import find_dataset
from cryoccd.io.tomograms.found import Found
from cryoccd.io.tomograms.options import TomogramOptions
from cryoccd.io.tomograms.particles import check_inside
from cryoccd.io.tomograms.pick_files import read_particles
from cryoccd.io.tomograms.plain_folder import find_plain, volumes_in
from cryoccd.io.tomograms.portal_folder import find_portal, is_portal
from cryoccd.io.tomograms.tomogram import Tomogram, same_size


@dataclass(frozen=True)
class TomogramSource:
    """Tomograms of one voxel size and the particles in them; open_tomograms makes it.

    Args:
        root: where they were found.
        kind: dataset, folder, copick or portal.
        tomograms: one or more.
        particles: as PARTICLE_TABLE, every centre inside its tomogram; may be empty.
        maps: files with the maps of the classes: LABEL, or LABEL-CONFORMATION.
        remarks: what a user should know of the choice.
    """

    root: Path
    kind: str
    tomograms: tuple[Tomogram, ...]
    particles: pd.DataFrame
    maps: Mapping[str, Path]
    remarks: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the tomograms."""
        return [tomogram.name for tomogram in self.tomograms]

    @property
    def voxel_size_A(self) -> float:
        """That of the first tomogram; all others agree within 1 %."""
        return self.tomograms[0].voxel_size_A

    def tomogram(self, name: str) -> Tomogram:
        """The tomogram of a name.

        Raises:
            CryoccdError: there is none.
        """
        for tomogram in self.tomograms:
            if tomogram.name == name:
                return tomogram
        raise CryoccdError(f"{self.root}: no tomogram {name}, expected one of {self.names}")

    def check_voxels(self) -> None:
        """Read every tomogram once, so that a fault shows before work begins.

        Raises:
            CryoccdError: a truncated chunk, or values that are not finite.
        """
        for tomogram in self.tomograms:
            for _ in tomogram.open().slabs():
                pass


def open_tomograms(root: Path, options: TomogramOptions | None = None) -> TomogramSource:
    """The tomograms of a folder, of any of the four kinds.

    Args:
        root: the folder, or the JSON file of a copick project.
        options: choices.

    Raises:
        CryoccdError: nothing there, a choice that is left open, a voxel size that is not known or
            mixed, a centre outside its tomogram, or a file that cannot be read.
    """
    options = options or TomogramOptions()
    kind, found = _find(root, options)
    tomograms = found.tomograms
    if options.names is not None:
        missing = sorted(set(options.names) - {tomogram.name for tomogram in tomograms})
        if missing:
            raise CryoccdError(f"{root}: no tomogram {missing[0]}, which names asks for")
        tomograms = tuple(tomogram for tomogram in tomograms if tomogram.name in options.names)
    for tomogram in tomograms[1:]:
        if not same_size(tomogram.voxel_size_A, tomograms[0].voxel_size_A):
            raise CryoccdError(
                f"{root}: voxels of {tomogram.voxel_size_A:g} A in {tomogram.name}, but "
                f"{tomograms[0].voxel_size_A:g} A in {tomograms[0].name}; resample, or choose by "
                "names"
            )
    particles, where = found.particles, str(root)
    if options.picks is not None:
        known = {tomogram.name: tomogram for tomogram in tomograms}
        particles = read_particles(options.picks, known, options.picks_pixel_size_A)
        where = str(options.picks)
    if particles is None:
        raise CryoccdError(f"{root}: no picks lie with the tomograms; give picks")
    if options.names is not None:
        particles = particles[particles["tomogram"].isin(options.names)]
    check_inside(particles, tomograms, where)
    return TomogramSource(
        root, kind, tomograms, particles.reset_index(drop=True), found.maps, found.remarks
    )


def _find(root: Path, options: TomogramOptions) -> tuple[str, Found]:
    if root.is_file() and root.suffix == ".json":
        return "copick", find_copick(root, options)
    if not root.is_dir():
        raise CryoccdError(f"{root}: no such folder")
    if (root / CONFIG).is_file():
        return "copick", find_copick(root / CONFIG, options)
    if (root / "manifest.json").is_file() or (root / ".items").is_dir():
        return "dataset", find_dataset(root, options)
    if (root / (options.flavour or "tomograms")).is_dir() or volumes_in(root):
        return "folder", find_plain(root, options)
    if is_portal(root):
        return "portal", find_portal(root, options)
    raise CryoccdError(
        f"{root}: no tomograms, expected a dataset folder, a folder tomograms/, a {CONFIG}, or "
        "folders of runs with *.ndjson"
    )
