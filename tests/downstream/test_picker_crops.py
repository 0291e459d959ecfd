"""Training crops: truth stays on the particles, numbers alone decide, contrast is as told."""

import numpy as np
import pytest
import torch
from toys import DIAMETER_PX, PIXEL_SIZE_A, exposure, noise_power, write_real

from cryoccd.downstream.picking.config import PickerConfig
from cryoccd.downstream.picking.crops import PickingCrops
from cryoccd.downstream.picking.data import PickingDataModule
from cryoccd.downstream.picking.front import Front
from cryoccd.downstream.picking.seen import Labelled, see_all
from cryoccd.errors import CryoccdError
from cryoccd.imaging.masked_psd import random_field
from cryoccd.io.dataset import DatasetWriter, Item
from cryoccd.io.folder import open_folder

FRONT = Front(DIAMETER_PX * PIXEL_SIZE_A, 10.0)
CONFIG = PickerConfig(iterations=3, batch_size=4, crop_px=48, diameter_px=10.0)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    """A simulated set, image = 1000 + 37 (60 clean + noise); the last one holds noise alone."""
    root = tmp_path_factory.mktemp("noisy")
    for name, gains in (("good", (60, 60, 60)), ("faulty", (60, 0))):
        writer = DatasetWriter(root / name, {"toy": name})
        names = [f"sim_{i}" for i in range(len(gains))]
        for i, gain in enumerate(gains):
            truth = exposure(70 + i)
            generator = torch.Generator().manual_seed(i)
            noise = random_field(noise_power(), generator)
            image = 1000 + 37 * (gain * (truth.clean - 1) + noise)
            writer.write(Item(names[i], truth, i, image.numpy()))
        writer.finish(names)
    return root


def crops_of(micrographs, contrast=None, seed=0, count=40):
    return PickingCrops(micrographs, count, 48, 1.5, contrast, seed)


def test_heat_stands_on_the_particles_after_every_symmetry(tmp_path):
    folder = open_folder(write_real(tmp_path / "real", gain=400.0, n_train=3, n_test=1))
    crops = crops_of(see_all(Labelled(folder, folder.names("train")), FRONT))
    for crop, heat in (crops[i] for i in range(40)):
        hot, cold = crop[heat > 0.8], crop[heat < 0.01]
        assert len(hot) > 0
        assert float(hot.mean()) < float(cold.mean()) - 1


def test_an_item_is_the_same_with_any_workers_and_in_any_order(noisy):
    labelled = Labelled(folder := open_folder(noisy / "good"), folder.names())
    backwards = Labelled(folder, folder.names()[::-1])
    first = list(PickingDataModule(labelled, CONFIG, FRONT, 3).train_dataloader())
    parallel = PickerConfig(iterations=3, batch_size=4, crop_px=48, diameter_px=10.0, workers=2)
    second = list(PickingDataModule(backwards, parallel, FRONT, 3).train_dataloader())
    other = list(PickingDataModule(labelled, CONFIG, FRONT, 4).train_dataloader())
    assert len(first) == 3
    assert all(len(crops) == 4 for crops, _ in first)
    for (crops, heat), (again, heat_again) in zip(first, second, strict=True):
        assert torch.equal(crops, again)
        assert torch.equal(heat, heat_again)
    assert not torch.equal(first[0][0], other[0][0])


def test_the_signal_is_the_clean_image_in_units_of_what_is_seen(noisy):
    folder = open_folder(noisy / "good")
    for seen in see_all(Labelled(folder, folder.names()), FRONT, with_signal=True):
        rest = seen.values - seen.signal
        assert seen.signal.std() > 0.2
        correlation = float((rest * seen.signal).mean() / (rest.std() * seen.signal.std()))
        assert abs(correlation) < 0.05
        # dips of 3 in noise of variance about 1 over all, less after resampling
        assert -8 < float(seen.signal.min()) < -2


def test_contrast_scales_the_signal_and_nothing_else(noisy):
    folder = open_folder(noisy / "good")
    micrographs = see_all(Labelled(folder, folder.names()), FRONT, with_signal=True)
    plain, doubled = crops_of(micrographs, None), crops_of(micrographs, (2.0, 2.0))
    unscaled = crops_of(micrographs, (1.0, 1.0))
    ratios = []
    for i in range(40):
        (crop, heat), (more, heat_again), (same, _) = plain[i], doubled[i], unscaled[i]
        assert torch.equal(heat, heat_again)
        torch.testing.assert_close(same, (crop - crop.mean()) / crop.std())
        assert abs(float(more.mean())) < 1e-5
        assert float(more.std()) == pytest.approx(1, abs=1e-5)
        depth = [float(x[heat < 0.01].mean() - x[heat > 0.8].mean()) for x in (same, more)]
        ratios.append(depth[1] / depth[0])
    # twice the signal, over a standard deviation that grew with it
    assert 1.1 < np.median(ratios) < 2


def test_contrast_is_drawn_between_its_limits(noisy):
    folder = open_folder(noisy / "good")
    micrographs = see_all(Labelled(folder, folder.names()[:1]), FRONT, with_signal=True)
    drawn = crops_of(micrographs, (0.5, 4.0))
    ends = [crops_of(micrographs, (c, c)) for c in (0.5, 4.0)]
    for i in range(10):
        crop, heat = drawn[i]
        depths = [
            float(x[heat < 0.01].mean() - x[heat > 0.8].mean())
            for x in (ends[0][i][0], crop, ends[1][i][0])
        ]
        assert depths[0] < depths[1] < depths[2]


def test_contrast_is_refused_where_there_is_no_clean_image(noisy, tmp_path):
    real = open_folder(write_real(tmp_path / "real", n_train=1, n_test=1))
    with pytest.raises(CryoccdError, match="no clean images"):
        see_all(Labelled(real, real.names()), FRONT, with_signal=True)
    faulty = open_folder(noisy / "faulty")
    with pytest.raises(CryoccdError, match=r"sim_1.* does not hold its clean image"):
        see_all(Labelled(faulty, faulty.names()), FRONT, with_signal=True)


def test_a_folder_without_picks_and_a_crop_too_large_are_refused(tmp_path):
    bare = open_folder(write_real(tmp_path / "bare", n_train=1, n_test=1, picks=False))
    with pytest.raises(CryoccdError, match="no picks"):
        Labelled(bare, bare.names())
    real = open_folder(write_real(tmp_path / "real", n_train=1, n_test=1))
    with pytest.raises(CryoccdError, match="no micrograph is named"):
        Labelled(real, [])
    micrographs = see_all(Labelled(real, real.names("train")), FRONT)
    with pytest.raises(CryoccdError, match="choose a smaller crop"):
        PickingCrops(micrographs, 1, 200, 1.5, None, 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"iterations": 0}, "iterations"),
        ({"contrast": (3.0, 0.7)}, "contrast"),
        ({"diameter_px": 40.0, "crop_px": 64}, "two diameters"),
        ({"learning_rate": float("nan")}, "learning_rate"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(CryoccdError, match=message):
        PickerConfig(**settings)
