"""Whole dataset folders through a method."""

import torch
from toys import write_simulated

from cryoccd.io.dataset import Dataset
from cryoccd.methods.gaussian_fitted import GaussianFitted
from cryoccd.methods.translate import translate_dataset


def translated(tmp_path, source, name, seed=0):
    model = GaussianFitted()
    model.gain.fill_(10)
    checkpoint = tmp_path / "last.ckpt"
    torch.save({"state_dict": model.state_dict()}, checkpoint)
    translate_dataset(model, checkpoint, source, tmp_path / name, seed=seed)
    dataset = Dataset(tmp_path / name)
    noise = [dataset.image(n) - 10 * (dataset.image(n, "clean") - 1) for n in dataset.names]
    return dataset, torch.stack([torch.from_numpy(image) for image in noise])


def correlation(a, b):
    return abs(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])


def test_no_two_micrographs_share_their_noise(tmp_path):
    one = write_simulated(tmp_path / "one", count=2, seed=1)
    two = write_simulated(tmp_path / "two", count=2, seed=500)
    first, noise = translated(tmp_path, one, "a")
    second, other = translated(tmp_path, two, "b")
    assert first.names == second.names  # the same names, in another set
    assert correlation(noise[0], noise[1]) < 0.05
    assert correlation(noise[0], other[0]) < 0.05
    _, again = translated(tmp_path, one, "c")
    assert torch.equal(noise, again)
    _, reseeded = translated(tmp_path, one, "d", seed=1)
    assert correlation(noise[0], reseeded[0]) < 0.05


def test_labels_and_clean_images_are_those_of_the_source(tmp_path):
    source = write_simulated(tmp_path / "source", count=3, seed=7, empty=(1,))
    made, _ = translated(tmp_path, source, "made")
    known = Dataset(source)
    assert made.particles.equals(known.particles)
    for name in known.names:
        for kind in ("clean", "instances", "ice"):
            assert (made.image(name, kind) == known.image(name, kind)).all()
