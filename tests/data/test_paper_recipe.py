"""A fetched entry as a folder: binned, cut, with picks, split and optics; and what is refused."""

import json

import numpy as np
import pytest
from paper_archive import NAMES, centres, micrograph, mrc_bytes, small_config, star_picks

from cryoccd.data.paper_recipe import PaperRecipe
from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.fetch_cache import keep
from cryoccd.io.fetch_images import CHOSEN
from cryoccd.io.folder import open_folder
from cryoccd.io.paper_set import read_paper_set

FILES = [NAMES["ribosome"].format(number) for number in (1, 2, 3, 4)]


@pytest.fixture
def cache(tmp_path):
    """What `cryoccd fetch empiar:10028` leaves, and the picks beside it."""
    folder = place(tmp_path)
    folder.mkdir(parents=True)
    for number, name in enumerate(FILES, 1):
        put(folder / name, mrc_bytes(micrograph(number), 2.0))
    (folder / CHOSEN).write_text("\n".join(FILES))
    picks_file(tmp_path).write_text(star_picks(FILES))
    return tmp_path / "cache"


def place(root):
    return root / "cache/empiar/10028/Micrographs/Micrographs_part1"


def picks_file(root):
    return root / "cache/empiar/10028/picks.star"


def put(path, content):
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    keep(part, path)


def recipe(root, **changes):
    config = small_config("ribosome", root / "sets", **changes)
    return PaperRecipe(config, n_train=1, n_test=1, cache=root / "cache", workers=1)


def prepare(root, **changes):
    made = recipe(root, **changes)
    made.prepare(root / "simulated", root / "real")
    return made


def test_the_real_side_is_binned_and_cut(cache, tmp_path):
    prepare(tmp_path)
    folder = open_folder(tmp_path / "real")
    assert folder.names() == [name[:-4] for name in FILES]
    assert len(folder.names("train")) == len(folder.names("test")) == 2
    optics = folder.optics()
    assert (optics.pixel_size_A, optics.particle_diameter_A) == (4.0, 160.0)
    assert optics.defocus_A == (15000, 20000)
    for number, name in enumerate(folder.names(), 1):
        image, picks_px = folder.image(name), folder.picks_px(name)
        assert image.shape == (128, 128)
        # 272 x 264 px are 136 x 132 px after binning; the square begins at (4, 2)
        assert np.allclose(picks_px, centres(number) / 2 - [4, 2], atol=0.01)
        columns, rows = picks_px.round().astype(int).T
        assert image[rows, columns].mean() < image.mean() - image.std()  # dark where the picks are


def test_the_simulated_side_has_the_published_conditions(cache, tmp_path):
    made = prepare(tmp_path)
    made.prepare_test(tmp_path / "simulated_test", tmp_path / "real")
    train, test = Dataset(tmp_path / "simulated"), Dataset(tmp_path / "simulated_test")
    config = json.loads((tmp_path / "simulated/manifest.json").read_text())["made_by"]["config"]
    assert config["shape_px"] == [128, 128]
    assert config["box_px"] == 64
    assert config["particles"]["mean"] == 4.0
    assert config["particles"]["min_distance_A"] == int(0.6 * 64) * 4.0
    assert config["optics"]["astigmatism_A"] == [100, 500]
    assert config["species"][0]["symmetry"] == "D2"
    assert not (train.image(train.names[0]) == test.image(test.names[0])).all()


def test_micrographs_without_picks_are_left_out(cache, tmp_path):
    picks_file(tmp_path).write_text(star_picks(FILES[:3]))
    prepare(tmp_path)
    assert open_folder(tmp_path / "real").names() == ["061", "062", "063"]
    marker = json.loads((tmp_path / "real/paper.json").read_text())
    assert marker["without_picks"] == ["064"]


def test_the_defocus_of_the_picks(cache, tmp_path):
    prepare(tmp_path, microscope={"defocus_A": None})
    assert open_folder(tmp_path / "real").optics().defocus_A == (15000.0, 15000.0)


def test_the_diameter_of_the_structure(cache, tmp_path):
    prepare(tmp_path, particle={"diameter_A": None})
    assert 120 < open_folder(tmp_path / "real").optics().particle_diameter_A < 220


def test_an_interrupted_run_goes_on(cache, tmp_path):
    prepare(tmp_path)
    real = tmp_path / "real"
    whole = {path: path.read_bytes() for path in real.rglob("*") if path.is_file()}
    (real / "optics.yaml").unlink()  # written last: without it the folder is unfinished
    (real / "picks/062.csv").unlink()
    kept = (real / "micrographs/061.mrc").stat().st_mtime_ns
    prepare(tmp_path)
    assert {path: path.read_bytes() for path in whole} == whole
    assert (real / "micrographs/061.mrc").stat().st_mtime_ns == kept


