import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import cryoccd
from cryoccd.errors import CryoccdError
from cryoccd.io.commit import source_commit
from cryoccd.report.provenance import hash_config, hash_folder, provenance


@dataclass(frozen=True)
class Setting:
    box: int


def test_config_hash_is_canonical():
    first = hash_config({"b": [1, 2.5, None], "a": {"path": Path("/x"), "s": Setting(3)}})
    again = hash_config({"a": {"s": {"box": 3}, "path": "/x"}, "b": (1, 2.5, None)})
    assert first == again
    assert first != hash_config({"a": {"s": {"box": 4}, "path": "/x"}, "b": (1, 2.5, None)})
    # sha256 of {"a":1}
    assert hash_config({"a": 1}).startswith("015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae")


def test_config_without_a_canonical_form_is_refused():
    with pytest.raises(CryoccdError, match="canonical"):
        hash_config({"a": object()})


def test_folder_hash_follows_names_and_contents(tmp_path):
    (tmp_path / "micrographs").mkdir()
    file = tmp_path / "micrographs" / "a.mrc"
    file.write_bytes(b"one")
    first = hash_folder(tmp_path)
    (tmp_path / ".part").write_bytes(b"hidden")
    assert hash_folder(tmp_path) == first
    file.write_bytes(b"two")
    second = hash_folder(tmp_path)
    file.rename(file.with_name("b.mrc"))
    assert len({first, second, hash_folder(tmp_path)}) == 3
    with pytest.raises(CryoccdError, match="no such folder"):
        hash_folder(tmp_path / "absent")


def test_a_manifest_stands_for_its_folder(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    first = hash_folder(tmp_path)
    (tmp_path / "a.mrc").write_bytes(b"one")
    assert hash_folder(tmp_path) == first
    (tmp_path / "manifest.json").write_text("{ }")
    assert hash_folder(tmp_path) != first


def test_commit_of_a_checkout(tmp_path):
    assert source_commit(tmp_path) == "unknown"
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@e"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert source_commit(tmp_path) == "unknown"  # no commit yet
    (tmp_path / "a").write_text("1")
    subprocess.run([*git, "add", "a"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "m"], check=True)
    subprocess.run([*git, "tag", "-m", "t", "v1"], check=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    assert source_commit(tmp_path) == done.stdout.strip()
    (tmp_path / "a").write_text("2")
    assert source_commit(tmp_path) == done.stdout.strip() + "-dirty"


def test_provenance_is_complete():
    made = provenance("c", "d", 1.23456)
    assert made["seconds"] == 1.235
    assert made["versions"]["cryoccd"] == cryoccd.__version__
    assert {"torch", "lightning", "python"} <= set(made["versions"])
    assert made["device"].startswith("cpu")
    assert (made["config_hash"], made["data_hash"]) == ("c", "d")
