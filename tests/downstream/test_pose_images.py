"""Boxes of a dataset folder are the views that its labels say, at the size asked for."""

import numpy as np
import pytest
import torch
from planting import change_image, change_table, copied, sign
from pose_views import correlation

from cryoccd.downstream.pose.boxes import BoxOptions, read_particles, resized
from cryoccd.downstream.pose.images import normalised
from cryoccd.errors import CryoccdError
from cryoccd.geometry import matrix_to_euler
from cryoccd.imaging.projection import Projector
from cryoccd.io.dataset import Dataset
from cryoccd.io.mrc import read_mrc
from cryoccd.records import Volume
from cryoccd.verify.micrographs.views import through_lens


@pytest.fixture(scope="module")
def particles(exact):
    return read_particles(exact)


def expected(exact, particles, sign=1.0):
    """Views at the labels through what the images say is left of the lens, in 64 px of 3 A."""
    values = torch.from_numpy(read_mrc(exact / "species/lobed_c1.mrc")[0])
    eulers = matrix_to_euler(particles.poses.rotations.double())
    views = Projector(Volume(values, 3.0)).project(eulers, sign * particles.poses.shifts_A / 3.0)
    return through_lens(resized(views, 48), particles.transfer(96))


@pytest.mark.parametrize("flip", [True, False])
def test_images_are_the_views_of_their_labels(exact, flip):
    particles = read_particles(exact, BoxOptions(phase_flip=flip)).select(torch.arange(60))
    right = correlation(particles.images, expected(exact, particles))
    assert right.min() > (0.95 if flip else 0.99)  # flipping wraps the fringes at the box's edge
    wrong = correlation(particles.images, expected(exact, particles, sign=-1.0))
    far = particles.poses.shifts_A.norm(dim=1) > 1.0
    assert (right - wrong)[far].min() > 0


def test_flipped_phases_make_images_like_their_projections(exact, particles):
    values = torch.from_numpy(read_mrc(exact / "species/lobed_c1.mrc")[0])
    eulers = matrix_to_euler(particles.poses.rotations.double())
    views = resized(Projector(Volume(values, 3.0)).project(eulers), 48)
    as_recorded = read_particles(exact, BoxOptions(phase_flip=False))
    flipped, recorded = correlation(particles.images, views), correlation(as_recorded.images, views)
    assert flipped.median() > recorded.median() + 0.03
    assert flipped.median() > 0.5  # bright where matter is


def test_what_is_known_of_them(exact, particles):
    dataset = Dataset(exact)
    assert len(particles) == 400
    assert particles.left_out == 0
    assert (particles.box_px, particles.pixel_size_A) == (48, 4.0)
    assert particles.images.dtype == torch.float32
    assert list(dict.fromkeys(particles.micrographs)) == dataset.names
    assert 1.2 < particles.poses.shifts_A.abs().max() <= 1.5  # half a pixel of 3 A
    torch.testing.assert_close(4 * particles.shifts_px, particles.poses.shifts_A)
    np.testing.assert_array_equal(particles.ctf["defocus_u_A"], dataset.particles["defocus_u_A"])
    some = particles.select(torch.tensor([5, 399]))
    assert some.micrographs == (particles.micrographs[5], particles.micrographs[399])
    torch.testing.assert_close(some.transfer(32), particles.transfer(32)[[5, 399]])


def test_particles_near_the_border_are_left_out_and_counted(exact):
    found = read_particles(exact, BoxOptions(box_A=420.0))
    half_px, points = 70, Dataset(exact).particles[["x_A", "y_A"]].to_numpy() / 3.0
    low = np.floor(points + 0.5) - half_px
    inside = ((low >= 0) & (low + 2 * half_px <= 1024)).all(axis=1)
    assert 0 < (~inside).sum() == found.left_out
    assert len(found) == inside.sum()
    assert found.pixel_size_A == 420 / 48
    with pytest.raises(
        CryoccdError, match="no particle with a whole box of 1100 px; give a smaller"
    ):
        read_particles(exact, BoxOptions(box_A=3300.0))


def test_clean_or_noisy(exact, tmp_path):
    root = copied(exact, tmp_path / "noisy")
    name = Dataset(exact).names[0]
    path = root / "micrographs" / f"{name}.mrc"

    def add_noise(file):
        file.data[:] += np.random.default_rng(0).normal(0, 1, file.data.shape).astype(np.float32)

    change_image(path, add_noise)
    noisy, clean = (
        read_particles(sign(root), BoxOptions(kind=kind)) for kind in ("micrographs", "clean")
    )
    here = torch.tensor([each == name for each in clean.micrographs])
    assert correlation(noisy.images[here], clean.images[here]).max() < 0.5
    assert torch.equal(noisy.images[~here], clean.images[~here])


def test_normalised():
    images = normalised(5 + 3 * torch.randn(4, 32, 32, generator=torch.Generator().manual_seed(0)))
    axis = torch.arange(32) - 16
    outside = torch.hypot(axis[:, None].float(), axis.float()) > 12
    assert images[:, outside].mean(1).abs().max() < 1e-5
    torch.testing.assert_close(images.std(dim=(1, 2), correction=0), torch.ones(4))
    assert bool((normalised(torch.ones(1, 32, 32)) == 0).all())


@pytest.mark.parametrize(("before", "after"), [(64, 48), (40, 48), (48, 48)])
def test_resized_waves_are_waves(before, after):
    """Band-limited fields on both grids, about their middles."""

    def field(side):
        axis = (torch.arange(side, dtype=torch.float64) - side // 2) / side
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        waves = [(3, 1, 0.2), (-7, 4, 1.0), (0, 15, 0.5), (12, -2, 2.0)]
        return 2 + sum(torch.cos(2 * torch.pi * (k * x + m * y) + p) for k, m, p in waves)

    small = resized(field(before)[None].float(), after)[0]
    torch.testing.assert_close(small, field(after).float(), atol=1e-4, rtol=0)


def test_noise_of_a_ratio_is_that_and_a_particles_own(particles):
    noisy = particles.at_snr(0.1, seed=1)
    both = correlation(noisy.images, particles.images)
    torch.testing.assert_close(both.mean(), torch.tensor((0.1 / 1.1) ** 0.5), atol=0.01, rtol=0)
    again = particles.select(torch.arange(3)).at_snr(0.1, seed=1)
    assert torch.equal(again.images, noisy.images[:3])
    assert not torch.equal(particles.at_snr(0.1, seed=2).images[0], noisy.images[0])


def test_refusals(exact, tmp_path):
    for column, message in (
        ("rot_deg", "no angles of its particles"),
        ("defocus_u_A", "phase_flip: false"),
    ):
        root = copied(exact, tmp_path / column)
        change_table(root, "particles", lambda t, c=column: t.assign(**{c: float("nan")}))
        with pytest.raises(CryoccdError, match=message):
            read_particles(sign(root))
    assert len(read_particles(root, BoxOptions(phase_flip=False))) == 400
    with pytest.raises(CryoccdError, match="box_px = 33, expected an even"):
        BoxOptions(box_px=33)
    with pytest.raises(CryoccdError, match="kind = noisy, expected micrographs or clean"):
        BoxOptions(kind="noisy")
    with pytest.raises(CryoccdError, match="box_A = nan"):
        BoxOptions(box_A=float("nan"))
    with pytest.raises(CryoccdError, match="species gold"):
        read_particles(exact, BoxOptions(species=("gold",)))
