"""The chain from the potential to the counts, in absolute units."""

from dataclasses import replace
from math import exp, sqrt
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from cryoccd.fourier import radial_average
from cryoccd.imaging.camera import CameraConfig
from cryoccd.imaging.contrast import contrast
from cryoccd.imaging.dose import DoseConfig
from cryoccd.imaging.motion import MotionConfig
from cryoccd.imaging.projected import project
from cryoccd.imaging.projection import Projector
from cryoccd.io.dataset import Dataset
from cryoccd.records import Optics, Particles, Scene, Volume
from cryoccd.scene.artefacts import BrokenParticles, GoldBeads
from cryoccd.scene.crowding import CrowdingConfig
from cryoccd.scene.ice import IceConfig
from cryoccd.scene.membranes import Vesicles
from cryoccd.scene.orientation import PreferredAxis, uniform_so3
from cryoccd.scene.placement import Cluster
from cryoccd.simulate.config import OpticsConfig, SimulateConfig, SpeciesConfig, read_config
from cryoccd.simulate.resolved import resolved
from cryoccd.simulate.run import simulate
from cryoccd.simulate.solvent import SolventConfig

FLAT_ICE = IceConfig(median_A=500.0, sigma_log=0.0, roughness=0.0, minimum_A=100.0)
EMPTY = SimulateConfig(
    species=[SpeciesConfig("assembly:lobed_c1")],
    count=1,
    shape_px=(256, 256),
    pixel_size_A=4.0,
    particles=CrowdingConfig(0.0),
    ice=FLAT_ICE,
    dose=DoseConfig(20.0),
    solvent=SolventConfig(noise=0.0, mean_free_path_A=3000.0),
    camera=CameraConfig("ideal"),
)


def micrograph(config: SimulateConfig, folder: Path) -> np.ndarray:
    simulate(config, folder)
    return Dataset(folder).image("mic_00000").astype(np.float64)


@pytest.mark.parametrize("box", [32, 48, 64])
def test_a_centred_gaussian_projects_to_its_closed_form_within_a_thousandth(box: int) -> None:
    axis = torch.arange(box) - box // 2
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    for sigma in (box / 16, box / 24):
        volume = Volume(torch.exp(-(x**2 + y**2 + z**2) / (2 * sigma**2)).float(), 1.0)
        views = torch.from_numpy(uniform_so3(20, np.random.default_rng(0)))
        flat = torch.exp(-(x[0] ** 2 + y[0] ** 2) / (2 * sigma**2))
        expected = sqrt(2 * np.pi) * sigma * flat
        error = (Projector(volume).project(views) - expected).abs().max() / expected.max()
        assert float(error) < 1e-3


def test_an_empty_field_has_the_electrons_that_the_ice_lets_pass(tmp_path: Path) -> None:
    image = micrograph(EMPTY, tmp_path / "set")
    expected = 20 * 4**2 * exp(-500 / 3000)
    assert image.mean() == pytest.approx(expected, rel=4 / sqrt(expected * image.size))
    # an ideal camera counts: mean and variance are one
    assert image.var() == pytest.approx(expected, rel=0.03)


def test_half_the_electrons_are_half_of_them_and_ice_takes_its_share(tmp_path: Path) -> None:
    full = micrograph(EMPTY, tmp_path / "full").mean()
    half = micrograph(replace(EMPTY, dose=DoseConfig(10.0)), tmp_path / "half").mean()
    assert half / full == pytest.approx(0.5, rel=2e-3)
    thick = replace(EMPTY, ice=replace(FLAT_ICE, median_A=1500.0))
    ratio = micrograph(thick, tmp_path / "thick").mean() / full
    assert ratio == pytest.approx(exp(-1000 / 3000), rel=3e-3)
    kept = replace(EMPTY, solvent=replace(EMPTY.solvent, inelastic_kept=1.0))
    assert micrograph(kept, tmp_path / "kept").mean() == pytest.approx(320, rel=2e-3)


