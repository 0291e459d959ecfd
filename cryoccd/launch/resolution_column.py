"""One data set of a table of resolutions: the map that every row's picks make.

Every row gets as many picks as the training split leads to expect, the surest first, which needs no
look at the test labels. Their poses are matched to the known map at 30 A, so that no row finds its
own frame or hand; what differs is what was picked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from cryoccd.downstream.pose.picked import PickedParticles, cut_picked
from cryoccd.downstream.pose.refine import random_poses, resolve
from cryoccd.downstream.pose.relion_refine import RelionOptions, relion_poses, relion_program
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.boxes import default_box_px
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.folder import open_folder
from cryoccd.launch.column import Outcome, Row
from cryoccd.launch.picking_column import PickingColumn
from cryoccd.metrics.picking.picks import Picks
from cryoccd.metrics.pose.columns import map_metrics
from cryoccd.report.anchors import RANDOM_POSES, RESOLUTION, TRUE_PICKS, Anchors
from cryoccd.specimen.species import load_species

PosesBy = Literal["matching", "relion"]


@dataclass(frozen=True)
class ResolutionColumn(PickingColumn):
    """One data set: picks of the test split, posed and reconstructed.

    Args:
        poses_by: what poses them: matching to projections of the known map, or RELION.
    """

    poses_by: PosesBy = "matching"
    picture: ClassVar[str] = "maps"

    @property
    def anchors(self) -> Anchors:
        """True picks, a picker of real labels, other pickers, chance, and true picks turned."""
        return RESOLUTION

    def check(self) -> None:
        """See that RELION is there if it is asked for."""
        if self.poses_by == "relion":
            relion_program()

    def protocol(self) -> dict[str, Any]:
        """The picker, the boxes, and how many picks are taken."""
        return super().protocol() | {
            "picks_a_micrograph": round(self._expected, 2),
            "box_px": self.matrix.pose.estimator.boxes.box_px,
            "box_A": round(self._box_A, 1),
            "symmetry": self._symmetry,
            "poses": self.poses_by,
        }

    def evaluate(self, row: Row, seed: int) -> Outcome:
        """Pick, cut, pose, reconstruct and compare."""
        task = self.pickers.task
        chosen: dict[str, Any] = {}
        if row.method in (TRUE_PICKS, RANDOM_POSES):
            positions: Mapping[str, NDArray[np.float64]] = task.targets_px
        else:
            picks, chosen = self.picks(row, seed)
            positions = surest(picks, round(self._expected * len(picks)))
        with self.console.status(f"resolve · {row.method} · {self.spec.name}"):
            particles = self._cut(positions)
            boxes = (particles.pixel_size_A, particles.box_px)
            reference = load_species(self.spec.recipe_of("").structure, *boxes)[1]
            poses = None  # matched to the reference
            if row.method == RANDOM_POSES:
                poses = random_poses(particles, seed)
            elif self.poses_by == "relion":
                work = self.fits.runs.root / "relion" / self.spec.name / f"{row.method}__{seed}"
                known = (particles, reference, self._symmetry, work, self.diameter_A)
                poses = relion_poses(*known, RelionOptions(seed=seed))
            found = resolve(particles, reference, self._symmetry, seed, poses)
        metrics = map_metrics(found.resolution, len(task.names))
        return Outcome(metrics, chosen | {"particles": len(particles)})

    def draw(self, path: Path, rows: Sequence[Row], seeds: Sequence[int]) -> bool:
        """Nothing: figures tell all."""
        return False

    @cached_property
    def _expected(self) -> float:
        """Particles a micrograph, by the picks of the training split."""
        real = open_folder(self.places.real)
        found = [real.picks_px(name) for name in real.names("train")]
        return float(np.mean([0 if picks is None else len(picks) for picks in found]))

    @cached_property
    def _box_A(self) -> float:
        if self.matrix.pose.box_A is not None:
            return self.matrix.pose.box_A
        simulated = Dataset(self.places.simulated_for("picking"))
        return default_box_px(simulated, ExportOptions()) * simulated.pixel_size_A

    @property
    def _symmetry(self) -> str:
        return self.matrix.pose.symmetry.get(self.spec.name, "C1")

    def _cut(self, positions: Mapping[str, NDArray[np.float64]]) -> PickedParticles:
        box_px = self.matrix.pose.estimator.boxes.box_px
        return cut_picked(self.pickers.task.folder, positions, box_px, self._box_A)


def surest(picks: Mapping[str, Picks], count: int) -> dict[str, NDArray[np.float64]]:
    """Positions of the picks with the highest scores of all micrographs together."""
    scores = np.concatenate([each.scores for each in picks.values()])
    kept = np.zeros(len(scores), dtype=np.bool_)
    kept[np.argsort(-scores, kind="stable")[:count]] = True
    ends = np.cumsum([len(each.scores) for each in picks.values()])
    parts = np.split(kept, ends[:-1])
    return {
        name: each.positions_px[part]
        for (name, each), part in zip(picks.items(), parts, strict=True)
    }
