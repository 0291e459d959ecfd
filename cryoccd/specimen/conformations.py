"""The conformations of a specimen: models of files, flexed models, or maps."""

from dataclasses import replace
from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.records import Atoms, Volume
from cryoccd.specimen.alignment import align
from cryoccd.specimen.assemblies import ASSEMBLIES, assembly_atoms
from cryoccd.specimen.config import SpecimenConfig
from cryoccd.specimen.hydrogens import add_hydrogens
from cryoccd.specimen.map_scale import MapScale
from cryoccd.specimen.map_symmetry import check_map_symmetry
from cryoccd.specimen.maps import read_map
from cryoccd.specimen.model import Model, model_of_copies
from cryoccd.specimen.normal_modes import flexed_positions_A
from cryoccd.specimen.potential import potential
from cryoccd.specimen.sources import ASSEMBLY_PREFIX, EMDB_PREFIX
from cryoccd.specimen.structure import read_models
from cryoccd.specimen.symmetry import point_group


def conformations(config: SpecimenConfig, files: list[Path]) -> tuple[Atoms, ...]:
    """Atoms of each conformation, with hydrogens, in the setting of the symmetry asked for.

    Args:
        config: of an embedded assembly where there are no files.
        files: structure files; each of their models is a conformation. All follow the turn of the
            first one.

    Raises:
        CryoccdError: a fault of a file, a symmetry that some model does not have, or normal modes
            of more than one model.
    """
    if files:
        own_symmetry = "C1"
        models = [model for path in files for model in _models(config, path)]
    else:
        recipe = ASSEMBLIES[config.source.removeprefix(ASSEMBLY_PREFIX)]
        own_symmetry = recipe.symmetry
        copies = len(point_group(own_symmetry))
        models = [model_of_copies(assembly_atoms(recipe.name), copies)]
    if config.symmetry not in (None, own_symmetry):
        alignments = [align(model, config.symmetry) for model in models]
        models = [alignments[0].apply(model) for model in models]
    if config.normal_modes is None:
        return tuple(with_hydrogens(model.atoms) for model in models)
    if len(models) > 1:
        raise CryoccdError(
            f"normal_modes flex one model, the source has {len(models)}; leave normal_modes out, "
            "its models are the conformations"
        )
    atoms = with_hydrogens(models[0].atoms)
    nodes_A = models[0].atoms.positions_A[models[0].node]
    flexed = flexed_positions_A(atoms.positions_A, nodes_A, config.normal_modes)
    return tuple(replace(atoms, positions_A=positions_A) for positions_A in flexed)


def with_hydrogens(atoms: Atoms) -> Atoms:
    """The atoms, with riding hydrogens at the end where there is none."""
    return atoms if "H" in atoms.elements else add_hydrogens(atoms)


def atom_volumes(
    atoms: tuple[Atoms, ...], voxel_size_A: float, box_px: int | None
) -> tuple[Volume, ...]:
    """Potentials of one box, by default the largest that one of them asks for."""
    volumes = [potential(each, voxel_size_A, box_px) for each in atoms]
    largest = max(volume.box_px for volume in volumes)
    return tuple(
        volume if volume.box_px == largest else potential(each, voxel_size_A, largest)
        for each, volume in zip(atoms, volumes, strict=True)
    )


def map_volumes(
    config: SpecimenConfig, files: list[Path], voxel_size_A: float, box_px: int | None
) -> tuple[Volume, ...]:
    """Maps of one box, by default the largest that one of them asks for.

    Raises:
        CryoccdError: a fault of a map, a symmetry that one does not have, or normal modes, which
            need atoms.
    """
    if config.normal_modes is not None:
        raise CryoccdError("normal_modes need atoms, the source is a map; leave them out")
    scale = _scale(config)
    volumes = [read_map(path, voxel_size_A, box_px, scale) for path in files]
    largest = max(volume.box_px for volume in volumes)
    volumes = [
        volume if volume.box_px == largest else read_map(path, voxel_size_A, largest, scale)
        for path, volume in zip(files, volumes, strict=True)
    ]
    if config.symmetry is not None:
        for volume in volumes:
            check_map_symmetry(volume, config.symmetry)
    return tuple(volumes)


def _scale(config: SpecimenConfig) -> MapScale | None:
    """How a map becomes volts: as the config says; one of the EMDB always by its mass."""
    if config.map_scale is not None:
        mass_kDa = config.map_scale.mass_kDa or config.mass_kDa
        return MapScale(mass_kDa, config.map_scale.contour)
    if not config.source.startswith(EMDB_PREFIX):
        return None
    if config.mass_kDa is None:
        raise CryoccdError("a map of the EMDB is not in volts: give mass_kDa or map_scale")
    return MapScale(config.mass_kDa)


def _models(config: SpecimenConfig, path: Path) -> tuple[Model, ...]:
    return read_models(path, config.assembly, config.plddt, config.plddt_minimum, config.plddt_blur)
