import pickle

import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.metrics.inception import InceptionFeatures, describe, to_8_bit, tone_limits


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


def test_tone_map_takes_its_ends_from_the_real_set():
    ramp = torch.arange(1001.0).reshape(7, 143)
    assert tone_limits([ramp, ramp + 10]) == (10.0, 1000.0)
    mapped = to_8_bit(torch.tensor([[-50.0, 10.0, 505.0, 1000.0, 1e6]]), (10.0, 1000.0))
    assert mapped.tolist() == [[0, 0, 128, 255, 255]]


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
    monkeypatch.setattr("cryoccd.metrics.inception.find_spec", lambda name: None)
    with pytest.raises(CryoccdError, match=r"pip install 'cryoccd\[fid\]'"):
        InceptionFeatures(tmp_path / "absent.pth")
