"""Micrographs that are kept from training."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cryoccd.data.datamodule import CryoDataModule
from cryoccd.data.hold_out import hold_out
from cryoccd.data.mixed import MixedDataModule
from cryoccd.data.part import FolderPair
from cryoccd.errors import CryoccdError
from cryoccd.io.folder import open_folder

NAMES = [f"mic_{i:02d}" for i in range(20)]


def test_every_name_is_on_one_side_and_the_seed_draws():
    train, held = hold_out(NAMES, 5, 0, Path("set"))
    assert (len(held), sorted(train + held)) == (5, NAMES)
    assert (train, held) == (sorted(train), sorted(held))
    assert hold_out(NAMES, 5, 0, Path("set")) == (train, held)
    assert hold_out(NAMES, 5, 1, Path("set"))[1] != held
    drawn = {name for seed in range(40) for name in hold_out(NAMES, 5, seed, Path("set"))[1]}
    assert drawn == set(NAMES)
    assert hold_out(NAMES, 0, 0, Path("set")) == (NAMES, [])


@pytest.mark.parametrize("count", [-1, 20, 21])
def test_something_is_left_to_train_with(count):
    with pytest.raises(CryoccdError, match=rf"validation = {count}, expected 0 to 19, as set has"):
        hold_out(NAMES, count, 0, Path("set"))


def test_no_crop_comes_from_what_is_held_out(toy_folders):
    pair = FolderPair(*toy_folders)
    single = CryoDataModule(*toy_folders, crop_px=32, validation=3, ice_source="model")
    mixed = MixedDataModule([pair, pair], crop_px=32, validation=3, ice_source="model")
    for part in (*single.parts, *mixed.parts):
        pools = (part.real, part.simulated)
        assert [(len(pool), len(pool.held_out)) for pool in pools] == [(5, 3), (5, 3)]
        training = torch.cat([micrograph.image.flatten() for micrograph in part.real]).unique()
        rng = np.random.default_rng(0)
        seen = torch.cat([part.real.crop(32, rng)[0].flatten() for _ in range(60)]).unique()
        assert torch.isin(seen, training).all()
        assert not set(part.real.held_out) & {m.name for m in part.real}
        assert not set(part.simulated.held_out) & {m.name for m in part.simulated}
        test_split = set(open_folder(toy_folders[1]).names("test"))
        assert not test_split & {*part.real.names, *part.real.held_out}
