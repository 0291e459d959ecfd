"""As many boxes of each class on both sides: distances and spectra depend on mix and number."""

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.metrics.card import check_pixel_sizes
from cryoccd.metrics.volume.boxes import BoxSet
from cryoccd.randomness import item_seed


def matched(real: BoxSet, generated: BoxSet, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Rows of both sides, ascending; of the side that has more of a class some are drawn.

    Args:
        real: one side.
        generated: the other.
        seed: of the choice.

    Raises:
        CryoccdError: sides of other classes, box or voxel size, or a class that only one side has.
    """
    check_alike(real, generated)
    if real.occurring != generated.occurring:
        label = min({*real.occurring} ^ {*generated.occurring})
        side = "generated" if label in real.occurring else "real"
        raise CryoccdError(
            f"boxes: no {side} one of {real.classes[label]}, expected some of each class on both "
            "sides; leave the class out"
        )
    rows: tuple[list[Tensor], list[Tensor]] = ([], [])
    for label in real.occurring:
        own = [(side.labels == label).nonzero().flatten() for side in (real, generated)]
        count = min(map(len, own))
        for kept, members in zip(rows, own, strict=True):
            draw = torch.Generator().manual_seed(item_seed(seed, "matched", label))
            kept.append(members[torch.randperm(len(members), generator=draw)[:count]])
    one, two = (torch.cat(kept).sort().values for kept in rows)
    return one, two


def check_alike(real: BoxSet, other: BoxSet) -> None:
    """Refuse sets that cannot be compared.

    Raises:
        CryoccdError: they differ in classes, box or voxel size.
    """
    if real.classes != other.classes:
        raise CryoccdError(
            f"boxes: classes {', '.join(other.classes)} beside {', '.join(real.classes)}, expected "
            "the same in the same order"
        )
    if real.box_px != other.box_px:
        raise CryoccdError(
            f"boxes: {other.box_px} voxels beside {real.box_px}, expected the same; cut them alike"
        )
    check_pixel_sizes({"real boxes": real.voxel_size_A, "the others": other.voxel_size_A})
