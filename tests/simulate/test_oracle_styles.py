"""Eight acquisitions, each unlike every other in what can be measured."""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from cryoccd.data.oracle_recipe import OracleRecipe
from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average
from cryoccd.imaging.ctf import ctf
from cryoccd.imaging.ctf_fit import estimate_defocus_A
from cryoccd.imaging.discs import disc_mask
from cryoccd.io.dataset import Dataset
from cryoccd.launch.matrix import read_matrix
from cryoccd.launch.selection import select
from cryoccd.records import Optics
from cryoccd.simulate.oracle import Oracle, OracleMicrograph
from cryoccd.simulate.oracle_run import _made_by, write_oracle
from cryoccd.simulate.oracle_styles import STYLES

SIDE, N = 128, 3
NEW = ("low_dose", "phase_plate", "crowded", "contaminated", "small_particle", "carbon_edge")


@dataclass(frozen=True)
class Shots:
    """Micrographs of a style in a small field, with particles and without."""

    full: list[OracleMicrograph]
    empty: list[OracleMicrograph]

    @property
    def electrons(self) -> float:
        return float(np.median([shot.image.median() for shot in self.full]))

    @property
    def particles_per_um2(self) -> float:
        side_um = SIDE * self.full[0].optics.pixel_size_A / 1e4
        return float(np.mean([len(shot.truth) for shot in self.full])) / side_um**2

    @property
    def snr(self) -> float:
        """Variance of the particles over that of the shot noise."""
        pairs = zip(self.full, self.empty, strict=True)
        return float(
            np.median(
                [
                    (full.expected - empty.expected).var() / (full.image - full.expected).var()
                    for full, empty in pairs
                ]
            )
        )

    @property
    def spectrum_db(self) -> torch.Tensor:
        """Noise power by radius relative to the mean intensity, 6 to 57 cycles a field."""
        powers = []
        for shot in self.empty:
            relative = shot.image / shot.image.median() - 1
            power = torch.fft.fft2(relative - relative.mean()).abs() ** 2 / relative.numel()
            powers.append(radial_average(power))
        return 10 * torch.stack(powers).mean(0)[6:58].log10()


@pytest.fixture(scope="module")
def shots():
    made = {}
    for name, style in STYLES.items():
        oracle = Oracle(replace(style, shape_px=(SIDE, SIDE)), seed=21)
        full = [oracle.expose(index) for index in range(N)]
        made[name] = Shots(full, [oracle.expose(i, particles=False) for i in range(N)])
    return made


def test_the_first_two_are_as_they_were():
    assert list(STYLES) == ["thin_ice", "thick_ice", *NEW]
    # the parameters of the committed figures, as their folders name them
    digests = [_made_by(STYLES[name], 0)["style_sha256"][:12] for name in STYLES][:2]
    assert digests == ["011ea88f38e4", "9c59b78e2ca7"]


@pytest.mark.parametrize("name", STYLES)
def test_particles_are_dark_on_light(name, shots):
    style, darker = STYLES[name], []
    for full, empty in zip(shots[name].full, shots[name].empty, strict=True):
        assert bool(torch.isfinite(full.image).all())
        assert float(full.image.median()) > 0
        contrast = (full.expected - empty.expected) / empty.expected.median()
        radius_px = 0.35 * style.diameter_A / style.pixel_size_A
        if not len(full.truth):  # all film
            continue
        within = disc_mask((SIDE, SIDE), full.centres_px, radius_px)
        darker.append(float(contrast[within].mean() - contrast[~within].mean()))
    assert -0.3 < np.mean(darker) < -0.008


def test_every_two_differ_in_what_can_be_measured(shots):
    for one, other in combinations(shots, 2):
        a, b = shots[one], shots[other]
        ratios = [
            abs(np.log(a.electrons / b.electrons)),
            abs(np.log(a.snr / b.snr)),
            abs(np.log(a.particles_per_um2 / b.particles_per_um2)),
        ]
        assert sum(ratio > np.log(1.25) for ratio in ratios) >= 1, (one, other)
        assert float((a.spectrum_db - b.spectrum_db).abs().mean()) > 0.7, (one, other)


