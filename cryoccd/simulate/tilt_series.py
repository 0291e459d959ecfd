"""A tilt series of a scene with its truth, and its tomogram.

Every tilt is an exposure of its own: the scene is turned, each particle gets the defocus of its
height after the turn, and the camera sees it after all the electrons of the tilts taken before it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.imaging.exposure import expose
from cryoccd.imaging.half_filter import half_filtered
from cryoccd.imaging.projection import Projector
from cryoccd.imaging.tilt import BodiesAt, centre_px, tilt_scene
from cryoccd.imaging.tomogram import back_project
from cryoccd.randomness import item_seed
from cryoccd.records import Exposure, Optics, Scene
from cryoccd.simulate.tilt_config import TiltConfig, TomogramConfig
from cryoccd.simulate.tilt_record import TILT_COLUMNS, TiltSeries


class Observer(Protocol):
    """Makes the image of one tilt from its noise-free exposure."""

    def __call__(
        self,
        exposure: Exposure,
        pre_exposure_e_per_A2: float,
        exposure_e_per_A2: float,
        generator: torch.Generator,
    ) -> Tensor:
        """The (h, w) image after an earlier exposure, taken with one of its own."""


def noise_free(
    exposure: Exposure,
    pre_exposure_e_per_A2: float,
    exposure_e_per_A2: float,
    generator: torch.Generator,
) -> Tensor:
    """The observer without damage, camera or noise."""
    return exposure.clean


def simulate_tilts(
    scene: Scene,
    projectors: Mapping[str, Projector],
    optics: Optics,
    tilts: TiltConfig,
    seed: int,
    observe: Observer = noise_free,
    dose_e_per_A2: float = 0.0,
    shape_px: tuple[int, int] | None = None,
    bodies: BodiesAt | None = None,
) -> TiltSeries:
    """Image a scene at every tilt.

    Args:
        scene: the specimen at tilt 0.
        projectors: projector of each species.
        optics: the settings; defocus at the middle of the ice in the centre of the field.
        tilts: the scheme.
        seed: of this series; each tilt draws from its own, made of this and its angle's index.
        observe: damage, camera and noise.
        dose_e_per_A2: exposure of the whole series, shared equally.
        shape_px: field of the camera, by default the scene's; see `tilt_scene`.
        bodies: draws the scene's bodies at a turn.
    """
    shape_px = shape_px or scene.shape_px
    share_e_per_A2 = dose_e_per_A2 / len(tilts.angles_deg)
    images, rows, settings = [], [], []
    for index, (angle_deg, place) in enumerate(
        zip(tilts.angles_deg, tilts.acquisition, strict=True)
    ):
        focus_rng = np.random.default_rng(item_seed(seed, "focus", index))
        error_A = float(focus_rng.normal(0, tilts.focus_error_A))
        at_tilt = replace(
            optics,
            defocus_u_A=optics.defocus_u_A + error_A,
            defocus_v_A=optics.defocus_v_A + error_A,
        )
        turned = tilt_scene(scene, angle_deg, tilts.axis_deg, shape_px, bodies)
        exposure = expose(_reaching(turned, projectors, at_tilt), projectors, at_tilt)
        generator = torch.Generator().manual_seed(item_seed(seed, "tilt", index))
        before_e_per_A2 = place * share_e_per_A2
        images.append(observe(exposure, before_e_per_A2, share_e_per_A2, generator))
        settings.append(at_tilt)
        rows.append(
            (
                *(index, angle_deg, tilts.axis_deg, place, before_e_per_A2, share_e_per_A2),
                *(at_tilt.defocus_u_A, at_tilt.defocus_v_A, at_tilt.astigmatism_deg),
            )
        )
    return TiltSeries(
        images=torch.stack(images),
        tilts=pd.DataFrame(rows, columns=list(TILT_COLUMNS)),
        particles=_truth(scene, shape_px),
        optics=tuple(settings),
    )


def reconstruct(series: TiltSeries, tomogram: TomogramConfig) -> Tensor:
    """The tomogram (z, y, x) of a series, particles dark; each image is first brought to mean 0.

    A particle lies at x_A, y_A voxels over the voxel size, and z_A above voxel d // 2.
    """
    return _of_tilts(series, tomogram, slice(None))


def reconstruct_denoised(series: TiltSeries, tomogram: TomogramConfig) -> Tensor:
    """The same, filtered by what the tomograms of the odd and of the even tilts agree on."""
    halves = (_of_tilts(series, tomogram, slice(start, None, 2)) for start in (0, 1))
    return half_filtered(*halves)


def _of_tilts(series: TiltSeries, tomogram: TomogramConfig, chosen: slice) -> Tensor:
    images = series.images[chosen]
    return back_project(
        images - images.mean((-2, -1), keepdim=True),
        series.tilts["angle_deg"].tolist()[chosen],
        float(series.tilts["axis_deg"].iloc[0]),
        series.optics[0].pixel_size_A,
        tomogram.thickness_A,
        tomogram.binning,
    )


def _reaching(scene: Scene, projectors: Mapping[str, Projector], optics: Optics) -> Scene:
    """The scene without the particles that neither stand nor blur into the field."""
    box_A = max((p.box_px * p.voxel_size_A for p in projectors.values()), default=0.0)
    blur_A = optics.wavelength_A * abs(optics.defocus_u_A) / (2 * optics.pixel_size_A)
    particles = scene.particles
    near = _inside(particles.positions_A, scene.shape_px, scene.pixel_size_A, box_A / 2 + blur_A)
    kept = {name: values[near] for name, values in vars(particles).items()}
    return replace(scene, particles=replace(particles, **kept))


def _truth(scene: Scene, shape_px: tuple[int, int]) -> pd.DataFrame:
    particles = scene.particles
    offset_A = (centre_px(shape_px) - centre_px(scene.shape_px)) * scene.pixel_size_A
    positions_A = particles.positions_A + offset_A
    table = pd.DataFrame(
        {
            "species": np.array(scene.species_names, dtype=object)[particles.species],
            "conformation": particles.conformation,
            **dict(zip(("x_A", "y_A", "z_A"), positions_A.T, strict=True)),
            **dict(zip(("rot_deg", "tilt_deg", "psi_deg"), particles.eulers_deg.T, strict=True)),
        }
    )
    table = table[_inside(positions_A, shape_px, scene.pixel_size_A, 0.0)].reset_index(drop=True)
    table.insert(0, "instance_id", np.arange(1, len(table) + 1))
    return table


def _inside(
    positions_A: NDArray[np.float64],
    shape_px: tuple[int, int],
    pixel_size_A: float,
    margin_A: float,
) -> NDArray[np.bool_]:
    """(n,) whether positions lie in the field or no further than a margin beside it."""
    high_A = (np.array(shape_px[::-1]) - 0.5) * pixel_size_A + margin_A
    low_A = -0.5 * pixel_size_A - margin_A
    x_A, y_A = positions_A[:, 0], positions_A[:, 1]
    within_x, within_y = (low_A <= x_A) & (x_A <= high_A[0]), (low_A <= y_A) & (y_A <= high_A[1])
    return np.asarray(within_x & within_y)
