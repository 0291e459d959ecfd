"""From what the lens shows to what the camera writes.

Of the undamaged contrast c, the electrons that a frame is expected to get on a pixel are

    dose pixel^2 / frames * exp(-loss) (transmission (1 + T c + M ice) + diffuse)

with T what damage and motion leave of the specimen in that frame and M motion alone: broken ice
remains ice, so that its noise does not fade. Expectation is linear in T and M, and a sum of Poisson
counts is a Poisson count: where frames are neither kept nor weighted, one exposure with the mean of
T is their sum, exactly.

All fields carry a border around the camera's view, in which the filters may wrap.
"""

from dataclasses import dataclass
from itertools import repeat
from math import ceil

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.imaging.camera import Camera
from cryoccd.imaging.dose import DoseConfig, frame_weights
from cryoccd.imaging.motion import MotionConfig, draw_positions_A
from cryoccd.imaging.motion_transfer import Transfers
from cryoccd.records import Optics

SPREAD_PX = 16
"""How far the camera spreads anything that is seen."""


@dataclass(frozen=True)
class Observation:
    """One micrograph.

    Args:
        clean: (h, w) 1 + the contrast that damage, motion and dose weighting leave, before ice,
            transmission and camera.
        image: (h, w) float32 incident electrons a pixel, noisy.
        frames: (f, h, w) the same of each frame without weights, aligned where motion is
            corrected; None where not asked for.
    """

    clean: Tensor
    image: Tensor
    frames: Tensor | None = None


def least_border_px(motion: MotionConfig | None, pixel_size_A: float) -> int:
    """The border with which nothing wraps into the view."""
    moved_A = 0.0 if motion is None else motion.largest_shift_A
    return SPREAD_PX + ceil(moved_A / pixel_size_A)


def observe(
    contrast: Tensor,
    border_px: int,
    transmission: Tensor | None,
    ice_contrast: Tensor | None,
    loss: Tensor | None,
    optics: Optics,
    dose: DoseConfig,
    motion: MotionConfig | None,
    camera: Camera,
    generator: torch.Generator,
    diffuse: Tensor | None = None,
    movies: bool = False,
) -> Observation:
    """Expose, damage, move, count.

    Args:
        contrast: (h + 2 border, w + 2 border) image minus 1 of the undamaged specimen.
        border_px: what lies around the camera's view; see `least_border_px`.
        transmission: (h, w) part of the beam that the ice leaves for the image; None is 1.
        ice_contrast: (h + 2 border, w + 2 border) or (h, w) contrast of the ice; None is 0.
        loss: (h, w) further loss of electrons, the intensity is multiplied by exp(-loss).
        optics: pixel size and voltage.
        dose: exposure, frames and damage.
        motion: how the specimen moves; None is at rest.
        camera: the camera.
        generator: source of motion and shot noise; the noise is drawn on its device.
        diffuse: (h, w) part of the beam that arrives without contrast, such as inelastic
            scattering without an energy filter; None is 0.
        movies: whether to return the frames.

    Raises:
        CryoccdError: shapes that do not fit, or motion beyond the border.
    """
    if motion is not None and motion.largest_shift_A > border_px * optics.pixel_size_A:
        raise CryoccdError(
            f"motion: total_A = {motion.total_A}, a shift of up to {motion.largest_shift_A:.3g} A, "
            f"expected at most the border of {border_px} px * {optics.pixel_size_A:g} A"
        )
    shape_px = (int(contrast.shape[0]), int(contrast.shape[1]))
    positions_A = draw_positions_A(motion, dose.frames, dose.dose_e_per_A2, generator)
    transfers = Transfers(dose, optics, positions_A, shape_px, contrast.device)
    through = None if loss is None else torch.exp(-loss)
    veil = None if diffuse is None else _product(diffuse, through)
    ice = _widen(ice_contrast, "ice_contrast", shape_px, border_px)
    beam = _Beam(
        shape_px=shape_px,
        specimen=torch.fft.rfft2(contrast),
        ice=torch.fft.rfft2(ice) if ice is not None and transfers.moving else ice,
        image_part=_widen(_product(transmission, through), "transmission", shape_px, border_px),
        diffuse_part=_widen(veil, "diffuse", shape_px, border_px),
        electrons=dose.dose_e_per_A2 * optics.pixel_size_A**2,
    )
    del contrast, ice, veil, through  # large fields that the beam holds in another form
    expose = _by_frames if movies or dose.dose_weighting else _at_once
    return expose(beam, transfers, camera, generator, border_px, movies)


