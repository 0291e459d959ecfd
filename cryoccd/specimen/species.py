"""One word or path to a specimen: an embedded assembly, a structure file or a map."""

from math import pi, sqrt
from pathlib import Path

import torch

from cryoccd.errors import CryoccdError
from cryoccd.records import Atoms, Volume
from cryoccd.specimen.assemblies import ASSEMBLIES, assembly_atoms
from cryoccd.specimen.grid import squared_frequency
from cryoccd.specimen.hydrogens import add_hydrogens
from cryoccd.specimen.maps import read_map
from cryoccd.specimen.potential import potential
from cryoccd.specimen.structure import read_structure

ASSEMBLY_PREFIX = "assembly:"
STRUCTURE_SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif")
MAP_SUFFIXES = (".mrc", ".map")
ENCLOSED = 0.99  # share of the squared potential inside the diameter
BLUR_A = 3.0


def load_species(source: str, voxel_size_A: float, box_px: int | None = None) -> tuple[str, Volume]:
    """Name and potential of a specimen.

    Args:
        source: `assembly:NAME` with a name of ASSEMBLIES, or the path of a .pdb, .ent, .cif or
            .mmcif file (plain or .gz), or of a .mrc or .map file.
        voxel_size_A: target voxel size, above 0.
        box_px: target box, by default that of `potential` or `read_map`.

    Returns:
        The name (that of the assembly, or of the file without its suffixes) and the volume.

    Raises:
        CryoccdError: an unknown kind of source, or a fault of the file.
    """
    if _suffix(source) in MAP_SUFFIXES:
        return _name(source), read_map(Path(source), voxel_size_A, box_px)
    return _name(source), potential(species_atoms(source), voxel_size_A, box_px)


def species_atoms(source: str) -> Atoms:
    """Atoms of an assembly or a structure file, with riding hydrogens where the file has none.

    Raises:
        CryoccdError: the source is a map or of an unknown kind, or a fault of the file.
    """
    if source.startswith(ASSEMBLY_PREFIX):
        return assembly_atoms(_name(source))
    if _suffix(source) not in STRUCTURE_SUFFIXES:
        raise CryoccdError(
            f"{source}: no atoms come from this kind of source; expected {ASSEMBLY_PREFIX} with "
            f"{', '.join(ASSEMBLIES)}, or a file {', '.join(STRUCTURE_SUFFIXES)} (.gz), or a map "
            f"{', '.join(MAP_SUFFIXES)} where a volume is enough"
        )
    atoms = read_structure(Path(source))
    return atoms if "H" in atoms.elements else add_hydrogens(atoms)


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


def _name(source: str) -> str:
    if source.startswith(ASSEMBLY_PREFIX):
        return source.removeprefix(ASSEMBLY_PREFIX)
    return Path(source.removesuffix(".gz")).stem


def _suffix(source: str) -> str:
    if source.startswith(ASSEMBLY_PREFIX):
        return ""
    return Path(source.removesuffix(".gz")).suffix.lower()