def test_the_extremes_are_where_their_names_say(shots):
    def most(measure):
        return max(shots, key=lambda name: getattr(shots[name], measure))

    assert most("snr") == "phase_plate"
    assert most("particles_per_um2") == "crowded"
    assert min(shots, key=lambda name: shots[name].electrons) == "low_dose"
    dark = {
        name: np.mean([(m.expected < 0.6 * m.expected.median()).float().mean() for m in s.empty])
        for name, s in shots.items()
    }
    assert max(dark, key=dark.get) == "contaminated"


@pytest.mark.parametrize("name", NEW)
def test_nominal_optics_have_the_true_ctf_and_find_the_defocus(name):
    style = replace(STYLES[name], contaminants=0.0)
    shape, contrast = (64, 64), style.nominal_amplitude_contrast
    true = Optics(300, 2.7, style.amplitude_contrast, 4, 9000, 9000, 0, style.phase_shift_deg)
    nominal = Optics(300, 2.7, contrast, 4, 9000, 9000)
    assert torch.allclose(ctf(true, shape), ctf(nominal, shape), atol=1e-3)
    assert (contrast == style.amplitude_contrast) == (style.phase_shift_deg == 0)
    oracle, errors = Oracle(style, 4), []
    for index in range(3):
        shot = oracle.expose(index)
        fit = estimate_defocus_A(
            shot.image, style.voltage_kV, style.cs_mm, contrast, style.pixel_size_A
        )
        errors.append(abs(fit.defocus_A / shot.optics.defocus_u_A - 1))
    assert np.median(errors) < 0.02


@pytest.mark.parametrize("name", NEW)
def test_a_folder_has_the_picks_of_the_main_species(name, tmp_path):
    style = replace(STYLES[name], shape_px=(SIDE, SIDE))
    write_oracle(style, tmp_path / name, n_train=2, n_test=1, seed=1)
    optics = yaml.safe_load((tmp_path / name / "optics.yaml").read_text())
    assert optics["voltage_kV"] == style.voltage_kV
    assert optics["pixel_size_A"] == style.pixel_size_A
    assert optics["amplitude_contrast"] == style.nominal_amplitude_contrast
    truth = pd.read_parquet(tmp_path / name / "truth.parquet")
    main = truth[truth["species"] == style.ingredients[0].species]
    for micrograph, rows in main.groupby("micrograph"):
        picks = pd.read_csv(tmp_path / name / "picks" / f"{micrograph}.csv")
        assert len(picks) == len(rows) > 0
        shift_px = picks.to_numpy() - rows[["x_A", "y_A"]].to_numpy() / style.pixel_size_A
        assert np.abs(shift_px).max() < 5


def test_the_recipe_simulates_another_main_species_under_its_optics(tmp_path):
    recipe = OracleRecipe("phase_plate", "assembly:lobed_c1", n_train=2, n_test=1, workers=1)
    recipe.prepare(tmp_path / "simulated", tmp_path / "real")
    simulated = Dataset(tmp_path / "simulated")
    assert set(simulated.particles["species"]) == {"lobed_c1"}
    exposure = simulated.exposure(simulated.names[0])
    assert exposure.optics.amplitude_contrast == STYLES["phase_plate"].nominal_amplitude_contrast
    inside, outside = exposure.particle_mask, ~exposure.particle_mask
    assert float(exposure.clean[inside].mean() - exposure.clean[outside].mean()) < -0.05


def test_the_table_knows_every_style_and_makes_two_unasked(request, monkeypatch):
    monkeypatch.chdir(request.config.rootpath)
    matrix = read_matrix(request.config.rootpath / "experiments" / "fid-demo.yaml", {})
    assert [spec.name for spec in matrix.datasets] == list(STYLES)
    for spec in matrix.datasets:
        recipe = spec.recipe
        assert isinstance(recipe, OracleRecipe)
        assert recipe.style == spec.name
        assert recipe.structure == STYLES[spec.name].ingredients[0].species
    unasked = select(matrix, ["gaussian"], None)
    assert [spec.name for spec in unasked.datasets] == ["thin_ice", "thick_ice"]
    asked = select(matrix, ["gaussian"], ["crowded", "thin_ice"])
    assert [spec.name for spec in asked.datasets] == ["crowded", "thin_ice"]
    with pytest.raises(CryoccdError, match="desert"):
        select(matrix, None, ["desert"])
