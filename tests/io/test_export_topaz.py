"""Export for Topaz: what its own programs make of the micrographs, the table and the commands."""

import json
from dataclasses import replace
from importlib.util import find_spec

import mrcfile
import numpy as np
import pandas as pd
import pytest
import torch
from export_scripts import commands, run, run_python
from test_export_relion import export
from toys import OPTICS

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset, DatasetWriter, Item
from cryoccd.io.export.topaz import TopazExport
from cryoccd.io.picks import read_picks_file
from cryoccd.records import PARTICLE_COLUMNS, Exposure

needs_topaz = pytest.mark.skipif(
    find_spec("topaz") is None, reason="topaz is absent: pip install 'cryoccd[picking]'"
)
# height and width: multiples of the factor and not, a name with a dot, one without particles
SHAPES = {"even.v1": (320, 256), "odd": (301, 255), "empty": (128, 128)}
SIGMA_PX, FACTOR = 4.0, 2
LOADERS = """
import importlib, json, shlex, sys
from topaz.training import convert_path_to_grouped_list
from topaz.utils.data.memory_mapped_data import MultipleImageSetDataset
from topaz.utils.files import read_coordinates

parsed = {}
for line in sys.stdin:
    program, command, *words = shlex.split(line)
    module = importlib.import_module(f"topaz.commands.{command}")
    parsed[module.name] = vars(module.add_arguments().parse_args(words))
train = parsed["train"]
targets = read_coordinates(train["train_targets"], train["format_"])
paths = convert_path_to_grouped_list(train["train_images"], targets)
loaded = MultipleImageSetDataset(paths, targets, 1, 71)
images = {
    name: {"shape": image.shape, "points": image.targets[["x_coord", "y_coord"]].values.tolist()}
    for name, image in loaded.name_dict.items()
}
print(json.dumps({"parsed": parsed, "images": images, "count": int(loaded.num_pixels)}))
"""


