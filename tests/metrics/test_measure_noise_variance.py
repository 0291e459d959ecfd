from math import isnan, log, log10

import pytest
import torch
from noise_fields import CENTRES, DIAMETER_A, PIXEL_A, SIDE, field, figures, gradient, noise, rises

from cryoccd.errors import CryoccdError
from cryoccd.imaging.discs import disc_mask
from cryoccd.metrics.noise.noise_variance import NoiseVariance

RANGE = range(8)
ADDITIVE = [noise(i, 0.0) + 0.5 * gradient(i) for i in RANGE]
EVERYWHERE = NoiseVariance(between_particles=False)


def shot(counts, seed):
    """Counts whose mean follows the ice, on the scale of their own noise."""
    mean = (counts + 0.5 * counts**0.5 * gradient(seed)).clamp_min(0)
    drawn = torch.poisson(mean, generator=torch.Generator().manual_seed(seed))
    return (drawn - counts) / counts**0.5


def errors(made, real=ADDITIVE, measure=EVERYWHERE):
    return figures(measure, real, made)


def test_shot_noise_has_its_slope_and_the_right_sign():
    found = errors([shot(16, i) for i in range(20, 28)])
    assert found["variance_slope_error"] == pytest.approx(16**-0.5, rel=0.12)
    assert found["variance_correlation_error"] > 0.7
    back = errors(ADDITIVE, [shot(16, i) for i in range(20, 28)])
    assert back["variance_slope_error"] == -found["variance_slope_error"]
    assert back["variance_map_db"] < 0


def test_grow_with_the_dependence_on_the_signal():
    found = [errors([shot(n, i) for i in range(20, 28)]) for n in (400, 64, 16)]
    additive = errors([noise(i, 0.0) + 0.5 * gradient(i) for i in range(20, 28)])
    assert abs(additive["variance_slope_error"]) < 0.02
    assert abs(additive["variance_correlation_error"]) < 0.15
    for name, step in (("variance_slope_error", 0.02), ("variance_correlation_error", 0.1)):
        assert rises([additive[name], *(f[name] for f in found)], step)


def test_blocks_of_two_levels_have_their_spread_in_decibels():
    stripes = 1 + 0.2 * (torch.arange(SIDE) // 32 % 2)
    made = [noise(i, 0.0) * stripes[:, None] for i in range(20, 28)]
    found = errors(made, [noise(i, 0.0) for i in RANGE])
    assert found["variance_map_db"] == pytest.approx(10 * log10(1.2), abs=0.1)


@pytest.mark.parametrize("kind", ["gain lines", "ice"])
def test_map_grows_with_unevenness_of_the_noise(kind):
    lines = torch.randn(SIDE, generator=torch.Generator().manual_seed(3))[None]

    def uneven(i, by):
        pattern = lines if kind == "gain lines" else gradient(i + 100)
        return noise(i, 0.0) * (1 + by * pattern) + 0.5 * gradient(i)

    found = [
        errors([uneven(i, by) for i in range(20, 28)])["variance_map_db"]
        for by in (0.0, 0.1, 0.2, 0.3)
    ]
    assert abs(found[0]) < 0.12
    assert rises(found, 0.04 if kind == "gain lines" else 0.4)
    if kind == "ice":  # d ln variance = 2 x
        assert found[1] == pytest.approx(20 / log(10) * 0.1, abs=0.3)


def test_stationary_noise_of_any_colour_and_shape_has_no_spread():
    for made in (
        [noise(i, 1.0) for i in range(20, 28)],
        [noise(i, 0.0).exp() for i in range(20, 28)],
    ):
        found = errors(made, [noise(i, 0.0) for i in RANGE])
        assert abs(found["variance_map_db"]) < 0.2
    # while the raw spread of the block variances differs: 2 / n sum rho^2
    raw = [EVERYWHERE.describe(field(noise(9, blur))) for blur in (0.0, 1.0)]
    assert raw[1].log_log > 3 * raw[0].log_log


def test_particles_count_only_where_they_are_asked_for():
    inside = disc_mask((SIDE, SIDE), CENTRES, DIAMETER_A / PIXEL_A / 2)
    made = [x * (1 + inside) for x in ADDITIVE]
    between = NoiseVariance()
    assert errors(made, measure=between) == pytest.approx(
        dict.fromkeys(errors(made), 0.0), abs=1e-6
    )
    assert errors(made)["variance_map_db"] > 1
    assert between.lacks(field(made[0], picked=False)) == "picks"
    assert EVERYWHERE.lacks(field(made[0], picked=False)) == ""


def test_gain_of_the_image_and_order_do_not_count():
    found = errors(ADDITIVE[:4], ADDITIVE[4:])
    back = errors(ADDITIVE[3::-1], ADDITIVE[:3:-1])
    assert found == pytest.approx(back, abs=1e-9)
    louder = errors([2 * x + 3 for x in ADDITIVE[:4]], ADDITIVE[4:])
    for name in ("variance_correlation_error", "variance_map_db"):
        assert louder[name] == pytest.approx(found[name], abs=1e-4)


def test_empty_margins_and_poor_data():
    margin = [x.clone() for x in ADDITIVE]
    for x in margin:
        x[:, :32] = 0
    cut = errors([x[:, 64:] for x in ADDITIVE])
    assert all(abs(value) < 0.3 for value in errors(margin).values())
    assert all(abs(value) < 0.3 for value in cut.values())
    for poor in (torch.zeros(SIDE, SIDE), ADDITIVE[0][:20], ADDITIVE[0][:40, :40]):
        assert all(isnan(value) for value in errors([poor]).values())
    assert all(isnan(value) for value in EVERYWHERE.compare([], []).values())
    with pytest.raises(CryoccdError, match="block_px = 24"):
        NoiseVariance(24)