def test_movies_are_averaged(cache, tmp_path):
    movie = np.stack([micrograph(1) - 30, micrograph(1) + 30])
    put(place(tmp_path) / FILES[0], mrc_bytes(movie, 2.0))
    prepare(tmp_path)
    averaged = open_folder(tmp_path / "real").image("061")
    put(place(tmp_path) / FILES[0], mrc_bytes(micrograph(1), 2.0))
    made = recipe(tmp_path)
    made.prepare(tmp_path / "simulated", tmp_path / "again")
    assert np.allclose(open_folder(tmp_path / "again").image("061"), averaged, atol=1e-3)


@pytest.mark.parametrize("flip", [False, True])
def test_gain_reference(cache, tmp_path, flip):
    gain = np.linspace(0.5, 2, 264 * 272, dtype=np.float32).reshape(264, 272)
    for number, name in enumerate(FILES, 1):
        put(place(tmp_path) / name, mrc_bytes(micrograph(number) / gain, 2.0))
    stored = np.ascontiguousarray(gain[::-1]) if flip else gain
    put(place(tmp_path) / "gain.mrc", mrc_bytes(stored, 2.0))
    named = "Micrographs/Micrographs_part1/gain.mrc"
    prepare(tmp_path, images={"gain": named, "gain_flip_y": flip})
    image = open_folder(tmp_path / "real").image("061")
    assert image.mean() == pytest.approx(micrograph(1).mean(), rel=0.01)


def refused(root, said, **changes):
    with pytest.raises(CryoccdError, match=said) as fault:
        prepare(root, **changes)
    assert "\n" not in str(fault.value)
    assert not (root / "simulated").exists()


def test_nothing_fetched(tmp_path):
    refused(tmp_path, r"^empiar:10028: no micrographs in .*; run `cryoccd fetch empiar:10028`")


def test_picks_that_are_not_there(cache, tmp_path):
    picks_file(tmp_path).unlink()
    refused(
        tmp_path, r"^empiar:10028: no reference picks in .*/picks; put there 10028/ground_truth"
    )


def test_picks_of_other_micrographs(cache, tmp_path):
    picks_file(tmp_path).write_text(star_picks(["a.mrc", "b.mrc"]))
    refused(tmp_path, "no pick is of a micrograph of")
    picks_file(tmp_path).write_text(star_picks(FILES[:1]))
    refused(tmp_path, "picks of 1 of the 4 micrographs that were fetched, expected 2 or more")


def test_picks_of_another_binning(cache, tmp_path):
    refused(tmp_path, "picks cannot be used", picks={"scale": 4.0})


def test_a_wrong_pixel_size(cache, tmp_path):
    refused(tmp_path, "pixel size 2 A by its header, but pixel_size_A is 1.34", pixel_size_A=1.34)
    picks_file(tmp_path).write_text(star_picks(FILES, pixel_size_A=1.0))
    refused(tmp_path, "pixel size 1 A by rlnMicrographPixelSize, but pixel_size_A is 2;")
    prepare(tmp_path, pixel_size_A=1.34, check_pixel_size=False, particle={"box_px": 80})
    assert open_folder(tmp_path / "real").pixel_size_A == pytest.approx(2.68)


def test_micrographs_that_are_too_small(cache, tmp_path):
    refused(tmp_path, r"061.mrc: 136 x 132 px after binning by 2, expected 140", field_px=140)


def test_a_file_that_was_changed(cache, tmp_path):
    path = place(tmp_path) / FILES[2]
    path.write_bytes(path.read_bytes()[:-4] + b"1234")
    refused(tmp_path, r"063.mrc: does not match its checksum; run `cryoccd fetch empiar:10028`")


def test_a_structure_that_nobody_published(cache, tmp_path):
    refused(tmp_path, "particle.structure is not published; write", particle={"structure": None})


@pytest.mark.parametrize("change", ["picks", "micrographs", "config"])
def test_a_copy_of_something_else(cache, tmp_path, change):
    prepare(tmp_path)
    changes = {}
    if change == "picks":
        picks_file(tmp_path).write_text(star_picks(FILES[:3]))
    elif change == "micrographs":
        put(place(tmp_path) / FILES[0], mrc_bytes(micrograph(9), 2.0))
    else:
        changes = {"test_share": 0.25}
    with pytest.raises(CryoccdError, match="real: made from other micrographs, other picks or"):
        prepare(tmp_path, **changes)


def test_the_real_side_is_named_after_its_entry(tmp_path):
    made = recipe(tmp_path)
    assert made.domain == "empiar-10028"
    assert made.structure == "assembly:dimer_d2"
    assert made.paper == read_paper_set(tmp_path / "sets/ribosome.yaml")
