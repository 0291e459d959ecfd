"""Each factor edits one thing of the scene or the lens, and shows where it should."""

from dataclasses import fields

import numpy as np
import pytest
import torch

from cryoccd.metrics.signal.locality import Regions

FACTORS = ("position", "orientation", "conformation", "specimen", "defocus", "ice")


def setting(stage, name):
    return next(factor.setting for factor in stage.factors if factor.name == name)


def differing(a, b) -> list[str]:
    """Names of the fields of two records that are not the same to the last bit."""

    def same(x, y) -> bool:
        return x is y or (isinstance(x, float | np.ndarray) and np.array_equal(x, y))

    names = [field.name for field in fields(a)]
    return [name for name in names if not same(getattr(a, name), getattr(b, name))]


def discs(stage, places_A, radius: float) -> torch.Tensor:
    """Pixels within so many diameters of some places."""
    scene = stage.base.scene
    y, x = np.mgrid[: scene.shape_px[0], : scene.shape_px[1]] * scene.pixel_size_A
    reach_A = radius * stage.diameter_A
    near = [np.hypot(x - place[0], y - place[1]) < reach_A for place in places_A]
    return torch.from_numpy(np.any(near, axis=0))


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("position", ["positions_A"]),
        ("orientation", ["eulers_deg"]),
        ("conformation", ["conformation"]),
        ("specimen", ["species", "conformation"]),
    ],
)
def test_one_particle_is_edited_in_one_thing(stage, name, changed):
    base, variant = stage.base, setting(stage, name)
    assert variant.optics == base.optics
    assert differing(base.scene, variant.scene) == ["particles"]
    before, after = base.scene.particles, variant.scene.particles
    assert differing(before, after) == changed
    for field in changed:
        assert np.array_equal(getattr(before, field)[1:], getattr(after, field)[1:])


def test_lens_and_ice_are_edited_alone(stage):
    base = stage.base
    defocus, ice = setting(stage, "defocus"), setting(stage, "ice")
    assert defocus.scene is base.scene
    assert differing(base.optics, defocus.optics) == ["defocus_u_A", "defocus_v_A"]
    assert ice.optics == base.optics
    assert differing(base.scene, ice.scene) == ["ice_thickness_A"]


@pytest.mark.parametrize("name", FACTORS)
def test_the_clean_image_changes_where_it_should_and_only_there(stage, name):
    base, variant = stage.render(stage.base), stage.render(setting(stage, name))
    change = (variant.seen - base.seen).abs()
    places_A = stage.base.scene.particles.positions_A
    if name == "ice":
        half = change.shape[1] // 2
        assert change[:, : half - 4].max() == 0
        column = (variant.ice / base.ice)[0]
        steps = column.diff()
        assert steps.max() <= 1e-6  # darker and darker
        assert steps.abs().max() < 0.1 * (1 - column.min())  # without an edge
        assert column.min() < 0.9
        assert torch.equal(variant.exposure.clean, base.exposure.clean)
        return
    if name == "position":
        places_A = [places_A[0], setting(stage, name).scene.particles.positions_A[0]]
    elif name != "defocus":
        places_A = places_A[:1]
    for place_A in places_A:
        assert change[discs(stage, [place_A], 0.4)].max() > 0.05
    elsewhere = ~discs(stage, places_A, 1.0)
    assert elsewhere.any()
    assert change[elsewhere].max() < 0.03 * change.max()  # fringes
    assert torch.equal(variant.ice, base.ice)


def test_the_other_conformation_is_the_same_molecule_in_another_shape(stage):
    rigid, bent = (stage.projectors[f"dimer_d2-{k}"].volume() for k in (1, 2))
    assert float(bent.sum()) == pytest.approx(float(rigid.sum()), rel=0.1)
    assert float((bent - rigid).norm()) > 0.3 * float(rigid.norm())


def test_regions_keep_their_margin():
    before, after = torch.zeros(64, 64), torch.zeros(64, 64)
    after[30:34, 30:34] = 1
    after[0, 0] = 0.01  # less than counts
    regions = Regions.of(before, after, margin_px=5)
    assert int(regions.inside.sum()) == 16
    assert not regions.outside[28:36, 28:36].any()
    assert bool(regions.outside[32, 24])
    assert bool(regions.outside[0, 0])
