"""Each law of orientation against its analytic law, by one test that rejects wrong ones.

The test: Kolmogorov-Smirnov at alpha = 1e-3 with n = 6000 on cos tilt, rot and psi, and chi-squared
on an 8 x 8 grid of the transformed values for the independence of each pair.
"""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import starfile
import torch
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial.transform import Rotation

from cryoccd.errors import CryoccdError
from cryoccd.geometry import euler_to_matrix, matrix_to_euler
from cryoccd.scene.orientation import (
    AirWater,
    Bimodal,
    Equatorial,
    FromStar,
    LimitedTilt,
    OrientationLaw,
    PreferredAxis,
    Uniform,
)
from cryoccd.scene.orientation.sphere import axis_vector

N, ALPHA = 6000, 1e-3
Distribution = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def von_mises_fisher(kappa: float) -> Distribution:
    return lambda c: np.expm1(kappa * (c + 1)) / np.expm1(2 * kappa)


def watson_girdle(kappa: float) -> Distribution:
    sigma = np.sqrt(0.5 / kappa)
    return stats.truncnorm(-1 / sigma, 1 / sigma, scale=sigma).cdf


def mixed(kappa: float, weight: float) -> Distribution:
    one = von_mises_fisher(kappa)
    return lambda c: weight * one(c) + (1 - weight) * (1 - one(-c))


LAWS: list[tuple[OrientationLaw, Distribution]] = [
    (Uniform(), lambda c: (c + 1) / 2),
    (PreferredAxis(kappa=10.0), von_mises_fisher(10.0)),
    (PreferredAxis(kappa=1.0), von_mises_fisher(1.0)),
    (LimitedTilt(limit_deg=30.0), stats.uniform(np.cos(np.pi / 6), 1 - np.cos(np.pi / 6)).cdf),
    (Equatorial(kappa=15.0), watson_girdle(15.0)),
    (Bimodal(kappa=8.0, weight=0.3), mixed(8.0, 0.3)),
]


def draw(law: OrientationLaw, n: int = N, seed: int = 0) -> NDArray[np.float64]:
    return law.draw(np.zeros(n), np.random.default_rng(seed))


def worst_p(eulers_deg: NDArray[np.float64], of_cos_tilt: Distribution) -> float:
    """Least p over the marginal laws and the independence of each pair."""
    rot, tilt, psi = eulers_deg.T
    flat = stats.uniform(-180, 360).cdf
    cosine = np.cos(np.deg2rad(tilt))
    marginals = [(cosine, of_cos_tilt), (rot, flat), (psi, flat)]
    p_values = [stats.kstest(values, cdf).pvalue for values, cdf in marginals]
    cells = [np.clip((cdf(values) * 8).astype(int), 0, 7) for values, cdf in marginals]
    for one, two in combinations(cells, 2):
        counts = np.bincount(one * 8 + two, minlength=64)
        p_values.append(stats.chisquare(counts, np.full(64, len(rot) / 64)).pvalue)
    return min(p_values)


@pytest.mark.parametrize(("law", "of_cos_tilt"), LAWS, ids=lambda v: type(v).__name__)
def test_a_law_has_its_analytic_distribution(
    law: OrientationLaw, of_cos_tilt: Distribution
) -> None:
    assert worst_p(draw(law), of_cos_tilt) > ALPHA / 6
    assert np.array_equal(draw(law, 5), draw(law, 5))
    assert draw(law, 0).shape == (0, 3)


def turned_about(axes: NDArray[np.float64], seed: int = 1) -> NDArray[np.float64]:
    """The peers' fault: a rotation by a random angle about an axis near the wanted direction."""
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(axes))
    matrices = Rotation.from_rotvec(axes * angle[:, None]).as_matrix()
    return matrix_to_euler(torch.from_numpy(matrices)).numpy()


def ring(cosine: NDArray[np.float64], seed: int = 2) -> NDArray[np.float64]:
    azimuth = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(cosine))
    sine = np.sqrt(1 - cosine**2)
    return np.column_stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine])


def wrong_draws() -> dict[str, tuple[NDArray[np.float64], Distribution]]:
    generator = np.random.default_rng(7)
    flat_tilt = np.column_stack([generator.uniform(low, 180, N) for low in (-180, 0, -180)])
    thin_ring = 1 - (1 + generator.exponential(0.1, N)) / 11
    sign = np.where(generator.uniform(size=N) < 0.5, 1, -1)
    low = np.deg2rad(generator.uniform(0, 30, N))
    side = np.deg2rad(generator.normal(90, 15, N))
    coupled = draw(Uniform(), seed=9)
    coupled[:, 2] = coupled[:, 0]  # psi that is rot
    return {
        "tilt uniform in 0..180": (flat_tilt, LAWS[0][1]),
        "psi bound to rot": (coupled, LAWS[0][1]),
        "preferred axis turned about": (turned_about(ring(thin_ring)), von_mises_fisher(10.0)),
        "limited tilt turned about": (turned_about(ring(np.cos(low))), LAWS[3][1]),
        "equatorial turned about": (turned_about(ring(np.cos(side))), watson_girdle(15.0)),
        "bimodal that is not": (draw(PreferredAxis(kappa=8.0)), mixed(8.0, 0.5)),
        "bimodal turned about": (
            turned_about(ring(thin_ring) * sign[:, None]),
            mixed(10.0, 0.5),
        ),
    }


