"""A round body at another place: its picture is the same from every side."""

from dataclasses import replace

import torch
from scipy.ndimage import shift
from torch import Tensor

from cryoccd.records import Body


def moved(body: Body, position_A: tuple[float, float, float], pixel_size_A: float) -> Body:
    """The body with its centre elsewhere; between pixels its picture is interpolated linearly.

    Args:
        body: of one layer, with a border of a pixel without potential.
        position_A: x, y, z of its centre, in the frame of the field.
        pixel_size_A: of the field.
    """
    step_px = [(position_A[axis] - body.position_A[axis]) / pixel_size_A for axis in (1, 0)]
    whole_px = [round(step) for step in step_px]
    rest_px = [step - whole for step, whole in zip(step_px, whole_px, strict=True)]

    def placed(image: Tensor) -> Tensor:
        return torch.from_numpy(shift(image.numpy(), rest_px, order=1, mode="constant"))

    return replace(
        body,
        position_A=position_A,
        top_px=body.top_px + whole_px[0],
        left_px=body.left_px + whole_px[1],
        potential_V_A=placed(body.potential_V_A[0])[None],
        z_A=(position_A[2],),
        footprint=placed(body.footprint.float()) > 0.5,
        loss=None if body.loss is None else placed(body.loss),
    )
