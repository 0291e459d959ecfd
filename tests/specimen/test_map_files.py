import mrcfile
import numpy as np
import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import write_mrc
from cryoccd.specimen.maps import read_map


def blob(shape, voxel_size_A, centre_A, sigma_A=9.0):
    """A Gaussian about voxel n // 2 plus centre_A (z, y, x)."""
    axes = [
        (np.arange(n) - n // 2) * voxel_size_A - c for n, c in zip(shape, centre_A, strict=True)
    ]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return np.exp(-(x**2 + y**2 + z**2) / (2 * sigma_A**2)).astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "source_A", "target_A", "box"),
    [
        ((32, 32, 32), 3.0, 3.0, 32),
        ((32, 32, 32), 3.0, 4.1, 30),
        ((33, 33, 33), 3.0, 2.17, 44),
        ((40, 36, 31), 3.0, 3.3, 41),
        ((32, 32, 32), 3.0, 5.0, 40),  # pads
        ((48, 48, 48), 3.0, 3.7, 24),  # crops
    ],
)
def test_a_gaussian_comes_out_where_the_formula_says(tmp_path, shape, source_A, target_A, box):
    path, centre_A = tmp_path / "m.mrc", (4.0, -6.5, 2.2)
    write_mrc(path, blob(shape, source_A, centre_A), source_A, "test")
    volume = read_map(path, target_A, box)
    assert volume.voxel_size_A == target_A
    expected = torch.from_numpy(blob((box,) * 3, target_A, centre_A))
    assert (volume.values - expected).abs().max() < 0.01


def test_the_default_box_holds_the_map_and_its_integral(tmp_path):
    path = tmp_path / "m.map"
    write_mrc(path, blob((32, 32, 32), 3.0, (0, 0, 0), 6.0), 3.0, "test")
    volume = read_map(path, 2.3)
    assert volume.box_px * 2.3 >= 96
    integral = (2 * np.pi * 6.0**2) ** 1.5
    assert volume.values.sum() * 2.3**3 == pytest.approx(integral, rel=1e-3)


def test_detail_beyond_the_target_nyquist_is_gone(tmp_path):
    noise = np.random.default_rng(0).normal(size=(32, 32, 32)).astype(np.float32)
    write_mrc(tmp_path / "m.mrc", noise, 2.0, "test")
    values = read_map(tmp_path / "m.mrc", 3.0, 24).values
    k = torch.fft.fftfreq(24)
    outside = (k[:, None, None] ** 2 + k[None, :, None] ** 2 + k**2) >= 0.25
    power = torch.fft.fftn(values).abs() ** 2
    assert power[outside].sum() < 1e-9 * power.sum()
    share = power.sum() / 24**3 / (noise**2).sum()  # of the band, in a crop of three quarters
    assert share == pytest.approx(np.pi / 6 * (2 / 3) ** 3 * (2 / 3) ** 3 * (72 / 64) ** 3, rel=0.3)


def test_a_map_without_voxel_size_names_the_mend(tmp_path):
    path = tmp_path / "bare.mrc"
    with mrcfile.new(path) as file:
        file.set_data(np.ones((8, 8, 8), np.float32))
    with pytest.raises(CryoccdError, match=r"bare\.mrc: voxel size 0 .*write it there"):
        read_map(path, 2.0)


def test_bad_requests_are_refused(tmp_path):
    path = tmp_path / "m.mrc"
    write_mrc(path, np.ones((8, 8, 8), np.float32), 2.0, "test")
    with pytest.raises(CryoccdError, match="voxel_size_A = 0"):
        read_map(path, 0)
    with pytest.raises(CryoccdError, match="no such file"):
        read_map(tmp_path / "absent.mrc", 2.0)
    write_mrc(path, np.ones((8, 8), np.float32), 2.0, "test")
    with pytest.raises(CryoccdError, match="2 dimensions"):
        read_map(path, 2.0)
