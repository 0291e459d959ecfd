import numpy as np
import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.imaging.exposure import expose
from cryoccd.imaging.footprints import FOOTPRINT_FRACTION, SMOOTHING_A
from cryoccd.imaging.heights import shared_heights
from cryoccd.imaging.projection import Projector
from cryoccd.records import PARTICLE_COLUMNS, Optics, Particles, Scene, Volume

PIXEL_A, BOX = 2.0, 32
OPTICS = Optics(300, 2.7, 0.1, PIXEL_A, 22000, 20500, 40)


def blob(sigmas_px, volts=8.0, box=BOX):
    axis = torch.arange(box) - box // 2
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    sx, sy, sz = sigmas_px
    exponent = (x / sx) ** 2 + (y / sy) ** 2 + (z / sz) ** 2
    return Projector(Volume(volts * torch.exp(-exponent / 2), PIXEL_A))


PROJECTORS = {
    "long": blob((4.5, 1.2, 1.0), 20.0),
    "round": blob((3, 3, 3), 5.0),
    "long-1": blob((2, 2, 2)),
}


def scene(positions_px, z_A=None, shape=(96, 112), kinds=None, conformation=None, seed=0):
    n = len(positions_px)
    generator = np.random.default_rng(seed)
    xy_A = np.asarray(positions_px, dtype=float).reshape(n, 2) * PIXEL_A
    z_A = np.zeros(n) if z_A is None else np.asarray(z_A, dtype=float)
    zeros = np.zeros(n, dtype=np.int64)
    particles = Particles(
        positions_A=np.column_stack([xy_A, z_A]),
        eulers_deg=generator.uniform(0, 180, (n, 3)),
        species=zeros if kinds is None else np.asarray(kinds),
        conformation=zeros if conformation is None else np.asarray(conformation),
    )
    ice = np.full([-(-side // 8) for side in shape], 300, dtype=np.float32)
    return Scene(particles, ("long", "round"), ice, shape, PIXEL_A)


def random_scene(n=14, depth_A=1500, seed=1):
    generator = np.random.default_rng(seed)
    positions = generator.uniform([-8, -8], [120, 104], (n, 2))
    kinds = generator.integers(0, 2, n)
    return scene(positions, generator.uniform(-depth_A / 2, depth_A / 2, n), kinds=kinds)


def exact(one, optics, side=512):
    """Every particle alone in a large field, with its own CTF in float64, cut out of the middle."""
    height, width = one.shape_px
    total = np.zeros((side, side))
    k_y, k_x = np.fft.fftfreq(side, PIXEL_A)[:, None], np.fft.fftfreq(side, PIXEL_A)[None]
    k2, angle = k_x**2 + k_y**2, np.arctan2(k_y, k_x)
    astigmatism = np.cos(2 * (angle - np.deg2rad(optics.astigmatism_deg)))
    wavelength, cs_A = optics.wavelength_A, optics.cs_mm * 1e7
    offset = (side - 128) // 2
    particles = one.particles
    for position_A, eulers_deg, kind in zip(
        particles.positions_A, particles.eulers_deg, particles.species, strict=True
    ):
        name = one.species_names[kind]
        view = PROJECTORS[name].project(torch.from_numpy(eulers_deg)[None])[0].numpy()
        field = np.zeros((side, side))
        field[:BOX, :BOX] = view
        x, y = position_A[:2] / PIXEL_A + offset - BOX // 2
        shift = np.exp(-2j * np.pi * PIXEL_A * (k_x * x + k_y * y))
        u, v = optics.defocus_u_A - position_A[2], optics.defocus_v_A - position_A[2]
        defocus = (u + v) / 2 + (u - v) / 2 * astigmatism
        chi = np.pi * wavelength * (cs_A * wavelength**2 * k2**2 / 2 - defocus * k2)
        transfer = -np.sin(chi - np.arcsin(optics.amplitude_contrast))
        total += np.fft.ifft2(np.fft.fft2(field) * shift * transfer).real
    cut = total[offset : offset + height, offset : offset + width]
    return 1 - 2 * optics.interaction_rad_per_V_A * cut


def relative_error(image, truth):
    return float(np.sqrt(((image - truth) ** 2).mean() / (truth - 1).var()))


def test_matches_every_particle_with_its_own_ctf_in_a_large_field():
    one = random_scene()
    clean = expose(one, PROJECTORS, OPTICS).clean.numpy()
    assert clean.dtype == np.float32
    assert relative_error(clean, exact(one, OPTICS)) < 0.005


def test_height_changes_the_image_by_more_than_the_tolerance():
    one = random_scene()
    flat = scene(one.particles.positions_A[:, :2] / PIXEL_A, kinds=one.particles.species)
    assert relative_error(exact(flat, OPTICS), exact(one, OPTICS)) > 0.05


def test_little_power_wraps_at_the_far_edge():
    """A particle at one edge leaves nothing at the other."""
    clean = expose(scene([[0, 48]]), PROJECTORS, OPTICS).clean.numpy() - 1
    reach_px = int(OPTICS.wavelength_A * 22000 / (2 * PIXEL_A) / PIXEL_A) + BOX
    assert reach_px < 112
    assert (clean[:, reach_px:] ** 2).sum() < 1e-3 * (clean**2).sum()


def test_under_focused_particles_are_dark_on_light():
    clean = expose(scene([[30, 40], [70, 60]]), PROJECTORS, OPTICS).clean
    assert float(clean[40, 30]) < 0.99
    assert float(clean[60, 70]) < 0.99
    assert float(clean.median()) == pytest.approx(1, abs=0.01)


def test_contrast_is_linear_in_the_potential():
    one = scene([[40, 50]])
    once = expose(one, {"long": blob((3, 3, 3), 4)}, OPTICS).clean - 1
    twice = expose(one, {"long": blob((3, 3, 3), 8)}, OPTICS).clean - 1
    assert torch.allclose(twice, 2 * once, atol=1e-6)


def test_no_particles_give_a_flat_image():
    exposure = expose(scene(np.zeros((0, 2))), PROJECTORS, OPTICS)
    assert torch.equal(exposure.clean, torch.ones(96, 112))
    assert int(exposure.instances.max()) == 0
    assert list(exposure.particles.columns) == list(PARTICLE_COLUMNS)
    assert len(exposure.particles) == 0


def test_truth_rows():
    one = scene([[30.25, 40], [70, 60.5]], [100, -50], kinds=[0, 0], conformation=[0, 1])
    table = expose(one, PROJECTORS, OPTICS).particles
    assert list(table["instance_id"]) == [1, 2]
    assert list(table["species"]) == ["long", "long"]
    assert list(table["conformation"]) == [0, 1]
    assert list(table["x_A"]) == [60.5, 140]
    assert list(table["defocus_u_A"]) == [21900, 22050]
    assert list(table["defocus_v_A"]) == [20400, 20550]
    assert (table["visible_fraction"] == 1).all()
    assert (table["overlap_fraction"] == 0).all()
    assert not table["on_edge"].any()


def test_instances_lie_where_the_particles_are():
    one = random_scene(8, seed=5)
    exposure = expose(one, PROJECTORS, OPTICS)
    rows, columns = np.indices((96, 112))
    labels = exposure.instances.numpy()
    assert set(np.unique(labels)) - {0} == set(exposure.particles["instance_id"])
    whole = exposure.particles.query("not on_edge and overlap_fraction == 0")
    assert len(whole) > 1
    for row in whole.itertuples():
        mask = labels == row.instance_id
        assert columns[mask].mean() == pytest.approx(row.x_A / PIXEL_A, abs=0.3)
        assert rows[mask].mean() == pytest.approx(row.y_A / PIXEL_A, abs=0.3)


def test_the_footprint_is_the_smoothed_projection_above_a_fraction_of_its_maximum():
    exposure = expose(scene([[50, 40]], kinds=[1]), PROJECTORS, OPTICS)
    sigma_px = np.hypot(3, SMOOTHING_A / PIXEL_A)  # of the smoothed round Gaussian
    radius_px = sigma_px * np.sqrt(-2 * np.log(FOOTPRINT_FRACTION))
    rows, columns = np.indices((96, 112))
    distance = np.hypot(rows - 40, columns - 50)
    mask = exposure.instances.numpy() == 1
    assert mask[distance < radius_px - 0.1].all()
    assert not mask[distance > radius_px + 0.1].any()


def test_edge_cut_particles_are_labelled_and_unseen_ones_dropped():
    one = scene([[-3, 40], [111, 95], [50, 40], [-30, 40]], kinds=[1, 1, 1, 1])
    table = expose(one, PROJECTORS, OPTICS).particles
    assert list(table["x_A"]) == [-6, 222, 100]
    assert list(table["instance_id"]) == [1, 2, 3]
    assert list(table["on_edge"]) == [True, True, False]
    assert table["visible_fraction"][0] < 0.35
    assert table["visible_fraction"][1] == pytest.approx(0.28, abs=0.05)
    assert table["visible_fraction"][2] == 1


def test_on_overlap_the_larger_projected_potential_has_the_pixel():
    strong, weak = blob((3, 3, 3), 10), blob((3, 3, 3), 5)
    one = scene([[48, 40], [54, 40]], kinds=[0, 1])
    exposure = expose(one, {"long": strong, "round": weak}, OPTICS)
    between = exposure.instances[40, 45:58].tolist()
    # equal where 2 exp(-d^2 / 2 s^2) = exp(-(6 - d)^2 / 2 s^2), at d = 3 + s^2 ln 2 / 6 = 4.76
    assert between == [1] * 8 + [2] * 5
    table = exposure.particles
    assert (table["overlap_fraction"] > 0.2).all()
    assert table["overlap_fraction"][0] == pytest.approx(table["overlap_fraction"][1], abs=0.02)
    assert table["visible_fraction"][1] < table["visible_fraction"][0] < 1


def test_shared_heights_reproduce_the_phase():
    z_A = np.random.default_rng(0).uniform(-400, 300, 50)
    optics = Optics(300, 2.7, 0.1, 1.2, 15000, 15000)
    heights_A, weights = shared_heights(z_A, optics)
    assert weights.sum(1) == pytest.approx(1)
    for k_per_A in (0.05, 0.2, 0.5 / 1.2):
        phi = np.pi * optics.wavelength_A * k_per_A**2
        assert np.abs(weights @ np.exp(1j * phi * heights_A) - np.exp(1j * phi * z_A)).max() < 0.02


def test_one_height_needs_one_slab():
    heights_A, weights = shared_heights(np.full(3, 70.0), OPTICS)
    assert heights_A == pytest.approx([70])
    assert weights == pytest.approx(np.ones((3, 1)))


def test_a_missing_species_and_another_pixel_size_are_refused():
    with pytest.raises(CryoccdError, match="species round"):
        expose(scene([[40, 40]], kinds=[1]), {"long": PROJECTORS["long"]}, OPTICS)
    with pytest.raises(CryoccdError, match="pixel_size_A = 3"):
        expose(scene([[40, 40]]), PROJECTORS, Optics(300, 2.7, 0.1, 3.0, 15000, 15000))
    other = Projector(Volume(torch.ones(8, 8, 8), 3.0))
    with pytest.raises(CryoccdError, match="voxel size 3"):
        expose(scene([[40, 40]]), {"long": other}, OPTICS)


def test_a_hollow_or_gappy_particle_has_one_whole_footprint():
    axis = torch.arange(BOX) - BOX // 2
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    grains = ((x + y + z) % 3 == 0) & (x**2 + y**2 + z**2 < 100)
    exposure = expose(
        scene([[48, 48]]), {"long": Projector(Volume(grains.float(), PIXEL_A))}, OPTICS
    )
    rows, columns = np.indices((96, 112))
    assert (exposure.instances.numpy()[np.hypot(rows - 48, columns - 48) < 9] == 1).all()
