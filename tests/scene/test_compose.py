import logging

import numpy as np
import pytest

from cryoccd.errors import CryoccdError
from cryoccd.scene.compose import CrowdingConfig, SpeciesInScene, check_density, compose_scene
from cryoccd.scene.ice import IceConfig

SMALL, LARGE = SpeciesInScene("small", 80.0, 3.0), SpeciesInScene("large", 200.0, 1.0)
ICE = IceConfig(400, 0.2, 0.1, 100)


def scene(seed=0, species=(SMALL, LARGE), mean=30.0, sd=0.0, ice=ICE, shape=(256, 320)):
    generator = np.random.default_rng(seed)
    return compose_scene(species, CrowdingConfig(mean, sd), ice, shape, 6.0, generator)


def in_field(one):
    x_px, y_px = one.particles.positions_A[:, :2].T / 6
    return (x_px >= -0.5) & (x_px < 319.5) & (y_px >= -0.5) & (y_px < 255.5)


def test_density_in_the_field_is_the_requested_one_and_the_margin_has_it_too():
    scenes = [scene(seed) for seed in range(150)]
    inside = np.array([in_field(one).sum() for one in scenes])
    assert inside.mean() == pytest.approx(30, abs=0.8)
    outside = np.array([(~in_field(one)).sum() for one in scenes])
    margin_A2 = (256 * 6 + 200) * (320 * 6 + 200) - 256 * 320 * 36
    assert outside.mean() == pytest.approx(30 * margin_A2 / (256 * 320 * 36), rel=0.08)


def test_numbers_vary_by_sd():
    counts = [len(scene(seed, (SMALL,), 100, 20).particles) for seed in range(200)]
    extended = (256 * 6 + 80) * (320 * 6 + 80) / (256 * 320 * 36)
    assert np.mean(counts) == pytest.approx(100 * extended, rel=0.05)
    assert np.std(counts) == pytest.approx(20 * extended, rel=0.2)


def test_abundances():
    kinds = np.concatenate([scene(seed).particles.species for seed in range(100)])
    assert (kinds == 0).mean() == pytest.approx(0.75, abs=0.03)


def test_heights_stay_inside_the_ice_and_fill_it():
    flat = IceConfig(400, 0, 0, 100)
    z_A = np.concatenate(
        [scene(s, (SMALL,), 50, 0, flat).particles.positions_A[:, 2] for s in range(20)]
    )
    assert np.abs(z_A).max() <= 160
    assert np.abs(z_A).max() > 150
    assert z_A.std() == pytest.approx(320 / np.sqrt(12), rel=0.1)


def test_a_particle_larger_than_the_ice_sits_in_its_middle():
    thin = scene(0, (LARGE,), 20, 0, IceConfig(150, 0, 0, 100))
    assert (thin.particles.positions_A[:, 2] == 0).all()


def test_an_empty_field_is_legal():
    empty = scene(mean=0.0)
    assert len(empty.particles) == 0
    assert empty.ice_thickness_A.shape == (32, 40)


def test_same_generator_seed_same_scene():
    first, second, other = scene(3), scene(3), scene(4)
    assert np.array_equal(first.particles.positions_A, second.particles.positions_A)
    assert np.array_equal(first.ice_thickness_A, second.ice_thickness_A)
    assert not np.array_equal(first.ice_thickness_A, other.ice_thickness_A)


def test_fewer_than_asked_is_said(caplog):
    with caplog.at_level(logging.WARNING):
        crowded = scene(0, (LARGE,), 200)
    assert len(crowded.particles) < 200
    assert "found room" in caplog.text


def test_impossible_density_is_refused():
    with pytest.raises(CryoccdError, match="mean = 200"):
        check_density((LARGE,), CrowdingConfig(200), 256 * 320 * 36)
    check_density((LARGE,), CrowdingConfig(40), 256 * 320 * 36)
    check_density((LARGE,), CrowdingConfig(200, min_distance_A=50), 256 * 320 * 36)


@pytest.mark.parametrize(
    ("field", "value"),
    [("mean", -1.0), ("mean", float("nan")), ("sd", -1.0), ("min_distance_A", 0.0)],
)
def test_unphysical_values_are_refused(field, value):
    with pytest.raises(CryoccdError, match=field):
        CrowdingConfig(**{field: value})
