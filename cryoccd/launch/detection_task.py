"""Which real tomograms detectors are trained on and which they are judged on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cryoccd.data.subtomograms import SubtomogramDataModule, particle_table
from cryoccd.downstream.detection import LabelledTomogram, labelled
from cryoccd.errors import CryoccdError
from cryoccd.io.tomograms import TomogramSource
from cryoccd.methods.generation.extents import class_diameters_A
from cryoccd.metrics.card import Metric, check_pixel_sizes
from cryoccd.metrics.volume.detection import CZII_RADII_A, Points
from cryoccd.metrics.volume.detection_figures import counted, detection_figures
from cryoccd.randomness import item_seed

Detections = Mapping[str, Mapping[str, Points]]
"""By tomogram and class (n, 3) places x, y, z in angstrom from the centre of voxel [0, 0, 0]."""


@dataclass(frozen=True, eq=False)
class DetectionTask:
    """Real tomograms in three parts that share none.

    Args:
        training: that detectors may be trained on.
        choosing: that thresholds are chosen on, whatever a detector was trained on.
        held: that detectors are judged on.
        radii_A: of each class, in the order of the labels.
        voxel_size_A: of all tomograms.
        beta: how much recall counts.
    """

    training: tuple[LabelledTomogram, ...]
    choosing: LabelledTomogram
    held: tuple[LabelledTomogram, ...]
    radii_A: Mapping[str, float]
    voxel_size_A: float
    beta: float = 4.0

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes in the order of their labels."""
        return tuple(self.radii_A)

    def labelled(self, source: TomogramSource) -> tuple[LabelledTomogram, ...]:
        """Other tomograms with particles of the same classes, such as composed ones.

        Raises:
            CryoccdError: other classes, or another voxel size.
        """
        own = sorted(set(source.particles["label"]))
        if own != sorted(self.classes):
            raise CryoccdError(
                f"{source.root}: particles of {', '.join(own) or 'no class'}, expected of "
                f"{', '.join(self.classes)}, as the real ones"
            )
        check_pixel_sizes(
            {str(source.root): source.voxel_size_A, "the real tomograms": self.voxel_size_A}
        )
        table = particle_table(source, self.classes)
        return labelled(source, table, np.arange(len(table)))

    def figures(self, found: Detections, real: Detections | None = None) -> dict[str, Metric]:
        """Figures of detections in the held-out tomograms, with intervals over these.

        Args:
            found: places in each held-out tomogram.
            real: those of the detector of real tomograms that `gain` is over; None for no gain.
        """
        sides = [
            [
                counted(each[held.name], held.particles_A(self.classes), self.radii_A)
                for held in self.held
            ]
            for each in (found, real)
            if each is not None
        ]
        return detection_figures(sides[0], sides[1] if real is not None else None, self.beta)

    def random(self, seed: int) -> Detections:
        """As many places as there are particles, anywhere in each held-out tomogram."""
        found: dict[str, dict[str, Points]] = {}
        for each in self.held:
            rng = np.random.default_rng(item_seed(seed, "random picks", each.name))
            extent_A = np.array(each.tomogram.shape[::-1]) * each.tomogram.voxel_size_A
            found[each.name] = {
                name: rng.uniform(0, extent_A, (len(true), 3)) - each.tomogram.voxel_size_A / 2
                for name, true in each.particles_A(self.classes).items()
            }
        return found


def detection_task(
    data: SubtomogramDataModule, diameters_A: Mapping[str, float] | None = None
) -> DetectionTask:
    """The tomograms of a data module, parted as it says.

    Thresholds are chosen on the first training tomogram with all classes without which the others
    have all classes too.

    Args:
        data: set up.
        diameters_A: of classes, in place of those of their maps; where there are no maps the
            particles of the CZII challenge have its radii.

    Raises:
        CryoccdError: a split within tomograms, too few tomograms, or a class of unknown size.
    """
    opened = data.opened
    source, table, split = opened.source, opened.table, opened.split
    training, held = (labelled(source, table, rows) for rows in (split.train, split.held))
    if shared := {each.name for each in training} & {each.name for each in held}:
        raise CryoccdError(
            f"data: {len(shared)} tomograms have particles that are trained on and particles that "
            "are held out; take split leave_one_out, which holds out whole ones"
        )
    choosing = _choosing(source, training, table.classes)
    rest = tuple(each for each in training if each is not choosing)
    told_A = {} if source.maps else _czii_diameters_A(table.classes)
    found_A = class_diameters_A(source, table.classes, told_A | dict(diameters_A or {}))
    radii_A = {name: found_A[name] / 2 for name in table.classes}
    return DetectionTask(rest, choosing, held, radii_A, source.voxel_size_A)


def _choosing(
    source: TomogramSource, training: Sequence[LabelledTomogram], classes: Sequence[str]
) -> LabelledTomogram:
    every = set(range(len(classes)))
    for each in training:
        others = {label for other in training if other is not each for label in other.labels}
        if set(each.labels.tolist()) == every == {int(label) for label in others}:
            return each
    raise CryoccdError(
        f"{source.root}: {len(training)} tomograms to train on, expected two or more with "
        f"particles of all of {', '.join(classes)}, one of them for thresholds; hold fewer out, "
        "or name rare classes in leave_out"
    )


def _czii_diameters_A(classes: Sequence[str]) -> dict[str, float]:
    return {name: 2 * CZII_RADII_A[name] for name in classes if name in CZII_RADII_A}
