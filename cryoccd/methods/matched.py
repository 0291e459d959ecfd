"""What the fitted noise models share: the particles' contrast is that of the real training split.

y = gain * clean + noise, with the noise in the units of normalised real micrographs and the gain
such that a matched filter finds the particles as well as in the real data: the same detectability
d' (metrics.detectability) where there are picks, else the same separation of the two components
of the filter's maxima (metrics.two_component).
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from cryoccd.data.datamodule import CryoDataModule
from cryoccd.errors import CryoccdError
from cryoccd.imaging.background import background_mask
from cryoccd.methods.base import Translator
from cryoccd.metrics.signal.detectability import Detectability
from cryoccd.metrics.signal.matching import Separation, match_contrast
from cryoccd.metrics.signal.two_component import BlindFinder

MAX_MICROGRAPHS = 64
"""Micrographs a side that the contrast is matched on; more change d' by less than its error."""


@dataclass(frozen=True)
class Background:
    """A normalised real micrograph and the mask of its background."""

    image: Tensor
    mask: Tensor


class MatchedContrast(Translator):
    """Base of the noise models fitted to real data."""

    gain: Tensor
    separation_real: Tensor
    separation_reached: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("gain", torch.tensor(0.0, dtype=torch.float64))
        self.register_buffer("separation_real", torch.tensor(0.0, dtype=torch.float64))
        self.register_buffer("separation_reached", torch.tensor(0.0, dtype=torch.float64))

    def calibrate(self, datamodule: CryoDataModule) -> None:
        """Fit the noise to real background, then the contrast to real particles."""
        diameter_px = datamodule.particle_diameter_A / datamodule.pixel_size_A
        occupied = (s for s in datamodule.train_simulated() if len(s.centres_px))
        simulated = list(islice(occupied, MAX_MICROGRAPHS))
        if not simulated:
            raise CryoccdError("simulated side: no micrograph has a particle, nothing to match")
        clean = [s.clean for s in simulated]
        centres = [s.centres_px for s in simulated]
        real = list(islice(datamodule.train_real(), MAX_MICROGRAPHS))
        images = [r.image for r in real]
        picks = [r.centres_px for r in real if r.centres_px is not None]
        if len(picks) == len(real):
            found = Detectability.fit(images, picks, diameter_px)
            separation = Separation(found.dprime, found.dprime(images, picks))
        else:
            blind = BlindFinder.fit(images, clean, centres, diameter_px)
            picks = [blind.find(image) for image in images]
            separation = Separation(lambda fields, _: blind.separation(fields), blind.real)
        self.fit_noise(_backgrounds(images, picks, diameter_px))
        match = match_contrast(separation, clean, centres, self.noise, datamodule.seed)
        fringes = [match.gain * image for image in clean]
        if self.remove_fringes(_backgrounds(fringes, centres, diameter_px)):
            match = match_contrast(separation, clean, centres, self.noise, datamodule.seed)
        self.gain.fill_(match.gain)
        self.separation_real.fill_(match.real)
        self.separation_reached.fill_(match.reached)

    def choices(self) -> dict[str, float | int | str]:
        """The contrast that was chosen: d' with picks, else the separation of two components."""
        return {
            "gain": float(self.gain),
            "separation_real_train": float(self.separation_real),
            "separation_simulated_train": float(self.separation_reached),
        }

    def translate(
        self, clean: Tensor, mask: Tensor, ice: Tensor, style: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Signal at the matched contrast plus a field of noise for each micrograph."""
        shape = (int(clean.shape[-2]), int(clean.shape[-1]))
        noise = torch.stack([self.noise(shape, generator) for _ in range(len(clean))])
        return float(self.gain) * clean + noise[:, None].to(clean)

    @abstractmethod
    def fit_noise(self, background: Sequence[Background]) -> None:
        """Fit the noise model to the background of real micrographs."""

    def remove_fringes(self, fringes: Sequence[Background]) -> bool:
        """Take out of the noise what the particles send into their surroundings.

        The CTF spreads a particle over the background around it, and in a crowded field nothing
        is out of its reach; the clean signal brings the same fringes along once more.

        Args:
            fringes: simulated particles at the matched contrast and the mask of their background.

        Returns:
            Whether the noise changed, so that the contrast must be matched again.
        """
        return False

    @abstractmethod
    def noise(self, shape_px: tuple[int, int], generator: torch.Generator) -> Tensor:
        """One (h, w) float32 field of noise in the units of normalised real micrographs."""


def _backgrounds(
    images: Sequence[Tensor], centres_px: Sequence[Tensor], diameter_px: float
) -> list[Background]:
    return [
        Background(image, background_mask(image, centres, diameter_px))
        for image, centres in zip(images, centres_px, strict=True)
    ]
