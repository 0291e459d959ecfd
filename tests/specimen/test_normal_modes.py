import numpy as np
import pytest
from scipy.spatial import cKDTree
from specimen_files import walk

from cryoccd.errors import CryoccdError
from cryoccd.specimen.normal_modes import (
    MOST_NODES,
    NormalModes,
    flexed_positions_A,
    network_hessian,
    normal_modes,
)
from cryoccd.specimen.structure import read_models


def dense_hessian(points, cutoff_A):
    """The textbook's double loop (Atilgan et al. 2001, eq. 6)."""
    n = len(points)
    hessian = np.zeros((n, 3, n, 3))
    for i in range(n):
        for j in range(n):
            step = points[j] - points[i]
            if i != j and step @ step <= cutoff_A**2:
                block = np.outer(step, step) / (step @ step)
                hessian[i, :, j] -= block
                hessian[i, :, i] += block
    return hessian.reshape(3 * n, 3 * n)


def test_hessian_and_modes_are_those_of_the_dense_problem():
    points = walk(60, 2)
    hessian = dense_hessian(points, 15.0)
    np.testing.assert_allclose(network_hessian(points, 15.0).toarray(), hessian, atol=1e-12)
    expected, vectors = np.linalg.eigh(hessian)
    assert (np.abs(expected[:6]) < 1e-9).all()  # the rigid motions, and no other
    assert expected[6] > 1e-3
    values, modes = normal_modes(points, 8)
    np.testing.assert_allclose(values, expected[6:14], rtol=1e-6)
    flat = modes.reshape(8, -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(8), atol=1e-8)
    overlap = np.abs((flat * vectors[:, 6:14].T).sum(1))
    np.testing.assert_allclose(overlap, 1, atol=1e-5)


def test_modes_neither_shift_nor_turn():
    points = walk(80, 4)
    points -= points.mean(0)
    _, modes = normal_modes(points, 10)
    np.testing.assert_allclose(modes.sum(1), 0, atol=1e-8)
    np.testing.assert_allclose(np.cross(points, modes).sum(1), 0, atol=1e-6)


def test_the_softest_mode_of_a_rod_bends_it():
    axis = np.linspace(-100, 100, 101)
    ring = np.array([[0, 0], [6, 0], [0, 6], [6, 6.0]])
    rod = np.array([[x, y, z] for x in axis for y, z in ring])
    _, modes = normal_modes(rod, 2)
    for mode in modes:  # two bends: across the rod, ends against the middle
        along = np.abs(mode[:, 0]).mean()
        sideways = mode.reshape(101, 4, 3)[:, :, 1:].mean(1)
        strongest = sideways[:, np.abs(sideways).sum(0).argmax()]
        assert np.abs(strongest).mean() > 3 * along
        assert strongest[0] * strongest[50] < 0 < strongest[0] * strongest[100]


def test_conformations_have_the_rmsd_asked_for_and_differ():
    points = walk(150, 6)
    config = NormalModes(count=5, rmsd_A=1.5, modes=6, seed=3)
    flexed = flexed_positions_A(points, points, config)
    assert flexed.shape == (5, 150, 3)
    rmsd_A = np.sqrt(((flexed - points) ** 2).sum(-1).mean(-1))
    assert np.sqrt((rmsd_A**2).mean()) == pytest.approx(1.5)
    assert rmsd_A.std() > 0.05
    np.testing.assert_array_equal(flexed, flexed_positions_A(points, points, config))
    other = flexed_positions_A(points, points, NormalModes(count=5, rmsd_A=1.5, modes=6, seed=4))
    assert np.abs(flexed - other).max() > 0.5
    one = flexed_positions_A(points, points, NormalModes(count=1, rmsd_A=0.7))
    assert np.sqrt(((one - points) ** 2).sum(-1).mean()) == pytest.approx(0.7)


@pytest.mark.parametrize("modes", [1, 12])
def test_bonds_of_a_deposited_structure_are_nearly_kept(real_data, modes):
    model = read_models(real_data / "structures" / "5a1a.pdb")[0]
    points = model.atoms.positions_A
    assert model.node.sum() > MOST_NODES  # coarse-grained
    config = NormalModes(count=2, rmsd_A=1.0, modes=modes)
    bonds = cKDTree(points).query_pairs(1.65, output_type="ndarray")
    before = np.linalg.norm(points[bonds[:, 0]] - points[bonds[:, 1]], axis=1)
    for flexed in flexed_positions_A(points, points[model.node], config):
        after = np.linalg.norm(flexed[bonds[:, 0]] - flexed[bonds[:, 1]], axis=1)
        assert np.sqrt(((after - before) ** 2).mean()) < 0.03
        assert np.abs(after - before).max() < 0.5


def test_networks_without_modes_are_refused():
    points = walk(40, 1)
    apart = np.concatenate([points, points + 500])
    with pytest.raises(CryoccdError, match="more than 6 motions cost nothing"):
        normal_modes(apart, 10)
    with pytest.raises(CryoccdError, match="4 nodes"):
        normal_modes(points[:4], 10)


@pytest.mark.parametrize(
    "wrong", [{"count": 0}, {"rmsd_A": 0.0}, {"rmsd_A": float("nan")}, {"modes": 0}]
)
def test_unphysical_settings_are_refused(wrong):
    with pytest.raises(CryoccdError, match=rf"normal_modes: {next(iter(wrong))} = "):
        NormalModes(**wrong)
