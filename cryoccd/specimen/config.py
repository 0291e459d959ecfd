"""What a user says of a specimen."""

from dataclasses import dataclass, replace
from pathlib import Path

from cryoccd.errors import CryoccdError, check_within
from cryoccd.specimen.assemblies import ASSEMBLIES
from cryoccd.specimen.library import MASS_KDA, Entry, check_kind, library_entry, read_library
from cryoccd.specimen.map_scale import MapScale
from cryoccd.specimen.normal_modes import NormalModes
from cryoccd.specimen.sources import ALPHAFOLD_PREFIX, ASSEMBLY_PREFIX, LIBRARY_PREFIX
from cryoccd.specimen.symmetry import point_group


@dataclass(frozen=True)
class SpecimenConfig:
    """A specimen to image.

    Args:
        source: assembly:NAME (made here), library:NAME, pdb:ID, alphafold:UNIPROT, emdb:NUMBER
            (fetched before), a structure file (.pdb, .ent, .cif, .mmcif, plain or .gz), a map
            (.mrc, .map), or a folder of structures or maps, one a conformation.
        symmetry: point group, for example D7; the structure is turned to its axes, and refused
            where it does not have it. By default that of the library or the assembly, else C1.
        assembly: biological assembly of a structure file by its name there, or asymmetric_unit.
        plddt: whether the B-factor column holds pLDDT; by default where the file says so.
        plddt_minimum: residues of lower pLDDT, 0 to 100, are dropped.
        plddt_blur: keep them instead, smeared by the B factor that follows from pLDDT.
        normal_modes: conformations by flexing the structure; flexing leaves no symmetry.
        kind: class of molecule: enzyme, ribosome, capsid, membrane_protein or filament_subunit; by
            default that of the library, else enzyme.
        mass_kDa: mass of the whole in kilodalton; by default that of the atoms, or of the library.
            A map needs it.
        map_scale: how the values of a map become volts above ice; by default they are volts
            already, but for emdb:NUMBER, which is scaled to its mass.
        library: YAML file of the user's own library, where library:NAME is looked up, by default
            that of the package.
    """

    source: str
    symmetry: str | None = None
    assembly: str = "1"
    plddt: bool | None = None
    plddt_minimum: float = 50.0
    plddt_blur: bool = False
    normal_modes: NormalModes | None = None
    kind: str | None = None
    mass_kDa: float | None = None
    map_scale: MapScale | None = None
    library: str | None = None

    def __post_init__(self) -> None:
        where = f"species {self.source}"
        check_within(f"{where}: plddt_minimum", self.plddt_minimum, 0, 100, "pLDDT")
        if self.mass_kDa is not None:
            check_within(f"{where}: mass_kDa", self.mass_kDa, *MASS_KDA, "kilodalton")
        try:
            point_group(self.symmetry or "C1")
            check_kind(self.kind or "enzyme")
        except CryoccdError as error:
            raise CryoccdError(f"{where}: {error}") from error


def completed(config: SpecimenConfig) -> SpecimenConfig:
    """The config with what the library knows, and a source that is no library name.

    Raises:
        CryoccdError: no such entry or assembly.
    """
    entry = _entry(config)
    if entry is not None:
        config = replace(
            config,
            source=entry.source,
            symmetry=config.symmetry or entry.symmetry,
            assembly=entry.assembly if config.assembly == "1" else config.assembly,
            kind=config.kind or entry.kind,
            mass_kDa=config.mass_kDa or entry.mass_kDa,
        )
    if config.source.startswith(ALPHAFOLD_PREFIX) and config.plddt is None:
        config = replace(config, plddt=True)
    return config


def _entry(config: SpecimenConfig) -> Entry | None:
    source = config.source
    if source.startswith(LIBRARY_PREFIX):
        own = None if config.library is None else Path(config.library)
        return library_entry(source.removeprefix(LIBRARY_PREFIX), read_library(own))
    if source.startswith(ASSEMBLY_PREFIX):
        name = source.removeprefix(ASSEMBLY_PREFIX)
        if name not in ASSEMBLIES:
            raise CryoccdError(f"assembly '{name}', expected one of {', '.join(ASSEMBLIES)}")
        return read_library()[name]
    return None
