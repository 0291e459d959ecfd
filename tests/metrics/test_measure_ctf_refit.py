from dataclasses import replace
from math import hypot, isnan, radians, sin

import pytest
import torch
from rings import coloured_noise, optics, thon

from cryoccd.imaging.lens import Lens
from cryoccd.metrics.images import normalised
from cryoccd.metrics.measure import Field
from cryoccd.metrics.spectral.ctf_refit import CtfRefit

MEASURE = CtfRefit(Lens(300.0, 2.7, 0.1))
COUNT = 10


def truths(seed, half_A=400.0, more_A=0.0):
    generator = torch.Generator().manual_seed(seed)
    draws = torch.rand(COUNT, 2, generator=generator).tolist()
    return [optics(12000 + 10000 * a + more_A, half_A, 180 * b) for a, b in draws]


def described(truth, seed, floor=0.5, labels=None):
    labels = truth if labels is None else labels
    out = []
    for i, (true, label) in enumerate(zip(truth, labels, strict=True)):
        image = normalised(thon(true, seed=1000 * seed + i, floor=floor))
        out.append(MEASURE.describe(Field(image, 4.0, optics=label)))
    return out


@pytest.fixture(scope="module")
def real():
    return described(truths(1), 1, labels=[None] * COUNT)


@pytest.fixture(scope="module")
def made():
    return described(truths(2), 2)


def relabelled(made, change):
    return [replace(refit, truth=change(refit.truth)) for refit in made]


def test_two_draws_of_one_process_are_near_ideal(real, made):
    found = MEASURE.compare(real, made)
    assert list(found) == [figure.name for figure in MEASURE.figures]
    assert all(figure.ideal == 0 for figure in MEASURE.figures)
    assert found["ctf_defocus_error_A"] < 100
    assert found["ctf_astigmatism_error_A"] < 120
    assert found["ctf_defocus_w1_A"] < 2500  # of ten uniform draws from 10000 A
    assert abs(found["ctf_score_difference"]) < 0.05
    assert found["ctf_fitted_difference"] == 0


def test_no_real_side_and_order(real, made):
    found = MEASURE.compare(real, made)
    assert MEASURE.compare(real[::-1], made[::-1]) == pytest.approx(found, abs=1e-6)
    assert all(value == 0 for value in list(MEASURE.compare(made, made).values())[2:])


def test_wrong_labels_of_defocus(real, made):
    """Off by 0, 1000 and 3000 A; nothing else moves."""
    right = MEASURE.compare(real, made)
    for off_A in (1000.0, 3000.0):
        labels = relabelled(
            made,
            lambda o, off_A=off_A: replace(
                o, defocus_u_A=o.defocus_u_A + off_A, defocus_v_A=o.defocus_v_A + off_A
            ),
        )
        found = MEASURE.compare(real, labels)
        assert found.pop("ctf_defocus_error_A") == pytest.approx(off_A, abs=120)
        assert found == {k: right[k] for k in right if k != "ctf_defocus_error_A"}


def test_wrong_labels_of_the_angle(real, made):
    """Turned by d, a vector of length 400 errs by 800 |sin d|."""
    right = MEASURE.compare(real, made)
    errors = []
    for turn_deg in (20.0, 45.0, 90.0):
        labels = relabelled(
            made, lambda o, d=turn_deg: replace(o, astigmatism_deg=o.astigmatism_deg + d)
        )
        found = MEASURE.compare(real, labels)
        errors.append(found["ctf_astigmatism_error_A"])
        assert errors[-1] == pytest.approx(800 * sin(radians(turn_deg)), abs=120)
        assert found["ctf_defocus_error_A"] == right["ctf_defocus_error_A"]
    assert errors == sorted(errors)


def test_labels_with_u_and_v_swapped_are_the_same(real, made):
    labels = relabelled(
        made,
        lambda o: replace(
            o,
            defocus_u_A=o.defocus_v_A,
            defocus_v_A=o.defocus_u_A,
            astigmatism_deg=o.astigmatism_deg + 90,
        ),
    )
    assert MEASURE.compare(real, labels) == pytest.approx(MEASURE.compare(real, made), abs=1e-6)


def test_another_range_of_defocus(made):
    distances = []
    for more_A in (0.0, 2000.0, 6000.0):
        moved = described(truths(2, more_A=more_A), 3)
        found = MEASURE.compare(made, moved)
        distances.append(found["ctf_defocus_w1_A"])
        assert distances[-1] == pytest.approx(more_A, abs=150)
        assert found["ctf_defocus_error_A"] < 100
    assert distances == sorted(distances)


def test_rings_that_drown(real):
    differences, shares = [], []
    for floor in (0.5, 2.0, 6.0, 1e4):
        found = MEASURE.compare(real, described(truths(2), 2, floor))
        differences.append(found["ctf_score_difference"])
        shares.append(found["ctf_fitted_difference"])
    assert differences == sorted(differences, reverse=True)
    assert differences[-1] < -0.5
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == -1


def test_noise_without_rings_lends_no_defocus(real, made):
    noise = [
        MEASURE.describe(
            Field(normalised(coloured_noise((256, 256), i)), 4.0, optics=made[0].truth)
        )
        for i in range(4)
    ]
    found, without = MEASURE.compare(real, made + noise), MEASURE.compare(real, made)
    assert found["ctf_fitted_difference"] == pytest.approx(-4 / (COUNT + 4))
    for name in ("ctf_defocus_error_A", "ctf_astigmatism_error_A", "ctf_defocus_w1_A"):
        assert found[name] == without[name]
    alone = MEASURE.compare(real, noise)
    assert [isnan(value) for value in alone.values()] == [True, True, True, False, False]


def test_what_is_missing_is_nan(real, made):
    unknown = MEASURE.compare(made, real)
    assert [isnan(value) for value in unknown.values()] == [True, True, False, False, False]
    alone = MEASURE.compare([], made)
    assert [isnan(value) for value in alone.values()] == [False, False, True, True, True]
    assert all(isnan(value) for value in MEASURE.compare(real, []).values())


def test_what_a_field_lacks():
    image = torch.zeros(256, 256)
    assert MEASURE.lacks(Field(image, 4.0)) == ""
    assert MEASURE.lacks(Field(image, 4.0, optics=optics(15000))) == ""
    assert "Fourier rings" in MEASURE.lacks(Field(image[:32], 4.0))
    for lens in ((200.0, 2.7, 0.1, 0.0), (300.0, 0.01, 0.1, 0.0), (300.0, 2.7, 0.1, 60.0)):
        assert "lens" in MEASURE.lacks(Field(image, 4.0, optics=optics(15000, lens=lens)))
    turned = optics(15000, lens=(300.0, 2.7, 0.1, 180.0))
    assert MEASURE.lacks(Field(image, 4.0, optics=turned)) == ""


def test_fitted_vector_is_the_u_minus_v_of_the_fit(made):
    fit = made[0].fit
    assert hypot(*fit.astigmatism_A) == pytest.approx((fit.defocus_u_A - fit.defocus_v_A) / 2)
