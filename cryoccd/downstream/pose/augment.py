"""Views of a particle made of one: quarter turns, mirror images and shifts by whole pixels.

An image shows f(p) = integral of V(A^T (p, z)) dz at p - s. What is done to it is done to its pose:

    turn by Q         f(Q^T p)    has the pose (Q, 1) A and the shift Q s,
    mirror image      f(-x, y)    has the pose diag(-1, 1, -1) A and the shift (-s_x, s_y).

The second is no change of hand: with z to -z under the integral it is the view of the same object
from the opposite side, and diag(-1, 1, -1) is the half turn about y. A mirror that left the pose as
it was, or took its reflection, would teach the other hand. This holds for projections; coma and the
curvature of the Ewald sphere have no such symmetry.

All of these move pixels and nothing else, so that noise keeps its statistics. Turns by other angles
would interpolate; the network does not need them (see network.py). What a shift moves out
on one side comes in on the other: background for background.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Motion:
    """A motion of images: a point p from the middle goes to M p + t.

    Args:
        matrix: (2, 2) M, one of the eight symmetries of the square.
        shift_px: (2,) whole numbers t, x and y.
    """

    matrix: Tensor
    shift_px: Tensor

    def image(self, image: Tensor) -> Tensor:
        """(..., b, b) images moved; b is even, the middle is pixel [b // 2, b // 2]."""
        box = int(image.shape[-1])
        axis = torch.arange(box) - box // 2
        points = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)
        # M is orthogonal: its inverse, acting on columns, is M itself, acting on rows
        sources = ((points - self.shift_px.long()) @ self.matrix.long() + box // 2) % box
        return image[..., sources[..., 1], sources[..., 0]]

    def rotation(self, rotation: Tensor) -> Tensor:
        """(..., 3, 3) poses of moved images; `undo` takes them back."""
        return self._lifted(rotation) @ rotation

    def undo(self, rotation: Tensor) -> Tensor:
        """(..., 3, 3) poses of the images before."""
        return self._lifted(rotation).mT @ rotation

    def shift(self, shift_px: Tensor) -> Tensor:
        """(2,) place of the particle in the moved image."""
        return self.matrix @ shift_px + self.shift_px

    def _lifted(self, like: Tensor) -> Tensor:
        lifted = torch.zeros(3, 3).to(like)
        lifted[:2, :2] = self.matrix
        lifted[2, 2] = torch.linalg.det(self.matrix)
        return lifted


def square_motion(quarters: int, mirror: bool, shift_px: tuple[int, int] = (0, 0)) -> Motion:
    """The mirror image or not, then quarter turns from x to y, then a shift."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters % 4]
    matrix = torch.tensor([[cosine, -sine], [sine, cosine]], dtype=torch.float32)
    if mirror:
        matrix = matrix * torch.tensor([-1.0, 1.0])
    return Motion(matrix, torch.tensor(shift_px, dtype=torch.float32))


def draw_motion(generator: torch.Generator, max_shift_px: int) -> Motion:
    """One of the eight symmetries and a shift of up to so many pixels along x and y."""
    symmetry = int(torch.randint(8, (1,), generator=generator))
    drawn = torch.randint(-max_shift_px, max_shift_px + 1, (2,), generator=generator)
    return square_motion(symmetry // 2, bool(symmetry % 2), (int(drawn[0]), int(drawn[1])))
