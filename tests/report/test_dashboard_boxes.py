"""The slices of boxes on the page: which they are, that they compare, what others are told."""

import base64
import html
import io
import re
import shutil

import numpy as np
import pytest
from dashboard_fixtures import BOX_PX, held_out, write_boxes, write_volume
from PIL import Image
from tomogram_folders import CLASSES

from cryoccd.launch.dashboard import write_dashboard
from cryoccd.launch.places import Runs

PLANES = ("XY", "XZ", "YZ")
ROWS = ("copy", "noise", "slow_noise", "real")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("boxes")
    write_volume(root / "results", root / "runs")
    return root


def page_of(root, output):
    written = write_dashboard(root / "results", root / "runs", output / "page.html")
    text = written.path.read_text(encoding="utf8")
    found = re.findall(r'alt="([^"]*)"[^>]*src="data:image/png;base64,([^"]*)"', text)
    pictures = {html.unescape(alt): base64.b64decode(data) for alt, data in found}
    assert len(pictures) == len(found)
    return pictures, text


def greys(png):
    return np.asarray(Image.open(io.BytesIO(png)), float)


def test_every_row_has_three_planes_of_two_boxes_of_each_class(made, tmp_path):
    pictures, text = page_of(made, tmp_path)
    assert set(pictures) == {
        f"{row}, {plane}, box {k} of {label}, kinds"
        for row in ROWS
        for label in CLASSES
        for plane in PLANES
        for k in (1, 2)
    }
    assert {greys(png).shape for png in pictures.values()} == {(BOX_PX, BOX_PX)}
    assert text.count('class="viewer"') == len(CLASSES)
    assert text.count('data-left="copy"') == len(CLASSES)  # the nearest to the ideal
    assert text.count("matter is dark") == 1
    assert page_of(made, tmp_path)[0] == pictures


def test_one_grey_scale_and_slices_through_the_middle(made, tmp_path):
    pictures, text = page_of(made, tmp_path)
    told = re.search(r"one grey scale, (\S+) to (\S+) in deviations", text)
    low, high = map(float, told.groups())
    boxes = held_out(Runs(made / "runs" / "demo"))
    middle = BOX_PX // 2
    for label in CLASSES:
        for k in (0, 1):
            box = boxes[label][k]
            slices = (box[middle], box[:, middle], box[:, :, middle].T)
            for plane, expected in zip(PLANES, slices, strict=True):
                ours, real = (
                    pictures[f"{row}, {plane}, box {k + 1} of {label}, kinds"]
                    for row in ("copy", "real")
                )
                assert ours == real  # whatever scale and level a model gives
                shown = greys(real)
                values = (expected - box.mean()) / box.std()
                exact = 255 * ((values - low) / (high - low)).clip(0, 1)
                assert np.abs(shown - exact).max() < 255 / 63 / 2 + 3  # limits of three digits
                assert (np.diff(shown.ravel()[np.argsort(expected.ravel())]) >= 0).all()
                centre = shown[middle - 1 : middle + 2, middle - 1 : middle + 2]
                assert centre.mean() < np.median(shown) - 30  # matter is dark


def test_a_broken_set_is_a_line(made, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(made, root)
    runs = Runs(root / "runs" / "demo")
    folder = runs.generated("noise", "kinds", "kinds", 0)
    (folder / "boxes" / "bar_0.mrc").write_bytes(b"none")
    shutil.rmtree(runs.generated("slow_noise", "kinds", "kinds", 0))
    volumes = {CLASSES[0]: np.random.default_rng(1).standard_normal((2, *3 * (BOX_PX,)))}
    write_boxes(runs.generated("slow_noise", "kinds", "kinds", 0), volumes)
    pictures, text = page_of(root, tmp_path)
    assert {alt.split(",")[0] for alt in pictures} == {"copy", "real"}
    assert re.search(r"No slices of noise: [^<]*bar_0.mrc", text)
    assert f"no box of {CLASSES[1]}; sample again" in text


def test_tomograms_that_are_gone_or_others_are_a_line(made, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(made, root)
    shutil.rmtree(root / "runs/demo/data/kinds/tomograms")
    pictures, text = page_of(root, tmp_path)
    assert not pictures
    assert re.search(r"No slices: [^<]*moved/since", text)
    write_volume(tmp_path / "other/results", tmp_path / "other/runs", held_out="tomogram tomo_1")
    pictures, text = page_of(tmp_path / "other", tmp_path)
    assert not pictures
    assert "but the cells tomogram tomo_1; run the table again" in text


def test_large_slices_are_left_out_and_named(made, tmp_path, monkeypatch):
    monkeypatch.setattr("cryoccd.launch.dashboard._PICTURE_BYTES", 1000)
    pictures, text = page_of(made, tmp_path)
    assert not pictures
    assert "Slices are left out, so that the page stays small." in text
