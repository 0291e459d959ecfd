from dataclasses import asdict
from math import isfinite

import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_frequency
from cryoccd.imaging.masked_psd import random_field
from cryoccd.metrics.detectability import Detectability
from cryoccd.metrics.images import MicrographSet, take_crops
from cryoccd.metrics.noise_report import NoiseProtocol, noise_report

SIDE, DIAMETER_A, COUNT = 192, 40.0, 8
PROTOCOL = NoiseProtocol(
    crop_px=64, crops_per_micrograph=4, tile_px=64, particle_diameter_A=DIAMETER_A
)
NAMES = {
    "contrast_error_db",
    "psd_background_db",
    "psd_particle_db",
    "histogram_w1",
    "fd_scattering",
    "kid_scattering",
}


def lattice(seed):
    grid = torch.tensor([[x, y] for x in range(32, SIDE, 64) for y in range(32, SIDE, 64)])
    move = 10 * torch.rand(grid.shape, generator=torch.Generator().manual_seed(seed)) - 5
    return (grid + move).double()


def micrograph(seed, contrast=1.0, white=0.0, blur_px=0.0, skew=0.0):
    """Blobs in coloured noise, with faults of given sizes in the noise."""
    axis = torch.arange(SIDE, dtype=torch.float64)
    signal = torch.zeros(SIDE, SIDE, dtype=torch.float64)
    for x, y in lattice(seed).tolist():
        signal -= torch.exp(-((axis - y)[:, None] ** 2 + (axis - x)[None, :] ** 2) / 32)
    k = radial_frequency((SIDE, SIDE)).double()
    generator = torch.Generator().manual_seed(seed)
    power = (0.3 + 2 / (1 + (k * 16) ** 2)) * torch.exp(-((2 * torch.pi * blur_px * k) ** 2))
    noise = random_field(power + white, generator).double()
    return (1.5 * contrast * signal + noise + skew * noise**2).float()


def make(first_seed, **faults):
    seeds = range(first_seed, first_seed + COUNT)
    images = tuple(micrograph(seed, **faults) for seed in seeds)
    return MicrographSet(images, tuple(lattice(seed) for seed in seeds), 2.0)


@pytest.fixture(scope="module")
def real():
    return make(0)


@pytest.fixture(scope="module")
def matched_filter():
    training = make(100)
    return Detectability.fit(training.images, training.centres_px, DIAMETER_A / 2)


@pytest.fixture(scope="module")
def floor(real, matched_filter):
    return noise_report(real, make(200), matched_filter, PROTOCOL)


def values(report):
    return {name: abs(metric.value) for name, metric in report.items()}


def test_all_metrics_are_there_with_an_interval(floor):
    assert set(floor) == NAMES
    for metric in floor.values():
        assert metric.interval == "jackknife95"
        assert metric.ci_low <= metric.value <= metric.ci_high
        assert metric.n == COUNT
    assert floor["contrast_error_db"].ci_low < 0 < floor["contrast_error_db"].ci_high
    assert floor["psd_background_db"].value < 0.3
    assert isfinite(floor["kid_scattering"].value)


def test_equal_sets_are_at_zero(real, matched_filter):
    report = noise_report(real, real, matched_filter, PROTOCOL)
    for name in NAMES - {"kid_scattering"}:  # which is unbiased, so not 0 for a finite set
        assert abs(report[name].value) <= 1e-8, name


@pytest.mark.parametrize(
    ("fault", "sizes", "who_must_see_it"),
    [
        ("white", (0.3, 1.0), NAMES - {"histogram_w1"}),
        ("blur_px", (0.6, 1.2), NAMES - {"histogram_w1", "contrast_error_db"}),
        ("contrast", (1.6, 2.6), {"contrast_error_db", "psd_particle_db"}),
        ("skew", (0.1, 0.3), {"histogram_w1", "fd_scattering"}),
    ],
)
def test_every_fault_is_seen_and_more_of_it_is_worse(
    fault, sizes, who_must_see_it, real, matched_filter, floor
):
    small, large = (
        values(noise_report(real, make(200, **{fault: size}), matched_filter, PROTOCOL))
        for size in sizes
    )
    for name in who_must_see_it:
        assert values(floor)[name] < small[name] < large[name], name