@dataclass(frozen=True)
class _Beam:
    """What becomes of the beam, on the field with its border."""

    shape_px: tuple[int, int]
    specimen: Tensor  # transform of the undamaged contrast
    ice: Tensor | None  # contrast; its transform where the specimen moves
    image_part: Tensor | None
    diffuse_part: Tensor | None
    electrons: float  # a pixel, over the whole exposure

    def image(self, spectrum: Tensor) -> Tensor:
        """The field of a transform."""
        field: Tensor = torch.fft.irfft2(spectrum, s=self.shape_px)
        return field

    def expected(self, seen: Tensor, moved: Tensor | None, share: float = 1.0) -> Tensor:
        """Electrons a pixel in a share of the exposure; `seen`, the contrast, is used up."""
        if self.ice is not None:
            seen += self.ice if moved is None else self.image(self.ice * moved)
        seen += 1
        if self.image_part is not None:
            seen *= self.image_part
        if self.diffuse_part is not None:
            seen += self.diffuse_part
        return seen.clamp_(min=0).mul_(self.electrons * share)


def _at_once(
    beam: _Beam,
    transfers: Transfers,
    camera: Camera,
    generator: torch.Generator,
    border_px: int,
    movies: bool,
) -> Observation:
    frames = transfers.dose.frames
    left = beam.image(beam.specimen * transfers.specimen(0, frames))
    clean = 1 + _view(left, border_px)
    expected = beam.expected(left, transfers.ice(0, frames))
    image = camera.expose(expected, generator, border_px)
    return Observation(clean, _view(image, border_px).contiguous())


def _by_frames(
    beam: _Beam,
    transfers: Transfers,
    camera: Camera,
    generator: torch.Generator,
    border_px: int,
    movies: bool,
) -> Observation:
    frames = transfers.dose.frames
    decay = transfers.decay(frames) if transfers.dose.dose_weighting else None
    even = torch.ones(1, 1, device=beam.specimen.device)
    weights = repeat(even, frames) if decay is None else frame_weights(decay, frames)
    left, total = torch.zeros_like(beam.specimen), torch.zeros_like(beam.specimen)
    kept = []
    for index, weight in enumerate(weights):
        spectrum = beam.specimen * transfers.specimen(index, 1)
        left += spectrum * (weight / frames)
        expected = beam.expected(beam.image(spectrum), transfers.ice(index, 1), 1 / frames)
        frame = camera.expose(expected, generator, border_px)
        total += torch.fft.rfft2(frame) * weight
        if movies:
            kept.append(_view(frame, border_px).clone())
    return Observation(
        clean=1 + _view(beam.image(left), border_px),
        image=_view(beam.image(total), border_px).contiguous(),
        frames=torch.stack(kept) if movies else None,
    )


def _view(field: Tensor, border_px: int) -> Tensor:
    """What the camera sees of a field with its border."""
    height, width = field.shape
    return field[border_px : height - border_px, border_px : width - border_px]


def _widen(
    image: Tensor | None, name: str, shape_px: tuple[int, int], border_px: int
) -> Tensor | None:
    """The image on a field with a border, mirrored into it where it has none."""
    if image is None or image.shape == shape_px:
        return image
    view = tuple(side - 2 * border_px for side in shape_px)
    if image.shape != view:
        raise CryoccdError(
            f"observe: {name} {tuple(image.shape)}, expected {view}: the contrast {shape_px} "
            f"without its border of {border_px} px"
        )
    for axis, side in enumerate(view):
        places = torch.arange(-border_px, side + border_px, device=image.device) % (2 * side)
        image = image.index_select(axis, torch.minimum(places, 2 * side - 1 - places))
    return image


def _product(image: Tensor | None, factor: Tensor | None) -> Tensor | None:
    return image if factor is None else factor if image is None else image * factor
