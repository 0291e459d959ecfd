r"""The physics front end of the learned translators: from the clean signal to a noisy image.

    source    s = [ (t · (1 + clean) − μ) / σ_clean + n / √SNR ] / [ range_sd √(1 + 1/SNR) ],
              t = 1 − c (1 − ice),  n white

The noise is all the randomness of a deterministic generator, and a diffusion begins with the sum.
CryoGEM (Zhang et al., arXiv:2312.02235) feeds its generator so, CryoCCD its diffusion.

What differs from CryoGEM's code:
- `clean` already carries the CTF and ice acts on it as transmission. Estimated ice maps tell where
  it is darker, not by how much: c = 0.1 is the value of the CTF at zero frequency, by which the
  paper's code, with the ice before the CTF, weakens the gradient (and there c = 1 for particles);
- μ and σ_clean are constants of the training set, and real images come at median 0 and MAD-sd 1,
  divided by range_sd and clipped; there, each batch is stretched from its minimum to its maximum,
  so that one hot pixel changes all the rest.
"""

from collections.abc import Sequence
from math import sqrt

import torch
from torch import Tensor
from torch.nn import functional

from cryoccd.data.datamodule import CryoDataModule
from cryoccd.data.ice_maps import GRID, upsample
from cryoccd.errors import CryoccdError
from cryoccd.methods.base import Translator
from cryoccd.randomness import noise_like

MAX_ICE_MAPS = 64
"""Ice maps, on the grid of the estimate, that the checkpoint carries along."""


class PhysicsFrontEnd(Translator):
    """Base of the translators that start from a noisy physical image.

    Args:
        snr: variance of the clean signal over that of the white noise put on it.
        ice_contrast: c, the loss of transmission where the ice map is 0; 1 for maps of true scale.
        range_sd: what the networks see as 1, in units of normalised real images.

    Raises:
        CryoccdError: a number out of its range.
    """

    def __init__(self, snr: float = 0.1, ice_contrast: float = 0.1, range_sd: float = 6.0) -> None:
        super().__init__()
        self.require("snr", snr, snr > 0, "above 0")
        self.require("range_sd", range_sd, range_sd > 0, "above 0")
        self.require("ice_contrast", ice_contrast, 0 <= ice_contrast <= 1, "0 to 1")
        self.snr, self.ice_contrast, self.range_sd = snr, ice_contrast, range_sd
        self.register_buffer("intensity_mean", torch.tensor(0.0))
        self.register_buffer("clean_sd", torch.tensor(1.0))
        self.register_buffer("ice_maps", torch.empty(0, 1, 1))

    intensity_mean: Tensor
    clean_sd: Tensor
    ice_maps: Tensor

    def calibrate(self, datamodule: CryoDataModule) -> None:
        """Set μ and σ_clean from the simulated training micrographs, and keep their ice maps.

        Raises:
            CryoccdError: none of them has a particle.
        """
        variances, means = [], []
        maps: list[Tensor] = []
        for micrograph in datamodule.train_simulated():
            variances.append(micrograph.clean.var())
            means.append(self._intensity(micrograph.clean, micrograph.ice).mean())
            if len(maps) < MAX_ICE_MAPS:
                maps.append(functional.adaptive_avg_pool2d(micrograph.ice[None], GRID)[0])
        if datamodule.ice_source == "real":
            self.ice_maps = torch.stack(maps).to(self.clean_sd)
        self.clean_sd.copy_(torch.stack(variances).mean().sqrt())
        self.intensity_mean.copy_(torch.stack(means).mean())
        if not float(self.clean_sd) > 0:
            raise CryoccdError("simulated side: no micrograph has a particle, so SNR is undefined")

    def ice_input(self, modelled: Tensor, generator: torch.Generator) -> Tensor:
        """A map estimated on a real micrograph where training had such maps, else the model's."""
        if len(self.ice_maps) == 0:
            return modelled
        index = int(torch.randint(len(self.ice_maps), (1,), generator=generator))
        return upsample(self.ice_maps[index].to(modelled), (modelled.shape[0], modelled.shape[1]))

    def choices(self) -> dict[str, float | int | str]:
        """SNR and signal strength of the physics front end."""
        return {"snr": self.snr, "signal_sd": float(self.clean_sd)}

    def source(self, clean: Tensor, ice: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
        """The noisy physical image (b, 1, h, w), with sd 1 / range_sd; one generator an image."""
        signal = (self._intensity(clean, ice) - self.intensity_mean) / self.clean_sd
        noisy = signal + noise_like(signal, generators) / sqrt(self.snr)
        return noisy / (sqrt(1 + 1 / self.snr) * self.range_sd)

    def real_input(self, real: Tensor, bound: float = 1.0) -> Tensor:
        """Normalised real images as the networks see them, cut at ±bound against hot pixels."""
        return (real / self.range_sd).clamp(-bound, bound)

    def _intensity(self, clean: Tensor, ice: Tensor) -> Tensor:
        return (1 - self.ice_contrast * (1 - ice)) * (1 + clean)
