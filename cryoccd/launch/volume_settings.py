"""How generated boxes of a table are drawn and judged."""

from dataclasses import dataclass, field
from pathlib import Path

from cryoccd.downstream.volumes.config import VolumeClassifierConfig
from cryoccd.errors import check_within
from cryoccd.specimen.symmetry import point_group


@dataclass(frozen=True)
class VolumeSettings:
    """Settings of tables of volumes.

    Args:
        samples: boxes of each class that every row has.
        batch_size: boxes that are drawn at once.
        symmetry: point group of each class, by its name; C1 by default.
        maps: folder with the map of each class; None takes those of the tomograms.
        tilt_limit_deg: highest tilt of the series, about y.
        dark: whether matter is dark in the tomograms.
        classifier: what reads the boxes.
    """

    samples: int = 48
    batch_size: int = 16
    symmetry: dict[str, str] = field(default_factory=dict)
    maps: Path | None = None
    tilt_limit_deg: float = 60.0
    dark: bool = True
    classifier: VolumeClassifierConfig = field(default_factory=VolumeClassifierConfig)

    def __post_init__(self) -> None:
        check_within("volume: samples", self.samples, 2, 1e6, "boxes of a class")
        check_within("volume: batch_size", self.batch_size, 1, 1e4, "boxes")
        check_within("volume: tilt_limit_deg", self.tilt_limit_deg, 1, 90, "degrees")
        for group in self.symmetry.values():
            point_group(group)  # names a wrong one
