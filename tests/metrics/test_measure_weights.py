"""Files of weights: published, custom, downloaded from a local server, or refused."""

import hashlib
import pickle
from dataclasses import replace

import pytest
import torch
from archive_server import Archive

from cryoccd.errors import CryoccdError
from cryoccd.io.published_weights import PUBLISHED
from cryoccd.metrics.networks.weights import (
    find_weights,
    load_tensors,
    weights_name,
    weights_sha256,
)

KINDS = ("inception", "clip")


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"layer.weight": torch.arange(6.0).reshape(2, 3)}, path)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_another_file_than_the_published_one_must_be_named(kind, weights):
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    for named in ((), ("0" * 64,)):
        with pytest.raises(CryoccdError, match=f"--weights-sha256 {found}") as fault:
            find_weights(kind, weights, named)
        assert PUBLISHED[kind].sha256 in str(fault.value)
        assert "\n" not in str(fault.value)
    assert find_weights(kind, str(weights), ["0" * 64, found.upper()]) == weights
    assert weights_name(kind, weights_sha256(kind, weights)) == "custom"


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_file(kind, weights, monkeypatch):
    digest = weights_sha256(kind, weights)
    monkeypatch.setitem(PUBLISHED, kind, replace(PUBLISHED[kind], sha256=digest))
    assert find_weights(kind, weights) == weights
    assert weights_name(kind, digest) == kind


@pytest.mark.parametrize("kind", KINDS)
def test_download_brings_it_once(kind, weights, monkeypatch, tmp_path):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("CRYOCCD_CACHE", str(tmp_path / "cache"))
    archive = Archive()
    monkeypatch.setenv("CRYOCCD_MIRROR", archive.address)
    file = f"weights/{PUBLISHED[kind].file}"
    archive.files[f"/{file}"] = weights.read_bytes()
    try:
        with pytest.raises(CryoccdError, match=f"not the published {PUBLISHED[kind].sha256}"):
            find_weights(kind, "download")
        assert not (tmp_path / "cache" / file).exists()
        digest = weights_sha256(kind, weights)
        monkeypatch.setitem(PUBLISHED, kind, replace(PUBLISHED[kind], sha256=digest))
        path = find_weights(kind, "download")
        asked = len(archive.requests)
        assert path == find_weights(kind, "download") == tmp_path / "cache" / file
        assert len(archive.requests) == asked
    finally:
        archive.close()
    assert load_tensors(kind, path)["layer.weight"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


class Shell:
    def __reduce__(self):
        return (print, ("weights must not run code",))


def test_only_plain_tensors_are_loaded(weights, tmp_path, capsys):
    old = tmp_path / "old.pth"  # before torch 1.6: no zip, and not to be mapped
    torch.save(load_tensors("clip", weights), old, _use_new_zipfile_serialization=False)
    assert load_tensors("clip", old)["layer.weight"].shape == (2, 3)
    torch.save({"layer": Shell()}, tmp_path / "zip.pth")
    (tmp_path / "code.pth").write_bytes(pickle.dumps(Shell()))
    (tmp_path / "noise.pth").write_bytes(b"\x00" * 99)
    (tmp_path / "cut.pth").write_bytes(weights.read_bytes()[:-40])
    for name in ("zip.pth", "code.pth", "noise.pth", "cut.pth"):
        with pytest.raises(CryoccdError, match="not a plain file of tensors"):
            load_tensors("inception", tmp_path / name)
    torch.save([torch.zeros(2)], tmp_path / "list.pth")
    with pytest.raises(CryoccdError, match="other things than named tensors"):
        load_tensors("inception", tmp_path / "list.pth")
    for ask in (load_tensors, weights_sha256, find_weights):
        with pytest.raises(CryoccdError, match=r"no such file; .* run `cryoccd fetch"):
            ask("clip", tmp_path / "absent.pth")
    assert "must not run" not in capsys.readouterr().out
