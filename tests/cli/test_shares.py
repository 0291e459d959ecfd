"""Several processes that write one set together."""

import json
import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cryoccd.cli import main
from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import WHOLE, Dataset, DatasetWriter, Share

CONFIG = {
    "count": 5,
    "seed": 3,
    "shape_px": [96, 96],
    "pixel_size_A": 4.0,
    "box_px": 48,
    "species": [{"source": "assembly:dimer_d2"}],
    "particles": {"mean": 1},
}
MAIN = "import sys; from cryoccd.cli import main; sys.exit(main(sys.argv[1:]))"


@given(count=st.integers(0, 40), of=st.integers(1, 12))
def test_each_item_is_in_one_share(count, of):
    shares = [Share(number, of) for number in range(1, of + 1)]
    owners = [[share.number for share in shares if share.takes(index)] for index in range(count)]
    assert all(len(each) == 1 for each in owners)
    sizes = [sum(share.takes(index) for index in range(count)) for share in shares]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("text", ["", "2", "0of3", "4of3", "1/3", "-1of3", "1of0", "1of3 "])
def test_what_is_no_share(text):
    with pytest.raises(CryoccdError, match="share = "):
        Share.parse(text)


def test_shares_are_read():
    assert Share.parse("2of8") == Share(2, 8)
    assert WHOLE.whole
    assert not Share(1, 2).whole


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "simulate.yaml"
    path.write_text(yaml.safe_dump(CONFIG))
    return path


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory):
    """The set as one process makes it."""
    root = tmp_path_factory.mktemp("whole") / "set"
    assert main(["simulate", "--config", str(config), "--output", str(root)]) == 0
    return root


def simulate(config, root, share):
    return ["simulate", "--config", str(config), "--output", str(root), "--share", share]


def files_of(root):
    return json.loads((root / "manifest.json").read_text())["files"]


def test_the_last_share_finishes_the_folder_and_its_bytes_are_those_of_one_process(
    config, whole, tmp_path
):
    root = tmp_path / "set"
    for share in ("2of3", "3of3"):
        assert main(simulate(config, root, share)) == 0
        assert not (root / "manifest.json").exists()
    made = {path: path.stat().st_mtime_ns for path in (root / "micrographs").glob("*")}
    assert main(simulate(config, root, "1of3")) == 0
    assert files_of(root) == files_of(whole)
    for path, time_ns in made.items():
        assert path.stat().st_mtime_ns == time_ns  # nothing is made twice
    assert not (root / ".items").exists()
    for share in ("1of3", "2of3"):  # issued again, with nothing left to do
        assert main(simulate(config, root, share)) == 0
    assert len(Dataset(root).names) == 5


def test_shares_at_the_same_time(config, whole, tmp_path):
    root = tmp_path / "set"
    running = [
        subprocess.Popen([sys.executable, "-c", MAIN, *simulate(config, root, f"{number}of3")])
        for number in (1, 2, 3)
    ]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert files_of(root) == files_of(whole)


def test_more_shares_than_micrographs(config, whole, tmp_path):
    root = tmp_path / "set"
    for number in (6, 1, 2, 3, 4, 5):
        assert main(simulate(config, root, f"{number}of6")) == 0
    assert files_of(root) == files_of(whole)


def test_shares_of_another_configuration_are_not_collected(config, tmp_path):
    root, changed = tmp_path / "set", tmp_path / "changed.yaml"
    changed.write_text(yaml.safe_dump(CONFIG | {"seed": 4}))
    assert main(["simulate", "--config", str(changed), "--output", str(tmp_path / "alone")]) == 0
    assert main(simulate(config, root, "1of2")) == 0
    assert main(simulate(changed, root, "2of2")) == 0
    assert not (root / "manifest.json").exists()  # the first share is of the seed before
    assert main(simulate(changed, root, "1of2")) == 0
    assert files_of(root) == files_of(tmp_path / "alone")


def test_translations_in_shares(whole, checkpoint, tmp_path, monkeypatch):
    paths = ["--checkpoint", str(checkpoint), "--input", str(whole)]
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    assert main(["translate", *paths, "--output", str(alone)]) == 0
    written = []
    for name in ("copy_species", "write"):
        monkeypatch.setattr(DatasetWriter, name, noted(written, getattr(DatasetWriter, name)))
    for share in ("2of2", "1of2"):
        assert main(["translate", *paths, "--output", str(shared), "--share", share]) == 0
    assert files_of(shared) == files_of(alone)
    # while the last item lacks no other share finishes, and tidies what is being copied
    assert written == ["copy_species", "write", "write", "copy_species", "write", "write", "write"]


def noted(written, method):
    return lambda *given: (written.append(method.__name__), method(*given))[1]


def test_a_wrong_share_writes_nothing(config, refused, tmp_path):
    refused(simulate(config, tmp_path / "set", "5of3"), "share = 5of3", output=tmp_path)
