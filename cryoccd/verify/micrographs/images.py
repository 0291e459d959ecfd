"""The images of a set under one reading of its labels."""

from dataclasses import dataclass

import torch

from cryoccd.imaging.projection import Projector
from cryoccd.io.dataset import Dataset
from cryoccd.verify.micrographs.boxes import cut_boxes
from cryoccd.verify.micrographs.refits import Particles
from cryoccd.verify.micrographs.sample import Sample
from cryoccd.verify.micrographs.views import Lens
from cryoccd.verify.readings import PLACINGS, Reading


@dataclass(frozen=True)
class Images:
    """The images of a set under the reading of its labels that fits them.

    Args:
        dataset: the set.
        kind: images to look at, clean or micrographs.
        reading: how the labels are read.
        moved_px: x, y by which all particles lie away from their labels.
        magnification: of the particles over that of their map by the pixel size stated.
    """

    dataset: Dataset
    kind: str
    reading: Reading
    moved_px: tuple[float, float] = (0.0, 0.0)
    magnification: float = 1.0

    def particles(self, sample: Sample, projector: Projector) -> Particles:
        """Those of a sample whose boxes lie inside the field."""
        placing = PLACINGS[self.reading.placing]
        box = projector.box_px
        boxes, rest, inside = cut_boxes(self.dataset, self.kind, sample.rows, box, placing)
        kept = torch.from_numpy(inside)
        rest = rest + torch.tensor(self.moved_px, dtype=torch.float64)
        lens = Lens(self.dataset, sample.rows[inside], self.magnification)
        noise_free = self.kind == "clean"
        return Particles(boxes[kept], rest[kept], lens, projector, self.reading, noise_free)
