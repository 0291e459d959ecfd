"""Poses by projection matching: the view of a known map that an image resembles most.

Over views A and shifts s the score is the correlation of image X and reference C P_A in the
Fourier plane, with the phase of the shift and the transfer C of the particle,

    score = Re sum_k X* C P_A exp(-2 pi i k s) / sqrt(sum_k |X|^2  sum_k |C P_A|^2) ,

the correlation coefficient of FREALIGN (Grigorieff 2007, J Struct Biol 157, 117) and of the first
iteration of RELION (--firstiter_cc). All views of a grid come first, with shifts on a grid; about
the best few of them both steps are then halved a few times.

Only frequencies up to 1 / low_pass_A take part. Enough references find their likeness in pure
noise, and the average of what they found is the reference: "Einstein from noise" (Shatsky et al.
2009, J Struct Biol 166, 67; Henderson 2013, PNAS 110, 18037). A hard limit at 30 A keeps that out
of every shell beyond it: detail there comes from the images. Up to 30 A the map of poor picks, and
the agreement of its half-maps, is that of the reference; so a resolution is read beside that of
random picks with poses from the same search.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from cryoccd.downstream.pose.low_band import LowBand, Sight
from cryoccd.downstream.pose.view_grid import view_grid
from cryoccd.errors import CryoccdError, check_within
from cryoccd.metrics.pose.poses import Poses
from cryoccd.metrics.volume.rotation_grid import small_turns
from cryoccd.records import Volume

Transfer = Callable[[Tensor], Tensor]

_SHIFTS_A_LIMIT = 5  # first grid of shifts: steps to the low-pass
_CANDIDATES = 4  # views of the first grid that are refined
_VIEWS_AT_ONCE = 1024


@dataclass(frozen=True)
class Matches:
    """Poses and how well they fit.

    Args:
        poses: of the images.
        scores: (n,) correlation coefficients up to the low-pass, at most 1.
    """

    poses: Poses
    scores: Tensor


@dataclass(frozen=True)
class _Best:
    """The best c poses of each of n images: (n, c, 3, 3), (n, c, 2) and (n, c)."""

    rotations: Tensor
    shifts_A: Tensor
    scores: Tensor

    def top(self, count: int) -> "_Best":
        scores, order = self.scores.topk(min(count, self.scores.shape[1]), dim=1)
        rows = torch.arange(len(scores))[:, None]
        return _Best(self.rotations[rows, order], self.shifts_A[rows, order], scores)

    def with_(self, other: "_Best") -> "_Best":
        return _Best(
            torch.cat([self.rotations, other.rotations], dim=1),
            torch.cat([self.shifts_A, other.shifts_A], dim=1),
            torch.cat([self.scores, other.scores], dim=1),
        )


def match_projections(
    images: Tensor,
    transfer: Transfer,
    volume: Volume,
    symmetry: str = "C1",
    step_deg: float = 7.5,
    max_shift_A: float = 25.0,
    low_pass_A: float = 30.0,
    halvings: int = 3,
    start_A: Tensor | None = None,
    batch: int = 50,
) -> Matches:
    """Find the pose of every image.

    Args:
        images: (n, b, b), bright on dark.
        transfer: (m, 2 b, b + 1) of the particles with these indices.
        volume: the known map, matter positive, of the images' box and pixel size.
        symmetry: its point group.
        step_deg: of the first grid of views.
        max_shift_A: radius of the disc of shifts of the first grid.
        low_pass_A: shortest wavelength that takes part.
        halvings: of both steps after the first grid; 3 bring 7.5 degrees to 1.
        start_A: (n, 2) x, y of the middle of each disc from pixel [b // 2, b // 2]; by default 0.
        batch: images at once; no matter for the result.

    Returns:
        One of the equivalent poses of each image, its shift from pixel [b // 2, b // 2].

    Raises:
        CryoccdError: another box, steps or limits out of range, or no shells below the limit.
    """
    box_px, voxel_A = int(images.shape[-1]), volume.voxel_size_A
    if volume.box_px != box_px:
        raise CryoccdError(f"matching: images of {box_px} px, a map of {volume.box_px}; want one")
    check_within("matching: max_shift_A", max_shift_A, 0, box_px * voxel_A / 2, "angstrom, the box")
    check_within("matching: halvings", halvings, 0, 6, "times")
    band, views = LowBand(volume, low_pass_A), view_grid(symmetry, step_deg)
    step_A = low_pass_A / _SHIFTS_A_LIMIT
    start_A = torch.zeros(len(images), 2) if start_A is None else start_A
    references = [(part, band.references(part)) for part in torch.split(views, _VIEWS_AT_ONCE)]
    found = []
    for index in torch.split(torch.arange(len(images)), batch):
        sight = band.sight(images[index], transfer(index)[:, ::2, ::2], start_A[index])
        best = _everywhere(band, sight, references, _disc(max_shift_A, step_A))
        for halving in range(1, halvings + 1):
            best = _about(band, sight, best, step_deg / 2**halving, step_A / 2**halving)
        found.append(best.top(1))
    shifts_A = torch.cat([best.shifts_A[:, 0] for best in found]) + start_A
    rotations = torch.cat([best.rotations[:, 0] for best in found])
    return Matches(Poses(rotations, shifts_A.double()), torch.cat([b.scores[:, 0] for b in found]))


def _everywhere(
    band: LowBand, sight: Sight, references: list[tuple[Tensor, Tensor]], grid_A: Tensor
) -> _Best:
    """The best few of all views, each at its best shift."""
    moved = _real(sight.spectra[:, None] * band.ramps(grid_A))  # (n, s, 2 m)
    best = None
    for views, coefficients in references:
        norms = sight.power @ coefficients.abs().square().T
        scores, shift = (moved @ _real(coefficients).T).max(dim=1)
        rotations = views.expand(len(scores), -1, -1, -1)
        part = _Best(rotations, grid_A[shift], scores / norms.sqrt()).top(_CANDIDATES)
        best = part if best is None else best.with_(part).top(_CANDIDATES)
    assert best is not None
    return best


def _about(band: LowBand, sight: Sight, best: _Best, step_deg: float, step_A: float) -> _Best:
    """Each of the best moved to the best of its 27 neighbours in angle times 9 in shift."""
    n, c = best.scores.shape
    axis = torch.tensor([0.0, -step_A, step_A])
    shifts_A = best.shifts_A[:, :, None] + torch.cartesian_prod(axis, axis)
    rotations = small_turns(step_deg) @ best.rotations[:, :, None]  # (n, c, 27, 3, 3)
    coefficients = band.references(rotations.flatten(0, 2)).view(n, c, rotations.shape[2], -1)
    moved = _real(sight.spectra[:, None, None] * band.ramps(shifts_A))
    norms = coefficients.abs().square() @ sight.power[:, None, :, None]  # (n, c, 27, 1)
    scores = moved @ _real(coefficients).mT / norms.mT.sqrt()  # (n, c, 9, 27)
    scores, at = scores.flatten(2).max(dim=2)
    image, rank = torch.arange(n)[:, None], torch.arange(c)
    turn, shift = at % rotations.shape[2], at // rotations.shape[2]
    return _Best(rotations[image, rank, turn], shifts_A[image, rank, shift], scores)


def _real(coefficients: Tensor) -> Tensor:
    """(..., 2 m) whose products are the real parts of those with the conjugate."""
    return torch.view_as_real(coefficients).flatten(-2)


def _disc(radius_A: float, step_A: float) -> Tensor:
    """(s, 2) points of a square grid in a disc, its middle first."""
    reach = int(radius_A // step_A)
    axis = torch.arange(-reach, reach + 1) * step_A
    points = torch.cartesian_prod(axis, axis)
    distances = points.norm(dim=1)
    inside = distances <= radius_A
    return points[inside][distances[inside].argsort(stable=True)]