def test_faint_particles_have_a_negative_contrast_error(real, matched_filter):
    made = make(200, contrast=0.5)
    found = noise_report(real, made, matched_filter, PROTOCOL)["contrast_error_db"]
    assert -8 < found.value < -3
    assert "d' real" in found.note


def test_gain_offset_and_a_hot_pixel_change_nothing(real, matched_filter, floor):
    made = make(200)
    images = [image * 300 + 4000 for image in made.images]
    scaled = MicrographSet(tuple(images), made.centres_px, 2.0)
    for name, metric in noise_report(real, scaled, matched_filter, PROTOCOL).items():
        assert metric.value == pytest.approx(floor[name].value, rel=1e-3, abs=1e-4), name
    images[0][90, 70] = 1e7
    hot = MicrographSet(tuple(images), made.centres_px, 2.0)
    report = noise_report(real, hot, matched_filter, PROTOCOL)
    for name in NAMES:
        assert report[name].value == pytest.approx(floor[name].value, rel=0.1, abs=0.02), name


def test_the_order_of_micrographs_changes_no_value(real, matched_filter, floor):
    made = make(200)
    order = [3, 0, 7, 5, 1, 2, 6, 4]
    turned = MicrographSet(
        tuple(made.images[i] for i in order), tuple(made.centres_px[i] for i in order), 2.0
    )
    for name, metric in noise_report(real, turned, matched_filter, PROTOCOL).items():
        assert metric.value == pytest.approx(floor[name].value, rel=1e-6, abs=1e-6), name


def test_what_cannot_be_had_is_left_out_with_a_note(real, matched_filter):
    bare = MicrographSet(real.images, None, 2.0)
    without = noise_report(bare, bare, matched_filter, PROTOCOL)
    for name in ("contrast_error_db", "psd_background_db", "psd_particle_db"):
        assert without[name].value is None
        assert "needs picks" in without[name].note
    none = tuple(torch.zeros(0, 2, dtype=torch.float64) for _ in range(COUNT))
    empty = noise_report(real, MicrographSet(make(200).images, none, 2.0), matched_filter, PROTOCOL)
    assert "d' real" in empty["contrast_error_db"].note
    assert empty["contrast_error_db"].value is None
    assert empty["psd_particle_db"].value is None
    assert empty["psd_background_db"].value is not None
    blind = noise_report(real, real, None, NoiseProtocol(crops_per_micrograph=2))
    assert blind["contrast_error_db"].value is None
    assert "diameter" in blind["psd_background_db"].note


def test_few_micrographs_give_a_range(real, matched_filter):
    def first(micrographs):
        return MicrographSet(micrographs.images[:3], micrographs.centres_px[:3], 2.0)

    report = noise_report(first(real), first(make(200)), matched_filter, PROTOCOL)
    assert {metric.interval for metric in report.values()} == {"range"}


def test_unequal_sides_are_refused(real):
    fewer = MicrographSet(real.images[:5], None, 2.0)
    with pytest.raises(CryoccdError, match="8 real and 5 generated"):
        noise_report(real, fewer, None, PROTOCOL)
    with pytest.raises(CryoccdError, match="pixel size"):
        noise_report(real, MicrographSet(real.images, None, 2.1), None, PROTOCOL)
    with pytest.raises(CryoccdError, match="holds 9 of 64 px, expected 16"):
        noise_report(real, real, None, NoiseProtocol())
    with pytest.raises(CryoccdError, match="none, expected at least one"):
        MicrographSet((), None, 1.0)
    with pytest.raises(CryoccdError, match="constant"):
        MicrographSet((torch.ones(64, 64),), None, 1.0)


def test_crops_do_not_overlap_and_depend_on_seed_and_shape_alone():
    pixels = torch.arange(200 * 150, dtype=torch.float32).reshape(200, 150)
    crops = take_crops(pixels, 48, 10, seed=0)
    assert len(crops.unique()) == 10 * 48 * 48
    assert torch.equal(crops, take_crops(pixels, 48, 10, seed=0))
    assert not torch.equal(crops, take_crops(pixels, 48, 10, seed=1))


def test_protocol_names_what_was_fixed():
    protocol = PROTOCOL.as_dict()
    assert protocol.items() >= asdict(PROTOCOL).items()
    assert protocol["scattering"].startswith("morlet-J4-L8-n64-")
    assert "inception" not in protocol
