"""MRC headers are claims by strangers; ours are exact."""

import tracemalloc
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import read_mrc, write_mrc


def header_that_claims(path: Path, shape: tuple[int, int, int], mode: int = 2) -> None:
    with mrcfile.new(path) as file:
        file.set_data(np.zeros((16, 16), np.float32))
    content = bytearray(path.read_bytes()[:1024])
    content[:16] = np.array([*shape, mode], "<i4").tobytes()
    path.write_bytes(content)


def test_a_kilobyte_that_claims_400_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "bomb.mrc"
    header_that_claims(path, (100_000, 1_000_000, 1))
    tracemalloc.start()
    with pytest.raises(CryoccdError, match=r"claims .* = 400000001024 bytes, the file has 1024"):
        read_mrc(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("shape", [(0, 16, 1), (-4, -4, 1)])
def test_sizes_that_are_none(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    header_that_claims(tmp_path / "a.mrc", shape)
    with pytest.raises(CryoccdError, match="not an MRC file"):
        read_mrc(tmp_path / "a.mrc")


def test_complex_values(tmp_path: Path) -> None:
    with mrcfile.new(tmp_path / "a.mrc") as file:
        file.set_data(np.ones((16, 16), np.complex64))
    with pytest.raises(CryoccdError, match="complex"):
        read_mrc(tmp_path / "a.mrc")


def test_big_endian(tmp_path: Path) -> None:
    values = np.arange(256, dtype=">i2").reshape(16, 16)
    with mrcfile.new(tmp_path / "a.mrc") as file:
        file.set_data(values)
    np.testing.assert_array_equal(read_mrc(tmp_path / "a.mrc")[0], values)


def test_round_trip_header_label_and_no_clock(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=(20, 30)).astype(np.float32)
    write_mrc(tmp_path / "a.mrc", values, 1.25, "SYNTHETIC cryoccd 0 seed 5")
    write_mrc(tmp_path / "b.mrc", values, 1.25, "SYNTHETIC cryoccd 0 seed 5")
    assert (tmp_path / "a.mrc").read_bytes() == (tmp_path / "b.mrc").read_bytes()
    with mrcfile.open(tmp_path / "a.mrc") as file:  # strict by default
        assert file.get_labels() == ["SYNTHETIC cryoccd 0 seed 5"]
        assert file.header.mode == 2
        assert float(file.voxel_size.x) == float(file.voxel_size.y) == 1.25
    read, pixel_size_A = read_mrc(tmp_path / "a.mrc", ndim=2)
    np.testing.assert_array_equal(read, values)
    assert pixel_size_A == 1.25


def test_no_pixel_size_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(CryoccdError, match="pixel size 0"):
        write_mrc(tmp_path / "a.mrc", np.zeros((16, 16), np.float32), 0.0, "x")
    assert list(tmp_path.iterdir()) == []