def exposure(shape, seed):
    """Dark blobs apart from each other, one of them on the half pixel at the far corner."""
    rng = np.random.default_rng(seed)
    size = np.array(shape[::-1])
    centres = [size - 0.6] if seed < 2 else []
    for point in rng.uniform(16, size - 17, (4000 if seed < 2 else 0, 2)):
        if all(np.hypot(*(point - other)) > 26 for other in centres):
            centres.append(point)
    y, x = np.indices(shape)
    clean = np.ones(shape)
    for cx, cy in centres:
        clean -= 0.5 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * SIGMA_PX**2))
    rows = pd.DataFrame(0.0, index=range(len(centres)), columns=list(PARTICLE_COLUMNS))
    rows["instance_id"], rows["species"] = range(1, len(centres) + 1), "blob"
    rows["on_edge"] = False
    rows["x_A"], rows["y_A"] = 4.0 * np.reshape(centres, (-1, 2)).T
    image = (clean + rng.normal(0, 0.005, shape)).astype(np.float32)
    ice = torch.full(tuple(-(-side // 8) for side in shape), 300.0)
    labels = torch.zeros(shape, dtype=torch.int32)
    return Exposure(torch.from_numpy(clean).float(), labels, ice, rows, OPTICS), image


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    root = tmp_path_factory.mktemp("topaz") / "set"
    writer = DatasetWriter(root, {"seed": 0})
    for seed, (name, shape) in enumerate(SHAPES.items()):
        truth, image = exposure(shape, seed)
        writer.write(Item(name, truth, seed, image))
    writer.finish(list(SHAPES))
    return root


@pytest.fixture(scope="module")
def exported(blobs):
    options = {"downsample": FACTOR, "particle_diameter_A": 64.0}
    return export(blobs, blobs.parent / "out", "topaz", **options)


@pytest.fixture(scope="module")
def preprocessed(exported):
    first = commands(exported / "topaz.sh")[0]
    assert first.startswith(f"topaz preprocess --scale {FACTOR} ")
    run("sh", "-c", first, folder=exported)
    return exported


@pytest.fixture(scope="module")
def loaded(preprocessed):
    """What the parsers of the four commands and the loader of `topaz train` make of it."""
    lines = "\n".join(commands(preprocessed / "topaz.sh"))
    out = run_python(LOADERS, folder=preprocessed, text=lines)
    assert "WARNING" not in out
    return json.loads(out.splitlines()[-1])


@needs_topaz
def test_every_flag_is_known_to_topaz(exported, loaded):
    parsed = loaded["parsed"]
    assert list(parsed) == ["preprocess", "train", "extract", "precision_recall_curve"]
    assert parsed["preprocess"]["scale"] == FACTOR
    assert parsed["preprocess"]["destdir"] == parsed["train"]["train_images"] == "downsampled/"
    train, extract = parsed["train"], parsed["extract"]
    table = pd.read_csv(exported / "particles.txt", sep="\t")
    assert train["num_particles"] == pytest.approx(len(table) / 3, rel=1e-5)
    assert train["method"] == "PN"
    assert (train["radius"], extract["radius"]) == (2, 4)  # of particles of 8 px
    assert extract["model"] == f"{train['save_prefix']}_epoch{train['num_epochs']}.sav"
    assert parsed["precision_recall_curve"]["predicted"] == extract["output"]
    assert parsed["precision_recall_curve"]["targets"] == train["train_targets"]


@needs_topaz
def test_its_loader_finds_every_particle_on_its_image(blobs, loaded):
    images, truth = loaded["images"], Dataset(blobs).particles
    assert {name: tuple(image["shape"]) for name, image in images.items()} == {
        name: (height // FACTOR, width // FACTOR) for name, (height, width) in SHAPES.items()
    }
    assert loaded["count"] == len(truth)
    counts = truth.groupby("micrograph").size()
    assert {name: len(image["points"]) for name, image in images.items()} == {
        name: counts.get(name, 0) for name in SHAPES
    }
    far = {name: max(image["points"]) for name, image in images.items() if image["points"]}
    assert far == {"even.v1": [127, 159], "odd": [126, 149]}  # the last pixel of the field


def from_their_blobs(image, points):
    """(n, 2) distances of points from the centroids of what is dark around them."""
    dark = np.median(image) - image
    moved = []
    for x, y in points:
        low_x, low_y = round(x) - 6, round(y) - 6
        window = dark[low_y : low_y + 13, low_x : low_x + 13].clip(0)
        rows, columns = np.indices(window.shape)
        centroid = [(window * axis).sum() / window.sum() for axis in (columns, rows)]
        moved.append(np.array([x - low_x, y - low_y]) - centroid)
    return np.array(moved)


@needs_topaz
@pytest.mark.parametrize("name", ["even.v1", "odd"])
def test_coordinates_fall_on_the_particles_in_the_images_of_topaz(preprocessed, loaded, name):
    image = mrcfile.read(preprocessed / f"downsampled/{name}.mrc")
    whole = [p for p in loaded["images"][name]["points"] if max(p) > 8 and p != [127, 159]]
    points = np.array([p for p in whole if p != [126, 149]], dtype=float)
    assert len(points) > 40
    at = image[points[:, 1].astype(int), points[:, 0].astype(int)]
    assert at.max() < np.percentile(image, 10)  # every one is dark
    limit = 0.6  # half a pixel of rounding, and the noise of a centroid
    assert np.abs(from_their_blobs(image, points)).max() < limit
    # half a pixel of the original would show, and so would the factor where it leaves a rest
    assert np.abs(from_their_blobs(image, points + 0.5 / FACTOR)).max() > limit
    if name == "odd":
        by_factor = points * [255 / 127, 301 / 150] / FACTOR
        assert np.abs(from_their_blobs(image, by_factor)).max() > limit


def test_our_import_takes_the_table_back(blobs, exported):
    picks = read_picks_file(exported / "particles.txt")
    truth = Dataset(blobs).particles_of("even.v1")[["x_A", "y_A"]].to_numpy() / 4.0
    assert np.abs(picks["even.v1"] * FACTOR - truth)[1:].max() <= FACTOR / 2
    assert "empty" not in picks


def test_choices(exact, tmp_path, monkeypatch):
    text = (export(exact, tmp_path / "out", "topaz") / "topaz.sh").read_text()
    assert "400 particles on 8 micrographs, of 92 A" in text
    assert "--scale 1 " in text  # 31 px are near to 24
    assert "--num-particles 50 --radius 4 " in text
    text = (
        export(exact, tmp_path / "large", "topaz", particle_diameter_A=300.0) / "topaz.sh"
    ).read_text()
    assert "--scale 4 " in text
    assert "SYNTHETIC cryoccd" in text
    write = TopazExport.write
    monkeypatch.setattr(
        TopazExport,
        "write",
        lambda self, item: write(self, replace(item, particles=item.particles[:0])),
    )
    with pytest.raises(CryoccdError, match="no particle to train on"):
        export(exact, tmp_path / "none", "topaz")
    assert not (tmp_path / "none").exists()


@needs_topaz
@pytest.mark.slow
def test_topaz_trains_and_finds_them(preprocessed):
    """The whole script on a CPU, but with a small network of its own and few steps."""
    short = "--no-pretrained --units 8 --num-epochs 1 --epoch-size 40 --minibatch-size 64 -d -1"
    (preprocessed / "model").mkdir()
    _, train, extract, curve = commands(preprocessed / "topaz.sh")
    run("sh", "-c", f"{train} {short}", folder=preprocessed)
    run("sh", "-c", extract.replace("epoch10", "epoch1") + " -d -1", folder=preprocessed)
    out = run("sh", "-c", curve, folder=preprocessed)
    area = float(out.split("auprc=")[1].split(",")[0])
    assert area > 0.5
