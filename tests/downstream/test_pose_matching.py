"""Projection matching finds the poses of projections, and in noise no more than its low-pass."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from cryoccd.downstream.pose.projection_matching import match_projections
from cryoccd.downstream.pose.reconstruct import reconstruct
from cryoccd.errors import CryoccdError
from cryoccd.geometry import matrix_to_euler
from cryoccd.imaging.ctf import ctf
from cryoccd.imaging.projection import Projector
from cryoccd.metrics.pose.alignment import mirror_poses
from cryoccd.metrics.pose.errors import geodesic_deg
from cryoccd.metrics.pose.resolution import resolution, sphere_mask
from cryoccd.records import Optics, Volume
from cryoccd.specimen.species import load_species
from cryoccd.specimen.symmetry import point_group
from cryoccd.verify.micrographs.views import mirrored, through_lens

N, BOX, SHIFT_PX = 100, 48, 2.0
D7 = torch.from_numpy(point_group("D7"))


class Particles:
    """Projections of an assembly through lenses of several defoci."""

    def __init__(self, assembly, voxel_A, n=N):
        _, self.volume = load_species(f"assembly:{assembly}", voxel_A, BOX)
        rng = np.random.default_rng(1)
        self.rotations = torch.from_numpy(Rotation.random(n, rng=rng).as_matrix())
        self.shifts_px = torch.from_numpy(rng.uniform(-SHIFT_PX, SHIFT_PX, (n, 2)))
        self.defoci_A = torch.from_numpy(rng.uniform(12000, 22000, n))
        self.optics = Optics(300, 2.7, 0.1, voxel_A, 15000, 15000)
        views = Projector(self.volume).project(matrix_to_euler(self.rotations), self.shifts_px)
        self.images = through_lens(views, self.transfer(torch.arange(n)))

    def transfer(self, index):
        return ctf(self.optics, (2 * BOX,) * 2, self.defoci_A[index], self.defoci_A[index])

    def match(self, symmetry, n=None, images=None, **settings):
        images = self.images if images is None else images
        volume = settings.pop("volume", self.volume)
        return match_projections(images[:n], self.transfer, volume, symmetry, **settings)

    def noisy(self, snr, seed=2):
        noise = torch.from_numpy(np.random.default_rng(seed).normal(size=self.images.shape))
        return self.images + noise.float() * self.images.std() / snr**0.5


@pytest.fixture(scope="module")
def barrel():
    return Particles("barrel_d7", 5.6)


@pytest.fixture(scope="module")
def lobed():
    return Particles("lobed_c1", 4.0)


def test_poses_of_a_symmetric_particle(barrel):
    """3.4 degrees on the grid, 0.4 after it; 0.05 px."""
    coarse, fine = barrel.match("D7", halvings=0), barrel.match("D7")
    errors = geodesic_deg(barrel.rotations, coarse.poses.rotations, D7)
    assert 2.0 < errors.median() < 3.75
    assert errors.max() < 10
    errors = geodesic_deg(barrel.rotations, fine.poses.rotations, D7)
    assert errors.median() < 0.6
    assert errors.max() < 2.5
    away_px = (fine.poses.shifts_A / 5.6 - barrel.shifts_px).norm(dim=1)
    assert away_px.max() < 0.5
    assert (fine.scores > coarse.scores).all()
    assert fine.scores.min() > 0.98
    assert fine.scores.max() <= 1


def test_poses_of_a_particle_without_symmetry_and_their_hand(lobed):
    """The mirrored map fits as well, in the mirrored poses: images cannot tell the hand."""
    found = lobed.match("C1", 30)
    errors = geodesic_deg(lobed.rotations[:30], found.poses.rotations)
    assert errors.median() < 0.7
    assert errors.max() < 2.5
    other = lobed.match("C1", 30, volume=Volume(mirrored(Projector(lobed.volume)).volume(), 4.0))
    assert torch.allclose(other.scores, found.scores, atol=0.01)
    from_z_to_x = torch.diag(torch.tensor([-1.0, 1.0, -1.0])).double()  # the mirror is that in x
    expected = mirror_poses(lobed.rotations[:30]) @ from_z_to_x
    assert geodesic_deg(expected, other.poses.rotations).median() < 0.7
    assert geodesic_deg(lobed.rotations[:30], other.poses.rotations).median() > 30


def test_most_poses_are_found_in_noise(barrel, lobed):
    for particles, symmetry, operators in ((barrel, "D7", D7), (lobed, "C1", None)):
        found = particles.match(symmetry, images=particles.noisy(0.1))
        errors = geodesic_deg(particles.rotations, found.poses.rotations, operators)
        assert (errors < 10).double().mean() > 0.8


def test_the_score_is_the_correlation_in_the_band(lobed):
    """Recomputed over the whole Fourier plane of the whole box, with an uncropped map."""
    images = lobed.noisy(0.5)[:10]
    found = lobed.match("C1", images=images, step_deg=15)
    shifts_px = found.poses.shifts_A / 4.0
    views = Projector(lobed.volume).project(matrix_to_euler(found.poses.rotations), shifts_px)
    lens = ctf(lobed.optics, (BOX,) * 2, lobed.defoci_A[:10], lobed.defoci_A[:10])
    seen = torch.fft.fft2(torch.fft.irfft2(torch.fft.rfft2(views) * lens, s=(BOX,) * 2))
    f = torch.fft.fftfreq(BOX, 4.0)
    radius = torch.hypot(f[:, None], f)
    band = (radius > 0) & (radius <= 1 / 30)
    a, b = torch.fft.fft2(images)[:, band], seen[:, band]
    expected = (a * b.conj()).real.sum(1) / (a.norm(dim=1) * b.norm(dim=1))
    torch.testing.assert_close(found.scores, expected, atol=2e-3, rtol=0)


def test_what_must_not_matter(barrel):
    """The batch, and whether the search knows the symmetry."""
    images = barrel.noisy(0.5)[:16]
    known, small = barrel.match("D7", images=images), barrel.match("D7", images=images, batch=3)
    torch.testing.assert_close(known.poses.rotations, small.poses.rotations)
    torch.testing.assert_close(known.poses.shifts_A, small.poses.shifts_A)
    sphere = barrel.match("C1", images=images)
    alike = (known.scores - sphere.scores).abs() < 0.01
    apart = geodesic_deg(known.poses.rotations, sphere.poses.rotations, D7)
    assert alike.sum() >= 14  # the grids differ, and so may the way up to the top
    assert apart.quantile(0.8) < 2


def test_shifts_are_searched_about_their_starts(barrel):
    start_A = barrel.shifts_px[:8] * 5.6
    far_A = torch.tensor([40.0, 0.0])
    near = barrel.match("D7", 8, start_A=start_A, max_shift_A=6.0)
    assert (near.poses.shifts_A - start_A).norm(dim=1).max() < 1.5
    beyond = barrel.match("D7", 8, start_A=start_A + far_A, max_shift_A=6.0)
    assert (beyond.scores < near.scores - 0.05).all()


def test_dark_particles_fit_worse(barrel):
    right, dark = barrel.match("D7", 10), barrel.match("D7", images=-barrel.images[:10])
    assert (dark.scores < right.scores - 0.1).all()


def test_pure_noise_gives_the_reference_up_to_the_low_pass(lobed):
    """Einstein from noise: what the row of random picks shows beside the others."""
    n = 150
    noise = torch.from_numpy(np.random.default_rng(3).normal(size=(n, BOX, BOX))).float()

    def transfer(index):
        return lobed.transfer(index % N)

    mask, first = sphere_mask(BOX, 15), torch.arange(n) % 2 == 0
    found_A = {}
    for low_pass_A in (40.0, 20.0):
        matches = match_projections(
            noise, transfer, lobed.volume, step_deg=15, low_pass_A=low_pass_A
        )
        poses = matches.poses
        maps = reconstruct(noise, poses.rotations, poses.shifts_A / 4.0, transfer, first)
        found = resolution(maps.full, lobed.volume.values, 4.0, mask, maps.halves)
        found_A[low_pass_A] = found.truth_A
        beyond = int(BOX * 4.0 / low_pass_A) + 3  # the mask joins neighbouring shells
        assert np.abs(found.truth.values[beyond:]).mean() < 0.25
    assert found_A[40.0] > 30
    assert found_A[20.0] < 0.75 * found_A[40.0]
    drawn = torch.from_numpy(Rotation.random(n, rng=np.random.default_rng(4)).as_matrix())
    maps = reconstruct(noise, drawn, torch.zeros(n, 2).double(), transfer, first)
    assert resolution(maps.full, lobed.volume.values, 4.0, mask).truth_A > 1.5 * found_A[20.0]


def test_what_does_not_fit_is_refused(barrel):
    with pytest.raises(CryoccdError, match="images of 40 px, a map of 48"):
        barrel.match("D7", images=barrel.images[:, :40, :40])
    with pytest.raises(CryoccdError, match="low_pass_A = 10: 26 shells"):
        barrel.match("D7", 1, low_pass_A=10)
    with pytest.raises(CryoccdError, match="low_pass_A = 120: 2 shells"):
        barrel.match("D7", 1, low_pass_A=120)
    with pytest.raises(CryoccdError, match="max_shift_A = 500"):
        barrel.match("D7", 1, max_shift_A=500)
    with pytest.raises(CryoccdError, match="symmetry 'Q7'"):
        barrel.match("Q7", 1)
