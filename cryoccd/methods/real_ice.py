"""The clean signal on real, particle-free background, after VirtualIce (Noble et al. 2024).

VirtualIce takes whole micrographs of empty ice. Data sets of particles have none, so the ice is
quilted from the particle-free patches of the training split; patch size and reuse are reported.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from cryoccd.errors import UnfitError
from cryoccd.imaging.quilt import free_patches, quilt
from cryoccd.methods.matched import Background, MatchedContrast


class RealIce(MatchedContrast):
    """y = gain * clean + quilt of real background.

    Args:
        patch_px: patch sizes to try, largest first; even.
        min_patches: a size is taken if at least so many free patches exist.
    """

    patches: Tensor
    micrograph_px: Tensor

    def __init__(
        self, patch_px: Sequence[int] = (64, 48, 32, 24, 16), min_patches: int = 64
    ) -> None:
        super().__init__()
        self.patch_px = tuple(patch_px)
        self.min_patches = min_patches
        self.register_buffer("patches", torch.zeros(0, 0, 0))
        self.register_buffer("micrograph_px", torch.tensor(0))

    def fit_noise(self, background: Sequence[Background]) -> None:
        """Collect the patches."""
        self.micrograph_px.fill_(background[0].image.numel())
        for side in self.patch_px:
            found = [
                free_patches(i.image - i.image[i.mask].mean(), i.mask, side) for i in background
            ]
            patches = torch.cat(found)
            if len(patches) >= self.min_patches:
                self.patches = patches.clone()
                return
        raise UnfitError(
            f"real_ice: {len(patches)} particle-free patches of {self.patch_px[-1]} px in "
            f"{len(background)} micrographs, needed {self.min_patches}; give more micrographs"
        )

    def choices(self) -> dict[str, float | int | str]:
        """Contrast, patch size, number of patches, and how often each is used a micrograph."""
        n, side = int(self.patches.shape[0]), int(self.patches.shape[-1])
        placed = int(self.micrograph_px) / (side / 2) ** 2
        return super().choices() | {
            "patch_px": side,
            "patches": n,
            "reuse_per_micrograph": placed / n,
        }

    def noise(self, shape_px: tuple[int, int], generator: torch.Generator) -> Tensor:
        """One field of background."""
        return quilt(self.patches.cpu(), shape_px, generator)
