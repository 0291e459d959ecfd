"""What a configuration asks for and cannot get, told before anything is written."""

from collections.abc import Sequence

from cryoccd.errors import CryoccdError
from cryoccd.scene.backdrop import read_backdrop
from cryoccd.scene.crowding import SpeciesInScene, check_density, check_needs
from cryoccd.scene.placement import InLabel
from cryoccd.simulate.config import SimulateConfig


def check_scene(config: SimulateConfig, species: Sequence[SpeciesInScene]) -> None:
    """Refuse scenes that cannot be made.

    Raises:
        CryoccdError: more particles than fit, a law that lacks its membrane or backdrop, a volume
            of another size than the field, a label that is not in it, or artefacts that the pixel
            size cannot show.
    """
    edge_A = config.particles.edge_distance_A or 0.0
    height_A, width_A = (side * config.pixel_size_A - 2 * edge_A for side in config.shape_px)
    if min(height_A, width_A) <= 0:
        raise CryoccdError(
            f"particles: edge_distance_A = {edge_A:g} leaves no room in the field of "
            f"{config.shape_px[0]} x {config.shape_px[1]} px; lower it"
        )
    area_A2 = height_A * width_A
    check_density(species, config.particles, area_A2, config.ice.median_A)
    has = {name for name in ("membranes", "backdrop") if getattr(config, name)}
    check_needs(species, has)
    for law in config.artefacts:
        law.check(config.pixel_size_A)
    if config.backdrop is not None:
        labels = read_backdrop(config.backdrop.path, config.shape_px, config.pixel_size_A)
        wanted = [k.placement.label for k in species if isinstance(k.placement, InLabel)]
        for label in (*wanted, *config.backdrop.densities_V):
            if not (labels.labels == label).any():
                raise CryoccdError(
                    f"{config.backdrop.path}: has no label {label}, which the config names"
                )


def check_tilts(config: SimulateConfig) -> None:
    """Refuse what a tilt series cannot show.

    Raises:
        CryoccdError: it names what and the mend.
    """
    if config.tilts is None:
        return
    flat = [type(law).__name__ for law in config.artefacts if law.flat]
    if config.backdrop is not None:
        flat.append("backdrop")
    if flat:
        raise CryoccdError(
            f"tilts: {', '.join(flat)} cannot be turned with the stage; leave it out of the config"
        )
    for name in ("motion", "movies"):
        if getattr(config, name):
            raise CryoccdError(f"tilts: {name} is not known for a tilt series; leave it out")
    if config.scattering != "weak_phase":
        raise CryoccdError(
            f"tilts: scattering = {config.scattering}, expected weak_phase for a tilt series"
        )
    if config.dose is not None and config.dose.frames > 1:
        raise CryoccdError(
            f"tilts: dose.frames = {config.dose.frames}, expected 1: every tilt is one exposure"
        )
