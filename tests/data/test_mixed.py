"""Several pairs of folders in one run, and several processes on one run."""

from pathlib import Path
from types import SimpleNamespace

import lightning as L
import numpy as np
import pytest
import torch
from toys import PIXEL_SIZE_A, write_real, write_simulated

from cryoccd.data.augment import DrawnBatch
from cryoccd.data.datamodule import CryoDataModule
from cryoccd.data.mixed import MixedDataModule
from cryoccd.data.part import FolderPair
from cryoccd.errors import CryoccdError
from cryoccd.records import UnpairedBatch


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> list[FolderPair]:
    """Two styles: another pixel size, and twice as many real micrographs."""
    root = tmp_path_factory.mktemp("mixed")
    fine = FolderPair(
        write_simulated(root / "a" / "simulated", 3), write_real(root / "a" / "real", n_train=2)
    )
    coarse_A = 2 * PIXEL_SIZE_A
    write_simulated(root / "b" / "simulated", 2, seed=2000, pixel=coarse_A)
    write_real(root / "b" / "real", n_train=4, seed=300, pixel=coarse_A)
    return [fine, FolderPair(root / "b" / "simulated", root / "b" / "real", rotate_real=False)]


def mixed(pairs: list[FolderPair], **options: object) -> MixedDataModule:
    defaults = {"crop_px": 32, "batch_size": 2, "images_per_epoch": 12}
    data = MixedDataModule(pairs, **(defaults | options))  # type: ignore[arg-type]
    data.setup("fit")
    return data


def batches(data: CryoDataModule, epoch: int = 0) -> list[DrawnBatch]:
    loader = data.train_dataloader()
    loader.sampler.set_epoch(epoch)
    return list(loader)


def as_rank(data: CryoDataModule, rank: int, world_size: int) -> CryoDataModule:
    loop = SimpleNamespace(restarting=False)
    data.trainer = SimpleNamespace(global_rank=rank, world_size=world_size, fit_loop=loop)
    return data


def same(a: UnpairedBatch, b: UnpairedBatch, rows: list[int] | None = None) -> bool:
    """Whether a, or some rows of it, is b."""
    pairs = zip(vars(a).values(), vars(b).values(), strict=True)
    return all(torch.equal(x if rows is None else x[rows], y) for x, y in pairs)


def test_each_item_names_its_style_and_pixel_size(pairs) -> None:
    drawn = batches(mixed(pairs, batch_size=1, images_per_epoch=200))
    styles = torch.cat([item.style for item in drawn])
    assert 60 < int(styles.sum()) < 140  # as likely as the other, with half the micrographs
    for item in drawn:
        assert item.pixel_size_A.tolist() == [PIXEL_SIZE_A * (1 + int(item.style))]
    turned = torch.cat([item.symmetry for item in drawn])[styles == 1, 1]
    assert turned.unique().tolist() == [0, 3]  # the second part's own policy


def test_crops_are_of_the_part_that_they_name(pairs) -> None:
    drawn = batches(mixed(pairs, batch_size=1, augment=False))
    for index, pair in enumerate(pairs):
        data = CryoDataModule(pair.simulated, pair.real, crop_px=32)
        known = torch.cat([m.image.flatten() for m in data.train_real()])
        found = [bool(torch.isin(batch.real, known).all()) for batch in drawn]
        assert found == [int(batch.style) == index for batch in drawn]


def test_ice_is_that_of_the_same_part(pairs) -> None:
    data = mixed(pairs, crop_px=128, batch_size=1, augment=False)
    for batch in batches(data):
        part = data.parts[int(batch.style)]
        known = [micrograph.ice for micrograph in part.simulated]
        assert any(torch.equal(batch.ice[0, 0], ice) for ice in known)
        alone = CryoDataModule(part.pair.simulated, part.pair.real, crop_px=128)
        assert all(
            torch.equal(a.ice, b.ice)
            for a, b in zip(part.simulated, alone.train_simulated(), strict=True)
        )


def test_one_part_is_the_plain_module(pairs) -> None:
    plain = CryoDataModule(
        pairs[0].simulated, pairs[0].real, crop_px=32, batch_size=2, images_per_epoch=12
    )
    assert all(map(same, batches(mixed(pairs[:1])), batches(plain)))


