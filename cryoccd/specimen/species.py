"""Specimens: the potential of each conformation of a species, with its symmetry, class and mass."""

from dataclasses import dataclass
from math import pi, sqrt
from pathlib import Path

import torch

from cryoccd.errors import CryoccdError
from cryoccd.records import Atoms, Volume
from cryoccd.specimen.assemblies import assembly_atoms
from cryoccd.specimen.config import SpecimenConfig, completed
from cryoccd.specimen.conformations import (
    atom_volumes,
    conformations,
    map_volumes,
    with_hydrogens,
)
from cryoccd.specimen.grid import check_voxel_size, squared_frequency
from cryoccd.specimen.normal_modes import NormalModes
from cryoccd.specimen.scattering import atomic_masses
from cryoccd.specimen.sources import (
    ASSEMBLY_PREFIX,
    MAP_SUFFIXES,
    STRUCTURE_SUFFIXES,
    Resolve,
    source_files,
    species_name,
    suffix,
)
from cryoccd.specimen.structure import ASYMMETRIC_UNIT, read_structure

__all__ = [
    "ASSEMBLY_PREFIX",
    "NormalModes",
    "Specimen",
    "SpecimenConfig",
    "diameter_A",
    "load_species",
    "load_specimen",
    "species_atoms",
]

ENCLOSED = 0.99  # share of the squared potential inside the diameter
BLUR_A = 3.0


@dataclass(frozen=True)
class Specimen:
    """A species ready to be imaged.

    Args:
        name: what it is called.
        volumes: potential of each conformation, of one box and voxel size.
        symmetry: point group that every conformation has, in the setting of `point_group`.
        kind: class of molecule.
        mass_kDa: mass of the whole; None for a map whose mass was not given.
    """

    name: str
    volumes: tuple[Volume, ...]
    symmetry: str
    kind: str
    mass_kDa: float | None

    def __post_init__(self) -> None:
        grids = {(volume.box_px, volume.voxel_size_A) for volume in self.volumes}
        if len(grids) != 1:
            raise CryoccdError(
                f"species {self.name}: boxes and voxel sizes {sorted(grids)}, expected one for all "
                "conformations"
            )


def load_specimen(
    config: SpecimenConfig,
    voxel_size_A: float,
    box_px: int | None = None,
    resolve: Resolve | None = None,
) -> Specimen:
    """All conformations of a specimen on one grid.

    Args:
        config: what to load.
        voxel_size_A: target voxel size, above 0.
        box_px: target box, by default the largest that a conformation asks for.
        resolve: from a fetched identifier (pdb:3J9I) to its file, by default the cache of
            `cryoccd fetch`.

    Returns:
        The specimen; structures stand in the setting of the point group, their centre of mass at
        voxel n // 2. Its mass is that of the config, else of the atoms of the first conformation.

    Raises:
        CryoccdError: a fault of the source or of a file, a symmetry that is not there, or a map
            without mass.
    """
    check_voxel_size(voxel_size_A)
    name = species_name(config.source)
    stated_kDa = config.mass_kDa
    config = completed(config)
    files = source_files(config.source, resolve)
    try:
        if files and suffix(files[0]) in MAP_SUFFIXES:
            volumes = map_volumes(config, files, voxel_size_A, box_px)
            mass_kDa = config.mass_kDa
        else:
            atoms = conformations(config, files)
            volumes = atom_volumes(atoms, voxel_size_A, box_px)
            mass_kDa = stated_kDa or float(atomic_masses(atoms[0].elements).sum()) / 1e3
    except CryoccdError as error:
        raise CryoccdError(f"species {name}: {error}") from error
    symmetry = "C1" if config.normal_modes else config.symmetry or "C1"
    return Specimen(name, volumes, symmetry, config.kind or "enzyme", mass_kDa)


def load_species(source: str, voxel_size_A: float, box_px: int | None = None) -> tuple[str, Volume]:
    """Name and potential of the first conformation of a source, a structure as it is deposited.

    Raises:
        CryoccdError: as `load_specimen`.
    """
    # the mass is not looked at
    config = SpecimenConfig(source, assembly=ASYMMETRIC_UNIT, mass_kDa=1.0)
    specimen = load_specimen(config, voxel_size_A, box_px)
    return specimen.name, specimen.volumes[0]


def species_atoms(source: str) -> Atoms:
    """Atoms of an assembly or a structure file, with riding hydrogens where the file has none.

    Raises:
        CryoccdError: the source is a map or of an unknown kind, or a fault of the file.
    """
    if source.startswith(ASSEMBLY_PREFIX):
        return assembly_atoms(source.removeprefix(ASSEMBLY_PREFIX))
    if suffix(Path(source)) not in STRUCTURE_SUFFIXES:
        raise CryoccdError(
            f"{source}: no atoms come from this kind of source; expected {ASSEMBLY_PREFIX}NAME or "
            f"a file {', '.join(STRUCTURE_SUFFIXES)} (.gz)"
        )
    return with_hydrogens(read_structure(Path(source)))


def diameter_A(volume: Volume) -> float:
    """Diameter in angstrom of the sphere about voxel n // 2 with 99 % of the squared potential.

    Squared after a Gaussian blur of 3 A (1.5 voxels at least), so that the ripples of a sharp band
    limit far from the molecule do not count.
    """
    blur_A = max(BLUR_A, 1.5 * volume.voxel_size_A)
    frequency2 = squared_frequency(volume.box_px, volume.voxel_size_A)
    spectrum = torch.fft.rfftn(volume.values) * torch.exp(-2 * (pi * blur_A) ** 2 * frequency2)
    blurred = torch.fft.irfftn(spectrum, s=volume.values.shape)
    axis = torch.arange(volume.box_px) - volume.box_px // 2
    squared = axis**2
    radius2 = (squared[:, None, None] + squared[None, :, None] + squared).flatten()
    power = torch.bincount(radius2, weights=blurred.double().flatten() ** 2)
    total = power.sum()
    if not float(total) > 0:
        raise CryoccdError("volume: empty, every voxel is 0; it has no diameter")
    shell = int(torch.searchsorted(power.cumsum(0), ENCLOSED * total))
    return 2 * sqrt(shell) * volume.voxel_size_A
