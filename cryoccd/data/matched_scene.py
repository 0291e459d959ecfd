"""A simulated set as like a real one as its images and picks tell: density, spacing, optics."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from cryoccd.errors import CryoccdError
from cryoccd.io.folder import MicrographFolder
from cryoccd.scene.crowding import CrowdingConfig
from cryoccd.simulate.config import OpticsConfig, SimulateConfig, SpeciesConfig
from cryoccd.simulate.run import simulate


@dataclass(frozen=True)
class SceneEstimate:
    """Crowding of the training split, from its picks.

    Args:
        mean: mean number of particles a micrograph.
        sd: its standard deviation over micrographs.
        min_distance_A: second percentile of the distances to the nearest neighbour: picks are
            jittered and some double, so the least one is too near.
    """

    mean: float
    sd: float
    min_distance_A: float


def estimate_scene(folder: MicrographFolder) -> SceneEstimate:
    """Estimate the crowding of a folder of real micrographs.

    Raises:
        CryoccdError: the folder has no picks, or fewer than two in every micrograph.
    """
    names = folder.names("train") if folder.has_split else folder.names()
    picks = [folder.picks_px(name) for name in names]
    known = [p for p in picks if p is not None]
    if len(known) != len(names):
        raise CryoccdError(f"{folder.root}: no picks/, so density is unknown; give picks")
    nearest = [cKDTree(p).query(p, k=2)[0][:, 1] for p in known if len(p) > 1]
    if not nearest:
        raise CryoccdError(f"{folder.root}: under two picks in every micrograph; give more")
    counts = np.array([len(p) for p in known], dtype=np.float64)
    distance_px = float(np.percentile(np.concatenate(nearest), 2))
    return SceneEstimate(
        float(counts.mean()), float(counts.std()), distance_px * folder.pixel_size_A
    )


def simulate_like(
    folder: MicrographFolder,
    structure: str,
    output: Path,
    count: int,
    seed: int,
    workers: int,
    title: str,
    defocus_factor: float = 1.0,
) -> None:
    """Simulate micrographs of a structure under the estimated conditions of a real folder.

    Args:
        folder: real micrographs with optics, and picks in the training split.
        structure: `assembly:NAME` or a structure file.
        output: dataset folder; resumed where it was begun, left alone where it is finished.
        count: number of micrographs.
        seed: seed of the set.
        workers: processes.
        title: on the progress bar.
        defocus_factor: both ends of the range of defocus over those of the folder's optics.
    """
    scene, optics = estimate_scene(folder), folder.optics()
    image, (low_A, high_A) = folder.image(folder.names()[0]), optics.defocus_A
    config = SimulateConfig(
        species=[SpeciesConfig(structure)],
        count=count,
        seed=seed,
        shape_px=(image.shape[0], image.shape[1]),
        pixel_size_A=folder.pixel_size_A,
        particles=CrowdingConfig(scene.mean, scene.sd, scene.min_distance_A),
        optics=OpticsConfig(
            voltage_kV=optics.voltage_kV,
            cs_mm=optics.cs_mm,
            amplitude_contrast=optics.amplitude_contrast,
            defocus_A=(low_A * defocus_factor, high_A * defocus_factor),
        ),
    )
    simulate(config, output, workers=workers, resume=True, title=title)
