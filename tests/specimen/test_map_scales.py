"""Maps of arbitrary units brought back to volts."""

import numpy as np
import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import write_mrc
from cryoccd.specimen.assemblies import assembly_atoms
from cryoccd.specimen.map_scale import EXCESS_V_A3_PER_DALTON, MapScale
from cryoccd.specimen.maps import read_map
from cryoccd.specimen.potential import potential
from cryoccd.specimen.scattering import atomic_masses

VOXEL_A = 3.0


def specimen(name):
    atoms = assembly_atoms(name)
    volume = potential(atoms, VOXEL_A, 80)
    return volume.values.numpy(), float(atomic_masses(atoms.elements).sum()) / 1e3


@pytest.fixture(scope="module")
def molecule():
    return specimen("lobed_c1")


def slope(got, expected):
    return float((got * expected).sum() / (expected**2).sum())


@pytest.mark.parametrize("name", ["lobed_c1", "barrel_d7", "dimer_d2"])
def test_the_figure_per_dalton_is_that_of_our_own_potential(name):
    values, mass_kDa = specimen(name)
    integral = values.astype(np.float64).sum() * VOXEL_A**3
    assert integral / (1e3 * mass_kDa) == pytest.approx(EXCESS_V_A3_PER_DALTON, rel=0.05)


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (3.7e-3, 0.21), (250.0, -90.0)])
@pytest.mark.parametrize("noise", [0.0, 1.0])  # of the standard deviation of the whole map
def test_any_gain_offset_and_noise_come_back_to_volts(tmp_path, molecule, gain, offset, noise):
    values, mass_kDa = molecule
    rng = np.random.default_rng(1)
    noisy = values + noise * values.std() * rng.normal(size=values.shape)
    path = tmp_path / "m.map"
    write_mrc(path, (gain * noisy + offset).astype(np.float32), VOXEL_A, "test")
    volume = read_map(path, VOXEL_A, 80, MapScale(mass_kDa=mass_kDa))
    assert slope(volume.values.numpy(), values) == pytest.approx(1, abs=0.05)
    assert volume.values[:6].std() < 0.03  # no background is left, but ripples of the band limit
    assert abs(volume.values[:6].mean()) < 1e-3
    at_contour = MapScale(mass_kDa=mass_kDa, contour=gain * 1.5 + offset)
    if noise == 0:
        again = read_map(path, VOXEL_A, 80, at_contour).values.numpy()
        assert slope(again, values) == pytest.approx(1, abs=0.05)


def test_what_is_left_of_a_clean_map_is_the_map(molecule):
    values, mass_kDa = molecule
    got = MapScale(mass_kDa=mass_kDa).apply(0.01 * values + 4, VOXEL_A)
    assert np.corrcoef(got.ravel(), values.ravel())[0, 1] > 0.99
    assert np.sqrt(((got - values) ** 2).mean()) < 0.15 * np.sqrt((values**2).mean())


def test_the_scale_follows_the_mass(molecule):
    values, mass_kDa = molecule
    once = MapScale(mass_kDa=mass_kDa, contour=1.5).apply(values, VOXEL_A)
    twice = MapScale(mass_kDa=2 * mass_kDa, contour=1.5).apply(values, VOXEL_A)
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-5)


def test_a_contour_alone_is_good_to_a_third(molecule):
    values, _ = molecule
    blurred = torch.nn.functional.avg_pool3d(torch.from_numpy(values)[None], 3, 1, 1)[0].numpy()
    half = 0.5 * float(np.percentile(blurred[blurred > 1], 90))
    got = MapScale(contour=0.02 * half).apply(0.02 * blurred, VOXEL_A)
    assert slope(got, blurred) == pytest.approx(1, abs=0.3)


def test_dust_far_from_the_molecule_is_removed(molecule):
    values, mass_kDa = molecule
    dusty = values.copy()
    dusty[4:6, 4:6, 4:6] = values.max()
    got = MapScale(mass_kDa=mass_kDa).apply(dusty, VOXEL_A)
    assert (got[:8, :8, :8] == 0).all()
    assert slope(got, values) == pytest.approx(1, abs=0.05)


def test_a_map_without_scale_is_in_volts(tmp_path, molecule):
    write_mrc(tmp_path / "m.mrc", molecule[0], VOXEL_A, "test")
    volume = read_map(tmp_path / "m.mrc", VOXEL_A, 80)
    assert (volume.values.numpy() - molecule[0]).std() < 1e-3 * molecule[0].std()


@pytest.mark.parametrize(
    ("scale", "said"),
    [
        ({"mass_kDa": 0.0}, "mass_kDa = 0.0, expected 0.1"),
        ({"mass_kDa": float("nan")}, "mass_kDa = nan"),
        ({"contour": float("inf")}, "contour = inf"),
        ({}, "neither mass_kDa nor contour"),
    ],
)
def test_an_unphysical_scale_is_refused(scale, said):
    with pytest.raises(CryoccdError, match=said):
        MapScale(**scale)


@pytest.mark.parametrize(
    ("scale", "said"),
    [
        (MapScale(contour=1e6), r"m\.mrc: map scale: contour = 1e\+06, but the map reaches"),
        (MapScale(contour=-1e6), r"m\.mrc: map scale: the molecule of .* fills its box"),
        (MapScale(mass_kDa=1e6), r"m\.mrc: map scale: mass_kDa = 1e\+06 displaces"),
        (
            MapScale(mass_kDa=10000),
            r"m\.mrc: map scale: (no molecule|the molecule of 10000 kDa fills)",
        ),
    ],
)
def test_a_scale_that_does_not_fit_the_map_is_refused(tmp_path, molecule, scale, said):
    write_mrc(tmp_path / "m.mrc", molecule[0], VOXEL_A, "test")
    with pytest.raises(CryoccdError, match=said):
        read_map(tmp_path / "m.mrc", VOXEL_A, scale=scale)


def test_a_dark_molecule_and_mere_noise_are_refused(molecule):
    values, mass_kDa = molecule
    noise = np.random.default_rng(0).normal(size=(32, 32, 32)).astype(np.float32)
    for bad, voxel_A in ((-values, VOXEL_A), (noise, 3.0), (noise, 8.0)):
        with pytest.raises(CryoccdError, match=r"no molecule of .* stands out"):
            MapScale(mass_kDa=mass_kDa).apply(bad, voxel_A)
    shell = np.zeros((32, 32, 32), np.float32)
    shell[12:20, 12:20, 12:20] = 1
    shell[13:19, 13:19, 13:19] = -5
    with pytest.raises(CryoccdError, match="darker than its surroundings"):
        MapScale(contour=0.5).apply(shell, 3.0)
