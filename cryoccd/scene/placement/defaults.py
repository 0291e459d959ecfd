"""The law of placement that a class of specimen has where the configuration names none."""

from cryoccd.scene.placement.capsids import Capsids
from cryoccd.scene.placement.filament import Filament
from cryoccd.scene.placement.law import PlacementLaw
from cryoccd.scene.placement.membrane_bound import MembraneBound
from cryoccd.scene.placement.polysome import Polysome
from cryoccd.scene.placement.uniform import Uniform

DEFAULT_LAWS: dict[str, PlacementLaw] = {
    "enzyme": Uniform(),
    "ribosome": Polysome(),
    "capsid": Capsids(),
    "membrane_protein": MembraneBound(),
    "filament_subunit": Filament(),
}
