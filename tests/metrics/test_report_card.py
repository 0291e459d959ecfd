from dataclasses import asdict, replace
from math import isfinite

import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_frequency
from cryoccd.imaging.masked_psd import random_field
from cryoccd.metrics.card import ReportCard
from cryoccd.metrics.features.crop_features import ScatteringExtractor
from cryoccd.metrics.images import normalised, take_crops
from cryoccd.metrics.learnt import Learnt
from cryoccd.metrics.measure import Field
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.metrics.signal.detectability import Detectability
from cryoccd.metrics.standard import standard_card
from cryoccd.metrics.statistics.verdict import verdicts

SIDE, DIAMETER_A, COUNT = 192, 40.0, 8
PROTOCOL = NoiseProtocol(
    crop_px=64, crops_per_micrograph=4, tile_px=64, particle_diameter_A=DIAMETER_A
)
SCATTERING = ScatteringExtractor(64)
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


def make(first_seed, count=COUNT, **faults):
    return [
        Field(normalised(micrograph(seed, **faults)), 2.0, lattice(seed), DIAMETER_A)
        for seed in range(first_seed, first_seed + count)
    ]


@pytest.fixture(scope="module")
def card():
    training = make(100)
    images, centres = [f.image for f in training], [f.centres_px for f in training]
    filter_ = Detectability.fit(images, centres, DIAMETER_A / 2)
    learnt = Learnt(filter_, None, None, "", "clean images")
    return standard_card(PROTOCOL, learnt, SCATTERING)


@pytest.fixture(scope="module")
def chosen(card):
    return card.only(NAMES)


@pytest.fixture(scope="module")
def real(chosen):
    return chosen.describe(make(0), "real")


@pytest.fixture(scope="module")
def against(chosen, real):
    def compare(fields):
        report = chosen.compare(real, chosen.describe(fields, "generated"))
        return {name: metric for name, metric in report.items() if name in NAMES}

    return compare


@pytest.fixture(scope="module")
def floor(against):
    return against(make(200))


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


def test_equal_sets_are_at_zero(against):
    report = against(make(0))
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
def test_every_fault_is_seen_and_more_of_it_is_worse(fault, sizes, who_must_see_it, against, floor):
    small, large = (values(against(make(200, **{fault: size}))) for size in sizes)
    for name in who_must_see_it:
        assert values(floor)[name] < small[name] < large[name], name


def test_faint_particles_have_a_negative_contrast_error(against):
    found = against(make(200, contrast=0.5))["contrast_error_db"]
    assert -8 < found.value < -3
    assert "d' real" in found.note


def test_gain_offset_and_a_hot_pixel_change_nothing(against, floor):
    made = make(200)
    images = [field.image * 300 + 4000 for field in made]
    scaled = [replace(f, image=normalised(image)) for f, image in zip(made, images, strict=True)]
    for name, metric in against(scaled).items():
        assert metric.value == pytest.approx(floor[name].value, rel=1e-3, abs=1e-4), name
    images[0][90, 70] = 1e7
    hot = [replace(f, image=normalised(image)) for f, image in zip(made, images, strict=True)]
    for name, metric in against(hot).items():
        assert metric.value == pytest.approx(floor[name].value, rel=0.1, abs=0.02), name


def test_the_order_of_micrographs_changes_no_value(card):
    one, two = make(0), make(200)
    order = [3, 0, 7, 5, 1, 2, 6, 4]
    straight = card.compare(card.describe(one, "real"), card.describe(two, "generated"))
    turned = card.compare(
        card.describe(reversed(one), "real"), card.describe([two[i] for i in order], "generated")
    )
    assert len(straight) > 40
    for name, metric in turned.items():
        if metric.value is None:
            assert straight[name].value is None, name
        else:
            assert metric.value == pytest.approx(straight[name].value, rel=1e-6, abs=1e-6), name


