"""The data module of subtomograms: what it yields, that it repeats, and what it refuses."""

import pickle
from pathlib import Path

import lightning as L
import numpy as np
import pytest
import torch
from tomogram_folders import CLASSES, VOXEL_A, tomogram_of, write_dataset

from cryoccd.data.subtomograms.datamodule import SubtomogramDataModule
from cryoccd.data.subtomograms.recipe import TomogramRecipe
from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import write_mrc
from cryoccd.io.tomograms import TomogramOptions
from cryoccd.records import VolumeBatch

SIDE = 16
FORK_FROM_THREADS = "ignore:.*multi-threaded, use of fork:DeprecationWarning"  # Python 3.12


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("module") / "set", count=3).root


def module(root: Path, **options: object) -> SubtomogramDataModule:
    chosen = {"box_voxels": SIDE, "batch_size": 4} | options
    data = SubtomogramDataModule(root, **chosen)  # type: ignore[arg-type]
    data.prepare_data()
    data.setup("fit")
    return data


def batches(data: SubtomogramDataModule, epoch: int = 0) -> list[VolumeBatch]:
    loader = data.train_dataloader()
    loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
    return list(loader)  # type: ignore[arg-type]


def same(a: VolumeBatch, b: VolumeBatch) -> bool:
    pairs = zip(vars(a).values(), vars(b).values(), strict=True)
    return all(torch.equal(x, y) if torch.is_tensor(x) else x == y for x, y in pairs)


def test_a_batch(root: Path) -> None:
    data = module(root, density=True)
    assert data.classes == CLASSES
    assert data.voxel_size_A == pytest.approx(VOXEL_A)
    batch, *rest = batches(data)
    assert [len(one) for one in (batch, *rest)] == [4, 4, 4]  # 12 of 18 particles
    assert isinstance(batch, VolumeBatch)
    assert batch.volume.shape == (4, 1, SIDE, SIDE, SIDE)
    assert batch.density is not None
    assert batch.density.shape == batch.volume.shape
    assert batch.volume.mean((1, 2, 3, 4)).tolist() == pytest.approx([0] * 4, abs=1e-5)
    assert batch.volume.std((1, 2, 3, 4)).tolist() == pytest.approx([1] * 4, abs=1e-3)
    assert bool(((batch.position >= 0) & (batch.position <= 1)).all())
    assert same(pickle.loads(pickle.dumps(batch)), batch)
    moved = data.transfer_batch_to_device(batch, torch.device("cpu"), 0)
    assert same(moved, batch)


