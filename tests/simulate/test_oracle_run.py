import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cryoccd.errors import CryoccdError
from cryoccd.io.folder_optics import read_optics_yaml
from cryoccd.io.mrc import read_mrc
from cryoccd.records import Atoms
from cryoccd.simulate.oracle_run import write_oracle
from cryoccd.simulate.oracle_specimen import library_atoms
from cryoccd.simulate.oracle_styles import STYLES, Ingredient

STYLE = replace(
    STYLES["thin_ice"],
    ingredients=(Ingredient("dot", 0.7, 60), Ingredient("dash", 0.3, 60)),
    particles_per_um2=4000,
    shape_px=(96, 128),
)


def dot(species: str, flex: float) -> Atoms:
    positions_A = np.random.default_rng(1).normal(0, 12, (400, 3))
    return Atoms(positions_A, ("C",) * 400, np.zeros(400))


def digest(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("oracle") / "thin"
    write_oracle(STYLE, root, n_train=2, n_test=1, seed=5, atoms_of=dot)
    return root


def test_the_folder_looks_like_a_project(folder):
    split = pd.read_csv(folder / "split.csv")
    assert list(split.columns) == ["micrograph", "split"]
    assert list(split["split"]) == ["train", "train", "test"]
    for name in split["micrograph"]:
        image, pixel_size_A = read_mrc(folder / "micrographs" / f"{name}.mrc", ndim=2)
        assert image.shape == (96, 128)
        assert pixel_size_A == pytest.approx(4.0)
        picks = pd.read_csv(folder / "picks" / f"{name}.csv")
        assert list(picks.columns) == ["x_px", "y_px"]
        assert picks["x_px"].between(0, 127).all()
        assert picks["y_px"].between(0, 95).all()
    optics = read_optics_yaml(folder / "optics.yaml")
    assert optics["particle_diameter_A"] == STYLE.diameter_A
    assert optics["voltage_kV"] == 300
    low_A, high_A = optics["defocus_A"]
    assert 5000 <= low_A <= high_A <= 60000
    assert not (folder / ".items").exists()


def test_picks_are_the_truth_with_a_human_jitter(folder):
    truth = pd.read_parquet(folder / "truth.parquet")
    shifts = []
    main = truth[truth["species"] == STYLE.ingredients[0].species]
    assert len(main) < len(truth)  # a picker passes the fragments by
    for name, rows in main.groupby("micrograph"):
        picks = pd.read_csv(folder / "picks" / f"{name}.csv").to_numpy()
        shifts.append(picks - rows[["x_A", "y_A"]].to_numpy() / STYLE.pixel_size_A)
    shift_px = np.concatenate(shifts)
    assert 0.2 < np.sqrt((shift_px**2).mean()) < 1.5
    assert np.abs(shift_px).max() < 5


def test_the_hidden_parameters_stay_hidden(folder):
    marker = json.loads((folder / "oracle.json").read_text())
    assert set(marker) == {"style", "style_sha256", "seed", "version", "n_train", "n_test"}
    seen = (folder / "optics.yaml").read_text() + (folder / "split.csv").read_text()
    assert "ice" not in seen.replace("thin_ice", "")


def test_an_interrupted_run_goes_on_where_it_stopped(folder, tmp_path, monkeypatch):
    from cryoccd.simulate.oracle import Oracle

    done: list[int] = []
    whole = Oracle.expose

    def failing(self, index, particles=True):
        if index == 2 and len(done) < 3:
            done.append(-1)
            raise KeyboardInterrupt
        done.append(index)
        return whole(self, index, particles)

    monkeypatch.setattr(Oracle, "expose", failing)
    root = tmp_path / "set"
    with pytest.raises(KeyboardInterrupt):
        write_oracle(STYLE, root, 2, 1, 5, atoms_of=dot)
    assert not (root / "oracle.json").exists()
    (root / "micrographs" / "thin_ice_001.mrc").write_bytes(b"broken")
    write_oracle(STYLE, root, 2, 1, 5, atoms_of=dot)
    assert done == [0, 1, -1, 1, 2]
    assert digest(root) == digest(folder)


def test_a_finished_folder_is_left_alone_and_a_foreign_one_refused(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    write_oracle(STYLE, folder, 2, 1, 5, atoms_of=dot)
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with pytest.raises(CryoccdError, match="another style, seed or count"):
        write_oracle(STYLE, folder, 2, 1, 6, atoms_of=dot)
    with pytest.raises(CryoccdError, match="another style, seed or count"):
        write_oracle(replace(STYLE, dose_e_per_A2=9), folder, 2, 1, 5, atoms_of=dot)
    with pytest.raises(CryoccdError, match="not empty"):
        write_oracle(STYLE, folder, 2, 1, 5, resume=False, atoms_of=dot)


def test_items_of_another_seed_are_not_kept(folder, tmp_path):
    root = tmp_path / "set"
    write_oracle(STYLE, root, 2, 1, 6, atoms_of=dot)
    items = digest(root)
    assert items["micrographs/thin_ice_000.mrc"] != digest(folder)["micrographs/thin_ice_000.mrc"]


def test_a_set_without_particles_is_legal(tmp_path):
    write_oracle(replace(STYLE, particles_per_um2=0), tmp_path / "set", 1, 1, 0, atoms_of=dot)
    assert len(pd.read_csv(tmp_path / "set/picks/thin_ice_000.csv")) == 0
    assert len(pd.read_parquet(tmp_path / "set/truth.parquet")) == 0


def test_wrong_counts_are_refused(tmp_path):
    with pytest.raises(CryoccdError, match="0 train"):
        write_oracle(STYLE, tmp_path / "set", 0, 1, 0, atoms_of=dot)
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES.keys())
def test_the_library_has_every_ingredient(style):
    for ingredient in style.ingredients:
        for flex in ingredient.flex:
            atoms = library_atoms(ingredient.species, flex)
            assert len(atoms) > 1000
            radius_A = np.linalg.norm(atoms.positions_A - atoms.positions_A.mean(0), axis=1)
            assert 0.7 * ingredient.diameter_A < 2 * radius_A.max() < 1.3 * ingredient.diameter_A
