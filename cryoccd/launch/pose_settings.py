"""How the pose estimators of a table are trained and judged."""

from dataclasses import dataclass, field

from cryoccd.downstream.pose.config import PoseConfig
from cryoccd.errors import check_within


@dataclass(frozen=True)
class PoseSettings:
    """Settings of tables of poses and of resolutions.

    Args:
        labelled: simulated micrographs that each method translates and estimators are trained on.
        translator_seed: of the one fit of each method; the seeds of the table are the estimators'.
        symmetry: point group of each data set's particle, by the name of the data set.
        box_A: side of the boxes; None for that of the simulated set's map.
        estimator: how it is trained.
    """

    labelled: int = 400
    translator_seed: int = 0
    symmetry: dict[str, str] = field(default_factory=dict)
    box_A: float | None = None
    estimator: PoseConfig = field(default_factory=PoseConfig)

    def __post_init__(self) -> None:
        check_within("pose: labelled", self.labelled, 1, 1e6, "micrographs")
