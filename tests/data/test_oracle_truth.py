"""The hidden truth of an oracle set comes back as labels with exact centres, angles and defocus."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cryoccd.data.oracle_truth import import_truth
from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.simulate.oracle_run import write_oracle
from cryoccd.simulate.oracle_styles import STYLES


def test_labels_are_the_truth_of_the_main_species_of_one_split(tmp_path):
    style = replace(STYLES["low_dose"], shape_px=(128, 128))
    write_oracle(style, tmp_path / "real", n_train=2, n_test=2, seed=1)
    import_truth(tmp_path / "real", tmp_path / "posed", style.ingredients[0].species)
    truth = pd.read_parquet(tmp_path / "real" / "truth.parquet")
    names = [f"low_dose_{index:03d}" for index in (2, 3)]
    chosen = (truth["species"] == style.ingredients[0].species) & truth["micrograph"].isin(names)
    wanted = truth[chosen].sort_values(["micrograph", "x_A"])
    found = Dataset(tmp_path / "posed").particles.sort_values(["micrograph", "x_A"])
    assert len(wanted) > 3
    assert found["micrograph"].tolist() == wanted["micrograph"].tolist()
    for column in ("x_A", "y_A", "rot_deg", "tilt_deg", "psi_deg", "defocus_u_A"):
        assert np.allclose(found[column], wanted[column], atol=1e-3, rtol=0), column


def test_real_sets_have_no_hidden_truth(tmp_path):
    (tmp_path / "micrographs").mkdir()
    with pytest.raises(CryoccdError, match=r"no truth\.parquet"):
        import_truth(tmp_path, tmp_path / "posed")
