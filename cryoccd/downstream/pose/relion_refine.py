"""Poses by RELION's own refinement (relion_refine), where it is installed.

Expectation maximisation of one class (Scheres 2012, J Struct Biol 180, 519) from the known map
low-passed to 30 A: all views first, the first time by cross-correlation, as the map is not on the
images' scale of grey, and by likelihood from then on; then finer ones about each particle's own.
From the second iteration on the reference is the map of the images, to the resolution that it has:
the low-pass limits what is copied from the known map, not what the images may tell. Both halves of
the images share that reference, so that the verdict is the map against the truth.

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
from cryoccd.io.star_write import write_star
from cryoccd.metrics.pose.poses import Poses
from cryoccd.records import Volume

PROGRAM = "relion_refine"
_LOCAL_SHIFT_PX = 3
_ALWAYS = (
    *("--K", "1", "--oversampling", "1", "--offset_step", "1", "--pad", "1"),
    *("--ctf", "--ctf_corrected_ref", "--flatten_solvent", "--zero_mask", "--norm", "--scale"),
    *("--dont_check_norm", "--dont_combine_weights_via_disc"),
)
_LABEL = "cryoccd particles"
_ANGLES = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")
_ORIGIN = ("rlnOriginXAngst", "rlnOriginYAngst")
_OPTICS = {
    "rlnVoltage": "voltage_kV",
    "rlnSphericalAberration": "cs_mm",
    "rlnAmplitudeContrast": "amplitude_contrast",
    "rlnImagePixelSize": "pixel_size_A",
}
_FOCUS = {
    "rlnDefocusU": "defocus_u_A",
    "rlnDefocusV": "defocus_v_A",
    "rlnDefocusAngle": "astigmatism_deg",
}


@dataclass(frozen=True)
class RelionOptions:
    """How RELION refines.

    Args:
        iterations: over all views.
        local_iterations: about the poses found.
        healpix_order: of all views, 2 for 15 and 3 for 7.5 degrees, two more for the local ones;
            likely ones are halved once.
        max_shift_A: radius of the shifts searched.
        low_pass_A: of the reference.
        strict_A: shortest wavelength that decides on poses, in all iterations.
        tau2_fudge: weight of the data over the prior of a smooth map.
        threads: of the program.
        seed: of the perturbed grid and the order of the images.
    """

    iterations: int = 3
    local_iterations: int = 3
    healpix_order: int = 2
    max_shift_A: float = 25.0
    low_pass_A: float = 30.0
    strict_A: float = 20.0
    tau2_fudge: float = 2.0
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        check_within("relion: iterations", self.iterations, 1, 50, "times")
        check_within("relion: local_iterations", self.local_iterations, 0, 50, "times")
        check_within("relion: healpix_order", self.healpix_order, 1, 4, "2 for 15 degrees")
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
    program = relion_program()
    if reference.box_px != particles.box_px:
        raise CryoccdError(
            f"relion: images of {particles.box_px} px, a map of {reference.box_px}; want one box"
        )
    work.mkdir(parents=True, exist_ok=True)
    write_particles(work, particles)
    values = reference.values.numpy()
    write_mrc(work / "reference.mrc", values, reference.voxel_size_A, "cryoccd reference")
    common: dict[str, str | float] = {
        "sym": symmetry,
        "particle_diameter": particle_diameter_A,
        "tau2_fudge": options.tau2_fudge,
        "strict_highres_exp": options.strict_A,
        "j": options.threads,
        "random_seed": options.seed,
    }
    everywhere: dict[str, str | float] = {
        "i": "particles.star",
        "ref": "reference.mrc",
        "ini_high": options.low_pass_A,
        "healpix_order": options.healpix_order,
        "offset_range": options.max_shift_A / particles.pixel_size_A,
    }
    last = _run(program, work, "all", options.iterations, common | everywhere, ("--firstiter_cc",))
    if options.local_iterations:
        step_deg = 60 / 2**options.healpix_order
        about: dict[str, str | float] = {
            "i": f"{last}_data.star",
            "ref": f"{last}_class001.mrc",
            "healpix_order": options.healpix_order + 2,
            "sigma_ang": step_deg / 4,
            "offset_range": _LOCAL_SHIFT_PX,
        }
        last = _run(program, work, "local", options.local_iterations, common | about)
    return read_poses(work / f"{last}_data.star", len(particles))


def relion_program() -> str:
    """Its place.

    Raises:
        CryoccdError: it is not installed.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise CryoccdError(
            f"{PROGRAM}: not installed; apt-get install relion, or match projections"
        )
    return program


def write_particles(work: Path, particles: PickedParticles) -> None:
    """Write particles.star and particles.mrcs; the name of an image tells its row."""
    write_stack(work / "particles.mrcs", particles.images.numpy(), particles.pixel_size_A, _LABEL)
    lens = particles.ctf.iloc[0][list(_OPTICS.values())].tolist()
    numbers = np.column_stack(
        [-particles.rests_A.numpy(), particles.ctf[list(_FOCUS.values())].to_numpy(np.float64)]
    ).tolist()
    with write_star(work / "particles.star", _LABEL) as star:
        size = ("rlnImageSize", "rlnImageDimensionality")
        star.loop("optics", ["rlnOpticsGroup", "rlnOpticsGroupName", *_OPTICS, *size])
        star.rows([[1, "opticsGroup1", *lens, particles.box_px, 2]])
        # one group: the few particles of a micrograph tell too little of its noise
        named = ("rlnImageName", "rlnMicrographName", "rlnGroupName", "rlnOpticsGroup")
        star.loop("particles", [*named, *_ORIGIN, *_FOCUS])
        for row, (name, cells) in enumerate(zip(particles.micrographs, numbers, strict=True), 1):
            star.rows([[f"{row:06d}@particles.mrcs", f"{name}.mrc", "all", 1, *cells]])


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


def _run(
    program: str,
    work: Path,
    name: str,
    iterations: int,
    settings: dict[str, str | float],
    flags: tuple[str, ...] = (),
) -> str:
    """Run in a folder, all that it says in NAME.log; the stem of the last iteration's files.

    Raises:
        CryoccdError: it fails; with the last line of the log.
    """
    settings = settings | {"o": f"./{name}", "iter": iterations}  # it wants to see a folder
    named = [text for key, value in settings.items() for text in (f"--{key}", str(value))]
    log = work / f"{name}.log"
    with log.open("w") as stream:
        done = subprocess.run(
            [program, *named, *_ALWAYS, *flags],
            cwd=work,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            check=False,
        )
    if done.returncode != 0:
        said = [line.strip() for line in log.read_text(errors="replace").splitlines()]
        last = next((line for line in reversed(said) if line), "it said nothing")
        raise CryoccdError(f"{PROGRAM}: failed ({last[:160]}); see {log}")
    return f"{name}_it{iterations:03d}"
