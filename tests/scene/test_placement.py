import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist, squareform
from scipy.stats import kstest

from cryoccd.scene.placement import place


def test_dense_field_keeps_every_distance():
    diameters = np.full(400, 40.0)
    centres, fitted = place(diameters, (0, 0), (1024, 1024), np.random.default_rng(0))
    assert fitted.all()
    assert pdist(centres).min() >= 40
    assert (centres >= 0).all()
    assert (centres <= 1024).all()


def test_mixed_sizes_keep_their_mean_distance():
    generator = np.random.default_rng(1)
    diameters = generator.choice([20.0, 50.0, 90.0], 150)
    centres, fitted = place(diameters, (-50, -20), (950, 780), generator)
    assert fitted.all()
    distance = squareform(pdist(centres))
    least = (diameters[:, None] + diameters) / 2
    np.fill_diagonal(distance, np.inf)
    assert (distance >= least).all()
    assert (distance < 1.2 * least).any()


def test_too_many_leave_no_hole_and_the_rest_is_reported():
    diameters = np.full(1000, 40.0)
    centres, fitted = place(diameters, (0, 0), (1000, 1000), np.random.default_rng(2))
    assert not fitted.all()
    assert np.isnan(centres[~fitted]).all()
    assert pdist(centres[fitted]).min() >= 40
    grid = np.stack(np.meshgrid(np.arange(0, 1000, 2.0), np.arange(0, 1000, 2.0)), -1)
    assert cKDTree(centres[fitted]).query(grid.reshape(-1, 2))[0].max() < 40 + 4
    area_fraction = fitted.sum() * np.pi * 20**2 / 1040**2  # discs may stick out by a radius
    assert 0.50 < area_fraction < 0.56  # jammed at 0.547 without a border


def test_sparse_positions_are_uniform():
    centres = np.concatenate(
        [
            place(np.full(20, 1.0), (10, 30), (110, 80), np.random.default_rng(seed))[0]
            for seed in range(200)
        ]
    )
    assert kstest(centres[:, 0], "uniform", args=(10, 100)).pvalue > 1e-3
    assert kstest(centres[:, 1], "uniform", args=(30, 50)).pvalue > 1e-3


def test_none_and_one_too_large_for_its_neighbour():
    empty, fitted = place(np.zeros(0), (0, 0), (10, 10), np.random.default_rng(0))
    assert empty.shape == (0, 2)
    assert fitted.shape == (0,)
    _, fitted = place(np.full(2, 100.0), (0, 0), (10, 10), np.random.default_rng(0))
    assert fitted.sum() == 1
