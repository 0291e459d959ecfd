from dataclasses import replace

import numpy as np
import pytest
import torch

from cryoccd.imaging.ctf import ctf
from cryoccd.imaging.ctf_fit import estimate_defocus_A
from cryoccd.imaging.detector import Detector
from cryoccd.imaging.discs import disc_mask
from cryoccd.records import Atoms
from cryoccd.simulate.oracle import Oracle
from cryoccd.simulate.oracle_field import MARGIN_PX, draw_field
from cryoccd.simulate.oracle_styles import STYLES, Ingredient

THIN = STYLES["thin_ice"]


def ball(species: str, flex: float) -> Atoms:
    """Protein-like atoms in a ball, squeezed along z by the flex."""
    rng = np.random.default_rng(7)
    n, radius_A = 3000, 32.0
    positions_A = rng.normal(size=(n, 3))
    positions_A /= np.linalg.norm(positions_A, axis=1, keepdims=True)
    positions_A *= radius_A * rng.uniform(size=(n, 1)) ** (1 / 3)
    positions_A[:, 2] *= 1 + 0.2 * flex
    elements = tuple(rng.choice(["C", "N", "O"], n, p=[0.63, 0.17, 0.2]).tolist())
    return Atoms(positions_A, elements, np.zeros(n))


SMALL = replace(
    THIN,
    ingredients=(Ingredient("ball", 1, 70),),
    particles_per_um2=4000,
    shape_px=(96, 96),
    contaminants=0,
)
QUIET = replace(
    SMALL,
    ice_noise=0.0,
    thickness_A=300.0,
    thickness_gradient=0.0,
    thickness_roughness=0.0,
    envelope_A2=0.0,
    detector=Detector(dqe0=1, mtf_half=1e6, nnps_half=1, nnps_floor=1),
)


@pytest.mark.parametrize("phase_shift_deg", [0.0, 70.0])
def test_image_is_weak_phase_times_ctf(phase_shift_deg):
    """The wave's path agrees with 1 - 2 CTF F(sigma V), whose CTF is that of torch-ctf."""
    style = replace(QUIET, thickness_A=140.0, thickness_spread=0.0)  # one layer, at height 0
    style = replace(style, phase_shift_deg=phase_shift_deg)
    oracle = Oracle(style, 0, ball)
    micrograph = oracle.expose(0)
    field = draw_field(style, np.random.default_rng(oracle._item(0, "field")))
    every = list(range(len(field.particles)))
    spectrum = oracle._projector.spectrum(field.particles, every, oracle._groups)
    fine = replace(micrograph.optics, pixel_size_A=2.0)
    phase = spectrum * fine.interaction_rad_per_V_A
    weak = -2 * torch.fft.irfft2(phase * ctf(fine, oracle.shape_px), s=oracle.shape_px)
    weak = oracle._bin(weak) / 4
    passed = np.exp(-140 / style.mean_free_path_A) * style.dose_e_per_A2 * 16
    contrast = micrograph.expected / passed - 1
    assert len(micrograph.truth) > 3
    slope = float((contrast * weak).sum() / (weak * weak).sum())
    assert slope == pytest.approx(1, abs=0.03)
    assert float((contrast - weak).std()) < 0.1 * float(weak.std())


def test_particles_are_dark_where_the_truth_says():
    micrograph = Oracle(QUIET, 1, ball).expose(0)
    contrast = micrograph.expected / micrograph.expected.median() - 1
    within = disc_mask((96, 96), micrograph.centres_px, 7)
    assert len(micrograph.truth) >= 3
    assert float(contrast[within].mean()) < -0.5 * float(contrast.std())
    for centre_px in micrograph.centres_px:
        assert float(contrast[disc_mask((96, 96), centre_px[None], 7)].mean()) < 0
    beside = disc_mask((96, 96), micrograph.centres_px.flip(1), 7)  # x and y taken for each other
    assert float(contrast[beside].mean()) > 0.5 * float(contrast[within].mean())


def test_electrons_are_absolute():
    style = replace(QUIET, inelastic_kept=0.4)
    empty = Oracle(style, 2, ball).expose(0, particles=False)
    passed = float(torch.exp(-empty.thickness_A / style.mean_free_path_A).mean())
    expected = style.dose_e_per_A2 * 4.0**2 * (passed + 0.4 * (1 - passed))
    assert float(empty.expected.mean()) == pytest.approx(expected, rel=1e-3)
    assert float(empty.image.mean()) == pytest.approx(expected, rel=5e-3)
    # the perfect camera counts: variance of the sum of four camera pixels, less the empty Nyquist
    assert float(empty.image.var()) == pytest.approx(expected, rel=0.1)


