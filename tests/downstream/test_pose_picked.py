"""Picks become images: where they lie, how they are scaled, and which lens they had."""

import numpy as np
import pytest
import torch
import yaml

from cryoccd.downstream.pose.picked import cut_picked
from cryoccd.errors import CryoccdError
from cryoccd.imaging.ctf import ctf
from cryoccd.imaging.ctf_fit import estimate_defocus_A
from cryoccd.io.folder import open_folder
from cryoccd.io.mrc import write_mrc
from cryoccd.records import Optics

SIDE, PIXEL_A = 256, 4.0
DEFOCI_A = {"one": 15000.0, "two": 22000.0}
CENTRES = {
    "one": np.array([[60.3, 40.7], [150.0, 200.0], [5.0, 100.0]]),
    "two": np.array([[130.5, 90.2], [250.0, 250.0]]),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Dark blobs in ice whose Thon rings tell the defocus; blobs near an edge have no box."""
    root = tmp_path_factory.mktemp("picked")
    axis = np.arange(SIDE)
    for number, (name, centres) in enumerate(CENTRES.items()):
        lens = Optics(300, 2.7, 0.1, PIXEL_A, DEFOCI_A[name], DEFOCI_A[name])
        white = torch.randn(SIDE, SIDE, generator=torch.Generator().manual_seed(number))
        ice = torch.fft.irfft2(torch.fft.rfft2(white) * ctf(lens, (SIDE, SIDE)), s=(SIDE, SIDE))
        image = 100 + 0.3 * ice.numpy()
        for x, y in centres:
            squared = (axis - x) ** 2 + (axis[:, None] - y) ** 2
            image -= 10 * np.exp(-squared / (2 * 4.0**2))
        path = root / "micrographs" / f"{name}.mrc"
        write_mrc(path, image.astype(np.float32), PIXEL_A, "test")
    optics = {
        "voltage_kV": 300.0,
        "cs_mm": 2.7,
        "amplitude_contrast": 0.1,
        "pixel_size_A": PIXEL_A,
        "defocus_A": [14000, 23000],
        "particle_diameter_A": 120,
    }
    (root / "optics.yaml").write_text(yaml.safe_dump(optics))
    return open_folder(root)


def centre_px(image):
    """Centre of mass of what is bright."""
    bright = (image - image.max() / 2).clamp_min(0)
    axis = torch.arange(len(image), dtype=torch.float32) - len(image) // 2
    return torch.stack([(bright.sum(0) * axis).sum(), (bright.sum(1) * axis).sum()]) / bright.sum()


@pytest.mark.parametrize("box_px", [48, 24])
def test_the_particle_lies_where_the_rest_says(folder, box_px):
    found = cut_picked(folder, CENTRES, box_px, box_A=48 * PIXEL_A, defocus_A=DEFOCI_A)
    assert found.micrographs == ("one", "one", "two")
    assert found.left_out == 2
    assert found.pixel_size_A == PIXEL_A * 48 / box_px
    assert found.images.shape == (3, box_px, box_px)
    assert found.rests_A[0].tolist() == pytest.approx([0.3 * PIXEL_A, -0.3 * PIXEL_A])
    assert found.rests_A[1].tolist() == [0, 0]
    for image, rest_A in zip(found.images, found.rests_A, strict=True):
        expected = rest_A / found.pixel_size_A
        assert (centre_px(image) - expected).norm() < 0.15
        assert image[box_px // 2, box_px // 2] > 2  # bright
        assert float(image.std(correction=0)) == pytest.approx(1, abs=1e-4)


def test_the_box_is_one_and_a_half_diameters(folder):
    found = cut_picked(folder, CENTRES, 24, defocus_A=DEFOCI_A)
    assert found.box_px * found.pixel_size_A == pytest.approx(176)  # 2 round(180 / 4 / 2) px


def test_the_defocus_is_fitted_to_each_micrograph(folder):
    found = cut_picked(folder, CENTRES, 24)
    by_name = dict(zip(found.micrographs, found.ctf["defocus_u_A"], strict=True))
    for name, value_A in by_name.items():
        assert value_A == pytest.approx(DEFOCI_A[name], abs=600)
        image = torch.from_numpy(folder.image(name))
        free = estimate_defocus_A(image, 300, 2.7, 0.1, PIXEL_A).defocus_A
        assert value_A == pytest.approx(free, abs=10)


def test_the_transfer_is_that_of_the_resized_pixels(folder):
    found = cut_picked(folder, CENTRES, 24, box_A=48 * PIXEL_A, defocus_A=DEFOCI_A)
    index = torch.tensor([2, 0])
    for transfer, name in zip(found.transfer(index), ("two", "one"), strict=True):
        lens = Optics(300, 2.7, 0.1, 2 * PIXEL_A, DEFOCI_A[name], DEFOCI_A[name])
        torch.testing.assert_close(transfer, ctf(lens, (48, 48)))


def test_the_order_of_the_micrographs_does_not_matter(folder):
    swapped = dict(reversed(CENTRES.items()))
    one, two = (cut_picked(folder, picks, 24, defocus_A=DEFOCI_A) for picks in (CENTRES, swapped))
    assert one.micrographs == two.micrographs
    assert torch.equal(one.images, two.images)
    assert torch.equal(one.rests_A, two.rests_A)
    some = {"one": CENTRES["one"][:0], "two": CENTRES["two"]}
    assert cut_picked(folder, some, 24, defocus_A=DEFOCI_A).micrographs == ("two",)


def test_what_cannot_be_cut_is_refused(folder):
    for box_px, message in ((50, "box_px = 50, expected 16 to 44"), (23, "box_px = 23, expected")):
        with pytest.raises(CryoccdError, match=message):
            cut_picked(folder, CENTRES, box_px)
    with pytest.raises(CryoccdError, match="no pick with a whole box of 44 px"):
        cut_picked(folder, {"one": CENTRES["one"][2:]}, 24)
    with pytest.raises(CryoccdError, match="no micrograph named three"):
        cut_picked(folder, {"three": CENTRES["one"]}, 24)
    with pytest.raises(CryoccdError, match="picks of one: row 0"):
        cut_picked(folder, {"one": np.array([[np.nan, 1.0]])}, 24)
    with pytest.raises(CryoccdError, match="two: no defocus among the 1 given"):
        cut_picked(folder, CENTRES, 24, defocus_A={"one": 15000.0})
