"""Instance labels: which pixels belong to which particle.

At high resolution a projection has gaps between its helices, so the footprint is drawn from the
projected potential smoothed by a Gaussian of the size of a side chain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.fourier import radial_frequency
from cryoccd.imaging.stamps import Stamp, reach_px
from cryoccd.records import Body

FOOTPRINT_FRACTION = 0.1
"""The footprint is where the smoothed projection exceeds this part of the particle's maximum."""

OPAQUE = 0.2
"""Share of the electrons lost, above which a body covers a particle."""

_BELOW = 1e-6  # of a density beneath that of any particle

SMOOTHING_A = 5.0
"""Standard deviation of the smoothing."""


@dataclass(frozen=True)
class Footprints:
    """Labels of one field and what became of each of n particles.

    Args:
        instances: (h, w) int32, 0 = background; where footprints overlap the larger smoothed
            projection has the pixel.
        instance_id: (n,) label of each particle, from 1; 0 for one that shows no pixel.
        visible_fraction: (n,) part of the footprint that bears its label inside the field.
        overlap_fraction: (n,) part of the footprint that other footprints cover as well.
        on_edge: (n,) whether the edge of the field cuts the footprint.
    """

    instances: Tensor
    instance_id: NDArray[np.int64]
    visible_fraction: NDArray[np.float64]
    overlap_fraction: NDArray[np.float64]
    on_edge: NDArray[np.bool_]


def draw_footprints(
    stamps: Sequence[Stamp],
    shape_px: tuple[int, int],
    pixel_size_A: float,
    bodies: Sequence[Body] = (),
) -> Footprints:
    """Label a field of (height, width) pixels on which the stamps and, after them, bodies lie.

    The footprint of a body is its own. It lies below particles, which show through membranes, films
    and frost, but for what takes more than OPAQUE of the electrons.
    """
    height, width = shape_px
    smoothed = _smooth([stamp.potential for stamp in stamps], SMOOTHING_A / pixel_size_A)
    shown = [
        (Stamp(density, stamp.top, stamp.left), density > FOOTPRINT_FRACTION * density.max())
        for stamp, density in zip(stamps, smoothed, strict=True)
    ]
    shown += [_of_body(body, shape_px) for body in bodies]
    marks = [mark for _, mark in shown]
    stamps = [stamp for stamp, _ in shown]
    n, margin = len(stamps), reach_px(stamps, shape_px)
    device = stamps[0].potential.device if stamps else torch.device("cpu")
    canvas = (height + 2 * margin, width + 2 * margin)
    highest = torch.zeros(canvas, device=device)
    labels = torch.zeros(canvas, dtype=torch.int32, device=device)
    covered = torch.zeros(canvas, dtype=torch.int32, device=device)
    for label, (stamp, mark) in enumerate(shown, start=1):
        window, potential = stamp.window(margin), stamp.potential
        won = mark & (potential > highest[window])
        highest[window] = torch.where(won, potential, highest[window])
        labels[window].masked_fill_(won, label)
        covered[window] += mark

    field = slice(margin, margin + height), slice(margin, margin + width)
    area, shared, inside = np.zeros((3, n))
    if n:
        outside = torch.ones(canvas, dtype=torch.bool, device=device)
        outside[field] = False
        counts = [
            torch.stack(
                [
                    mark.sum(),
                    (mark & (covered[stamp.window(margin)] > 1)).sum(),
                    (mark & ~outside[stamp.window(margin)]).sum(),
                ]
            )
            for mark, stamp in zip(marks, stamps, strict=True)
        ]
        area, shared, inside = torch.stack(counts).double().cpu().numpy().T
    seen = labels[field].cpu()
    visible = torch.bincount(seen.flatten(), minlength=n + 1)[1:].double().numpy()
    instance_id = np.where(visible > 0, np.cumsum(visible > 0), 0)
    renumber = torch.from_numpy(np.concatenate([[0], instance_id]).astype(np.int32))
    return Footprints(
        instances=renumber[seen.long()],
        instance_id=instance_id,
        visible_fraction=visible / np.maximum(area, 1),
        overlap_fraction=shared / np.maximum(area, 1),
        on_edge=inside < area,
    )


def _of_body(body: Body, shape_px: tuple[int, int]) -> tuple[Stamp, Tensor]:
    """Density and footprint of a body, what lies outside the field cut away but for a rim."""
    potential = body.potential_V_A.sum(0).abs()
    density = _BELOW * (1 + potential) / (2 + potential)  # among bodies the larger one wins
    if body.loss is not None:
        density[body.loss > -log(1 - OPAQUE)] = torch.inf
    parts = [
        Stamp(image, body.top_px, body.left_px).cut(shape_px, border_px=1)
        for image in (density, body.footprint)
    ]
    if parts[0] is None or parts[1] is None:
        nothing = torch.zeros(1, 1)
        return Stamp(nothing, 0, 0), nothing.bool()
    return parts[0], parts[1].potential


def _smooth(images: list[Tensor], sigma_px: float) -> list[Tensor]:
    """The images blurred by a Gaussian, those of one shape together."""
    smoothed = list(images)
    for shape in {(int(image.shape[0]), int(image.shape[1])) for image in images}:
        members = [index for index, image in enumerate(images) if image.shape == shape]
        spectra = torch.fft.rfft2(torch.stack([images[index] for index in members]))
        radius = radial_frequency(shape, rfft=True).to(spectra.device)
        spectra *= torch.exp(-2 * (torch.pi * sigma_px * radius) ** 2)
        for index, image in zip(members, torch.fft.irfft2(spectra, s=shape), strict=True):
            smoothed[index] = image
    return smoothed