def test_what_cannot_be_had_is_left_out_with_a_note(card, chosen, real):
    bare = [replace(field, centres_px=None) for field in make(0)]
    sides = chosen.describe(bare, "real"), chosen.describe(bare, "generated")
    for name in ("contrast_error_db", "psd_background_db", "psd_particle_db"):
        metric = chosen.compare(*sides)[name]
        assert metric.value is None
        assert metric.note == "left out: needs picks"
    none = torch.zeros(0, 2, dtype=torch.float64)
    empty = chosen.describe([replace(f, centres_px=none) for f in make(200)], "generated")
    report = chosen.compare(real, empty)
    assert report["contrast_error_db"].value is None
    assert "d' real" in report["contrast_error_db"].note
    assert report["psd_particle_db"].value is None
    assert report["psd_background_db"].value is not None
    whole = card.compare(card.describe(make(0), "real"), card.describe(make(9), "generated"))
    assert whole["signal_slope_40_20"].note == "left out: needs clean images"
    assert "training" not in whole["contrast_error_db"].note
    blind = standard_card(PROTOCOL, Learnt(), SCATTERING).only(["contrast_error_db"])
    report = blind.compare(blind.describe(make(0), "real"), blind.describe(make(9), "generated"))
    assert "real training micrographs" in report["contrast_error_db"].note


def test_few_micrographs_give_a_range_and_too_few_say_how_many(card, chosen):
    sides = chosen.describe(make(0, 3), "real"), chosen.describe(make(200, 3), "generated")
    report = chosen.compare(*sides)
    assert {report[name].interval for name in NAMES} == {"range"}
    one = card.compare(card.describe(make(0, 1), "real"), card.describe(make(9, 1), "generated"))
    assert one["psd_background_db"].value is not None
    assert one["fd_scattering_inf"].value is None
    assert one["fd_scattering_inf"].note == "undefined: 1 micrographs a side, needs 4"


def test_sides_are_cut_to_the_same_number(chosen, real, floor):
    more = chosen.compare(real, chosen.describe(make(200, COUNT + 2), "generated"))
    for name in NAMES:
        assert more[name].value == pytest.approx(floor[name].value, rel=1e-9)
        assert more[name].n == COUNT


def test_what_does_not_fit_is_refused(card, chosen, real):
    wide = chosen.describe([replace(f, pixel_size_A=2.1) for f in make(200, 2)], "generated")
    with pytest.raises(CryoccdError, match=r"pixel size: 2 A in real, 2\.1 A in generated"):
        chosen.compare(real, wide)
    with pytest.raises(CryoccdError, match="none, expected at least one"):
        chosen.describe([], "generated")
    with pytest.raises(CryoccdError, match="taste unknown, expected some of psd_background_db"):
        card.only(["taste"])
    with pytest.raises(CryoccdError, match="two figures of one name"):
        ReportCard([*card.measures, *card.measures])


def test_a_side_is_described_once_and_taken_in_parts(chosen, real, against):
    halves = real.take([0, 2, 4]), real.take([1, 3, 5])
    assert [len(half) for half in halves] == [3, 3]
    report = chosen.compare(halves[0], halves[1])
    again = chosen.compare(chosen.describe(make(0)[:6:2], "real"), halves[1])
    for name in NAMES:
        assert report[name].value == pytest.approx(again[name].value, rel=1e-9)


def test_permutations_find_a_fault_and_no_difference_where_there_is_none(chosen, real):
    names = ["psd_background_db", "histogram_w1"]
    fresh = chosen.describe(make(200), "generated")
    noisy = chosen.describe(make(200, white=1.0), "generated")
    for made, seen in ((fresh, False), (noisy, True)):
        found = verdicts(chosen.exchanged(real, made, 99, 0, names))
        assert list(found) == names
        assert found["psd_background_db"].indistinguishable is not seen
    pairs = verdicts(chosen.contrasted(real, noisy, fresh, 99, 0, names))
    assert not pairs["psd_background_db"].indistinguishable


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
