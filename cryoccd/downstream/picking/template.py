"""Template matching, the picker without training: correlation with a round mean particle.

The template is the rotational average of the particle, of the mean image at the picks or of the
clean images of a simulated set. It is correlated by FFT with what a picker sees, whose local mean
and deviation are removed (Roseman 2003, Ultramicroscopy 94, 225, with a wider window), so that the
scores of all micrographs stand on one scale: the z-scores of Detectability.

From picks, the spectrum of the background between them whitens: the most powerful linear test in
noise of that spectrum. With `whiten` off, and from clean images, which have no noise to measure,
the spectrum is flat.
"""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from cryoccd.downstream.picking.base import EXCLUSION, Picker
from cryoccd.downstream.picking.clean_signal import clean_images
from cryoccd.downstream.picking.front import Front, resize
from cryoccd.downstream.picking.peaks import find_peaks
from cryoccd.downstream.picking.seen import Labelled, see_all
from cryoccd.errors import CryoccdError
from cryoccd.metrics.picking.picks import Picks
from cryoccd.metrics.signal.detectability import Detectability
from cryoccd.metrics.signal.template import round_template

_FLAT = torch.ones(2, dtype=torch.float64)


class TemplatePicker(Picker):
    """Peaks of a matched filter; make it with `from_picks` or `from_clean`.

    Scores are z-scores: the noise of the micrograph has about 0 +- 1.

    Args:
        front: what the picker sees.
        matched: the filter on its scale.
    """

    def __init__(self, front: Front, matched: Detectability) -> None:
        self.particle_diameter_A = front.particle_diameter_A
        self._front, self._matched = front, matched

    @classmethod
    def from_picks(cls, labelled: Labelled, front: Front, whiten: bool = True) -> "TemplatePicker":
        """Template of the mean particle of labelled micrographs.

        Args:
            labelled: real or simulated.
            front: what the picker sees.
            whiten: by the spectrum of the background between their particles; else flat.

        Raises:
            CryoccdError: no particle clear of the borders, or no background between particles.
        """
        seen = see_all(labelled, front)
        images, centres_px = [each.values for each in seen], [each.centres_px for each in seen]
        matched = Detectability.fit(images, centres_px, front.diameter_px)
        return cls(front, matched if whiten else replace(matched, power=_FLAT))

    @classmethod
    def from_clean(cls, labelled: Labelled, front: Front) -> "TemplatePicker":
        """Template of the clean images of a simulated set, for a flat spectrum.

        Raises:
            CryoccdError: the folder has no clean images, or no particle clear of the borders.
        """
        dataset, folder = clean_images(labelled.folder), labelled.folder
        images, centres_px = [], []
        for name in sorted(labelled.names):
            clean, positions_px = dataset.image(name, "clean"), folder.picks_px(name)
            if positions_px is None:
                raise CryoccdError(f"{folder.root}: no picks of {name}; leave it out")
            grid = front.grid((clean.shape[0], clean.shape[1]), folder.pixel_size_A)
            image = resize(torch.from_numpy(clean), grid)
            everywhere = torch.ones_like(image, dtype=torch.bool)
            images.append(image - front.average(image, everywhere))
            centres_px.append(torch.from_numpy(grid.to_seen(positions_px)))
        template = round_template(images, centres_px, front.diameter_px)
        return cls(front, Detectability(template, _FLAT, front.diameter_px, recentre_px=0))

    def pick(self, image: NDArray[np.float32], pixel_size_A: float) -> Picks:
        """See `Picker.pick`."""
        seen, grid = self._front.see(image, pixel_size_A)
        peaks = find_peaks(self._matched.score(seen), EXCLUSION * self._front.diameter_px)
        return Picks(grid.to_full(peaks.positions_px), peaks.scores)
