"""The contrast of a scene: linear in the potential, or from the electron wave.

In the weak-phase approximation I - 1 = -2 F^-1[T F(sigma P)] (Kirkland 2010, chapter 3; Vulovic et
al., J. Struct. Biol. 183, 19, 2013), where P is the projected potential, sigma the interaction
constant and T the transfer of the lens: with a CTF that starts positive, under-focused particles
are dark on light. Every particle has the CTF of its own height.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.imaging.heights import shared_heights
from cryoccd.imaging.projected import BODY_BORDER_PX, Projected
from cryoccd.imaging.slabs import Canvas, cut_slabs, whole_slabs
from cryoccd.imaging.stamps import Stamp, reach_px
from cryoccd.imaging.transfer import transfer
from cryoccd.imaging.waves import Waves
from cryoccd.records import Optics

Scattering = Literal["weak_phase", "phase_object", "multislice"]

PHASE_SLAB_A = 50.0
MULTISLICE_SLAB_A = 20.0


def contrast(
    projected: Projected,
    optics: Optics,
    border_px: int = 0,
    scattering: Scattering = "weak_phase",
) -> Tensor:
    """The image minus 1, (height + 2 border, width + 2 border).

    Args:
        projected: the scene.
        optics: the settings, defocus in the middle of the ice.
        border_px: how much of what lies about the field is shown as well.
        scattering: weak_phase is linear; phase_object and multislice follow the wave.

    Raises:
        CryoccdError: pixel sizes that differ.
    """
    scene = projected.scene
    if abs(optics.pixel_size_A / scene.pixel_size_A - 1) > 1e-4:
        raise CryoccdError(
            f"optics: pixel_size_A = {optics.pixel_size_A}, expected the scene's "
            f"{scene.pixel_size_A}"
        )
    stamps, z_A = projected.layers(border_px + BODY_BORDER_PX)
    if scattering == "weak_phase" or not stamps:
        return weak_phase_contrast(stamps, z_A, scene.shape_px, optics, border_px)
    padding = _Padding.of(stamps, z_A, scene.shape_px, optics, border_px)
    device = stamps[0].potential.device
    canvas = Canvas(padding.shape_px, padding.margin_px + border_px, device)
    waves = Waves(optics, padding.shape_px, device)
    if scattering == "phase_object":
        return padding.cut(waves.phase_object(whole_slabs(stamps, z_A, canvas, PHASE_SLAB_A)))
    uncut = projected.body_layers(border_px + BODY_BORDER_PX)
    slabs = cut_slabs(scene, uncut, projected.projectors, canvas, MULTISLICE_SLAB_A)
    return padding.cut(waves.multislice(slabs))


def weak_phase_contrast(
    stamps: Sequence[Stamp],
    z_A: NDArray[np.float64],
    shape_px: tuple[int, int],
    optics: Optics,
    border_px: int = 0,
) -> Tensor:
    """The image minus 1 of stamps at (n,) heights z_A, with a border about the field."""
    if not stamps:
        return torch.zeros(shape_px[0] + 2 * border_px, shape_px[1] + 2 * border_px)
    padding = _Padding.of(stamps, z_A, shape_px, optics, border_px)
    padded = padding.shape_px
    device = stamps[0].potential.device
    heights_A, weights = shared_heights(z_A, optics)
    spectrum = torch.zeros(padded[0], padded[1] // 2 + 1, dtype=torch.complex64, device=device)
    for node, height_A in enumerate(heights_A):
        lens = transfer(optics, padded, float(height_A), device)
        slab = torch.zeros(padded, device=device)
        for stamp, weight in zip(stamps, weights[:, node], strict=True):
            slab[stamp.window(padding.margin_px + border_px)] += weight * stamp.potential
        transformed = torch.fft.rfft2(slab)
        del slab  # these fields are as large as the image
        spectrum += transformed.mul_(lens)
        del transformed, lens
    image = torch.fft.irfft2(spectrum, s=padded)
    return padding.cut(image) * (-2 * optics.interaction_rad_per_V_A)


@dataclass(frozen=True)
class _Padding:
    """A field with its border on a larger grid, where nothing that spreads meets itself.

    Args:
        shape_px: of the grid.
        margin_px: row and column on it where the border begins.
        inner_px: height and width of the field with its border.
    """

    shape_px: tuple[int, int]
    margin_px: int
    inner_px: tuple[int, int]

    @classmethod
    def of(
        cls,
        stamps: Sequence[Stamp],
        z_A: NDArray[np.float64],
        shape_px: tuple[int, int],
        optics: Optics,
        border_px: int,
    ) -> "_Padding":
        """What spreads over one end of the grid comes in at the other: keep both ends apart."""
        height, width = (side + 2 * border_px for side in shape_px)
        margin = max(0, reach_px(stamps, shape_px) - border_px)
        more = margin + max(margin, _delocalisation_px(z_A, shape_px, optics))
        grid = next_fast_len(height + more, real=True), next_fast_len(width + more, real=True)
        return cls(grid, margin, (height, width))

    def cut(self, image: Tensor) -> Tensor:
        """The field with its border."""
        start, (height, width) = self.margin_px, self.inner_px
        return image[start : start + height, start : start + width]


def _delocalisation_px(
    z_A: NDArray[np.float64],
    shape_px: tuple[int, int],
    optics: Optics,
) -> int:
    """How far the CTF moves any frequency up to Nyquist: |lambda d k - Cs lambda^3 k^3|.

    At most the longer side of the field.
    """
    k_per_A = np.linspace(0, 0.5 / optics.pixel_size_A, 64)
    wavelength_A, cs_A = optics.wavelength_A, optics.cs_mm * 1e7
    spherical_A = cs_A * wavelength_A**3 * k_per_A**3
    moved_A = [
        np.abs(wavelength_A * (defocus_A - height_A) * k_per_A - spherical_A).max()
        for defocus_A in (optics.defocus_u_A, optics.defocus_v_A)
        for height_A in (z_A.min(), z_A.max())
    ]
    return min(int(np.ceil(max(moved_A) / optics.pixel_size_A)), max(shape_px))
