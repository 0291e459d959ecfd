"""The data module: what it yields, and that an item depends on its number alone."""

import pickle
from pathlib import Path

import lightning as L
import numpy as np
import pytest
import torch

from cryoccd.data.anisotropy import THRESHOLD
from cryoccd.data.augment import DrawnBatch
from cryoccd.data.datamodule import CryoDataModule
from cryoccd.data.recipe import Recipe
from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import write_mrc
from cryoccd.records import UnpairedBatch


def module(simulated: Path, real: Path, **options: object) -> CryoDataModule:
    defaults = {"crop_px": 32, "batch_size": 2, "images_per_epoch": 6, "rotate_real": True}
    data = CryoDataModule(simulated, real, **(defaults | options))  # type: ignore[arg-type]
    data.prepare_data()
    data.setup("fit")
    return data


def batches(data: CryoDataModule, epoch: int = 0) -> list[DrawnBatch]:
    loader = data.train_dataloader()
    loader.sampler.set_epoch(epoch)
    return list(loader)


def same(a: UnpairedBatch, b: UnpairedBatch) -> bool:
    pairs = zip(vars(a).values(), vars(b).values(), strict=True)
    return all((x is None and y is None) or torch.equal(x, y) for x, y in pairs)


def test_a_batch(simulated: Path, real: Path) -> None:
    data = module(simulated, real, style=3)
    (batch, *rest) = batches(data)
    assert len(rest) == 2
    assert isinstance(batch, UnpairedBatch)
    for image in (batch.clean, batch.mask, batch.ice, batch.real, batch.real_mask):
        assert image is not None
        assert image.shape == (2, 1, 32, 32)
        assert image.dtype == torch.float32
    assert set(batch.mask.unique().tolist()) <= {0.0, 1.0}
    assert 0 < float(batch.ice.min()) <= float(batch.ice.max()) <= 1
    assert batch.pixel_size_A.tolist() == [2.0, 2.0]
    assert batch.style.tolist() == [3, 3]
    assert float(batch.clean.abs().max()) < 0.1  # intensity minus 1, unscaled
    moved = pickle.loads(pickle.dumps(batch))
    assert same(moved, batch)


def test_accessors(simulated: Path, real: Path) -> None:
    data = module(simulated, real)
    assert [m.name for m in data.train_real()] == ["mic0", "mic1", "mic2"]
    assert [m.name for m in data.train_simulated()] == ["sim0", "sim1", "sim2"]
    assert data.pixel_size_A == 2.0
    assert data.particle_diameter_A == 20.0


def test_an_item_is_the_same_with_0_or_2_workers(simulated: Path, real: Path) -> None:
    alone = batches(module(simulated, real, num_workers=0), epoch=1)
    helped = batches(module(simulated, real, num_workers=2), epoch=1)
    assert len(alone) == len(helped) == 3
    assert all(same(a, b) for a, b in zip(alone, helped, strict=True))


