"""One picture per style: clean | each method | real, a few crops as rows.

All noisy panels share one grey scale, pinned from the real panels, so that brightness and contrast
can be compared by eye. The clean column has a scale of its own, symmetric about its background.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.report.panels import Sheet

CLEAN = "clean"
REAL = "real"
_QUANTILES = (0.005, 0.995)


def write_gallery(
    path: Path, rows: Mapping[str, Sequence[Tensor]], pixel_size_A: float, title: str
) -> None:
    """Write one gallery as PNG.

    Args:
        path: the PNG file, written whole or not at all.
        rows: name of the column to its crops, each (h, w), in the order of the columns; "clean"
            and "real" must be among them, and all must have equally many crops of one shape.
        pixel_size_A: pixel size, for the scale bar.
        title: heading, which should name the style and where the real side comes from.

    Raises:
        CryoccdError: a column is missing, uneven or not finite, or the pixel size not positive.
    """
    shape_px = _check(rows, pixel_size_A)
    centre, reach = clean_scale(rows[CLEAN])
    low, high = noisy_scale(rows[REAL])
    text = (
        f"clean: own scale, background ± {reach:.3g};  all others: one scale, "
        f"{low:.3g} to {high:.3g} (0.5 to 99.5 % of real);  crops are not paired with real"
    )
    sheet = Sheet(len(rows[REAL]), list(rows), shape_px, title, text)
    for column, (name, crops) in enumerate(rows.items()):
        limits = (centre - reach, centre + reach) if name == CLEAN else (low, high)
        for row, crop in enumerate(crops):
            axes = sheet.draw(row, column, crop, limits)
            if column == 0 and row == len(crops) - 1:
                sheet.scale_bar(axes, pixel_size_A)
    sheet.save(path)


def clean_scale(crops: Sequence[Tensor]) -> tuple[float, float]:
    """Grey of the background, and how far the crops go from it."""
    values = torch.stack([crop.detach().float().cpu() for crop in crops])
    centre = values.median()
    reach = (values - centre).abs().max().item()
    # crops without a particle are one grey
    return centre.item(), reach if reach > 0 else 1.0


def noisy_scale(crops: Sequence[Tensor]) -> tuple[float, float]:
    """The greys between which all but 1 % of noisy crops lie.

    Raises:
        CryoccdError: they are constant.
    """
    values = torch.stack([crop.detach().float().cpu() for crop in crops]).flatten().numpy()
    low, high = (float(q) for q in np.quantile(values, _QUANTILES))
    if not high > low:
        raise CryoccdError("gallery: the real crops are constant; choose others")
    return low, high


def _check(rows: Mapping[str, Sequence[Tensor]], pixel_size_A: float) -> tuple[int, int]:
    if not pixel_size_A > 0:
        raise CryoccdError(f"gallery: pixel_size_A is {pixel_size_A}, expected a positive number")
    for name in (CLEAN, REAL):
        if not rows.get(name):
            raise CryoccdError(f"gallery: no crops for {name}; give at least one")
    shape = rows[REAL][0].shape
    for name, crops in rows.items():
        if len(crops) != len(rows[REAL]):
            raise CryoccdError(
                f"gallery: {name} has {len(crops)} crops, expected {len(rows[REAL])} as real has"
            )
        for crop in crops:
            if crop.ndim != 2 or crop.shape != shape:
                raise CryoccdError(
                    f"gallery: {name} has a crop {tuple(crop.shape)}, expected {tuple(shape)}"
                )
            if not bool(torch.isfinite(crop).all()):
                raise CryoccdError(f"gallery: {name} has a crop with values that are not finite")
    return int(shape[0]), int(shape[1])
