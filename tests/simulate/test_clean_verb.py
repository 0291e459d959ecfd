import numpy as np
import pytest

from cryoccd.cli.simulate import run
from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.mrc import write_mrc

CONFIG = """
count: 2
shape_px: [48, 64]
pixel_size_A: 4.0
particles: {mean: 3}
optics: {defocus_A: [9000, 9000], astigmatism_A: [0, 0]}
"""


@pytest.fixture
def files(tmp_path):
    axis = np.arange(16) - 8
    squared = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2
    write_mrc(tmp_path / "ball.mrc", (9 * np.exp(-squared / 10)).astype(np.float32), 4.0, "test")
    (tmp_path / "small.yaml").write_text(CONFIG)
    return tmp_path


def arguments(files, *more):
    return ["--config", f"{files / 'small.yaml'}", "--output", f"{files / 'set'}", *more]


def test_structure_count_and_seed_on_the_command_line(files):
    ball = str(files / "ball.mrc")
    run(arguments(files, "--structure", ball, "--count", "1", "--seed", "5"))
    dataset = Dataset(files / "set")
    assert dataset.names == ["mic_00000"]
    assert dataset.manifest["made_by"]["seed"] == 5
    (species,) = dataset.manifest["made_by"]["config"]["species"]
    assert (species["source"], species["abundance"]) == (ball, 1.0)
    assert dataset.optics("mic_00000").defocus_u_A == 9000
    run(arguments(files, "--structure", ball, "--count", "1", "--seed", "5", "--resume"))


@pytest.mark.parametrize(
    ("text", "key"),
    [("sed: 3", "sed"), ("ice: {median: 300}", "median"), ("species: [{sorce: a.pdb}]", "sorce")],
)
def test_a_misspelt_key_is_refused(files, text, key):
    (files / "small.yaml").write_text(f"{CONFIG}\n{text}\n")
    with pytest.raises(CryoccdError, match=key):
        run(arguments(files))
    assert not (files / "set").exists()


def test_a_misspelt_argument_is_refused(files):
    with pytest.raises(CryoccdError, match="resum"):
        run(arguments(files, "--resum"))


def test_values_of_another_unit_are_refused(files):
    with pytest.raises(CryoccdError, match=r"defocus_A = \[1.0, 2.0\]"):
        run(arguments(files, "--structure", "a.mrc", "--optics.defocus_A", "[1.0, 2.0]"))
    with pytest.raises(CryoccdError, match="species"):
        run(arguments(files))
