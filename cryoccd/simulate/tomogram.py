"""One tilt series of a set: a wide scene, its tilts through dose and camera, its tomogram."""

from dataclasses import dataclass, replace
from math import cos, radians
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from cryoccd.imaging.camera import CameraConfig
from cryoccd.imaging.ice_noise import ice_contrast
from cryoccd.imaging.inelastic import transmission
from cryoccd.imaging.observe import least_border_px, observe
from cryoccd.imaging.tilt import centre_px
from cryoccd.io.dataset import TiltItem
from cryoccd.randomness import item_seed
from cryoccd.records import Body, Exposure
from cryoccd.scene.artefacts.moved import moved
from cryoccd.scene.membranes import Bilayer, render
from cryoccd.simulate.cast import Cast
from cryoccd.simulate.config import SimulateConfig
from cryoccd.simulate.optics import draw_optics
from cryoccd.simulate.scene import BODY_MARGIN_A, draw_parts
from cryoccd.simulate.solvent import SolventConfig
from cryoccd.simulate.tilt_config import TiltConfig
from cryoccd.simulate.tilt_series import (
    noise_free,
    reconstruct,
    reconstruct_denoised,
    simulate_tilts,
)

_WIDEST = 2.0
"""A scene need not be wider than the field at 60 degrees: what lies beyond comes in at its rim."""


def simulate_tomogram(config: SimulateConfig, cast: Cast, index: int) -> TiltItem:
    """The tilt series of one index: the same alone and in any set of the same config."""
    assert config.tilts is not None
    seed = item_seed(config.seed, index)
    generator = np.random.default_rng(seed)
    optics = draw_optics(config.optics, config.pixel_size_A, generator)
    wide = _wide(config, config.tilts)
    scene, bilayers = draw_parts(wide, cast, generator)
    series = simulate_tilts(
        scene,
        cast.projectors,
        optics,
        config.tilts,
        seed,
        observe=_Camera(config) if config.dose else noise_free,
        dose_e_per_A2=config.dose.dose_e_per_A2 if config.dose else 0.0,
        shape_px=config.shape_px,
        bodies=_Turned(wide, config.shape_px, bilayers, scene.bodies),
    )
    return TiltItem(
        name=f"tomo_{index:05d}",
        seed=seed,
        images=series.images.numpy(),
        pixel_size_A=config.pixel_size_A,
        tomogram=reconstruct(series, config.tomogram).numpy(),
        denoised=(
            reconstruct_denoised(series, config.tomogram).numpy()
            if config.tomogram.denoised
            else None
        ),
        voxel_size_A=config.pixel_size_A * config.tomogram.binning,
        tilts=series.tilts,
        particles=series.particles,
        settings={
            "voltage_kV": optics.voltage_kV,
            "cs_mm": optics.cs_mm,
            "amplitude_contrast": optics.amplitude_contrast,
            "phase_shift_deg": optics.phase_shift_deg,
        },
    )


def _wide(config: SimulateConfig, tilts: TiltConfig) -> SimulateConfig:
    """The configuration of a scene that fills the field at the highest tilt, at one density."""
    highest = max(abs(tilts.lowest_deg), abs(tilts.highest_deg))
    factor = min(_WIDEST, 1 / cos(radians(highest)))
    height, width = (round(side * factor / 16) * 16 for side in config.shape_px)
    share = height * width / (config.shape_px[0] * config.shape_px[1])
    particles = replace(
        config.particles,
        mean=config.particles.mean * share,
        sd=config.particles.sd * share**0.5,
    )
    laws: list[Any] = list(config.artefacts)
    artefacts = [
        replace(law, mean=law.mean * share) if hasattr(law, "mean") else law for law in laws
    ]
    return replace(config, shape_px=(height, width), particles=particles, artefacts=artefacts)


@dataclass(frozen=True)
class _Turned:
    """Draws the membranes and round bodies of a wide scene in the camera's frame at any turn."""

    wide: SimulateConfig
    shape_px: tuple[int, int]
    bilayers: tuple[Bilayer, ...]
    round: tuple[Body, ...] = ()

    def __call__(self, turn: NDArray[np.float64]) -> tuple[Body, ...]:
        pixel_size_A = self.wide.pixel_size_A
        before, after = centre_px(self.wide.shape_px), centre_px(self.shape_px)
        left, top = (after - before)[:2].astype(int)
        drawn = [
            render(
                bilayer,
                self.wide.shape_px,
                pixel_size_A,
                BODY_MARGIN_A,
                rotation=turn,
                pivot_A=before * pixel_size_A,
            )
            for bilayer in self.bilayers
        ]
        before_A, after_A = before * pixel_size_A, after * pixel_size_A
        beads = []
        for body in self.round:
            x_A, y_A, z_A = map(float, turn @ (np.array(body.position_A) - before_A) + after_A)
            beads.append(moved(body, (x_A, y_A, z_A), pixel_size_A))
        return (
            *beads,
            *(
                replace(
                    body,
                    left_px=body.left_px + int(left),
                    top_px=body.top_px + int(top),
                    position_A=(
                        body.position_A[0] + float(left) * pixel_size_A,
                        body.position_A[1] + float(top) * pixel_size_A,
                        body.position_A[2],
                    ),
                )
                for body in drawn
                if body is not None
            ),
        )


@dataclass(frozen=True)
class _Camera:
    """Damage, ice, camera and noise of one tilt."""

    config: SimulateConfig

    def __call__(
        self,
        exposure: Exposure,
        pre_exposure_e_per_A2: float,
        exposure_e_per_A2: float,
        generator: torch.Generator,
    ) -> Tensor:
        """The (h, w) image of a tilt in electrons a pixel."""
        config, optics = self.config, exposure.optics
        assert config.dose is not None
        solvent = config.solvent or SolventConfig()
        shape_px = (int(exposure.clean.shape[0]), int(exposure.clean.shape[1]))
        thickness_A = exposure.ice_thickness_A.numpy()
        border_px = least_border_px(None, optics.pixel_size_A)
        contrast = pad(exposure.clean[None] - 1, (border_px,) * 4, mode="reflect")[0]
        ice = None
        if solvent.noise:
            ice = ice_contrast(thickness_A, shape_px, optics, generator, solvent.noise, border_px)
        passed = transmission(thickness_A, shape_px, solvent.mean_free_path_A)
        diffuse = solvent.inelastic_kept * (1 - passed) if solvent.inelastic_kept else None
        dose = replace(
            config.dose,
            dose_e_per_A2=exposure_e_per_A2,
            pre_exposure_e_per_A2=config.dose.pre_exposure_e_per_A2 + pre_exposure_e_per_A2,
        )
        camera = (config.camera or CameraConfig()).build()
        seen = observe(
            contrast, border_px, passed, ice, None, optics, dose, None, camera, generator, diffuse
        )
        return seen.image
