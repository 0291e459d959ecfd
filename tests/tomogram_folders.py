"""Small tomograms whose particles, poses and maps are known, in every kind of folder."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from cryoccd.geometry import euler_to_matrix
from cryoccd.io.dataset import DatasetWriter, TiltItem, TomogramSet
from cryoccd.io.export.copick import CopickOptions, write_copick
from cryoccd.records import Volume

VOXEL_A = 10.0
SHAPE = (24, 44, 52)  # z, y, x
BOX = 14
WIDTH_PX = 1.3
CLASSES = ("bar", "hook")
_ARMS_PX = {  # x, y, z of blobs about voxel n // 2: without symmetry, both hands differ
    "bar": [(3.0, 0, 0), (-2, 1, 0), (0, 2, 2), (0, 0, 0)],
    "hook": [(0, 3.0, 0), (0, 0, -3), (2, 0, 1)],
}


def class_map(name: str) -> np.ndarray:
    """(z, y, x) map with a blob at each arm, each weaker than the one before."""
    middle = np.full((1, 3), BOX // 2)
    return density_of([name], middle, np.zeros((1, 3)), (BOX,) * 3)


def density_of(species, places_px, eulers_deg, shape=SHAPE) -> np.ndarray:
    """Sum of the turned maps in closed form: the arm c of a map lies at place + A c."""
    z, y, x = np.indices(shape)
    volume = np.zeros(shape)
    turns = euler_to_matrix(torch.from_numpy(np.asarray(eulers_deg))).numpy()
    for name, place, turn in zip(species, places_px, turns, strict=True):
        for k, arm in enumerate(_ARMS_PX[name]):
            a, b, c = place + turn @ np.array(arm)
            squared = (x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2
            volume += np.exp(-squared / (2 * WIDTH_PX**2)) / (1 + 0.3 * k)
    return volume.astype(np.float32)


def truth_of(index: int, count: int = 6):
    """Species, places in voxels x, y, z, and angles of the particles of one tomogram."""
    rng = np.random.default_rng(100 + index)
    places = rng.uniform([2, 2, 2], np.array(SHAPE[::-1]) - 3, (count, 3))
    eulers = rng.uniform([0, 0, 0], [360, 180, 360], (count, 3))
    return [CLASSES[k % 2] for k in range(count)], places, eulers


def tomogram_of(index: int) -> np.ndarray:
    """Dark particles in weak noise."""
    noise = np.random.default_rng(index).normal(0, 0.05, SHAPE)
    return (noise - density_of(*truth_of(index))).astype(np.float32)


def write_dataset(root: Path, count: int = 2) -> TomogramSet:
    """A dataset folder; each tomogram has a particle above its top as well."""
    writer = DatasetWriter(root, {"verb": "simulate", "seed": 3})
    for name in CLASSES:
        writer.write_species(name, Volume(torch.from_numpy(class_map(name)), VOXEL_A))
    names = [f"tomo_{index}" for index in range(count)]
    for index, name in enumerate(names):
        species, places, eulers = truth_of(index)
        places = np.vstack([places, [[20, 20, 30]]])
        rows = pd.DataFrame(
            (places - [0, 0, SHAPE[0] // 2]) * VOXEL_A, columns=["x_A", "y_A", "z_A"]
        ).assign(instance_id=range(1, len(places) + 1), species=[*species, "bar"], conformation=0)
        rows[["rot_deg", "tilt_deg", "psi_deg"]] = np.vstack([eulers, np.zeros((1, 3))])
        writer.write(
            TiltItem(
                name=name,
                seed=5,
                images=np.zeros((2, 16, 16), np.float32),
                pixel_size_A=VOXEL_A / 2,
                tomogram=tomogram_of(index),
                voxel_size_A=VOXEL_A,
                tilts=pd.DataFrame({"tilt": [0, 1], "angle_deg": [-40.0, 40.0]}),
                particles=rows,
                settings={"voltage_kV": 300.0},
            )
        )
    writer.finish(names)
    return TomogramSet(root)


def write_project(root: Path, count: int = 2) -> Path:
    """A copick project of the same."""
    tomograms = write_dataset(root.parent / f"{root.name}_set", count)
    write_copick(tomograms, root, CopickOptions(), lambda: None)
    return root