def test_an_item_is_the_same_in_any_batch(simulated: Path, real: Path) -> None:
    singles = batches(module(simulated, real, batch_size=1))
    triples = batches(module(simulated, real, batch_size=3))
    for k, single in enumerate(singles):
        assert torch.equal(single.real[0], triples[k // 3].real[k % 3])
        assert torch.equal(single.symmetry[0], triples[k // 3].symmetry[k % 3])


def test_epochs_and_seeds_differ_and_repeat(simulated: Path, real: Path) -> None:
    data = module(simulated, real)
    first, second, again = batches(data, 0), batches(data, 1), batches(data, 0)
    assert all(same(a, b) for a, b in zip(first, again, strict=True))
    assert not any(torch.equal(a.real, b.real) for a, b in zip(first, second, strict=True))
    other = batches(module(simulated, real, seed=1), 0)
    assert not torch.equal(first[0].real, other[0].real)


def test_no_test_micrograph_enters(simulated: Path, real: Path) -> None:
    # the test micrograph cannot even be read: whoever touches it fails
    (real / "micrographs" / "mic3.mrc").write_bytes(b"not for training")
    data = module(simulated, real, images_per_epoch=40, rotate_real=None)
    assert sum(len(batch) for batch in batches(data)) == 40


def test_folder_without_split_trains_on_all(simulated: Path, real: Path) -> None:
    (real / "split.csv").unlink()
    assert len(module(simulated, real).train_real()) == 4


def test_ice_of_the_model_or_of_the_real_side(simulated: Path, real: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    of_model = batches(module(simulated, real, ice_source="model", cache=cache))
    assert not cache.exists()
    of_real = batches(module(simulated, real, ice_source="real", cache=cache))
    assert list(cache.glob("*.npy"))
    assert torch.equal(of_model[0].clean, of_real[0].clean)
    assert not torch.equal(of_model[0].ice, of_real[0].ice)


def test_rotation_of_the_real_side_follows_its_spectrum(simulated: Path, real: Path) -> None:
    rng = np.random.default_rng(0)
    for index in range(4):
        white = rng.normal(size=(400, 402)).astype(np.float32)
        write_mrc(real / "micrographs" / f"mic{index}.mrc", white, 2.0, "test")
    assert module(simulated, real, rotate_real=None).parts[0].turns_real
    for index in range(4):
        white = rng.normal(size=(400, 402)).astype(np.float32)
        drifted = white[:, :400] + white[:, 1:401] + white[:, 2:]
        write_mrc(real / "micrographs" / f"mic{index}.mrc", drifted, 2.0, "test")
    data = module(simulated, real, rotate_real=None, images_per_epoch=40)
    assert not data.parts[0].turns_real
    drawn = torch.cat([batch.symmetry for batch in batches(data)])
    assert drawn[:, 1].unique().tolist() == [0, 3]
    assert len(drawn[:, 0].unique()) > 4
    assert module(simulated, real, rotate_real=True).parts[0].turns_real
    assert THRESHOLD > 1


def test_augment_off(simulated: Path, real: Path) -> None:
    data = module(simulated, real, augment=False)
    (batch, *_) = batches(data)
    assert not batch.symmetry.any()
    assert same(data.on_after_batch_transfer(batch, 0), batch)


class Recorder(L.LightningModule):
    """Keeps what a training step is given."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.seen: list[UnpairedBatch] = []

    def training_step(self, batch: UnpairedBatch, batch_idx: int) -> torch.Tensor:
        self.seen.append(batch)
        return self.scale * batch.real.mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


# torch 2.15 deprecates a check that Lightning 2.6 makes
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
def test_a_trainer_advances_the_epoch_and_augments(
    simulated: Path, real: Path, tmp_path: Path
) -> None:
    recorder = Recorder()
    trainer = L.Trainer(max_epochs=2, accelerator="cpu", barebones=True)
    trainer.fit(recorder, datamodule=module(simulated, real))
    assert len(recorder.seen) == 6
    expected = [b for epoch in (0, 1) for b in batches(module(simulated, real), epoch)]
    moved = 0
    for seen, drawn in zip(recorder.seen, expected, strict=True):
        assert torch.equal(
            seen.clean.flatten(1).sort().values, drawn.clean.flatten(1).sort().values
        )
        moved += not torch.equal(seen.clean, drawn.clean)
    assert moved >= 4


class Recorded(Recipe):
    """Keeps its calls."""

    domain = "oracle"

    def __init__(self) -> None:
        self.calls: list[tuple[Path, Path]] = []

    def prepare(self, simulated: Path, real: Path) -> None:
        self.calls.append((simulated, real))

    def prepare_test(self, simulated: Path, real: Path) -> None:
        raise AssertionError("training has no use for the test set")

    def prepare_labelled(self, simulated: Path, real: Path, count: int) -> None:
        raise AssertionError("nor for the one that pickers are trained on")


def test_the_recipe_prepares_both_folders(simulated: Path, real: Path) -> None:
    recipe = Recorded()
    module(simulated, real, recipe=recipe)
    assert recipe.calls == [(simulated, real)]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"crop_px": 65}, "crop_px = 65 is larger than micrograph sim0 "),
        ({"crop_px": 0}, "crop_px = 0, expected 1 or more"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"pixel_size_A": 1.0}, "2 A, but 1 A by .*argument"),
    ],
)
def test_faulty_options(simulated: Path, real: Path, options: dict[str, float], match: str) -> None:
    with pytest.raises(CryoccdError, match=match) as caught:
        module(simulated, real, **options).train_dataloader()
    assert "\n" not in str(caught.value)


def test_pixel_sizes_of_the_sides_differ(simulated: Path, real: Path) -> None:
    text = (real / "optics.yaml").read_text()
    (real / "optics.yaml").write_text(text.replace("2.0", "2.1"))
    for index in range(4):
        values = np.random.default_rng(index).normal(size=(80, 72)).astype(np.float32)
        write_mrc(real / "micrographs" / f"mic{index}.mrc", values, 2.1, "test")
    with pytest.raises(CryoccdError, match=r"pixel size 2 A, but 2\.1 A in .*real"):
        module(simulated, real)


def test_missing_optics_show_before_any_worker_starts(simulated: Path, real: Path) -> None:
    (real / "optics.yaml").unlink()
    with pytest.raises(CryoccdError, match=r"optics lack voltage_kV.*particle_diameter_A"):
        module(simulated, real, num_workers=2).train_dataloader()


def test_faulty_picks_show_before_any_worker_starts(simulated: Path, real: Path) -> None:
    (real / "picks" / "mic2.csv").write_text("x_px,y_px\n1,here\n")
    with pytest.raises(CryoccdError, match="row 1 holds no pair of numbers"):
        module(simulated, real, num_workers=2).train_dataloader()


def test_unfinished_simulation_is_refused(simulated: Path, real: Path) -> None:
    (simulated / "manifest.json").unlink()
    with pytest.raises(CryoccdError, match=r"no manifest\.json"):
        module(simulated, real)


def test_real_micrographs(simulated: Path, real_data: Path) -> None:
    data = CryoDataModule(simulated, real_data / "empiar-10146", crop_px=64)
    with pytest.raises(CryoccdError, match=r"2 A, but 1\.54 A"):
        data.setup("fit")
    pool = data.parts[0].real
    assert len(pool) == 9
    image, mask = pool.crop(128, np.random.default_rng(0))
    assert mask is not None
    # particles are dark: the picks of the folder sit on them
    assert float(image[mask.bool()].mean()) < float(image[~mask.bool()].mean())
