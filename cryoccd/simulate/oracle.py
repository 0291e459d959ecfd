"""The oracle: a virtual microscope that plays the real domain.

It shares no rendering with the simulator, so that recovering its images is no inverse crime: atoms
instead of maps, splatting instead of Fourier slices, waves instead of weak phase. Per layer s of
ice at height z_s with projected potential V_s (particles, disordered water, crystals,
a carbon film)

    psi = F⁻¹[ delta + Σ_s F[exp(sigma V_s (i sqrt(1 - w²) - w)) - 1] exp(-i chi_s - B k² / 4) ]
    chi_s = -π lambda (defocus - z_s) k² + π/2 Cs lambda³ k⁴ - phase    (Kirkland 2010, eq. 3.17)

with the shift of a phase plate, where there is one. That leaves out scattering twice in different
layers. The image is

    dose (T |psi|² + kept (1 - T_ice)),    T = exp(-t / Lambda) times the loss in crystals and film,

then the camera at half the final pixel, and Fourier binning. The hidden parameters are those of
`oracle_styles`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, radians, sqrt

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cryoccd.fourier import fourier_crop, frequency_grid
from cryoccd.imaging.detector import expected_electrons
from cryoccd.randomness import item_seed
from cryoccd.records import Atoms, Optics
from cryoccd.simulate.oracle_field import FINE, MARGIN_PX, Field, draw_field, rendered_shape
from cryoccd.simulate.oracle_film import FILM_LOSS_PER_A, FILM_V, film_grain
from cryoccd.simulate.oracle_ice import IceNoise
from cryoccd.simulate.oracle_specimen import AtomGroups, SplatProjector, library_atoms
from cryoccd.simulate.oracle_styles import OracleStyle

AtomsOf = Callable[[str, float], Atoms]
"""Atoms of a species by name and flex."""

LAYER_A = 150.0
_CRYSTAL_V = 3.5
_CRYSTAL_LOSS_PER_A = 1 / 400


@dataclass(frozen=True)
class OracleMicrograph:
    """One micrograph with everything that its makers know.

    Args:
        image: (h, w) float32 electrons a pixel, dark particles on light.
        expected: (h, w) its mean over the shot noise, before the gain residue.
        truth: one row a particle whose centre is in the field: species, conformation, x_A, y_A,
            z_A, rot_deg, tilt_deg, psi_deg, defocus_u_A.
        optics: the true settings.
        thickness_A: (ceil(h / 8), ceil(w / 8)) ice.
    """

    image: Tensor
    expected: Tensor
    truth: pd.DataFrame
    optics: Optics
    thickness_A: Tensor

    @property
    def centres_px(self) -> Tensor:
        """(n, 2) x, y of the particles from the centre of pixel [0, 0]."""
        positions_A = torch.tensor(self.truth[["x_A", "y_A"]].to_numpy(), dtype=torch.float64)
        return positions_A / self.optics.pixel_size_A


class Oracle:
    """The microscope set up for one style; holds what its micrographs share.

    Args:
        style: the acquisition.
        seed: seed of the set; micrograph i is the same alone or among many.
        atoms_of: source of the structures.
    """

    def __init__(self, style: OracleStyle, seed: int, atoms_of: AtomsOf = library_atoms) -> None:
        self.style = style
        self.seed = seed
        self.pixel_size_A = style.pixel_size_A / FINE
        self.shape_px = rendered_shape(style)
        self._groups = [
            [AtomGroups.of(atoms_of(i.species, flex)) for flex in i.flex] for i in style.ingredients
        ]
        exposure_b_A2 = style.damage_A2_per_e * style.dose_e_per_A2 / 2
        self._projector = SplatProjector(
            self.shape_px,
            self.pixel_size_A,
            origin_px=MARGIN_PX * FINE,
            b_factor_A2=style.b_factor_A2 + exposure_b_A2,
            solvent_V=style.solvent_V,
        )
        self._ice = IceNoise(self.shape_px, self.pixel_size_A, style.ice_noise)
        self._gain = style.detector.gain_residue(  # of the camera: the same with any seed
            self.shape_px, torch.Generator().manual_seed(item_seed(0, style.name, "gain"))
        )

    def expose(self, index: int, particles: bool = True) -> OracleMicrograph:
        """Micrograph `index`; without particles the same ice, crystals and focus, nothing else."""
        style = self.style
        field = draw_field(style, np.random.default_rng(self._item(index, "field")))
        optics = Optics(
            voltage_kV=style.voltage_kV,
            cs_mm=style.cs_mm,
            amplitude_contrast=style.amplitude_contrast,
            pixel_size_A=style.pixel_size_A,
            defocus_u_A=field.defocus_A,
            defocus_v_A=field.defocus_A,
            phase_shift_deg=style.phase_shift_deg,
        )
        generator = torch.Generator().manual_seed(self._item(index, "ice"))
        wave = self._wave(field, optics, particles, generator)
        passed = torch.exp(-field.thickness_A / style.mean_free_path_A)
        diffuse = style.inelastic_kept * (1 - passed)
        loss_A = field.crystals_A * _CRYSTAL_LOSS_PER_A + field.film_A * FILM_LOSS_PER_A
        loss = torch.exp(-loss_A)
        intensity = (passed * wave.abs() ** 2 + diffuse) * loss
        electrons = expected_electrons(intensity, style.dose_e_per_A2, self.pixel_size_A)
        shot = torch.Generator().manual_seed(self._item(index, "shot"))
        image = style.detector.expose(electrons, shot, self._gain)
        return OracleMicrograph(
            image=self._bin(image),
            expected=self._bin(style.detector.expectation(electrons)),
            truth=self._truth(field) if particles else self._truth(field).iloc[:0],
            optics=optics,
            thickness_A=self._thickness(field),
        )

    def _item(self, index: int, part: str) -> int:
        return item_seed(self.seed, self.style.name, index, part)

    def _wave(
        self, field: Field, optics: Optics, particles: bool, generator: torch.Generator
    ) -> Tensor:
        """Complex (H, W) wave in the image plane."""
        style = self.style
        median_A = float(field.thickness_A.median())
        layers = max(1, ceil(median_A / LAYER_A))
        heights_A = (np.arange(layers) + 0.5) / layers * median_A - median_A / 2
        distance_A = np.abs(field.particles.positions_A[:, 2:] - heights_A)
        layer_of = distance_A.argmin(1)
        k_y, k_x = frequency_grid(self.shape_px, self.pixel_size_A)
        k_squared = k_y**2 + k_x**2
        envelope = torch.exp(-style.envelope_A2 / 4 * k_squared)
        w = style.amplitude_contrast
        phase = optics.interaction_rad_per_V_A * complex(-w, sqrt(1 - w**2))
        total = torch.zeros(self.shape_px, dtype=torch.complex64)
        for layer, height_A in enumerate(heights_A):
            spectrum = self._ice.spectrum(field.thickness_A / layers, generator)
            chosen = np.flatnonzero(layer_of == layer).tolist()
            if particles and chosen:
                spectrum += self._projector.spectrum(field.particles, chosen, self._groups)
            potential = torch.fft.irfft2(spectrum, s=self.shape_px)
            if layer == 0:  # crystals lie on the surface
                potential += _CRYSTAL_V * field.crystals_A
                if bool(field.film_A.any()):
                    grain = film_grain(field.film_A, self.pixel_size_A, generator)
                    potential += torch.fft.irfft2(grain, s=self.shape_px)
            exponent = phase * potential
            if layer == 0:  # what the film's body absorbs is in its loss
                exponent += 1j * optics.interaction_rad_per_V_A * FILM_V * field.film_A
            scattered = torch.fft.fft2(torch.exp(exponent) - 1)
            chi = _aberration(k_squared, optics, float(optics.defocus_u_A - height_A))
            total += scattered * torch.polar(envelope, -chi)
        wave: Tensor = 1 + torch.fft.ifft2(total)
        return wave

    def _bin(self, image: Tensor) -> Tensor:
        """From electrons a camera pixel to electrons a final pixel, without the margin."""
        binned = FINE**2 * fourier_crop(image, FINE)
        return binned[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX].contiguous()

    def _thickness(self, field: Field) -> Tensor:
        inner = field.thickness_A[MARGIN_PX * FINE :, MARGIN_PX * FINE :]
        height, width = (ceil(side / 8) * 8 * FINE for side in self.style.shape_px)
        cell = 8 * FINE
        return inner[:height, :width].unfold(0, cell, cell).unfold(1, cell, cell).mean((-1, -2))

    def _truth(self, field: Field) -> pd.DataFrame:
        particles = field.particles
        height, width = self.style.shape_px
        table = pd.DataFrame(
            {
                "species": [self.style.ingredients[k].species for k in particles.species],
                "conformation": particles.conformation,
                **_columns(("x_A", "y_A", "z_A"), particles.positions_A),
                **_columns(("rot_deg", "tilt_deg", "psi_deg"), particles.eulers_deg),
                "defocus_u_A": field.defocus_A - particles.positions_A[:, 2],
            }
        )
        x_px, y_px = (table[axis] / self.style.pixel_size_A for axis in ("x_A", "y_A"))
        inside = x_px.between(-0.5, width - 0.5) & y_px.between(-0.5, height - 0.5)
        return table[inside].reset_index(drop=True)


def render_oracle(
    style: OracleStyle, index: int, seed: int, particles: bool = True
) -> OracleMicrograph:
    """One micrograph of a style; for many, set up one `Oracle`."""
    return Oracle(style, seed).expose(index, particles)


def _columns(names: tuple[str, ...], values: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(names, values.T, strict=True))


def _aberration(k_squared: Tensor, optics: Optics, defocus_A: float) -> Tensor:
    wavelength_A = optics.wavelength_A
    spherical = 0.5 * optics.cs_mm * 1e7 * wavelength_A**3 * k_squared**2
    phase_rad = radians(optics.phase_shift_deg)
    return torch.pi * (spherical - wavelength_A * defocus_A * k_squared) - phase_rad
