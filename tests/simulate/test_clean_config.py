from dataclasses import replace
from pathlib import Path

import pytest

from cryoccd.errors import CryoccdError
from cryoccd.simulate.config import OpticsConfig, SimulateConfig, SpeciesConfig, read_config

GOOD = SimulateConfig(species=[SpeciesConfig("assembly:barrel_d7")])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"species": []}, ["species", "--structure"]),
        ({"count": 0}, ["count = 0"]),
        ({"seed": -1}, ["seed = -1"]),
        ({"shape_px": (16, 256)}, ["shape_px = 16", "pixels"]),
        ({"pixel_size_A": 0.0}, ["pixel_size_A = 0", "angstrom"]),
        ({"pixel_size_A": float("nan")}, ["pixel_size_A = nan"]),
        ({"box_px": 300}, ["box_px = 300", "256"]),
    ],
)
def test_unphysical_sets_are_refused(changes, words):
    with pytest.raises(CryoccdError) as caught:
        replace(GOOD, **changes)
    assert all(word in str(caught.value) for word in words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"voltage_kV": 300000.0}, ["voltage_kV = 300000", "kV"]),
        ({"defocus_A": (1.0, 2.5)}, ["defocus_A = [1.0, 2.5]", "angstrom"]),
        ({"defocus_A": (20000.0, 10000.0)}, ["defocus_A", "[low, high]"]),
        ({"astigmatism_A": (-1.0, 10.0)}, ["astigmatism_A"]),
        ({"cs_mm": 2.7e7}, ["cs_mm", "mm"]),
        ({"amplitude_contrast": 10.0}, ["amplitude_contrast", "fraction"]),
    ],
)
def test_unphysical_optics_are_refused(changes, words):
    with pytest.raises(CryoccdError) as caught:
        OpticsConfig(**changes)
    assert all(word in str(caught.value) for word in words)


def test_species_need_a_source_and_a_share():
    with pytest.raises(CryoccdError, match="source"):
        SpeciesConfig("")
    with pytest.raises(CryoccdError, match="abundance = 0"):
        SpeciesConfig("a.pdb", abundance=0.0)


CONFIGS = Path(__file__).parents[2] / "configs/simulate"


@pytest.mark.parametrize("name", ["demo", "bench-1024"])
def test_the_shipped_configs_are_read(name):
    config = read_config(CONFIGS / f"{name}.yaml")
    assert config.species[0].source == "assembly:barrel_d7"


def test_a_config_file_without_species_a_misspelt_key_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(CryoccdError, match="--structure"):
        read_config(CONFIGS / "single.yaml")
    (tmp_path / "bad.yaml").write_text("species: [{source: a.pdb}]\nshap_px: [64, 64]\n")
    with pytest.raises(CryoccdError, match=r"bad.yaml.*shap_px"):
        read_config(tmp_path / "bad.yaml")
    with pytest.raises(CryoccdError, match=r"none.yaml"):
        read_config(tmp_path / "none.yaml")