def test_an_item_is_the_same_alone_and_with_workers(pairs) -> None:
    whole = batches(mixed(pairs, batch_size=4), epoch=1)
    alone = batches(mixed(pairs, batch_size=1), epoch=1)
    assert all(same(whole[k // 4], item, [k % 4]) for k, item in enumerate(alone))
    assert all(map(same, whole, batches(mixed(pairs, batch_size=4, num_workers=2), epoch=1)))


@pytest.mark.parametrize("count", [12, 10])  # 10: the last batches are short
def test_two_ranks_see_what_one_process_sees(pairs, count) -> None:
    whole = batches(mixed(pairs, batch_size=4, images_per_epoch=count), epoch=1)
    for rank in (0, 1):
        data = as_rank(mixed(pairs, images_per_epoch=count), rank, 2)
        halves = batches(data, epoch=1)
        assert len(halves) == len(whole)
        for batch, half in zip(whole, halves, strict=True):
            assert same(batch, half, list(range(rank, len(batch), 2)))


def test_items_that_do_not_go_round_are_refused(pairs) -> None:
    with pytest.raises(CryoccdError, match=r"= 13 among 2 processes, expected a multiple of 2"):
        as_rank(mixed(pairs, images_per_epoch=13), 0, 2).train_dataloader()


class Keeper(L.LightningModule):
    """Writes the numbers of what each process is given."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self.scale = torch.nn.Parameter(torch.ones(()))

    def training_step(self, batch: UnpairedBatch, batch_idx: int) -> torch.Tensor:
        name = f"{self.current_epoch}_{batch_idx}_{self.global_rank}.npy"
        np.save(self.root / name, batch.real.flatten(1).sort().values.numpy())
        return self.scale * batch.real.mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_a_trainer_of_two_processes_leaves_the_sampler_alone(pairs, tmp_path) -> None:
    trainer = L.Trainer(
        max_epochs=2, accelerator="cpu", devices=2, strategy="ddp_fork", barebones=True
    )
    trainer.fit(Keeper(tmp_path), datamodule=mixed(pairs, images_per_epoch=8))
    for epoch in (0, 1):
        whole = batches(mixed(pairs, batch_size=4, images_per_epoch=8), epoch)
        for k, batch in enumerate(whole):
            expected = batch.real.flatten(1).sort().values
            for rank in (0, 1):
                seen = np.load(tmp_path / f"{epoch}_{k}_{rank}.npy")
                assert torch.equal(torch.from_numpy(seen), expected[rank::2])


def test_masks_of_the_real_side_need_picks_everywhere(pairs, tmp_path) -> None:
    assert all(batch.real_mask is not None for batch in batches(mixed(pairs)))
    blind = FolderPair(pairs[0].simulated, write_real(tmp_path / "blind", n_train=2, picks=False))
    assert all(batch.real_mask is None for batch in batches(mixed([blind, pairs[1]])))


def test_whole_micrographs_come_by_turns(pairs) -> None:
    data = mixed(pairs)
    reals = data.train_real()
    assert [m.name for m in reals] == [f"real_00{i}" for i in (0, 0, 1, 1, 2, 3)]
    assert len(reals) == 6
    first = [part.real[0].image for part in data.parts]
    assert torch.equal(reals[0].image, first[0])
    assert torch.equal(reals[1].image, first[1])
    assert len(data.train_simulated()) == 5


def test_what_the_parts_do_not_share_is_refused(pairs) -> None:
    with pytest.raises(CryoccdError, match=r"differ in pixel size \(4, 8 A\)"):
        _ = mixed(pairs).pixel_size_A
    with pytest.raises(CryoccdError, match=r"differ in particle diameter \(64, 128 A\)"):
        _ = mixed(pairs).particle_diameter_A
    assert mixed(pairs[1:]).pixel_size_A == 8


def test_no_part_is_refused() -> None:
    with pytest.raises(CryoccdError, match="parts is empty"):
        MixedDataModule([])


def test_faults_name_the_folder_of_their_part(pairs) -> None:
    crossed = FolderPair(pairs[0].simulated, pairs[1].real)
    with pytest.raises(CryoccdError, match=r"a.simulated: pixel size 4 A, but 8 A in .*b.real"):
        mixed([pairs[0], crossed])
