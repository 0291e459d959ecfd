from dataclasses import replace

import pytest
import torch
from matplotlib.image import imread
from volume_toys import toy_boxes, wedged

from cryoccd.errors import CryoccdError
from cryoccd.report.volume_figure import _wedge_plane, central_slices, write_volume_figure


def test_the_picture_shows_both_sides(tmp_path):
    real = toy_boxes(1, seed=1)
    write_volume_figure(tmp_path / "a.png", real, toy_boxes(1, seed=2))
    write_volume_figure(tmp_path / "b.png", real, toy_boxes(1, seed=3))
    one, two = imread(tmp_path / "a.png"), imread(tmp_path / "b.png")
    assert one.shape == two.shape
    middle = one.shape[1] // 2
    assert (one[:, : middle - 40] == two[:, : middle - 40]).all()
    assert (one[:, middle + 40 :] != two[:, middle + 40 :]).any()


def test_slices_are_of_the_middle():
    volume = torch.arange(4**3).reshape(4, 4, 4)
    xy, xz, yz = central_slices(volume)
    assert xy[1, 3] == volume[2, 1, 3]
    assert xz[1, 3] == volume[1, 2, 3]
    assert yz[1, 3] == volume[3, 1, 2]


def test_the_wedge_is_dark_about_kz():
    noise = torch.randn(8, 32, 32, 32, generator=torch.Generator().manual_seed(0))
    power = _wedge_plane(wedged(noise))
    assert float(power[16, 26] - power[26, 16]) > 10


def test_sides_of_other_classes_are_refused(tmp_path):
    real = toy_boxes(1)
    with pytest.raises(CryoccdError, match="classes a, b, c"):
        write_volume_figure(tmp_path / "a.png", real, replace(real, classes=("a", "b", "c")))
