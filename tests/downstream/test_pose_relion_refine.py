"""RELION's poses are ours: its files, its conventions, its faults."""

import shutil
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.spatial.transform import Rotation

from cryoccd.downstream.pose import relion_refine
from cryoccd.downstream.pose.images import normalised, transfer_of
from cryoccd.downstream.pose.picked import PickedParticles
from cryoccd.downstream.pose.relion_refine import (
    RelionOptions,
    read_poses,
    relion_poses,
    write_particles,
)
from cryoccd.errors import CryoccdError
from cryoccd.geometry import matrix_to_euler
from cryoccd.imaging.projection import Projector
from cryoccd.io.mrc import read_mrc
from cryoccd.io.star_blocks import read_blocks
from cryoccd.metrics.pose.errors import geodesic_deg
from cryoccd.records import Optics
from cryoccd.specimen.species import load_species
from cryoccd.specimen.symmetry import point_group
from cryoccd.verify.micrographs.views import through_lens

N, BOX, VOXEL_A = 30, 48, 5.6


@pytest.fixture(scope="module")
def particles():
    """Projections of the barrel without noise; each was picked half an angstrom or so away."""
    _, volume = load_species("assembly:barrel_d7", VOXEL_A, BOX)
    rng = np.random.default_rng(1)
    rotations = torch.from_numpy(Rotation.random(N, rng=rng).as_matrix())
    shifts_A = torch.from_numpy(rng.uniform(-10, 10, (N, 2)))
    defoci_A = rng.uniform(12000, 22000, N)
    lens = pd.DataFrame([asdict(Optics(300, 2.7, 0.1, VOXEL_A, d, d)) for d in defoci_A])
    names = ("m",) * N
    views = Projector(volume).project(matrix_to_euler(rotations), shifts_A / VOXEL_A)
    images = normalised(through_lens(views, transfer_of(lens, names, 2 * BOX)))
    rests_A = shifts_A + torch.from_numpy(rng.uniform(-4, 4, (N, 2)))
    return PickedParticles(images, rests_A, lens, names, 0), volume, rotations, shifts_A


def test_what_relion_reads(particles, tmp_path):
    picked, *_ = particles
    write_particles(tmp_path, picked)
    blocks = read_blocks(tmp_path / "particles.star")
    optics, table = blocks["optics"], blocks["particles"]
    assert optics["rlnImagePixelSize"].tolist() == [VOXEL_A]
    assert optics["rlnImageSize"].tolist() == [BOX]
    assert len(table) == N
    origins = table[["rlnOriginXAngst", "rlnOriginYAngst"]].to_numpy()
    np.testing.assert_allclose(-origins, picked.rests_A.numpy(), atol=1e-5)
    np.testing.assert_allclose(table["rlnDefocusU"], picked.ctf["defocus_u_A"], atol=1e-5)
    images, pixel_A = read_mrc(tmp_path / "particles.mrcs")
    assert pixel_A == pytest.approx(VOXEL_A)
    np.testing.assert_array_equal(images, picked.images.numpy())


def test_rows_in_another_order_are_put_right(tmp_path):
    path = tmp_path / "run_data.star"
    names = ("ImageName", "AngleRot", "AngleTilt", "AnglePsi", "OriginXAngst", "OriginYAngst")
    head = "data_particles\n\nloop_\n" + "".join(f"_rln{name}\n" for name in names)
    path.write_text(head + "2@p.mrcs 10 20 30 1 2\n1@p.mrcs 40 50 60 3 4\n")
    poses = read_poses(path, 2)
    angles = matrix_to_euler(poses.rotations)
    assert angles.flatten().tolist() == pytest.approx([40, 50, 60, 10, 20, 30])
    assert poses.shifts_A.tolist() == [[-3, -4], [-1, -2]]
    with pytest.raises(CryoccdError, match="2 particles, expected each of 3 once"):
        read_poses(path, 3)


@pytest.mark.skipif(shutil.which("relion_refine") is None, reason="RELION is not installed")
def test_relion_finds_the_poses(particles, tmp_path):
    picked, volume, rotations, shifts_A = particles
    options = RelionOptions(iterations=2, local_iterations=2)
    poses = relion_poses(picked, volume, "D7", tmp_path, 200, options)
    errors = geodesic_deg(rotations, poses.rotations, torch.from_numpy(point_group("D7")))
    assert errors.median() < 3
    assert (errors < 10).double().mean() > 0.7
    assert (poses.shifts_A - shifts_A).norm(dim=1).median() < 0.5 * VOXEL_A


def test_absent_or_failing_it_is_one_line(particles, tmp_path, monkeypatch):
    picked, volume, *_ = particles
    arguments = (picked, volume, "D7", tmp_path, 200)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CryoccdError, match="relion_refine: not installed; apt-get install relion"):
        relion_poses(*arguments)
    program = tmp_path / relion_refine.PROGRAM
    program.write_text("#!/bin/sh\necho begun\necho 'ERROR: out of grey'\necho\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(CryoccdError, match=r"failed \(ERROR: out of grey\); see .*all.log"):
        relion_poses(*arguments)
