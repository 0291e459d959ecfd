"""Our projections and CTF beside those of RELION: an independent program, the same views.

Fourier rings and the relative shift are compared view by view; a plain correlation would pass views
that are wrong by several degrees.
"""

import shutil
import subprocess
from pathlib import Path

import mrcfile
import numpy as np
import pandas as pd
import pytest
import starfile
import torch

from cryoccd.imaging.projection import Projector
from cryoccd.imaging.transfer import transfer
from cryoccd.io.mrc import write_mrc
from cryoccd.records import Optics, Volume
from cryoccd.scene.orientation import uniform_so3
from cryoccd.specimen.species import load_species

pytestmark = pytest.mark.skipif(
    shutil.which("relion_project") is None,
    reason="relion_project is absent: install the system package relion",
)

N, BOX, VOXEL_A = 100, 64, 3.0


@pytest.fixture(scope="module")
def volume() -> Volume:
    return load_species("assembly:lobed_c1", VOXEL_A, BOX)[1]


@pytest.fixture(scope="module")
def views() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    rot, tilt, psi = uniform_so3(N, generator).T
    u_A = generator.uniform(8000, 20000, N)
    return pd.DataFrame(
        {
            "rlnAngleRot": rot,
            "rlnAngleTilt": tilt,
            "rlnAnglePsi": psi,
            "rlnOriginXAngst": 0.0,
            "rlnOriginYAngst": 0.0,
            "rlnDefocusU": u_A,
            "rlnDefocusV": u_A - generator.uniform(0, 800, N),
            "rlnDefocusAngle": generator.uniform(0, 180, N),
            "rlnOpticsGroup": 1,
            "rlnImageName": [f"{index:06d}@none.mrcs" for index in range(1, N + 1)],
        }
    )


@pytest.fixture(scope="module")
def theirs(
    volume: Volume, views: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> torch.Tensor:
    folder: Path = tmp_path_factory.mktemp("relion")
    write_mrc(folder / "map.mrc", volume.values.numpy(), VOXEL_A, "potential")
    optics = pd.DataFrame(
        {
            "rlnOpticsGroup": [1],
            "rlnOpticsGroupName": ["one"],
            "rlnVoltage": [300.0],
            "rlnSphericalAberration": [2.7],
            "rlnAmplitudeContrast": [0.1],
            "rlnImagePixelSize": [VOXEL_A],
            "rlnImageSize": [BOX],
            "rlnImageDimensionality": [2],
        }
    )
    starfile.write({"optics": optics, "particles": views}, folder / "views.star")
    command = ["relion_project", "--i", "map.mrc", "--o", "out", "--ang", "views.star", "--ctf"]
    subprocess.run([*command, "--angpix", str(VOXEL_A)], cwd=folder, check=True, timeout=300)
    return torch.from_numpy(mrcfile.read(folder / "out.mrcs").astype(np.float32))


def ours(volume: Volume, views: pd.DataFrame, tilt_error_deg: float = 0.0) -> torch.Tensor:
    angles = views[["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"]].to_numpy()
    turned = torch.from_numpy(angles + np.array([0.0, tilt_error_deg, 0.0]))
    spectra = torch.fft.rfft2(Projector(volume).project(turned))
    for spectrum, row in zip(spectra, views.itertuples(), strict=True):
        optics = Optics(
            300, 2.7, 0.1, VOXEL_A, row.rlnDefocusU, row.rlnDefocusV, row.rlnDefocusAngle
        )
        spectrum *= transfer(optics, (BOX, BOX))
    return torch.fft.irfft2(spectra, s=(BOX, BOX))


def worst_ring(one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
    """(n,) least Fourier ring correlation up to 0.7 Nyquist of each pair of images."""
    first, second = torch.fft.fft2(one), torch.fft.fft2(two)
    k = torch.fft.fftfreq(BOX, 1 / BOX)
    ring = torch.hypot(k[:, None], k).round().long().flatten()
    cross = (first * second.conj()).real.flatten(1)
    powers = [(f.abs() ** 2).flatten(1) for f in (first, second)]
    last = int(0.7 * BOX / 2)
    sums = [
        torch.zeros(len(one), int(ring.max()) + 1).index_add_(1, ring, part)[:, 1 : last + 1]
        for part in (cross, *powers)
    ]
    return (sums[0] / (sums[1] * sums[2]).sqrt()).min(dim=1).values


def shift_px(one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
    """(n, 2) shift of the second image, from the phases of the cross spectrum by least squares."""
    cross = torch.fft.fft2(one) * torch.fft.fft2(two).conj()
    k = torch.fft.fftfreq(BOX)
    k_y, k_x = torch.meshgrid(k, k, indexing="ij")
    weight = cross.abs() * (torch.hypot(k_y, k_x) < 0.2)
    phase = cross.angle() / (2 * torch.pi)
    basis = torch.stack([k_y, k_x])
    matrix = torch.einsum("aij,bij,nij->nab", basis, basis, weight)
    right = torch.einsum("aij,nij,nij->na", basis, phase, weight)
    return torch.linalg.solve(matrix, right)


def test_views_agree_ring_by_ring_and_in_place(
    volume: Volume, views: pd.DataFrame, theirs: torch.Tensor
) -> None:
    mine = ours(volume, views)
    assert float(worst_ring(mine, theirs).min()) > 0.9
    assert float(shift_px(mine, theirs).norm(dim=1).max()) < 0.05
    ratio = theirs.flatten(1).std(dim=1) / mine.flatten(1).std(dim=1)
    # RELION sums voxels where we integrate volts over angstrom
    assert torch.allclose(ratio, torch.full((N,), 1 / VOXEL_A), rtol=0.02)


def test_a_wrong_angle_a_mirror_and_a_shift_do_not_pass(
    volume: Volume, views: pd.DataFrame, theirs: torch.Tensor
) -> None:
    tilted = ours(volume, views, tilt_error_deg=5.0)
    assert float(worst_ring(tilted, theirs).median()) < 0.9
    mirrored = Volume(volume.values.flip(0).roll(1, 0).contiguous(), VOXEL_A)
    assert float(worst_ring(ours(mirrored, views), theirs).median()) < 0.9
    moved = ours(volume, views).roll(1, dims=2)
    assert torch.allclose(shift_px(moved, theirs).norm(dim=1), torch.ones(N), atol=0.1)
