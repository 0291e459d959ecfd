import hashlib
import pickle
from dataclasses import replace

import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.io.published_weights import PUBLISHED
from cryoccd.metrics.networks.eight_bit import EightBit, to_photographs
from cryoccd.metrics.networks.inception import InceptionFeatures, describe
from cryoccd.metrics.networks.weights import find_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Random weights in the format of the true file."""
    module = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")

    class Untrained(module.FeatureExtractorInceptionV3):
        def load_state_dict(self, state_dict, *args, **kwargs):
            return None

    folder = tmp_path_factory.mktemp("inception")
    torch.save({}, folder / "none.pth")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Untrained("untrained", ["2048"], str(folder / "none.pth"))
    path = folder / "weights.pth"
    torch.save(network.state_dict(), path)
    return path


def test_features_of_a_true_file(weights):
    inception = InceptionFeatures(weights)
    grey = torch.randint(0, 256, (3, 64, 64), generator=torch.Generator().manual_seed(0))
    features = inception(grey.to(torch.uint8))
    assert features.shape == (3, 2048)
    assert bool(features.isfinite().all())
    assert float((features[0] - features[1]).abs().max()) > 0
    torch.testing.assert_close(inception(grey[2:].to(torch.uint8))[0], features[2])
    assert "sha256" in describe(weights)["inception"]


def test_features_are_those_of_torch_fidelity(weights):
    """Its own network, given the same photographs: it resizes what has its size already to that."""
    theirs = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    network = theirs.FeatureExtractorInceptionV3("theirs", ["2048"], str(weights))
    generator = torch.Generator().manual_seed(3)
    grey = torch.randint(0, 256, (2, 48, 48), generator=generator).to(torch.uint8)
    (expected,) = network(to_photographs(grey, 299, "bilinear").contiguous())
    inception = InceptionFeatures(weights)
    torch.testing.assert_close(inception(grey), expected, rtol=1e-4, atol=1e-5)
    toned = EightBit(inception, (0.0, 255.0))(grey.to(torch.float32))
    torch.testing.assert_close(toned, inception(grey), rtol=0, atol=0)


def test_the_name_tells_the_published_weights(weights, monkeypatch):
    inception = InceptionFeatures(weights)
    assert inception.name == "custom"
    for word in ("sha256", "bilinear antialias=True to 299 px", "8 bit between percentiles"):
        assert word in inception.version
    with pytest.raises(CryoccdError, match="expected that of the published weights"):
        find_weights("inception", str(weights))
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    monkeypatch.setitem(PUBLISHED, "inception", replace(PUBLISHED["inception"], sha256=digest))
    assert InceptionFeatures(weights).name == "inception"
    assert find_weights("inception", str(weights)) == weights


class Shell:
    def __reduce__(self):
        return (print, ("weights must not run code",))


def test_only_plain_tensors_are_loaded(tmp_path, capsys):
    for name, content in (("code.pth", pickle.dumps(Shell())), ("noise.pth", b"\x00" * 99)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CryoccdError, match="not a plain file of tensors"):
            InceptionFeatures(tmp_path / name)
    torch.save({"layer": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(CryoccdError, match="not the weights"):
        InceptionFeatures(tmp_path / "other.pth")
    with pytest.raises(CryoccdError, match="no such file"):
        InceptionFeatures(tmp_path / "absent.pth")
    assert "must not run" not in capsys.readouterr().out


def test_without_torch_fidelity_the_line_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setattr("cryoccd.metrics.networks.inception.find_spec", lambda name: None)
    with pytest.raises(CryoccdError, match=r"pip install 'cryoccd\[fid\]'"):
        InceptionFeatures(tmp_path / "absent.pth")
