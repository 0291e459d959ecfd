"""Views of a lump without symmetry, of either hand, as particle images."""

import numpy as np
import pandas as pd
import torch
from scipy.spatial.transform import Rotation

from cryoccd.downstream.pose.images import ParticleImages, normalised
from cryoccd.geometry import matrix_to_euler
from cryoccd.imaging.projection import Projector
from cryoccd.metrics.pose.poses import Poses
from cryoccd.records import Optics, Volume

PIXEL_SIZE_A = 4.0


def random_rotations(n, seed=0):
    return torch.from_numpy(Rotation.random(n, rng=np.random.default_rng(seed)).as_matrix()).float()


def lump(box_px, operators=None, seed=3):
    """Gaussian blobs within a third of half the box and their copies."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(6, 3))
    centres *= box_px / 5 * rng.uniform(0.4, 1, (6, 1)) / np.linalg.norm(centres, axis=1)[:, None]
    heights = rng.uniform(0.5, 1.5, 6)
    axis = np.arange(box_px) - box_px // 2
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    values = np.zeros((box_px,) * 3)
    for turn in np.eye(3)[None] if operators is None else operators:
        for height, (a, b, c) in zip(heights, centres @ turn.T, strict=True):
            squared = (x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2
            values += height * np.exp(-squared / (2 * (box_px / 20) ** 2))
    return Volume(torch.from_numpy(values).float(), PIXEL_SIZE_A)


def views(volume, rotations, shifts_px):
    return Projector(volume).project(matrix_to_euler(rotations.double()), shifts_px)


def particle_images(n, box_px=32, operators=None, seed=0, shift_px=0.5):
    """Projections without a lens at random poses."""
    rotations = random_rotations(n, seed)
    shifts_px = shift_px * (2 * torch.rand(n, 2, generator=torch.Generator().manual_seed(seed)) - 1)
    optics = vars(Optics(300, 2.7, 0.1, PIXEL_SIZE_A, 10000, 10000))
    return ParticleImages(
        images=normalised(views(lump(box_px, operators), rotations, shifts_px)),
        poses=Poses(rotations, PIXEL_SIZE_A * shifts_px),
        ctf=pd.DataFrame([optics] * n),
        micrographs=("mic",) * n,
        phase_flipped=False,
    )


def correlation(a, b):
    a, b = a.flatten(1), b.flatten(1)
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))