@pytest.mark.filterwarnings(FORK_FROM_THREADS)
def test_an_item_is_the_same_with_any_number_of_workers_and_in_any_batch(root: Path) -> None:
    alone = batches(module(root), epoch=1)
    helped = batches(module(root, num_workers=2), epoch=1)
    assert len(alone) == len(helped) == 3
    assert all(same(a, b) for a, b in zip(alone, helped, strict=True))
    singles = batches(module(root, batch_size=1), epoch=1)
    for k, single in enumerate(singles):
        assert torch.equal(single.volume[0], alone[k // 4].volume[k % 4])
        assert torch.equal(single.position[0], alone[k // 4].position[k % 4])


def test_epochs_and_seeds_differ_and_repeat(root: Path) -> None:
    data = module(root)
    first, second, again = batches(data, 0), batches(data, 1), batches(data, 0)
    assert all(same(a, b) for a, b in zip(first, again, strict=True))
    assert not any(torch.equal(a.volume, b.volume) for a, b in zip(first, second, strict=True))
    other = batches(module(root, seed=1), 0)
    assert not any(torch.equal(a.volume, b.volume) for a, b in zip(first, other, strict=True))
    assert len(batches(module(root, images_per_epoch=30))) == 8


def test_without_augmentation_an_epoch_is_the_training_part(root: Path) -> None:
    data = module(root, augment=False)
    assert data.jitter_voxels == 0
    boxes = data.boxes("train")
    known = {boxes[k].volume.numpy().tobytes() for k in range(len(boxes))}
    seen = {volume.numpy().tobytes() for batch in batches(data) for volume in batch.volume}
    assert seen == known
    assert len(seen) == 12


def test_what_is_held_out_is_never_trained_on(root: Path) -> None:
    data = module(root, fold=1)
    held = data.boxes("held")
    assert {data.opened.table.tomogram[row] for row in held.rows} == {1}
    for loader in (data.val_dataloader(), data.test_dataloader()):
        volumes = torch.cat([batch.volume for batch in loader])  # type: ignore[union-attr]
        assert torch.equal(volumes, torch.stack([held[k].volume for k in range(len(held))]))
    train = set(data.boxes("train").rows.tolist())
    assert not train & set(held.rows.tolist())
    assert len(module(root, split="random").boxes("held")) == 2


def test_it_says_what_it_has(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = module(root, fold=2)
    data.setup("test")  # says it once
    text = " ".join(capsys.readouterr().out.split())
    assert text.count("held out: tomogram tomo_2") == 1
    lines = data.describe()
    assert lines[0] == f"{root}: 3 tomograms (dataset) at 10.000 A a voxel"
    assert "boxes to train on + held out: bar 6+3, hook 6+3" in lines
    assert any("of the 6 held-out boxes overlap a training box" in line for line in lines)
    assert "3 centres outside their tomogram left out" in lines


class _Fit(L.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen: list[tuple[str, int]] = []

    def training_step(self, batch: VolumeBatch, batch_idx: int) -> torch.Tensor:
        self.seen.append(("train", len(batch)))
        return (batch.volume * self.weight).mean()

    def validation_step(self, batch: VolumeBatch, batch_idx: int) -> None:
        self.seen.append(("val", len(batch)))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def test_lightning_trains_with_it(root: Path, tmp_path: Path) -> None:
    data = SubtomogramDataModule(root, box_voxels=8, batch_size=6)
    model = _Fit()
    trainer = L.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=tmp_path,
    )
    trainer.fit(model, datamodule=data)
    assert model.seen == [("train", 6), ("train", 6), ("val", 6)] * 2


class _Toy(TomogramRecipe):
    domain = "toy"

    def prepare(self, root: Path) -> None:
        if not root.exists():
            write_dataset(root)


def test_a_recipe_makes_the_folder(tmp_path: Path) -> None:
    data = module(tmp_path / "set", recipe=_Toy())
    assert len(data.opened.table) == 12


def test_a_plain_folder_and_its_maps(tmp_path: Path) -> None:
    for index in range(2):
        path = tmp_path / "denoised" / f"t{index}.mrc"
        write_mrc(path, tomogram_of(index), VOXEL_A, "test")
    head = "tomogram,label,x_A,y_A,z_A,rot_deg,tilt_deg,psi_deg\n"
    rows = "".join(f"t{k % 2},bar,{100 + k},110,120,10,20,30\n" for k in range(4))
    (tmp_path / "picks.csv").write_text(head + rows)
    options = TomogramOptions(flavour="denoised")
    with pytest.raises(CryoccdError, match=r"no map of bar; give maps"):
        module(tmp_path, options=options, density=True)
    from tomogram_folders import class_map

    write_mrc(tmp_path / "elsewhere" / "bar.mrc", class_map("bar"), VOXEL_A, "test")
    data = module(tmp_path, options=options, density=True, maps=tmp_path / "elsewhere")
    assert data.opened.density is not None
    assert data.opened.density.names == ["bar"]
    (tmp_path / "picks.csv").write_text("tomogram,label,x_A,y_A,z_A\nt0,a,1,2,3\nt1,a,1,2,3\n")
    assert len(module(tmp_path, options=options).opened.table) == 2
    with pytest.raises(CryoccdError, match="a particle of a has no pose, so no density"):
        module(tmp_path, options=options, density=True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"box_voxels": 15}, "box_voxels = 15, expected an even number"),
        ({"box_voxels": 2}, "box_voxels = 2, expected 4 to 256"),
        ({"jitter_voxels": -1}, "jitter_voxels = -1, expected 0 to 8"),
        ({"batch_size": 0}, "batch_size = 0, expected 1 or more"),
        ({"images_per_epoch": 0}, "images_per_epoch = 0, expected 1 or more"),
        ({"mirrors": True, "augment": False}, "mirrors without augment"),
        ({"split": "whole"}, "split = 'whole', expected random or leave_one_out"),
        ({"fold": 3}, "fold = 3, expected 0 to 2"),
        ({"classes": ["bar"]}, "particles of the class hook, but classes are bar"),
        ({"classes": ["bar", "hook", "rod"]}, "0 boxes of rod for 3 folds"),
        ({"classes": ["bar", "hook", "rod"], "split": "random"}, "no box of rod to train on"),
    ],
)
def test_refusals(root: Path, options: dict[str, object], told: str) -> None:
    with pytest.raises(CryoccdError) as caught:
        module(root, **options)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_it_must_be_set_up(root: Path) -> None:
    with pytest.raises(CryoccdError, match="call setup first"):
        SubtomogramDataModule(root).train_dataloader()


def test_a_broken_tomogram_shows_before_training(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "set").root
    values = np.memmap(root / "tomograms" / "tomo_1.mrc", np.float32, "r+", 1024)
    values[-1] = np.nan
    values.flush()
    data = SubtomogramDataModule(root, box_voxels=SIDE)
    with pytest.raises(CryoccdError, match=r"tomo_1\.mrc: voxels .* hold NaN or infinity"):
        data.prepare_data()
