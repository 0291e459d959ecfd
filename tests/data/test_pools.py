"""Pools: whole micrographs of both sides, held within a limit, and crops of them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cryoccd.data.held import Held
from cryoccd.data.ice_sources import ModelIce, RealIce
from cryoccd.data.real import RealPool
from cryoccd.data.simulated import SimulatedPool
from cryoccd.data.windows import random_window
from cryoccd.errors import CryoccdError
from cryoccd.imaging.normalise import robust_normalise
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder import open_folder
from cryoccd.io.mrc import read_mrc, write_mrc


def test_real_pool_is_the_training_split_normalised(real: Path) -> None:
    pool = RealPool(open_folder(real))
    assert pool.names == ["mic0", "mic1", "mic2"]
    assert [m.name for m in pool] == pool.names
    for index, micrograph in enumerate(pool):
        assert float(micrograph.image.median()) == pytest.approx(0, abs=1e-6)
        assert float(micrograph.image.abs().median()) * 1.4826 == pytest.approx(1, rel=1e-5)
        assert micrograph.centres_px is not None
        assert micrograph.centres_px.shape == (index, 2)


def test_a_hot_pixel_leaves_all_others(real: Path) -> None:
    before = RealPool(open_folder(real))[1].image
    path = real / "micrographs" / "mic1.mrc"
    values = read_mrc(path)[0]
    values[7, 9] += 1e6
    write_mrc(path, values, 2.0, "test")
    after = RealPool(open_folder(real))[1].image
    others = torch.ones_like(after, dtype=torch.bool)
    others[7, 9] = False
    # the median may move to the neighbouring order statistic, of 5760 values
    torch.testing.assert_close(after[others], before[others], atol=2e-3, rtol=2e-3)
    assert float(after[7, 9]) > 1e5


def test_every_crop_lies_in_a_training_micrograph(real: Path) -> None:
    pool = RealPool(open_folder(real))
    training = torch.cat([m.image.flatten() for m in pool]).unique()
    test = robust_normalise(torch.from_numpy(open_folder(real).image("mic3"))).unique()
    assert not torch.isin(test, training).all()
    rng = np.random.default_rng(0)
    seen = torch.cat([pool.crop(32, rng)[0].flatten() for _ in range(100)]).unique()
    assert torch.isin(seen, training).all()
    assert len(seen) > 0.8 * len(training)


def test_windows_stay_inside_and_reach_both_ends() -> None:
    rng = np.random.default_rng(0)
    windows = [random_window((10, 8), (6, 8), rng) for _ in range(200)]
    assert {w[0].start for w in windows} == {0, 1, 2, 3, 4}
    assert {(w[1].start, w[1].stop) for w in windows} == {(0, 8)}
    assert all(w[0].stop - w[0].start == 6 for w in windows)


def test_discs_follow_the_picks_into_the_crop(real: Path) -> None:
    pool = RealPool(open_folder(real))
    rng = np.random.default_rng(1)
    rows, columns = torch.meshgrid(torch.arange(80), torch.arange(72), indexing="ij")
    truth = {}
    for micrograph in pool:
        assert micrograph.centres_px is not None
        discs = [(columns - x) ** 2 + (rows - y) ** 2 <= 25 for x, y in micrograph.centres_px]
        truth[micrograph.name] = torch.stack([*discs, torch.zeros(80, 72, dtype=torch.bool)]).any(0)
    for _ in range(20):
        image, mask = pool.crop(24, rng)
        assert mask is not None
        places = [
            (micrograph, (micrograph.image == image[0, 0, 0]).nonzero()) for micrograph in pool
        ]
        ((micrograph, place),) = [(m, p) for m, p in places if len(p)]
        top, left = place[0].tolist()
        expected = truth[micrograph.name][top : top + 24, left : left + 24]
        assert torch.equal(mask[0].bool(), expected)


def test_folder_without_picks_has_no_mask_and_needs_no_optics(real: Path) -> None:
    for path in (*(real / "picks").glob("*.csv"), real / "optics.yaml"):
        path.unlink()
    pool = RealPool(open_folder(real))
    assert pool[0].centres_px is None
    assert pool.crop(16, np.random.default_rng(0))[1] is None


def test_half_constant_micrograph(real: Path) -> None:
    values = np.zeros((80, 72), np.float32)
    values[:20] = 1
    write_mrc(real / "micrographs" / "mic0.mrc", values, 2.0, "test")
    with pytest.raises(CryoccdError, match="mic0: constant over half"):
        _ = RealPool(open_folder(real))[0]


def test_simulated_pool(simulated: Path) -> None:
    pool = SimulatedPool(Dataset(simulated), ModelIce())
    assert [len(m.particles) for m in pool] == [0, 1, 2]
    assert [int(m.mask.sum()) for m in pool] == [0, 100, 200]  # the artefact is no particle
    assert all(m.mask.dtype == torch.bool for m in pool)
    dataset = Dataset(simulated)
    for micrograph in pool:
        expected = torch.from_numpy(dataset.image(micrograph.name, "clean")) - 1
        assert torch.equal(micrograph.clean, expected)
        assert micrograph.ice.shape == micrograph.clean.shape
        for x, y in micrograph.centres_px:
            assert micrograph.mask[round(float(y)), round(float(x))]


def test_simulated_crops_are_one_window(simulated: Path) -> None:
    pool = SimulatedPool(Dataset(simulated), ModelIce())
    rng = np.random.default_rng(2)
    for _ in range(10):
        clean, mask, ice = pool.crop(20, rng)
        ((micrograph, place),) = [
            (m, p) for m in pool if len(p := (m.clean == clean[0, 0, 0]).nonzero())
        ]
        top, left = place[0].tolist()
        window = (slice(top, top + 20), slice(left, left + 20))
        assert torch.equal(clean[0], micrograph.clean[window])
        assert torch.equal(mask[0].bool(), micrograph.mask[window])
        assert torch.equal(ice[0], micrograph.ice[window])


def test_ice_drawn_from_the_real_side(simulated: Path, real: Path) -> None:
    source = RealIce(RealPool(open_folder(real)))
    pool = SimulatedPool(Dataset(simulated), source)
    again = SimulatedPool(Dataset(simulated), source)
    for micrograph, same in zip(pool, again, strict=True):
        assert micrograph.ice.shape == micrograph.clean.shape
        assert 0 < float(micrograph.ice.min()) <= float(micrograph.ice.max()) <= 1
        assert torch.equal(micrograph.ice, same.ice)
    # a field larger than the real micrographs takes a whole map, stretched
    large = source(torch.ones(16, 16), (128, 128), np.random.default_rng(0))
    assert large.shape == (128, 128)


def test_crop_larger_than_the_micrograph(simulated: Path, real: Path) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(CryoccdError, match=r"crop_px = 73 is larger than micrograph mic"):
        RealPool(open_folder(real)).crop(73, rng)
    with pytest.raises(CryoccdError, match=r"crop_px = 65 is larger than micrograph sim"):
        SimulatedPool(Dataset(simulated), ModelIce()).crop(65, rng)


def test_held_forgets_the_least_recent() -> None:
    loads: list[str] = []

    def load(name: str) -> str:
        loads.append(name)
        return name * 10

    held = Held(load, len, limit_bytes=25)
    assert [held[name] for name in "abab"] == ["a" * 10, "b" * 10] * 2
    assert held["c"] == "c" * 10  # a goes
    assert held.held_bytes == 20
    _ = held["b"], held["a"]
    assert loads == ["a", "b", "c", "a"]


def test_held_takes_one_value_beyond_the_limit() -> None:
    held = Held(lambda name: name * 10, len, limit_bytes=5)
    assert held["a"] == held["a"]
    held.fill(["a", "b", "c"])
    assert held.held_bytes == 10


def test_small_memory_changes_no_crop(real: Path) -> None:
    for limit_bytes in (1, 1 << 30):
        pool = RealPool(open_folder(real), limit_bytes=limit_bytes)
        crops = [pool.crop(16, np.random.default_rng(k))[0] for k in range(10)]
        if limit_bytes == 1:
            few = crops
    assert all(torch.equal(a, b) for a, b in zip(few, crops, strict=True))
