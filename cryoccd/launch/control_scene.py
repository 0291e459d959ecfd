"""The stage of the control gallery: structures, base and variants, rendered without noise."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from cryoccd.data.ice_maps import transmission, upsample
from cryoccd.imaging.exposure import expose
from cryoccd.imaging.projection import Projector
from cryoccd.imaging.stamps import species_key
from cryoccd.io.folder_optics import FolderOptics
from cryoccd.launch.control_factors import Factor, Setting, base_setting, factors
from cryoccd.records import Exposure
from cryoccd.specimen.config import SpecimenConfig
from cryoccd.specimen.normal_modes import NormalModes
from cryoccd.specimen.species import diameter_A, load_specimen

OTHERS = ("assembly:lobed_c1", "assembly:dimer_d2")
"""What takes the place of a particle: the first that is not the species itself."""
FLEXED = NormalModes(count=1, rmsd_A=8.0, modes=3)
"""The other conformation of a structure that has one."""


@dataclass(frozen=True)
class Rendered:
    """A setting without noise.

    Args:
        exposure: clean image and labels.
        ice: (h, w) relative transmission of the ice, 1 where it is thinnest.
    """

    exposure: Exposure
    ice: Tensor

    @property
    def seen(self) -> Tensor:
        """(h, w) intensity behind the ice: the clean image itself knows nothing of its loss."""
        return self.exposure.clean * self.ice


@dataclass(frozen=True)
class Stage:
    """The base setting and its variants.

    Args:
        projectors: by the key of species and conformation.
        base: what the variants are compared with.
        factors: the variants.
        diameter_A: of the species.
    """

    projectors: Mapping[str, Projector]
    base: Setting
    factors: tuple[Factor, ...]
    diameter_A: float

    @classmethod
    def of(cls, structure: str, known: FolderOptics) -> "Stage":
        """The stage of a structure under the optics of a real folder.

        Raises:
            CryoccdError: a fault of the structure, or one that can have no second conformation.
        """
        pixel_size_A = known.pixel_size_A
        main = load_specimen(SpecimenConfig(structure), pixel_size_A)
        other = load_specimen(_other(structure), pixel_size_A)
        bent = main
        if len(main.volumes) == 1:
            bent = load_specimen(SpecimenConfig(structure, normal_modes=FLEXED), pixel_size_A)
        volumes = {
            species_key(main.name, 1): main.volumes[0],
            species_key(main.name, 2): bent.volumes[-1],
            other.name: other.volumes[0],
        }
        diameter = diameter_A(main.volumes[0])
        base = base_setting((main.name, other.name), diameter, known)
        projectors = {key: Projector(volume) for key, volume in volumes.items()}
        return cls(projectors, base, factors(base, diameter), diameter)

    def render(self, setting: Setting) -> Rendered:
        """Clean image, labels and ice of a setting."""
        exposure = expose(setting.scene, self.projectors, setting.optics)
        ice = upsample(transmission(exposure.ice_thickness_A), setting.scene.shape_px)
        return Rendered(exposure, ice)


def _other(structure: str) -> SpecimenConfig:
    return SpecimenConfig(next(source for source in OTHERS if source != structure))
