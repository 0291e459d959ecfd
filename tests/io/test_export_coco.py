"""Export for COCO: pycocotools reads back every mask as it stands in instances/."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from planting import change_table, copied, sign
from test_export_relion import export

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.coco import run_lengths
from cryoccd.simulate.config import read_config
from cryoccd.simulate.run import simulate

CONFIGS = Path(__file__).parents[2] / "configs/simulate"
SHAPE = (280, 320)
pytest.importorskip("pycocotools", reason="pycocotools is absent: pip install 'cryoccd[export]'")
# pycocotools 2.0.11 on masks that it decodes, with numpy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """Two species and gold beads: some overlap, some are cut by the edge or centred beyond it."""
    gold = read_config(CONFIGS / "gallery/artefact_gold_beads.yaml")
    species = (*gold.species, *read_config(CONFIGS / "demo.yaml").species[2:])
    many = replace(gold.particles, mean=40.0)
    root = tmp_path_factory.mktemp("coco") / "set"
    simulate(replace(gold, shape_px=SHAPE, count=2, species=species, particles=many), root)
    return root


@pytest.fixture(scope="module")
def exported(crowded):
    return export(crowded, crowded.parent / "out", "coco")


def read(folder):
    from pycocotools.coco import COCO

    return COCO(folder / "annotations.json")


def beyond(table, shape=SHAPE, pixel_size_A=5.0):
    points = table[["x_A", "y_A"]].to_numpy() / pixel_size_A
    return ((points < -0.5) | (points > np.array(shape[::-1]) - 0.5)).any(axis=1)


def test_the_set_is_a_hard_one(crowded):
    dataset = Dataset(crowded)
    particles = dataset.particles
    assert (particles.overlap_fraction > 0).sum() >= 3
    assert particles.on_edge.sum() >= 10
    assert beyond(particles).sum() >= 5
    assert beyond(dataset.artefacts).sum() >= 1
    assert set(particles.species) == {"barrel_d7", "dimer_d2"}
    assert set(dataset.artefacts.kind) == {"gold_bead"}


def test_every_mask_is_that_of_its_instance(crowded, exported):
    from pycocotools import mask as masks

    dataset, coco = Dataset(crowded), read(exported)
    ours = {}
    for image in coco.loadImgs(coco.getImgIds()):
        name = Path(image["file_name"]).stem
        labels = dataset.image(name, "instances")
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=image["id"])):
            expected = labels == annotation["instance_id"]
            assert expected.any()
            assert np.array_equal(coco.annToMask(annotation), expected)
            encoded = coco.annToRLE(annotation)
            assert annotation["area"] == masks.area(encoded) == expected.sum()
            assert annotation["bbox"] == masks.toBbox(encoded).tolist()
            assert annotation["iscrowd"] == 0
            category = coco.loadCats(annotation["category_id"])[0]["name"]
            ours[name, annotation["instance_id"]] = category
    # all rows of the tables, those whose centre lies beyond the edge among them
    particles, artefacts = dataset.particles, dataset.artefacts
    keys = zip(particles.micrograph, particles.instance_id, particles.species, strict=True)
    expected = {(name, index): species for name, index, species in keys}
    keys = zip(artefacts.micrograph, artefacts.instance_id, artefacts.kind, strict=True)
    expected |= {(name, index): kind for name, index, kind in keys}
    assert ours == expected
    assert len(ours) == len(coco.getAnnIds()) == len(particles) + len(artefacts)


def test_categories_and_info(exported):
    coco = read(exported)
    assert coco.dataset["info"]["description"].startswith("SYNTHETIC cryoccd")
    assert coco.loadCats(coco.getCatIds()) == [
        {"id": 1, "name": "barrel_d7", "supercategory": "particle"},
        {"id": 2, "name": "dimer_d2", "supercategory": "particle"},
        {"id": 3, "name": "gold_bead", "supercategory": "artefact"},
    ]
    assert coco.getCatIds(supNms=["artefact"]) == [3]


def test_images_are_of_8_bits_and_look_like_the_micrographs(crowded, exported):
    coco, dataset = read(exported), Dataset(crowded)
    images = coco.loadImgs(coco.getImgIds())
    assert [Path(image["file_name"]).stem for image in images] == dataset.names
    for image in images:
        with Image.open(exported / image["file_name"]) as file:
            assert (file.format, file.mode) == ("PNG", "L")
            assert file.size == (image["width"], image["height"]) == SHAPE[::-1]
            shades = np.asarray(file).astype(float)
        values = dataset.image(Path(image["file_name"]).stem)
        assert abs(np.median(shades) - 127.5) <= 1
        spread = np.median(np.abs(shades - np.median(shades))) * 1.4826
        assert spread == pytest.approx(127.5 / 4, rel=0.05)
        inside = (shades > 0) & (shades < 255)
        assert np.corrcoef(shades[inside], values[inside])[0, 1] > 0.999


def test_one_species_and_all_that_is_no_particle(crowded, exported, tmp_path):
    some = read(export(crowded, tmp_path / "out", "coco", species=("dimer_d2",)))
    assert [c["name"] for c in some.loadCats(some.getCatIds())] == ["dimer_d2", "gold_bead"]
    whole = read(exported)
    for name in ("dimer_d2", "gold_bead"):
        found, expected = (
            [
                (a["image_id"], a["instance_id"], a["segmentation"])
                for a in coco.loadAnns(coco.getAnnIds(catIds=coco.getCatIds(catNms=[name])))
            ]
            for coco in (some, whole)
        )
        assert found == expected
        assert found
    assert len(some.getAnnIds()) < len(whole.getAnnIds())


def test_a_species_may_be_named_like_an_artefact(crowded, tmp_path):
    root = copied(crowded, tmp_path / "set")
    change_table(root, "particles", lambda t: t.replace({"species": {"dimer_d2": "gold_bead"}}))
    coco = read(export(sign(root), tmp_path / "out", "coco"))
    counts = {
        (category["name"], category["supercategory"]): len(coco.getAnnIds(catIds=category["id"]))
        for category in coco.loadCats(coco.getCatIds())
    }
    assert sum(counts.values()) == len(coco.getAnnIds())
    assert counts["gold_bead", "artefact"] == len(Dataset(root).artefacts)
    assert counts["gold_bead", "particle"] == sum(Dataset(root).particles.species == "gold_bead")


def test_a_micrograph_without_anything_is_an_image(crowded, tmp_path):
    root = copied(crowded, tmp_path / "set")
    for table in ("particles", "artefacts"):
        change_table(root, table, lambda t: t[t.micrograph != "mic_00000"])
    coco = read(export(sign(root), tmp_path / "out", "coco"))
    assert len(coco.getImgIds()) == 2
    assert coco.getAnnIds(imgIds=1) == []
    assert coco.getAnnIds(imgIds=2)


def test_what_it_cannot_do_without(crowded, tmp_path, monkeypatch):
    root = copied(crowded, tmp_path / "set")
    manifest = json.loads((root / "manifest.json").read_text())
    for path in (root / "instances").iterdir():
        path.unlink()
        del manifest["files"][f"instances/{path.name}"]
    (root / "instances").rmdir()
    (root / "manifest.json").unlink()
    (root / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CryoccdError, match="has no instances/, so no masks to export"):
        export(root, tmp_path / "out", "coco")
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    with pytest.raises(CryoccdError, match=r"coco needs pycocotools; pip install 'cryoccd\[exp"):
        export(crowded, tmp_path / "out", "coco")
    assert not (tmp_path / "out").exists()


@given(
    arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 6))),
    st.tuples(*[st.integers(0, 3)] * 4),
)
def test_run_lengths_are_decoded_to_the_mask(mask, margins):
    from pycocotools import mask as masks

    assume(mask.any())
    whole = np.pad(mask, ((margins[0], margins[1]), (margins[2], margins[3])))
    counts = run_lengths(mask, margins[0], margins[2], whole.shape)
    encoded = masks.frPyObjects({"counts": counts, "size": list(whole.shape)}, *whole.shape)
    assert np.array_equal(masks.decode(encoded), whole)
