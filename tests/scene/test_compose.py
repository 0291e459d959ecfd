import logging
from dataclasses import replace

import numpy as np
import pytest

from cryoccd.errors import CryoccdError
from cryoccd.records import Scene
from cryoccd.scene.compose import place_particles
from cryoccd.scene.crowding import CrowdingConfig, SpeciesInScene, check_density, check_needs
from cryoccd.scene.field import Field
from cryoccd.scene.ice import IceConfig, draw_thickness_A
from cryoccd.scene.orientation import AirWater as AirWaterViews
from cryoccd.scene.orientation import PreferredAxis
from cryoccd.scene.placement import AirWater, Filament, MembraneBound

SMALL, LARGE = SpeciesInScene("small", 80.0, 3.0), SpeciesInScene("large", 200.0, 1.0)
ICE = IceConfig(400, 0.2, 0.1, 100)


def scene(seed=0, species=(SMALL, LARGE), mean=30.0, sd=0.0, ice=ICE, shape=(256, 320)):
    generator = np.random.default_rng(seed)
    thickness_A = draw_thickness_A(ice, shape, generator)
    field = Field(shape, 6.0, thickness_A, max(kind.diameter_A for kind in species) / 2)
    particles = place_particles(species, CrowdingConfig(mean, sd), field, generator)
    return Scene(particles, tuple(kind.name for kind in species), thickness_A, shape, 6.0)


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
        check_density((LARGE,), CrowdingConfig(200), 256 * 320 * 36, 400)
    check_density((LARGE,), CrowdingConfig(40), 256 * 320 * 36, 400)
    check_density((LARGE,), CrowdingConfig(200, min_distance_A=50), 256 * 320 * 36, 400)


def test_what_lies_above_one_another_is_bound_by_the_volume():
    """Discs of 200 A fill half of the field at 47, spheres 35 % of 400 A of ice at 98."""
    overlapping = CrowdingConfig(90, overlap_in_projection=True)
    check_density((LARGE,), overlapping, 256 * 320 * 36, 400)
    with pytest.raises(CryoccdError, match=r"mean = 90 .* at most 46 \(50% of its area\)"):
        check_density((LARGE,), CrowdingConfig(90), 256 * 320 * 36, 400)
    with pytest.raises(CryoccdError, match=r"at most 98 \(35% of the ice\)"):
        check_density((LARGE,), replace(overlapping, mean=120), 256 * 320 * 36, 400)
    chain = replace(LARGE, placement=Filament())
    check_density((chain,), CrowdingConfig(90), 256 * 320 * 36, 400)


def test_conformations_are_equally_likely_and_counted_from_one():
    flexible = replace(SMALL, conformations=3)
    drawn = np.concatenate([scene(s, (flexible,), 50).particles.conformation for s in range(20)])
    assert set(drawn) == {1, 2, 3}
    assert np.bincount(drawn)[1:] / len(drawn) == pytest.approx(1 / 3, abs=0.05)
    assert set(scene(0, (SMALL,)).particles.conformation) == {0}


def test_the_law_of_orientation_is_the_species_own():
    kinds = (replace(SMALL, orientation=PreferredAxis(kappa=1e5)), LARGE)
    drawn = [scene(s, kinds).particles for s in range(20)]
    tilt = np.concatenate([p.eulers_deg[p.species == 0, 1] for p in drawn])
    other = np.concatenate([p.eulers_deg[p.species == 1, 1] for p in drawn])
    assert tilt.max() < 2
    assert np.cos(np.deg2rad(other)).std() == pytest.approx(1 / np.sqrt(3), rel=0.15)


def test_heights_reach_the_law_of_orientation():
    """At the upper face the axis points along the view, at the lower one against it."""
    law = AirWaterViews(kappa=1e5, free=0.0)
    kinds = (replace(SMALL, placement=AirWater(depth_A=0.0), orientation=law),)
    particles = scene(0, kinds, 50).particles
    upwards = np.cos(np.deg2rad(particles.eulers_deg[:, 1]))
    assert np.array_equal(np.sign(upwards), np.sign(particles.positions_A[:, 2]))


def test_a_law_that_lacks_its_ground_is_refused():
    bound = replace(SMALL, placement=MembraneBound())
    with pytest.raises(CryoccdError, match=r"species small: MembraneBound needs membranes.*add"):
        check_needs((LARGE, bound), {"backdrop"})
    check_needs((LARGE, bound), {"membranes"})


@pytest.mark.parametrize(
    ("field", "value"),
    [("mean", -1.0), ("mean", float("nan")), ("sd", -1.0), ("min_distance_A", 0.0)],
)
def test_unphysical_values_are_refused(field, value):
    with pytest.raises(CryoccdError, match=field):
        CrowdingConfig(**{field: value})