def test_the_mean_over_noise_is_the_clean_image_in_electrons(tmp_path: Path) -> None:
    """Same scene, other noise: the seed of a micrograph's noise is its own."""
    config = replace(
        EMPTY, particles=CrowdingConfig(12.0), dose=DoseConfig(2000.0 / 4, damage=False)
    )
    image = micrograph(config, tmp_path / "set")
    clean = Dataset(tmp_path / "set").image("mic_00000", "clean")
    electrons = 500 * 16 * exp(-500 / 3000)
    residue = image - electrons * clean
    assert abs(residue.mean()) < 5 * sqrt(electrons / image.size)
    assert residue.var() == pytest.approx(electrons, rel=0.05)
    slope = np.polyfit(clean.ravel(), image.ravel(), 1)[0]
    assert slope == pytest.approx(electrons, rel=0.02)


def test_zeros_of_the_ctf_stand_in_the_power_spectrum_where_they_are_predicted() -> None:
    side, pixel_A, defocus_A = 512, 2.0, 15000.0
    axis = (torch.arange(16) - 8).double()
    squared = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2
    point = Projector(Volume(torch.exp(-squared / (2 * 0.8**2)).float(), pixel_A))
    generator = np.random.default_rng(0)
    n = 3000
    positions = np.column_stack([generator.uniform(0, side * pixel_A, (n, 2)), np.zeros(n)])
    none = np.zeros(n, dtype=np.int64)
    particles = Particles(positions, np.zeros((n, 3)), none, none)
    scene = Scene(particles, ("p",), np.full((64, 64), 300, np.float32), (side, side), pixel_A)
    optics = Optics(300, 2.7, 0.1, pixel_A, defocus_A, defocus_A)
    image = contrast(project(scene, {"p": point}), optics)
    window = torch.hann_window(side)
    power = radial_average(torch.fft.fft2(image * window[:, None] * window).abs() ** 2).numpy()
    wavelength_A, cs_A = optics.wavelength_A, 2.7e7
    k = np.arange(len(power)) / (side * pixel_A)
    chi = np.pi * (0.5 * cs_A * wavelength_A**3 * k**4 - wavelength_A * defocus_A * k**2)
    order = (np.arcsin(0.1) - chi) / np.pi  # CTF = sin(pi order)
    zeros = [
        np.interp(m, order[: order.argmax()], np.arange(order.argmax()))
        for m in range(1, int(order.max()) + 1)
    ]
    inside = [zero for zero in zeros if 20 < zero < 170]
    assert len(inside) >= 5
    for zero in inside:
        near = np.arange(int(zero) - 4, int(zero) + 6)
        assert abs(near[power[near].argmin()] - zero) <= 1.0
        assert power[near].min() < 0.1 * power[near].max()


FULL = SimulateConfig(
    species=[
        SpeciesConfig(
            "assembly:lobed_c1",
            placement=Cluster(parents=2.0),
            orientation=PreferredAxis(kappa=5.0),
        )
    ],
    count=3,
    shape_px=(96, 96),
    pixel_size_A=6.0,
    particles=CrowdingConfig(5.0, overlap_in_projection=True),
    ice=IceConfig(median_A=700.0, wedge=0.3),
    membranes=[Vesicles(mean=1.0, radius_A=(100.0, 150.0))],
    artefacts=[GoldBeads(mean=1.0), BrokenParticles(mean=2.0)],
    optics=OpticsConfig(beam_tilt_mrad=(0.3, 0.0), defocus_spread_A=50.0),
    dose=DoseConfig(30.0, frames=4, dose_weighting=True),
    motion=MotionConfig(total_A=15.0),
    solvent=SolventConfig(inelastic_kept=0.3),
    movies=True,
)


def test_all_parts_together_write_the_same_bytes_with_one_and_eight_workers(
    tmp_path: Path,
) -> None:
    simulate(FULL, tmp_path / "one", workers=1)
    simulate(FULL, tmp_path / "eight", workers=8)
    one, eight = (Dataset(tmp_path / name).manifest["files"] for name in ("one", "eight"))
    assert one == eight
    assert {path.split("/")[0] for path in one} >= {"movies", "micrographs", "clean", "instances"}


def test_the_resolved_configuration_builds_the_same_set(tmp_path: Path) -> None:
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(resolved(FULL)))
    again = read_config(tmp_path / "again.yaml")
    assert again == FULL
    assert resolved(again) == resolved(FULL)