@pytest.mark.parametrize("name", wrong_draws())
def test_the_same_test_rejects_what_peers_draw(name: str) -> None:
    eulers_deg, wanted = wrong_draws()[name]
    assert worst_p(eulers_deg, wanted) < 1e-10


@pytest.mark.parametrize("law", [PreferredAxis(6.0, 40.0, 70.0), Bimodal(6.0, 1.0, 40.0, 70.0)])
def test_a_tilted_axis(law: OrientationLaw) -> None:
    """The view is A^T z: its angle to the axis has the law, its azimuth about it none."""
    eulers_deg = draw(law)
    views = euler_to_matrix(torch.from_numpy(eulers_deg)).numpy()[:, 2, :]
    axis = axis_vector(40.0, 70.0)
    cosine = views @ axis
    assert stats.kstest(cosine, von_mises_fisher(6.0)).pvalue > ALPHA
    across = np.cross(axis, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    azimuth = np.arctan2(views @ np.cross(axis, across), views @ across)
    assert stats.kstest(azimuth, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > ALPHA
    assert stats.kstest(eulers_deg[:, 2], stats.uniform(-180, 360).cdf).pvalue > ALPHA


def test_the_interface_turns_one_face_outwards_and_leaves_the_middle_alone() -> None:
    law = AirWater(kappa=12.0, free=0.2, within=0.8)
    height = np.repeat([0.95, -0.95, 0.0], N)
    cosine = np.cos(np.deg2rad(law.draw(height, np.random.default_rng(0))[:, 1]))
    upper, lower, middle = cosine.reshape(3, N)
    bound = von_mises_fisher(12.0)

    def of_face(c: NDArray[np.float64]) -> NDArray[np.float64]:
        return 0.8 * bound(c) + 0.2 * (c + 1) / 2

    assert stats.kstest(upper, of_face).pvalue > ALPHA
    assert stats.kstest(-lower, of_face).pvalue > ALPHA
    assert stats.kstest(middle, stats.uniform(-1, 2).cdf).pvalue > ALPHA
    assert stats.kstest(lower, of_face).pvalue < 1e-10


def refinement(path: Path, version: float) -> NDArray[np.float64]:
    """A STAR file of 500 side views, as RELION 3.0 or 3.1 lays it out."""
    generator = np.random.default_rng(3)
    columns = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")
    angles = np.column_stack(
        [
            generator.uniform(-180, 180, 500),
            generator.normal(90, 5, 500),
            generator.uniform(-180, 180, 500),
        ]
    ).round(3)
    particles = pd.DataFrame(angles, columns=list(columns))
    optics = pd.DataFrame({"rlnOpticsGroup": [1], "rlnVoltage": [300.0]})
    blocks = {"": particles} if version < 3.1 else {"optics": optics, "particles": particles}
    starfile.write(blocks, path)
    return angles


@pytest.mark.parametrize("version", [3.0, 3.1])
def test_angles_of_a_refinement_are_resampled(tmp_path: Path, version: float) -> None:
    known = refinement(tmp_path / "run_data.star", version)
    drawn = draw(FromStar(tmp_path / "run_data.star"), 4000)
    assert {tuple(row) for row in drawn.round(3)} <= {tuple(row) for row in known}
    assert len(np.unique(drawn, axis=0)) > 480
    assert stats.ks_2samp(drawn[:, 1], known[:, 1]).pvalue > ALPHA
    shaken = draw(FromStar(tmp_path / "run_data.star", jitter_deg=2.0), 4000)
    assert shaken[:, 1].std() == pytest.approx(np.hypot(known[:, 1].std(), 2), rel=0.05)
    assert (np.abs(shaken[:, [0, 2]]) <= 180).all()
    assert shaken[:, 1].min() >= 0


def test_a_star_file_without_angles_is_refused(tmp_path: Path) -> None:
    starfile.write(pd.DataFrame({"rlnCoordinateX": [1.0]}), tmp_path / "picks.star")
    with pytest.raises(CryoccdError, match=r"picks.star: no block with the columns rlnAngleRot"):
        FromStar(tmp_path / "picks.star")
    with pytest.raises(CryoccdError, match="no such file"):
        FromStar(tmp_path / "none.star")


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: PreferredAxis(kappa=-1.0), "kappa = -1.0"),
        (lambda: LimitedTilt(limit_deg=200.0), "limit_deg = 200.0"),
        (lambda: Bimodal(weight=2.0), "weight = 2.0"),
        (lambda: AirWater(free=float("nan")), "free = nan"),
        (lambda: Equatorial(kappa=0.0), "kappa = 0.0"),
    ],
)
def test_unphysical_settings_are_refused(build: Callable[[], OrientationLaw], words: str) -> None:
    with pytest.raises(CryoccdError, match=words):
        build()
