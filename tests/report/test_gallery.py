import numpy as np
import pytest
import torch
from PIL import Image

from cryoccd.errors import CryoccdError
from cryoccd.report.gallery import write_gallery
from cryoccd.report.panels import scale_bar_nm


def crops(count=2, size=64, scale=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [scale * torch.randn(size, size, generator=generator) for _ in range(count)]


def columns(**changes):
    made = {"clean": crops(scale=0.01, seed=1), "cut": crops(seed=2), "real": crops(seed=3)}
    return made | changes


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("L")).astype(float)


def test_size_and_content(tmp_path):
    path = tmp_path / "gallery" / "ice.png"
    write_gallery(path, columns(), 2.0, "ice (oracle)")
    image = pixels(path)
    assert image.shape == (64 + 2 * 200 + 30, 8 + 3 * 200)
    assert image[:64].min() < 100  # the title and the names
    # every panel shows its crop pixel by pixel: three columns, two rows
    for column, name in enumerate(("clean", "cut", "real")):
        top, left = 64, 8 + 200 * column
        panel = image[top : top + 192, left : left + 192].reshape(64, 3, 64, 3)
        assert np.ptp(panel, axis=(1, 3)).max() == 0
        shown, crop = panel[:, 0, :, 0], columns()[name][0].numpy()
        assert np.corrcoef(shown.ravel(), crop.ravel())[0, 1] > 0.98


def test_noisy_panels_share_the_grey_scale_of_the_real_ones(tmp_path):
    real = crops(seed=3)
    write_gallery(tmp_path / "g.png", columns(cut=real, real=real), 2.0, "ice")
    image = pixels(tmp_path / "g.png")
    cut, shown = image[64:256, 208:400], image[64:256, 408:600]
    assert np.array_equal(cut, shown)
    low, high = np.quantile(torch.stack(real).numpy(), (0.005, 0.995))
    expected = np.clip((real[0].numpy() - low) / (high - low), 0, 1) * 255
    assert np.abs(shown[::3, ::3] - expected).max() < 2
    # a column of half the contrast looks like half the contrast
    write_gallery(tmp_path / "h.png", columns(cut=[r / 2 for r in real], real=real), 2.0, "ice")
    half = pixels(tmp_path / "h.png")[64:256, 208:400]
    assert 0.4 < half.std() / shown.std() < 0.6


def test_clean_background_is_mid_grey(tmp_path):
    clean = [torch.ones(64, 64) for _ in range(2)]
    clean[0][:8, :8] = 0.9
    write_gallery(tmp_path / "g.png", columns(clean=clean), 2.0, "ice")
    image = pixels(tmp_path / "g.png")
    assert image[150, 100] == pytest.approx(127.5, abs=2)
    assert image[70, 14] < 3


def test_scale_bar_is_drawn_to_scale(tmp_path):
    flat = [torch.zeros(64, 64) for _ in range(2)]
    write_gallery(tmp_path / "g.png", columns(clean=flat), 5.0, "ice")
    panel = pixels(tmp_path / "g.png")[264:456, 8:200]
    white = (panel > 250).sum(axis=1).max()
    assert white == pytest.approx(20 * 3, abs=4)  # 10 nm are 20 pixels of 5 A, shown three-fold


@pytest.mark.parametrize(("width_A", "nm"), [(320, 10), (1000, 20), (130, 5), (20, 0.5)])
def test_scale_bar_lengths(width_A, nm):
    assert scale_bar_nm(width_A) == pytest.approx(nm)


def test_equal_input_gives_equal_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        write_gallery(tmp_path / name, columns(), 2.0, "ice")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("change", "pixel_size_A", "message"),
    [
        ({"real": []}, 2.0, "real"),
        ({"clean": []}, 2.0, "clean"),
        ({"cut": crops(count=3)}, 2.0, "cut has 3"),
        ({"cut": crops(size=32)}, 2.0, "32"),
        ({"cut": [torch.full((64, 64), torch.nan)] * 2}, 2.0, "finite"),
        ({"real": [torch.zeros(64, 64)] * 2}, 2.0, "constant"),
        ({}, 0.0, "pixel_size_A"),
    ],
)
def test_bad_input_leaves_no_file(tmp_path, change, pixel_size_A, message):
    with pytest.raises(CryoccdError, match=message):
        write_gallery(tmp_path / "g.png", columns(**change), pixel_size_A, "ice")
    assert not list(tmp_path.iterdir())
