"""Small tomograms with particles of two kinds at known places, easily told from the noise."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from cryoccd.data.subtomograms import particle_table
from cryoccd.downstream.detection import LabelledTomogram, labelled
from cryoccd.io.mrc import write_mrc
from cryoccd.io.tomograms import TomogramSource, open_tomograms

VOXEL_A = 10.0
SHAPE = (30, 52, 46)  # z, y, x; none a multiple of 4
CLASSES = ("ball", "ring")
RADII_A = {"ball": 60.0, "ring": 70.0}
DIAMETERS = tuple(f"--diameter={name}={2 * radius_A}" for name, radius_A in RADII_A.items())
PER_CLASS = 4


def places_of(number: int, shape=SHAPE, count: int = 2 * PER_CLASS) -> np.ndarray:
    """(n, 3) places x, y, z in voxels, no two nearer than 13."""
    rng, found = np.random.default_rng(1000 + number), []
    limits = np.array(shape[::-1]) - 5
    while len(found) < count:
        place = rng.uniform(4, limits)
        if all(np.linalg.norm(place - other) >= 13 for other in found):
            found.append(place)
    return np.array(found)


def volume_of(places: np.ndarray, labels, number: int, shape=SHAPE) -> np.ndarray:
    """Dark balls, and rings about z, in noise."""
    z, y, x = np.indices(shape)
    values = np.random.default_rng(number).normal(0, 0.3, shape)
    for (a, b, c), label in zip(places, labels, strict=True):
        across, along = np.hypot(x - a, y - b), z - c
        distance = np.hypot(across, along) if label == 0 else np.hypot(across - 5, along)
        values -= 2 * np.exp(-(distance**2) / (2 * 2.0**2))
    return values.astype(np.float32)


def write_folder(root: Path, count: int, first: int = 0, voxel_A: float = VOXEL_A) -> Path:
    """tomograms/ with picks beside it."""
    (root / "tomograms").mkdir(parents=True)
    rows = []
    for number in range(first, first + count):
        places, labels = places_of(number), np.arange(2 * PER_CLASS) % 2
        name = f"tomo_{number}"
        write_mrc(
            root / "tomograms" / f"{name}.mrc", volume_of(places, labels, number), voxel_A, "toy"
        )
        own = pd.DataFrame(places * voxel_A, columns=["x_A", "y_A", "z_A"])
        rows.append(own.assign(tomogram=name, label=[CLASSES[k] for k in labels]))
    pd.concat(rows).to_csv(root / "picks.csv", index=False)
    return root


def write_config(path: Path, root: Path, **changed: object) -> Path:
    """A configuration of the data of a folder."""
    settings = {"root": str(root), "box_voxels": 16, "split": "leave_one_out", "fold": 0} | changed
    name = "cryoccd.data.subtomograms.SubtomogramDataModule"
    path.write_text(yaml.safe_dump({"data": {"class_path": name, "init_args": settings}}))
    return path


def all_of(root: Path) -> tuple[TomogramSource, tuple[LabelledTomogram, ...]]:
    """Every tomogram of a folder with its particles."""
    source = open_tomograms(root)
    table = particle_table(source, CLASSES)
    return source, labelled(source, table, np.arange(len(table)))
