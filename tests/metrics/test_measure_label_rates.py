from dataclasses import replace
from math import isnan

import pytest
import torch
from particle_fields import DIAMETER, GAIN, clean_of, field_of, fields, lattice, noise_of

from cryoccd.metrics.signal.calibration import Calibration
from cryoccd.metrics.signal.detectability import Detectability
from cryoccd.metrics.signal.label_rates import LabelRates

FALSE, ERASED = "hallucination_rate", "erasure_rate"
FAINT = 0.35  # d' of 3.3


def fitted(share):
    train, simulated = fields(6, 500, share), fields(6, 700)
    images, centres = [f.image for f in train], [f.centres_px for f in train]
    found = Detectability.fit(images, centres, DIAMETER)
    clean, places = [f.clean for f in simulated], [f.centres_px for f in simulated]
    return LabelRates(found, Calibration.fit(found, (images, centres), (clean, places)))


@pytest.fixture(scope="module")
def clear():
    return fitted(1.0)


@pytest.fixture(scope="module")
def faint():
    return fitted(FAINT)


def rates(measure, made):
    return measure.compare([], [measure.describe(field) for field in made])


def with_particles(seed, shown):
    """The field of a seed with 25 labels, of which `shown` says which the image has."""
    field = field_of(seed)
    signal = GAIN * clean_of(lattice(seed)[shown], seed)
    return replace(field, image=signal + noise_of(seed))


def test_a_good_image_adds_and_loses_nothing(clear, faint):
    assert rates(clear, fields(6)) == pytest.approx({FALSE: 0, ERASED: 0}, abs=0.01)
    # 600 labels, of which ideal noise hides a quarter: a standard deviation of 0.025
    assert rates(faint, fields(24, share=FAINT)) == pytest.approx({FALSE: 0, ERASED: 0}, abs=0.06)


@pytest.mark.parametrize("left_out", [5, 10, 20, 25])
def test_particles_that_are_not_shown_are_erased(clear, left_out):
    shown = torch.arange(25) >= left_out
    found = rates(clear, [with_particles(seed, shown) for seed in range(4)])
    assert found[ERASED] == pytest.approx(left_out / 25, abs=0.011)
    if left_out < 25:
        assert found[FALSE] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("unlabelled", [5, 10, 20])
def test_particles_without_label_are_hallucinated(clear, unlabelled):
    labelled = torch.arange(25) >= unlabelled
    made = []
    for seed in range(4):
        field, known = field_of(seed), lattice(seed)[labelled]
        made.append(replace(field, centres_px=known, clean=clean_of(known, seed)))
    found = rates(clear, made)
    assert found[FALSE] == pytest.approx(unlabelled / 25, abs=0.02)
    assert found[ERASED] == pytest.approx(0, abs=0.02)


def test_structure_of_the_clean_image_that_has_no_label_is_no_hallucination(clear):
    made = [replace(f, centres_px=f.centres_px[5:]) for f in fields(4)]
    assert rates(clear, made) == pytest.approx({FALSE: 0, ERASED: 0}, abs=0.011)


def test_both_grow_as_the_signal_fades_below_the_real_contrast(faint):
    found = [rates(faint, fields(6, share=FAINT * s)) for s in (1.0, 0.75, 0.5, 0.25, 0.0)]
    for name in (FALSE, ERASED):
        values = [f[name] for f in found]
        assert values == sorted(values)
        assert values[-1] > 0.4


def test_the_threshold_follows_the_reference_alone(clear):
    erased = with_particles(1, torch.arange(25) >= 10)
    parts = [clear.describe(field) for field in (field_of(1), erased)]
    assert torch.equal(parts[0][1], parts[1][1])  # one clean image, one reference
    assert not torch.equal(parts[0][0], parts[1][0])
    assert torch.equal(clear.describe(erased), parts[1])
    assert clear.compare([], parts) == clear.compare([], parts[::-1])


def test_without_labels_or_detections_it_is_undefined(clear):
    none = clear.describe(replace(field_of(1), centres_px=torch.zeros(0, 2)))
    assert isnan(clear.compare([], [none])[ERASED])
    assert all(isnan(value) for value in clear.compare([], []).values())
    empty = clear.describe(with_particles(1, torch.zeros(25, dtype=torch.bool)))
    found = clear.compare([], [empty])
    assert isnan(found[FALSE])
    assert found[ERASED] == 1


def test_labels_at_the_border_do_not_count(clear):
    field = field_of(1)
    rim = torch.tensor([[3.0, 100.0], [250.0, 100.0], [-30.0, 8.0]])
    more = replace(field, centres_px=torch.cat([field.centres_px, rim]))
    assert clear.describe(more)[0, 2].sum() == clear.describe(field)[0, 2].sum() == 25


def test_what_lacks_is_named(clear):
    field = field_of(1)
    assert clear.lacks(field) == ""
    assert clear.lacks(replace(field, clean=None)) == "clean images"
    assert clear.lacks(replace(field, centres_px=None)) == "picks"