def test_a_micrograph_is_the_same_alone_and_another_is_not():
    oracle = Oracle(SMALL, 3, ball)
    first, second = oracle.expose(0), oracle.expose(1)
    assert torch.equal(Oracle(SMALL, 3, ball).expose(1).image, second.image)
    assert not torch.equal(first.image, second.image)
    assert not torch.equal(Oracle(SMALL, 4, ball).expose(1).image, second.image)
    assert first.image.dtype == torch.float32
    assert first.image.shape == (96, 96)
    assert first.thickness_A.shape == (12, 12)


def test_without_particles_the_ice_is_the_same():
    oracle = Oracle(SMALL, 5, ball)
    full, empty = oracle.expose(0), oracle.expose(0, particles=False)
    assert len(empty.truth) == 0
    assert empty.centres_px.shape == (0, 2)
    rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    points = torch.stack([columns, rows], -1).reshape(-1, 2).double()
    distance_px = torch.cdist(points, full.centres_px).amin(1).view(96, 96)
    change = (full.expected - empty.expected).abs()
    near, far = change[distance_px < 6].mean(), change[distance_px > 22].mean()
    assert float(near) > 3 * float(far)
    assert float(far) < 0.3 * float(empty.expected.std())


def test_gain_residue_belongs_to_the_camera():
    first, second = Oracle(SMALL, 0, ball), Oracle(SMALL, 99, ball)
    assert torch.equal(first._gain, second._gain)
    assert float(first._gain.std()) == pytest.approx(SMALL.detector.gain_residue_rms, rel=0.05)


def test_conformations_and_truth_columns():
    style = replace(SMALL, ingredients=(Ingredient("ball", 1, 70, (-1.0, 1.0)),))
    truth = Oracle(style, 6, ball).expose(0).truth
    assert set(truth["conformation"]) == {0, 1}
    assert (truth["species"] == "ball").all()
    optics = Oracle(style, 6, ball).expose(0).optics
    assert np.allclose(truth["defocus_u_A"], optics.defocus_u_A - truth["z_A"])


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES.keys())
def test_fields_leave_room_between_particles(style):
    covered, counts, free = [], [], []
    side_A = style.shape_px[0] * style.pixel_size_A
    for seed in range(12):
        field = draw_field(style, np.random.default_rng(seed))
        xy_A = field.particles.positions_A[:, :2]
        diameters_A = np.array([i.diameter_A for i in style.ingredients])[field.particles.species]
        gaps_A = np.linalg.norm(xy_A[:, None] - xy_A[None], axis=2)
        gaps_A -= (diameters_A[:, None] + diameters_A[None]) / 2
        assert (gaps_A[~np.eye(len(gaps_A), dtype=bool)] > 0).all()
        assert (xy_A >= -MARGIN_PX * style.pixel_size_A).all()
        inside = ((xy_A > 0) & (xy_A < side_A)).all(1)
        counts.append(inside.sum())
        free.append(float((field.film_A == 0).float().mean()))
        covered.append((np.pi / 4 * diameters_A[inside] ** 2).sum() / side_A**2)
    wanted = style.particles_per_um2 * side_A**2 / 1e8 * np.mean(free)
    assert 0.8 * wanted < np.mean(counts) < 1.2 * wanted
    assert np.mean(covered) < (0.5 if style.name == "crowded" else 0.35)


def test_crystals_are_rare_dark_blobs():
    style = replace(QUIET, contaminants=3.0)
    clean = Oracle(replace(style, contaminants=0.0), 1, ball).expose(0, particles=False)
    blobs = [Oracle(style, 1, ball).expose(i, particles=False).expected for i in range(3)]
    dark = torch.stack(blobs) < 0.9 * clean.expected.median()
    assert 0.01 < float(dark.float().mean()) < 0.5


def test_background_is_coloured():
    oracle = Oracle(THIN_WITH_BALLS, 0, ball)
    images = [oracle.expose(i, particles=False).image for i in range(3)]
    power = sum(torch.fft.fft2(image - image.mean()).abs() ** 2 for image in images)
    radius = torch.hypot(torch.fft.fftfreq(256)[:, None], torch.fft.fftfreq(256)[None, :])
    low = power[(radius > 0.06) & (radius < 0.15)].mean()
    high = power[(radius > 0.4) & (radius < 0.45)].mean()
    assert 10 * float(torch.log10(low / high)) > 4


def test_defocus_can_be_read_from_the_micrographs():
    oracle = Oracle(THIN_WITH_BALLS, 11, ball)
    errors = []
    for index in range(5):
        micrograph = oracle.expose(index)
        fit = estimate_defocus_A(micrograph.image, 300, 2.7, 0.1, 4.0)
        errors.append(abs(fit.defocus_A / micrograph.optics.defocus_u_A - 1))
    assert np.median(errors) < 0.02


THIN_WITH_BALLS = replace(THIN, ingredients=SMALL.ingredients, contaminants=0)
