"""Images of every format and depth, and every way in which one can be broken."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest
import tifffile
from PIL import Image

from cryoccd.errors import CryoccdError
from cryoccd.io.images import read_image

SHAPE = (24, 33)


def ramp(dtype: str) -> np.ndarray:
    values = np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE)
    return (values % 251 if dtype in ("uint8", "int8") else values * 7).astype(dtype)


def write(path: Path, values: np.ndarray) -> np.ndarray:
    if path.suffix.lower() == ".png":
        Image.fromarray(values).save(path)
    elif path.suffix.lower().startswith(".tif"):
        tifffile.imwrite(path, values, photometric="minisblack")
    else:
        with mrcfile.new(path) as file:
            file.set_data(values)
            file.voxel_size = 1.3
    return values


@pytest.mark.parametrize(
    ("suffix", "dtype"),
    [
        (".mrc", "int8"),
        (".mrc", "int16"),
        (".mrc", "uint16"),
        (".mrc", "float32"),
        (".tif", "uint8"),
        (".tiff", "uint16"),
        (".TIF", "int32"),
        (".tif", "float32"),
        (".png", "uint8"),
        (".png", "uint16"),
    ],
)
def test_formats_and_depths(tmp_path: Path, suffix: str, dtype: str) -> None:
    values = ramp(dtype)
    write(tmp_path / f"a{suffix}", values)
    image, pixel_size_A = read_image(tmp_path / f"a{suffix}")
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, values.astype(np.float32))
    assert pixel_size_A == pytest.approx(1.3 if suffix == ".mrc" else 0.0)


def test_stack_of_one_section_is_an_image(tmp_path: Path) -> None:
    write(tmp_path / "a.mrcs", ramp("float32")[None])
    assert read_image(tmp_path / "a.mrcs")[0].shape == SHAPE


def test_compressed_tiff(tmp_path: Path) -> None:
    values = ramp("uint16")
    tifffile.imwrite(tmp_path / "a.tif", values, compression="zlib")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif")[0], values)


@pytest.mark.parametrize("suffix", [".mrc", ".tif", ".png"])
@pytest.mark.parametrize("fault", ["missing", "empty", "truncated", "constant", "small", "stack"])
def test_faults(tmp_path: Path, suffix: str, fault: str) -> None:
    path = tmp_path / f"bad{suffix}"
    expected = {
        "missing": "no such file",
        "empty": "empty file",
        "truncated": "truncated|claims|readable",
        "constant": "constant",
        "small": "at least 16",
        "stack": "dimensions|pages|mode",
    }[fault]
    # noise, so that compression cannot hide a missing tail
    rng = np.random.default_rng(0)
    values = rng.integers(0, 200, (64, 64)).astype("uint8" if suffix == ".png" else "uint16")
    if fault == "constant":
        values[:] = 7
    if fault == "small":
        values = values[:8]
    if fault == "stack":
        values = np.stack([values] * 3, axis=-1 if suffix == ".png" else 0)
    if fault != "missing":
        write(path, values)
    if fault == "empty":
        path.write_bytes(b"")
    if fault == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(CryoccdError, match=expected) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".mrc", ".tif"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite(tmp_path: Path, suffix: str, value: float) -> None:
    path = tmp_path / f"a{suffix}"
    values = ramp("float32")
    write(path, values)
    # mrcfile warns when it writes such values, so they are put there behind its back
    data = values.tobytes()
    assert data in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(data, np.full_like(values, value).tobytes()))
    with pytest.raises(CryoccdError, match="NaN or infinity"):
        read_image(path)


def test_double_beyond_single_precision(tmp_path: Path) -> None:
    values = ramp("float64")
    values[3, 3] = 1e300
    write(tmp_path / "a.tif", values)
    with pytest.raises(CryoccdError, match="NaN or infinity"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", [".mrc", ".tif", ".png"])
def test_garbage(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"\x93garbage\n" * 400)
    with pytest.raises(CryoccdError) as caught:
        read_image(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA"])
def test_colour_png(tmp_path: Path, mode: str) -> None:
    Image.fromarray(ramp("uint8")).convert("RGB").convert(mode).save(tmp_path / "a.png")
    with pytest.raises(CryoccdError, match=f"mode {mode}, expected 8 or 16 bit grey"):
        read_image(tmp_path / "a.png")


def test_tiff_that_claims_too_much(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    write(path, ramp("uint16"))
    with tifffile.TiffFile(path, mode="r+") as file:
        tags = file.pages.first.tags
        tags["ImageWidth"].overwrite(60000)
        tags["ImageLength"].overwrite(60000)
    with pytest.raises(CryoccdError, match="60000 x 60000"):
        read_image(path)


def test_unknown_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.dm4").write_bytes(b"x")
    with pytest.raises(CryoccdError, match="unknown suffix"):
        read_image(tmp_path / "a.dm4")


def test_hot_pixel_in_a_file_leaves_the_others(tmp_path: Path) -> None:
    values = ramp("float32")
    values[5, 6] = 1e9
    write(tmp_path / "a.tif", values)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif")[0], values)
