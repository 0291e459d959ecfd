"""The tilted specimen: a scene as the beam meets it when the stage is turned.

The stage turns right-handed by the tilt about an axis in the plane of the field, through the pixel
[h // 2, w // 2] at the middle of the ice. A point p goes to R (p - c) + c and a particle of matrix
A to R A, so that its height, and with it its defocus, follows from the tilt. The beam's way
through ice of thickness t becomes t / cos(tilt).
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from cryoccd.errors import CryoccdError, check_within
from cryoccd.geometry import euler_to_matrix, matrix_to_euler
from cryoccd.records import Body, Debris, Particles, Scene

Matrix = NDArray[np.float64]

BodiesAt = Callable[[Matrix], tuple[Body, ...]]
"""Draws the bodies of a scene turned by a matrix (3, 3), on the pixels of the turned scene."""

LARGEST_TILT_DEG = 80.0
"""Beyond it the ice is thicker than six times its height."""


def tilt_matrix(tilt_deg: float, axis_deg: float) -> Matrix:
    """R (3, 3), right-handed by tilt_deg about (cos axis_deg, sin axis_deg, 0) in x, y, z."""
    axis_rad = np.deg2rad(axis_deg)
    axis = np.array([np.cos(axis_rad), np.sin(axis_rad), 0.0])
    return np.asarray(Rotation.from_rotvec(np.deg2rad(tilt_deg) * axis).as_matrix())


def centre_px(shape_px: tuple[int, int]) -> NDArray[np.float64]:
    """(3,) x, y, z in pixels of the point about which a field of (height, width) is turned."""
    height, width = shape_px
    return np.array([width // 2, height // 2, 0.0])


def tilt_scene(
    scene: Scene,
    tilt_deg: float,
    axis_deg: float,
    shape_px: tuple[int, int] | None = None,
    bodies: BodiesAt | None = None,
) -> Scene:
    """The scene after the turn, in the frame of the camera.

    Nothing is dropped: what lies beside the field at one tilt comes into it at another.

    Args:
        scene: the specimen at tilt 0.
        tilt_deg: turn of the stage, -80 to 80.
        axis_deg: tilt axis, counted from x towards y; 90 is an axis along the columns.
        shape_px: height and width of the camera's field, whose centre is that of the scene; by
            default the scene's. A scene wider than this fills the field at high tilt too.
        bodies: draws the scene's bodies at a turn; needed where the scene has any.

    Raises:
        CryoccdError: a tilt out of range, or bodies that cannot be turned.
    """
    check_within("tilt_deg", tilt_deg, -LARGEST_TILT_DEG, LARGEST_TILT_DEG, "degrees")
    shape_px = shape_px or scene.shape_px
    turn = tilt_matrix(tilt_deg, axis_deg)
    if bodies is None and scene.bodies:
        raise CryoccdError(
            f"tilt: {len(scene.bodies)} bodies ({scene.bodies[0].kind}) are drawn for tilt 0; "
            "give bodies, which draws them at a turn, or leave them out of the scene"
        )
    before_A = centre_px(scene.shape_px) * scene.pixel_size_A
    after_A = centre_px(shape_px) * scene.pixel_size_A

    def turned(particles: Particles) -> Particles:
        return replace(
            particles,
            positions_A=(particles.positions_A - before_A) @ turn.T + after_A,
            eulers_deg=_turned_eulers(particles.eulers_deg, turn),
        )

    return replace(
        scene,
        particles=turned(scene.particles),
        ice_thickness_A=_crossed_ice_A(scene, turn, shape_px),
        shape_px=shape_px,
        debris=tuple(Debris(piece.kind, turned(piece.members)) for piece in scene.debris),
        bodies=bodies(turn) if bodies else (),
    )


def _turned_eulers(eulers_deg: Matrix, turn: Matrix) -> Matrix:
    matrices = torch.from_numpy(turn) @ euler_to_matrix(torch.from_numpy(eulers_deg))
    return matrix_to_euler(matrices).numpy()


def _crossed_ice_A(scene: Scene, turn: Matrix, shape_px: tuple[int, int]) -> NDArray[np.float32]:
    """Way through the ice of the beam that meets the middle plane below each cell of the field."""
    rows, columns = np.indices([-(-side // 8) for side in shape_px])
    at_px = np.stack([columns, rows]).reshape(2, -1) * 8 + 3.5 - centre_px(shape_px)[:2, None]
    specimen_px = np.linalg.inv(turn[:2, :2]) @ at_px + centre_px(scene.shape_px)[:2, None]
    cells = (specimen_px[::-1] - 3.5) / 8
    height_A = map_coordinates(scene.ice_thickness_A, cells, order=1, mode="nearest")
    return np.asarray(height_A / turn[2, 2], dtype=np.float32).reshape(rows.shape)
