"""Density maps with permuted axes, shifted starts, gzip, and faults of their headers."""

import gzip
import itertools
import struct

import mrcfile
import numpy as np
import pytest

from cryoccd.errors import CryoccdError
from cryoccd.specimen.map_file import read_density
from cryoccd.specimen.maps import read_map

VALUES = np.random.default_rng(0).normal(size=(6, 8, 10)).astype(np.float32)  # z, y, x


def write(path, axes=(1, 2, 3), **header):
    """VALUES with columns, rows and sections along the axes named."""
    order = axes[::-1]  # of the array's own axes
    with mrcfile.new(
        path, overwrite=True, compression="gzip" if path.suffix == ".gz" else None
    ) as f:
        f.set_data(np.ascontiguousarray(VALUES.transpose([3 - axis for axis in order])))
        f.header.mx, f.header.my, f.header.mz = 10, 8, 6
        f.header.cella = (20.0, 16.0, 12.0)
        f.header.mapc, f.header.mapr, f.header.maps = axes
        for name, value in header.items():
            f.header[name] = value
    return path


@pytest.mark.parametrize("axes", list(itertools.permutations((1, 2, 3))))
@pytest.mark.parametrize("name", ["m.mrc", "m.map.gz"])
def test_every_order_of_axes_gives_the_same_map(tmp_path, axes, name):
    values, voxel_A = read_density(write(tmp_path / name, axes))
    np.testing.assert_array_equal(values, VALUES)
    assert voxel_A == 2.0


def test_start_and_origin_move_nothing(tmp_path):
    plain = read_map(write(tmp_path / "a.map"), 2.0, 12)
    moved = read_map(
        write(tmp_path / "b.map", nxstart=-5, nystart=7, nzstart=100, origin=(3.0, -9.0, 44.0)),
        2.0,
        12,
    )
    np.testing.assert_array_equal(plain.values, moved.values)


def test_a_part_of_a_cell_keeps_its_voxel_size(tmp_path):
    path = write(tmp_path / "part.map", mx=100, my=80, mz=60, cella=(130.0, 104.0, 78.0))
    assert read_density(path)[1] == pytest.approx(1.3)


def test_axes_left_empty_are_the_common_order(tmp_path):
    path = write(tmp_path / "m.mrc", mapc=0, mapr=0, maps=0)
    np.testing.assert_array_equal(read_density(path)[0], VALUES)


def test_a_big_endian_file(tmp_path):
    path = tmp_path / "m.mrc"
    with mrcfile.new(path) as file:
        file.set_data(VALUES.astype(">f4"))
        file.voxel_size = 2.0
    np.testing.assert_array_equal(read_density(path)[0], VALUES)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"mapc": 2}, "axes MAPC, MAPR, MAPS = .2, 2, 3."),
        ({"mapc": 9}, "axes MAPC"),
        ({"cella": (20.0, 16.0, 24.0)}, "voxels of 2 x 2 x 4 A"),
        ({"cellb": (90.0, 120.0, 90.0)}, "angles 90, 120, 90"),
        ({"cella": (0.0, 0.0, 0.0)}, "voxel size 0 in the header"),
        ({"mz": 0}, "voxel size|not a valid MRC"),
        ({"cella": (float("nan"),) * 3}, "voxel size nan"),
    ],
)
@pytest.mark.parametrize("name", ["m.mrc", "m.map.gz"])
def test_headers_that_make_no_sense(tmp_path, name, header, said):
    path = write(tmp_path / name, **header)
    with pytest.raises(CryoccdError, match=said) as caught:
        read_density(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_faults_of_packed_files_name_the_file(tmp_path):
    path = write(tmp_path / "m.map.gz")
    packed = path.read_bytes()
    unpacked = gzip.decompress(packed)
    faults = {
        "junk": b"\0\1\2\3" * 600,
        "empty": b"",
        "cut": packed[: len(packed) // 2],
        "short": gzip.compress(unpacked[:-40], mtime=0),
        "long": gzip.compress(unpacked + bytes(1 << 22), mtime=0),
        "bomb": gzip.compress(struct.pack("<4i", 2**30, 2**30, 2**30, 2) + unpacked[16:], mtime=0),
        "page": gzip.compress(b"<html>not found</html>", mtime=0),
    }
    for name, content in faults.items():
        bad = tmp_path / f"{name}.map.gz"
        bad.write_bytes(content)
        with pytest.raises(CryoccdError) as caught:
            read_density(bad)
        assert str(caught.value).startswith(f"{bad}: "), name
        assert "\n" not in str(caught.value)
    with pytest.raises(CryoccdError, match="no such file"):
        read_density(tmp_path / "absent.map.gz")
