"""Each law of placement against a statistic of its own, and all against the hard core."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from cryoccd.errors import CryoccdError
from cryoccd.geometry import euler_to_matrix
from cryoccd.scene.backdrop import LabelVolume
from cryoccd.scene.compose import place_particles
from cryoccd.scene.crowding import CrowdingConfig, SpeciesInScene
from cryoccd.scene.field import Field
from cryoccd.scene.membranes.surfaces import Ellipsoid
from cryoccd.scene.placement import (
    Aggregate,
    AirWater,
    BlueNoise,
    Capsids,
    Cluster,
    Dense,
    Filament,
    FromPicks,
    Gaussian,
    Gradient,
    Grid,
    InLabel,
    MembraneBound,
    PlacementLaw,
    Polysome,
    Uniform,
)

SIDE_A, ICE_A, DIAMETER_A = 2000.0, 800.0, 60.0
SPHERE = Ellipsoid(np.array([1000.0, 1000.0, 0.0]), np.eye(3), np.full(3, 300.0), 50.0)
LABELS = LabelVolume(
    np.pad(np.ones((6, 10, 10), np.int32), ((2, 2), (20, 10), (10, 20))), 50.0, 10.0
)
RANDOM = [Uniform(), BlueNoise(), Gaussian(), Cluster(), Gradient(), AirWater(), Capsids(), Grid()]
SOLID = [Filament(), Polysome(), Aggregate(), Dense(0.1), MembraneBound()]


def room(margin_A: float = 0.0, **more: object) -> Field:
    thickness = np.full((25, 25), ICE_A, np.float32)
    return Field((200, 200), 10.0, thickness, margin_A, **more)  # type: ignore[arg-type]


FULL = room(surfaces=(SPHERE,), labels=LABELS)


def places(
    law: PlacementLaw, n: int, seed: int = 0, diameter_A: float = DIAMETER_A, field: Field = FULL
) -> np.ndarray:
    species = [SpeciesInScene("one", diameter_A, placement=law)]
    crowding = CrowdingConfig(float(n), overlap_in_projection=False)
    if law.needs != "membranes":
        field = Field(field.shape_px, 10.0, field.thickness_A, field.margin_A, (), field.labels)
    return place_particles(species, crowding, field, np.random.default_rng(seed)).positions_A


def closest(points: np.ndarray) -> float:
    return float(cKDTree(points).query(points, k=2)[0][:, 1].min())


@pytest.mark.parametrize("law", [*RANDOM, *SOLID, InLabel(1)], ids=lambda law: type(law).__name__)
def test_every_law_reaches_its_number_inside_the_ice_under_the_hard_core(
    law: PlacementLaw, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = 20 if isinstance(law, InLabel) else 60
    with caplog.at_level(logging.WARNING):
        points = places(law, wanted)
    assert not caplog.records
    if not law.counts:
        assert len(points) == wanted
    assert np.abs(points[:, 2]).max() <= ICE_A / 2
    assert points[:, :2].min() >= -5
    assert points[:, :2].max() <= SIDE_A
    # along a chain subunits may stand nearer than their diameter
    core = 0.8 if isinstance(law, Filament) else 1.0
    axes = 3 if law.solid else 2
    assert closest(points[:, :axes]) >= core * DIAMETER_A - 1e-6
    assert np.array_equal(points, places(law, wanted))
    assert not np.array_equal(points[:20], places(law, wanted, seed=1)[:20])


@pytest.mark.parametrize("law", [*RANDOM, *SOLID], ids=lambda law: type(law).__name__)
def test_species_of_different_sizes_share_one_hard_core(law: PlacementLaw) -> None:
    small, large = SpeciesInScene("s", 40, 3.0, placement=law), SpeciesInScene("l", 120, 1.0)
    field = FULL if law.needs else room()
    found = place_particles([small, large], CrowdingConfig(40), field, np.random.default_rng(3))
    axes = 3 if law.solid else 2
    points = found.positions_A[:, :axes]
    inner, outer = points[found.species == 0], points[found.species == 1]
    assert len(inner) > 5
    assert len(outer) > 3
    assert cKDTree(outer).query(inner)[0].min() >= 80 - 1e-6
    assert closest(outer) >= 120 - 1e-6


def test_what_does_not_fit_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        points = places(Grid(), 200, diameter_A=300.0)
    assert 20 < len(points) < 60
    assert f"one: {len(points)} of 200 particles found room (Grid)" in caplog.text


def pooled(law: PlacementLaw, n: int = 40, sets: int = 40, diameter_A: float = 1.0) -> np.ndarray:
    return np.concatenate([places(law, n, seed, diameter_A) for seed in range(sets)])


def test_uniform_is_uniform_in_all_three_directions() -> None:
    points = pooled(Uniform())
    for axis, low, side in ((0, -5, SIDE_A), (1, -5, SIDE_A), (2, -ICE_A / 2, ICE_A)):
        assert stats.kstest(points[:, axis], stats.uniform(low, side).cdf).pvalue > 1e-3


def counts_in_cells(law: PlacementLaw) -> np.ndarray:
    cells = [
        np.histogram2d(*places(law, 80, seed, 1.0)[:, :2].T, bins=4, range=[[-5, 1995]] * 2)[0]
        for seed in range(20)
    ]
    return np.concatenate([cell.ravel() for cell in cells])


def test_counts_are_even_in_blue_noise_and_uneven_in_clusters() -> None:
    """Variance over mean of the counts in cells: 1 for a Poisson process."""
    dispersion = {
        type(law).__name__: float(np.var(counts_in_cells(law)) / 5.0)
        for law in (Uniform(), BlueNoise(), Cluster(parents=4.0, spread=60.0))
    }
    assert dispersion["Uniform"] == pytest.approx(1, abs=0.25)
    assert dispersion["BlueNoise"] < 0.4
    assert dispersion["Cluster"] > 2.5


def test_offspring_scatter_about_their_parent_as_a_gaussian() -> None:
    law = Cluster(parents=0.1, spread=30.0)  # one parent
    offsets = []
    for seed in range(30):
        xy = places(law, 60, seed, 1.0)[:, :2]
        if 300 < xy.mean() < 1700:
            offsets.append((xy - xy.mean(0)) / 30)
    radius = np.linalg.norm(np.concatenate(offsets), axis=1)
    assert np.median(radius) == pytest.approx(np.sqrt(2 * np.log(2)), rel=0.05)


def test_gaussian_is_a_truncated_normal() -> None:
    points = pooled(Gaussian(sigma=0.3))
    law = stats.truncnorm(-0.5 / 0.3, 0.5 / 0.3, loc=995, scale=600)
    for axis in (0, 1):
        assert stats.kstest(points[:, axis], law.cdf).pvalue > 1e-3


def test_gradient_is_linear_along_its_direction() -> None:
    points = pooled(Gradient(slope=3.0, direction_deg=0.0))
    t = (points[:, 0] + 5) / SIDE_A
    assert stats.kstest(t, lambda x: (x + 1.5 * x**2) / 2.5).pvalue > 1e-3
    assert stats.kstest(t, stats.uniform.cdf).pvalue < 1e-6
    across = (points[:, 1] + 5) / SIDE_A
    assert stats.kstest(across, stats.uniform.cdf).pvalue > 1e-3


def test_grid_has_its_pitch_and_six_neighbours() -> None:
    points = places(Grid(pitch=1.5, jitter=0.0), 120)[:, :2]
    distance, _ = cKDTree(points).query(points, k=7)
    assert np.allclose(distance[distance[:, 1] > 0][:, 1], 90, rtol=1e-6)
    inner = np.linalg.norm(points - points.mean(0), axis=1) < 300
    assert np.allclose(distance[inner][:, 1:], 90, rtol=1e-6)


def test_the_interface_holds_its_share_of_each_face() -> None:
    z = np.concatenate([places(AirWater(upper=0.7, depth_A=5.0), 60, s)[:, 2] for s in range(10)])
    face = (ICE_A - DIAMETER_A) / 2
    assert (np.abs(z) <= face).all()
    assert np.median(face - np.abs(z)) == pytest.approx(5 * stats.halfnorm.median(), rel=0.15)
    assert (z > 0).mean() == pytest.approx(0.7, abs=0.06)


def test_capsids_keep_their_distance() -> None:
    assert closest(places(Capsids(distance=2.0), 60)[:, :2]) >= 2 * DIAMETER_A


def test_filaments_have_rise_twist_and_persistence() -> None:
    law = Filament(length=30, rise=1.0, twist_deg=-25.0, persistence_A=800.0)
    deep = Field((4000, 4000), 10.0, np.full((500, 500), 30000.0, np.float32))
    generator = np.random.default_rng(0)
    cosines = []
    for _ in range(150):
        centres, turns = law.chain(40.0, deep, generator)
        steps = np.diff(centres, axis=0)
        assert np.allclose(np.linalg.norm(steps, axis=1), 40.0)
        tangents = steps / 40.0
        assert np.allclose(turns[1:, :, 2], tangents, atol=1e-9)  # z of the subunit along it
        assert np.allclose(np.linalg.det(turns), 1)
        cosines.append(tangents @ tangents[0])
    mean = np.mean(cosines, axis=0)
    assert mean[10] == pytest.approx(np.exp(-400 / 800), abs=0.06)
    assert mean[20] == pytest.approx(np.exp(-800 / 800), abs=0.09)
    stiff = Filament(length=5, rise=1.0, twist_deg=-25.0, persistence_A=1e8)
    _, turns = stiff.chain(40.0, deep, generator)
    between = Rotation.from_matrix(turns[0].T @ turns[1]).as_rotvec(degrees=True)
    assert between == pytest.approx([0, 0, -25], abs=0.1)


def test_polysomes_have_spacing_and_relative_rotation() -> None:
    law = Polysome(length=6, spacing=1.2, spacing_sd=0.02, scatter_deg=5.0)
    species = [SpeciesInScene("ribosome", DIAMETER_A, placement=law)]
    spacing, relative = [], []
    for seed in range(20):
        found = place_particles(species, CrowdingConfig(6), room(), np.random.default_rng(seed))
        turns = euler_to_matrix(torch.from_numpy(found.eulers_deg)).numpy()
        for k in range(len(found) - 1):
            step = np.linalg.norm(found.positions_A[k + 1] - found.positions_A[k])
            if step < 1.4 * DIAMETER_A:  # of one strand
                spacing.append(step)
                between = Rotation.from_matrix(turns[k].T @ turns[k + 1])
                relative.append(between.as_rotvec(degrees=True))
    assert len(spacing) > 60
    assert np.mean(spacing) == pytest.approx(1.2 * DIAMETER_A, rel=0.01)
    assert np.std(spacing) == pytest.approx(0.02 * DIAMETER_A, rel=0.4)
    assert np.mean(relative, axis=0) == pytest.approx([0, 0, 100], abs=3)


def test_membrane_proteins_stand_upright_at_their_offset() -> None:
    law = MembraneBound(offset_A=30.0)
    species = [SpeciesInScene("channel", DIAMETER_A, placement=law)]
    found = place_particles(species, CrowdingConfig(60), FULL, np.random.default_rng(0))
    assert len(found) == 60
    assert SPHERE.distance_A(found.positions_A) == pytest.approx(30, abs=1e-6)
    turns = euler_to_matrix(torch.from_numpy(found.eulers_deg)).numpy()
    normals = (found.positions_A - SPHERE.centre_A) / 330
    assert np.allclose(turns[:, :, 2], normals, atol=1e-6)
    cosine = normals[:, 2]  # uniform by area on a sphere
    assert stats.kstest(cosine, stats.uniform(-1, 2).cdf).pvalue > 1e-3


def test_free_particles_cut_no_membrane() -> None:
    species = [SpeciesInScene("free", DIAMETER_A)]
    found = place_particles(species, CrowdingConfig(150), FULL, np.random.default_rng(0))
    apart = np.abs(SPHERE.distance_A(found.positions_A))
    assert apart.min() >= (DIAMETER_A + 50) / 2


def test_a_field_that_happens_to_have_no_membrane_holds_no_membrane_protein() -> None:
    species = [SpeciesInScene("channel", DIAMETER_A, placement=MembraneBound())]
    assert len(place_particles(species, CrowdingConfig(5), room(), np.random.default_rng(0))) == 0


def test_clumps_touch() -> None:
    points = places(Aggregate(size=6), 30)
    nearest = cKDTree(points).query(points, k=2)[0][:, 1]
    assert nearest == pytest.approx(1.001 * DIAMETER_A, rel=1e-6)


@pytest.mark.parametrize("occupancy", [0.1, 0.3])
def test_dense_fills_its_share(occupancy: float) -> None:
    points = places(Dense(occupancy), 0)
    filled = len(points) * np.pi / 6 * DIAMETER_A**3 / (SIDE_A**2 * ICE_A)
    assert filled == pytest.approx(occupancy, rel=0.02)


def test_labels_hold_their_particles() -> None:
    assert (LABELS.at(places(InLabel(1), 20)) == 1).all()
    with pytest.raises(CryoccdError, match="label 7"):
        places(InLabel(7), 20)


def test_picks_give_number_and_places(tmp_path: Path) -> None:
    real_px = np.random.default_rng(5).uniform(20, 380, (40, 2))
    rows = "\n".join(f"{x:.3f},{y:.3f}" for x, y in real_px)
    (tmp_path / "one.csv").write_text(f"x_px,y_px\n{rows}\n")
    law = FromPicks(tmp_path, pixel_size_A=5.0, shape_px=(400, 400))
    points = places(law, 1, diameter_A=1.0)[:, :2]
    assert len(points) == 40
    expected = (real_px + 0.5) * 5 - 5  # pixel [0, 0] begins half a pixel of 10 A before 0
    flips = [
        np.where(np.array([fx, fy]), SIDE_A - 10 - expected, expected)
        for fx in (False, True)
        for fy in (False, True)
    ]
    assert min(cKDTree(flip).query(points)[0].max() for flip in flips) < 0.01
    wide = Field((400, 400), 10.0, np.full((50, 50), ICE_A, np.float32))
    assert len(places(law, 1, diameter_A=1.0, field=wide)) == 160  # four mirror images
    with pytest.raises(CryoccdError, match="no such file"):
        FromPicks(tmp_path / "none.star", pixel_size_A=5.0, shape_px=(400, 400))
