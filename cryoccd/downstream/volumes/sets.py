"""Boxes of a data module and of a folder of samples, as the figures take them."""

import numpy as np
import torch
from numpy.typing import NDArray

from cryoccd.data.subtomograms import SubtomogramDataModule
from cryoccd.data.subtomograms.datamodule import Part
from cryoccd.errors import CryoccdError
from cryoccd.geometry import euler_to_matrix
from cryoccd.io.dataset import BoxFolder
from cryoccd.metrics.volume import BoxSet, standardised
from cryoccd.metrics.volume.pose_error import BoxPoses

ANGLES = ["rot_deg", "tilt_deg", "psi_deg"]
OFFSETS = ["offset_x_px", "offset_y_px", "offset_z_px"]


def real_boxes(data: SubtomogramDataModule, part: Part) -> tuple[BoxSet, BoxPoses | None]:
    """Boxes of a part as they are, in groups by tomogram, with their poses where all are known."""
    boxes, table = data.boxes(part), data.opened.table
    volumes = torch.stack([boxes[number].volume[0] for number in range(len(boxes))])
    groups = np.array([table.tomograms[number] for number in table.tomogram[boxes.rows]])
    labels = torch.from_numpy(table.label[boxes.rows])
    found = BoxSet(standardised(volumes), labels, groups, data.voxel_size_A, table.classes)
    offsets_px = (table.xyz_px - table.centres_px)[boxes.rows]
    return found, _poses(table.rotations[boxes.rows], offsets_px)


def sampled_boxes(folder: BoxFolder, data: SubtomogramDataModule) -> tuple[BoxSet, BoxPoses | None]:
    """Boxes that a model drew, each a group of its own, with the poses that it was told.

    Raises:
        CryoccdError: of other classes than the data's, a file that is unreadable, or a constant
            box.
    """
    if folder.classes != data.classes:
        raise CryoccdError(
            f"{folder.root}: boxes of {', '.join(folder.classes)}, expected the classes of the "
            f"data: {', '.join(data.classes)}"
        )
    volumes = standardised(torch.from_numpy(folder.volumes))
    groups = np.array([str(number) for number in range(len(folder))])
    labels = torch.from_numpy(folder.labels)
    found = BoxSet(volumes, labels, groups, folder.voxel_size_A, folder.classes)
    angles_deg = torch.from_numpy(folder.table[ANGLES].to_numpy(np.float64, copy=True))
    offsets_px = folder.table[OFFSETS].to_numpy(np.float64, copy=True)
    return found, _poses(euler_to_matrix(angles_deg).numpy(), offsets_px)


def _poses(rotations: NDArray[np.float64], offsets_px: NDArray[np.float64]) -> BoxPoses | None:
    """None where a box has none."""
    if not (np.isfinite(rotations).all() and np.isfinite(offsets_px).all()):
        return None
    return BoxPoses(torch.from_numpy(rotations), torch.from_numpy(offsets_px))
