"""Means over the frames of movies."""

import mrcfile
import numpy as np
import pytest
import tifffile

from cryoccd.errors import CryoccdError
from cryoccd.io.movies import read_averaged

FRAMES = np.random.default_rng(0).integers(0, 200, (5, 20, 24)).astype(np.uint16)


def write(path, frames=FRAMES, size_A=1.5):
    if path.suffix == ".tif":
        tifffile.imwrite(path, frames, photometric="minisblack")
    else:
        with mrcfile.new(path) as file:
            file.set_data(frames)
            if frames.ndim == 3:
                file.set_image_stack()
            file.voxel_size = size_A
    return path


@pytest.mark.parametrize("name", ["m.mrc", "m.mrcs", "m.tif"])
def test_mean_of_the_frames(tmp_path, name):
    mean, size_A = read_averaged(write(tmp_path / name))
    assert mean.dtype == np.float32
    assert np.allclose(mean, FRAMES.mean(0))
    assert size_A == (0 if name.endswith("tif") else pytest.approx(1.5))


def test_an_image_is_its_own_mean(tmp_path):
    image = FRAMES[0].astype(np.float32)
    mean, _ = read_averaged(write(tmp_path / "m.mrc", image))
    assert np.array_equal(mean, image)


@pytest.mark.parametrize("frames", [FRAMES, FRAMES[:1]])
def test_gain_reference_multiplies(tmp_path, frames):
    gain = np.linspace(0.5, 2, 20 * 24, dtype=np.float32).reshape(20, 24)
    mean, _ = read_averaged(write(tmp_path / "m.mrc", frames), gain)
    assert np.allclose(mean, frames.mean(0) * gain)
    with pytest.raises(CryoccdError, match="gain reference of 20 x 24 px for frames of 24 x 20"):
        read_averaged(tmp_path / "m.mrc", gain.T)


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        (np.ones((3, 20, 24), np.float32), "constant, every pixel is 1"),
        (np.full((3, 20, 24), np.nan, np.float32), "holds NaN"),
    ],
)
def test_bad_values(tmp_path, frames, said):
    path = write(tmp_path / "m.tif", frames)
    with pytest.raises(CryoccdError, match=said):
        read_averaged(path)


def test_a_broken_movie(tmp_path):
    path = write(tmp_path / "m.tif")
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(CryoccdError, match=r"not a readable|truncated"):
        read_averaged(path)
