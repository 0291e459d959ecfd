"""View directions on the sphere and their Euler angles.

A law draws the direction v in the particle's own frame that comes to point at the electron source:
with A of geometry.py v = A^T z = (sin tilt cos rot, sin tilt sin rot, cos tilt). psi, the turn of
the image, is uniform and independent. A rotation by a uniform angle *about* v, as some simulators
draw it, gives another law altogether.
"""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]


def axis_vector(rot_deg: float, tilt_deg: float) -> Vectors:
    """(3,) direction of polar angles rot and tilt."""
    rot, tilt = np.deg2rad([rot_deg, tilt_deg])
    return np.array([np.sin(tilt) * np.cos(rot), np.sin(tilt) * np.sin(rot), np.cos(tilt)])


def about(axis: Vectors, cosine: NDArray[np.float64], generator: np.random.Generator) -> Vectors:
    """(n, 3) directions at (n,) cosines from (3,) or (n, 3) axes, at uniform azimuth."""
    axes = np.broadcast_to(axis, (len(cosine), 3))
    least = np.abs(axes).argmin(axis=1)  # the coordinate axis that is farthest from parallel
    helper = np.eye(3)[least]
    first = np.cross(axes, helper)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(axes, first)
    azimuth = generator.uniform(0, 2 * np.pi, len(cosine))
    sine = np.sqrt(np.clip(1 - cosine**2, 0, 1))
    return np.asarray(
        cosine[:, None] * axes
        + (sine * np.cos(azimuth))[:, None] * first
        + (sine * np.sin(azimuth))[:, None] * second
    )


def von_mises_fisher_cosine(
    kappa: float, n: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Cosines of the angle to the mean direction, by inversion (Ulrich 1984; on S2 closed form)."""
    u = generator.uniform(0, 1, n)
    if kappa < 1e-8:
        return 2 * u - 1
    # log(u + (1 - u) exp(-2 kappa)) without underflow
    return np.asarray(np.clip(1 + np.log(u + (1 - u) * np.exp(-2 * kappa)) / kappa, -1, 1))


def with_uniform_psi(views: Vectors, generator: np.random.Generator) -> NDArray[np.float64]:
    """(n, 3) rot, tilt, psi in degrees of (n, 3) view directions."""
    rot = np.rad2deg(np.arctan2(views[:, 1], views[:, 0]))
    tilt = np.rad2deg(np.arccos(np.clip(views[:, 2], -1, 1)))
    psi = generator.uniform(-180.0, 180.0, len(views))
    rot = np.where(rot >= 180.0, -180.0, rot)
    return np.stack([rot, tilt, psi], axis=1)
