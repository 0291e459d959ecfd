"""The species of a set: their potentials by name, and what placement needs to know of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cryoccd.errors import CryoccdError
from cryoccd.imaging.projection import Projector
from cryoccd.imaging.stamps import species_key
from cryoccd.randomness import item_seed
from cryoccd.records import Volume
from cryoccd.scene.artefacts import BrokenParticles, Candidates
from cryoccd.scene.crowding import SpeciesInScene
from cryoccd.scene.orientation import Uniform
from cryoccd.scene.placement import DEFAULT_LAWS
from cryoccd.simulate.config import SimulateConfig
from cryoccd.specimen.broken import broken_volumes
from cryoccd.specimen.species import Specimen, diameter_A, load_specimen


@dataclass(frozen=True)
class Cast:
    """The species of a set, ready to be placed and imaged.

    Args:
        species: what placement needs of each.
        broken: number of broken forms of each species, 0 where none was asked for.
        projectors: by the key of species and conformation.
    """

    species: tuple[SpeciesInScene, ...]
    broken: int
    projectors: Mapping[str, Projector]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of a scene's species: the whole ones, then their broken forms."""
        whole = tuple(kind.name for kind in self.species)
        return whole + tuple(_broken(name) for name in whole) if self.broken else whole

    @property
    def candidates(self) -> Candidates:
        """Of what debris can be made."""
        n = len(self.species)
        abundances = np.array([kind.abundance for kind in self.species])
        return Candidates(
            diameters_A=np.array([kind.diameter_A for kind in self.species]),
            shares=abundances / abundances.sum(),
            conformations=np.array([kind.conformations for kind in self.species]),
            broken=tuple((n + k, self.broken) for k in range(n)) if self.broken else (),
        )


def load_specimens(config: SimulateConfig) -> tuple[Specimen, ...]:
    """The specimens in the order of the config.

    Raises:
        CryoccdError: a fault of a source, two of one name, or a box larger than the field.
    """
    specimens: list[Specimen] = []
    for kind in config.species:
        specimen = load_specimen(kind, config.pixel_size_A, config.box_px)
        name, box_px = specimen.name, specimen.volumes[0].box_px
        if name in {known.name for known in specimens}:
            raise CryoccdError(f"species {kind.source}: a second one is named {name}; rename one")
        if box_px > min(config.shape_px):
            raise CryoccdError(
                f"species {name}: a box of {box_px} px, expected at most the field, "
                f"{min(config.shape_px)} px; enlarge shape_px or pixel_size_A"
            )
        specimens.append(specimen)
    return tuple(specimens)


def species_volumes(specimens: tuple[Specimen, ...]) -> dict[str, Volume]:
    """Potential of each species and conformation under its key: NAME, or NAME-1, NAME-2 ..."""
    return {
        species_key(specimen.name, 0 if len(specimen.volumes) == 1 else index): volume
        for specimen in specimens
        for index, volume in enumerate(specimen.volumes, start=1)
    }


def debris_volumes(config: SimulateConfig, specimens: tuple[Specimen, ...]) -> dict[str, Volume]:
    """The broken forms of every species under their keys, where the config asks for them."""
    variants = broken_variants(config)
    volumes: dict[str, Volume] = {}
    for specimen in specimens if variants else ():
        generator = np.random.default_rng(item_seed(config.seed, "broken", specimen.name))
        pieces = broken_volumes(specimen.volumes[0], variants, generator)
        volumes |= {
            species_key(_broken(specimen.name), index): piece
            for index, piece in enumerate(pieces, start=1)
        }
    return volumes


def broken_variants(config: SimulateConfig) -> int:
    """How many broken forms a species has."""
    wanted = [law.variants for law in config.artefacts if isinstance(law, BrokenParticles)]
    return max(wanted, default=0)


def measure_species(
    config: SimulateConfig, specimens: tuple[Specimen, ...]
) -> tuple[SpeciesInScene, ...]:
    """What placement needs of each species."""
    return tuple(
        SpeciesInScene(
            name=specimen.name,
            diameter_A=max(diameter_A(volume) for volume in specimen.volumes),
            abundance=kind.abundance,
            conformations=len(specimen.volumes),
            placement=kind.placement or DEFAULT_LAWS[specimen.kind],
            orientation=kind.orientation or Uniform(),
        )
        for specimen, kind in zip(specimens, config.species, strict=True)
    )


def _broken(name: str) -> str:
    return f"{name}_broken"
