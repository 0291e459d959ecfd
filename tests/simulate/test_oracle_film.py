"""The carbon film of the oracle: an edge that crosses the field, dark, grained, unpicked."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cryoccd.simulate.oracle import Oracle
from cryoccd.simulate.oracle_field import FINE, MARGIN_PX, draw_field, rendered_shape
from cryoccd.simulate.oracle_film import draw_film, film_grain
from cryoccd.simulate.oracle_styles import STYLES

STYLE = replace(STYLES["carbon_edge"], film_chance=1.0)
INNER = slice(MARGIN_PX * FINE, -MARGIN_PX * FINE)


def films(style, count):
    rng = np.random.default_rng(5)
    return [draw_film(rendered_shape(style), style, rng) for _ in range(count)]


def test_the_edge_crosses_the_field_where_there_is_one():
    shares = [float((film > 0).float().mean()) for film in films(STYLE, 40)]
    assert 0.1 < np.mean(shares) < 0.6
    assert np.mean(np.array(shares) > 0.02) > 0.8
    shown = [bool(film.any()) for film in films(replace(STYLE, film_chance=0.5), 200)]
    assert np.mean(shown) == pytest.approx(0.5, abs=0.12)
    assert not any(film.any() for film in films(replace(STYLE, film_chance=0.0), 3))


def test_nothing_lies_on_the_film():
    bare, seen = replace(STYLE, film_chance=0.0), 0
    for seed in range(10):
        field = draw_field(STYLE, np.random.default_rng(seed))
        all_of_them = draw_field(bare, np.random.default_rng(seed))
        at = field.particles.positions_A[:, :2] / STYLE.pixel_size_A + MARGIN_PX
        x, y = (at * FINE).astype(int).T
        assert not field.film_A[y, x].any()
        seen += len(all_of_them.particles) - len(field.particles)
    assert seen > 10


def test_the_film_is_darker_and_coarser_than_the_ice():
    style = replace(STYLE, contaminants=0.0, thickness_gradient=0.0)
    oracle, dark, rough = Oracle(style, 3), [], []
    for index in range(6):
        film_A = oracle_film(oracle, index)
        shot = oracle.expose(index, particles=False).expected
        on, off = film_A > 0.99 * style.film_thickness_A, film_A == 0
        if min(int(on.sum()), int(off.sum())) < 2000:
            continue
        dark.append(float(shot[on].mean() / shot[off].mean()))
        on_film, in_hole = (float(shot[part].std() / shot[part].mean()) for part in (on, off))
        rough.append(on_film / in_hole)
    # exp(-180 / 1200) = 0.86
    assert np.mean(dark) == pytest.approx(0.86, abs=0.03)
    assert np.mean(rough) > 1.1


def oracle_film(oracle, index):
    """(h, w) thickness in the field's own pixels."""
    field = draw_field(oracle.style, np.random.default_rng(oracle._item(index, "field")))
    return torch.nn.functional.avg_pool2d(field.film_A[None, INNER, INNER], FINE)[0]


def test_the_grain_is_that_of_independent_atoms():
    # at long waves: variance per area = rho t F_C(0)^2, with F = 47.878 f(0), f_C(0) = 2.51 A
    thickness_A = torch.full((512, 512), 100.0)
    grain = film_grain(thickness_A, 2.0, torch.Generator().manual_seed(0))
    power = grain.abs().square()[1:6, 1:6].mean() * 4.0 / 512**2
    assert float(power) == pytest.approx(0.1 * 100 * (47.878 * 2.51) ** 2, rel=0.5)
