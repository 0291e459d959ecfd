"""How the pickers of a table are trained and judged."""

from dataclasses import dataclass, field

from cryoccd.downstream.picking.config import PickerConfig
from cryoccd.downstream.picking.topaz_config import TopazConfig
from cryoccd.errors import check_within


@dataclass(frozen=True)
class PickingSettings:
    """Settings of a table of picking.

    Args:
        labelled: simulated micrographs that each method translates and pickers are trained on.
        translator_seed: of the one fit of each method; the seeds of the table are the pickers'.
        radius: of a hit, in particle diameters.
        margin: width of the border that counts for nothing, in diameters.
        fast: the heat map picker.
        topaz: the program Topaz.
    """

    labelled: int = 48
    translator_seed: int = 0
    radius: float = 0.25
    margin: float = 0.5
    fast: PickerConfig = field(default_factory=PickerConfig)
    topaz: TopazConfig = field(default_factory=TopazConfig)

    def __post_init__(self) -> None:
        check_within("picking: labelled", self.labelled, 1, 1e6, "micrographs")
