"""Poses by RELION's own refinement (relion_refine), where it is installed.

Expectation maximisation of one class (Scheres 2012, J Struct Biol 180, 519) from the known map
low-passed to 30 A: the first iteration by cross-correlation, as the map is not on the images' scale
of grey, the others by likelihood. The map is that of the images from the second iteration on, so
that the limit holds for the reference alone; `strict_A` holds it for all iterations.

Angles and axes are those of RELION (geometry.py); rlnOriginXAngst is the shift that would bring
the particle to the middle of its box, minus ours.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cryoccd.downstream.pose.picked import PickedParticles
from cryoccd.errors import CryoccdError, check_within
from cryoccd.geometry import euler_to_matrix
from cryoccd.io.mrc import write_mrc, write_stack
from cryoccd.io.star import read_star_table
from cryoccd.io.star_write import Cell, write_star
from cryoccd.metrics.pose.poses import Poses
from cryoccd.records import Volume

PROGRAM = "relion_refine"
_LABEL = "cryoccd particles"
_ANGLES = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")
_ORIGIN = ("rlnOriginXAngst", "rlnOriginYAngst")
_OPTICS = {
    "rlnVoltage": "voltage_kV",
    "rlnSphericalAberration": "cs_mm",
    "rlnAmplitudeContrast": "amplitude_contrast",
    "rlnImagePixelSize": "pixel_size_A",
}


@dataclass(frozen=True)
class RelionOptions:
    """How RELION refines.

    Args:
        iterations: of expectation maximisation.
        healpix_order: of the directions, 2 for 15 and 3 for 7.5 degrees; both are halved once more
            for the likely ones.
        max_shift_A: half side of the square of shifts.
        low_pass_A: of the reference.
        strict_A: shortest wavelength that decides on poses in any iteration; None for no limit.
        tau2_fudge: weight of the data over the prior of a smooth map.
        threads: of the program.
        seed: of the perturbed grid and the order of the images.
    """

    iterations: int = 3
    healpix_order: int = 2
    max_shift_A: float = 25.0
    low_pass_A: float = 30.0
    strict_A: float | None = None
    tau2_fudge: float = 2.0
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        check_within("relion: iterations", self.iterations, 1, 50, "times")
        check_within("relion: healpix_order", self.healpix_order, 0, 5, "2 = 15 degrees")
        check_within("relion: max_shift_A", self.max_shift_A, 1, 200, "angstrom")
        check_within("relion: low_pass_A", self.low_pass_A, 1, 200, "angstrom")


def relion_poses(
    particles: PickedParticles,
    reference: Volume,
    symmetry: str,
    work: Path,
    particle_diameter_A: float,
    options: RelionOptions | None = None,
) -> Poses:
    """Refine particles against a map.

    Args:
        particles: the images.
        reference: the known map, of their box and pixel size.
        symmetry: its point group, in RELION's setting as all of ours are.
        work: folder for the files of the run.
        particle_diameter_A: of the mask about each particle.
        options: how.

    Returns:
        Poses of the last iteration.

    Raises:
        CryoccdError: the program is absent or fails; another box.
    """
    options = options or RelionOptions()
    program = shutil.which(PROGRAM)
    if program is None:
        raise CryoccdError(
            f"{PROGRAM}: not installed; apt-get install relion, or match projections"
        )
    if reference.box_px != particles.box_px:
        raise CryoccdError(
            f"relion: images of {particles.box_px} px, a map of {reference.box_px}; want one box"
        )
    work.mkdir(parents=True, exist_ok=True)
    write_particles(work, particles)
    values = reference.values.numpy()
    write_mrc(work / "reference.mrc", values, reference.voxel_size_A, "cryoccd reference")
    arguments = _arguments(particles, symmetry, particle_diameter_A, options)
    _run([program, *arguments], work)
    return read_poses(work / f"run_it{options.iterations:03d}_data.star", len(particles))


def write_particles(work: Path, particles: PickedParticles) -> None:
    """Write particles.star and particles.mrcs; the name of an image tells its row."""
    write_stack(work / "particles.mrcs", particles.images.numpy(), particles.pixel_size_A, _LABEL)
    first = particles.ctf.iloc[0]
    table = particles.ctf
    with write_star(work / "particles.star", _LABEL) as star:
        star.loop(
            "optics",
            [
                "rlnOpticsGroup",
                "rlnOpticsGroupName",
                *_OPTICS,
                "rlnImageSize",
                "rlnImageDimensionality",
            ],
        )
        lens: list[Cell] = [float(first[name]) for name in _OPTICS.values()]
        star.rows([[1, "opticsGroup1", *lens, particles.box_px, 2]])
        star.loop(
            "particles",
            [
                "rlnImageName",
                "rlnMicrographName",
                "rlnOpticsGroup",
                *_ORIGIN,
                "rlnDefocusU",
                "rlnDefocusV",
                "rlnDefocusAngle",
            ],
        )
        numbers = np.column_stack(
            [
                -particles.rests_A.numpy(),
                table[["defocus_u_A", "defocus_v_A", "astigmatism_deg"]].to_numpy(float),
            ]
        ).tolist()
        star.rows(
            [f"{row:06d}@particles.mrcs", f"{name}.mrc", 1, *cells]
            for row, (name, cells) in enumerate(
                zip(particles.micrographs, numbers, strict=True), 1
            )
        )


def read_poses(path: Path, count: int) -> Poses:
    """Poses of a _data.star of `count` particles, in the order of `write_particles`.

    Raises:
        CryoccdError: no such table, or not every particle once.
    """
    table = read_star_table(path, ("rlnImageName", *_ANGLES, *_ORIGIN))
    rows = table["rlnImageName"].str.partition("@")[0].astype(int).to_numpy() - 1
    if not np.array_equal(np.sort(rows), np.arange(count)):
        raise CryoccdError(f"{path}: {len(rows)} particles, expected each of {count} once")
    order = np.argsort(rows)

    def columns(names: tuple[str, ...]) -> Tensor:
        return torch.from_numpy(table[list(names)].to_numpy(np.float64)[order])

    return Poses(euler_to_matrix(columns(_ANGLES)), -columns(_ORIGIN))


def _arguments(
    particles: PickedParticles, symmetry: str, diameter_A: float, options: RelionOptions
) -> list[str]:
    shift_px = options.max_shift_A / particles.pixel_size_A
    settings: dict[str, object] = {
        "i": "particles.star",
        "o": "./run",  # it wants to see a folder
        "ref": "reference.mrc",
        "sym": symmetry,
        "ini_high": options.low_pass_A,
        "particle_diameter": diameter_A,
        "iter": options.iterations,
        "healpix_order": options.healpix_order,
        "offset_range": round(shift_px, 3),
        "offset_step": 1,
        "tau2_fudge": options.tau2_fudge,
        "K": 1,
        "oversampling": 1,
        "pad": 1,
        "j": options.threads,
        "random_seed": options.seed,
    }
    if options.strict_A is not None:
        settings["strict_highres_exp"] = options.strict_A
    flags = ["ctf", "firstiter_cc", "ctf_corrected_ref", "flatten_solvent", "zero_mask"]
    flags += ["norm", "scale", "dont_check_norm", "dont_combine_weights_via_disc"]
    named = [text for key, value in settings.items() for text in (f"--{key}", str(value))]
    return named + [f"--{flag}" for flag in flags]


def _run(command: list[str], work: Path) -> None:
    """Run in a folder, all that it says in run.log.

    Raises:
        CryoccdError: it fails; with the last line of the log.
    """
    log = work / "run.log"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with log.open("w") as stream:
        done = subprocess.run(
            command, cwd=work, stdout=stream, stderr=subprocess.STDOUT, env=environment, check=False
        )
    if done.returncode != 0:
        said = [line.strip() for line in log.read_text(errors="replace").splitlines()]
        last = next((line for line in reversed(said) if line), "nothing")
        raise CryoccdError(f"{PROGRAM}: failed ({last[:160]}); see {log}")
