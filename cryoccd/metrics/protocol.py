"""What two report cards must have in common to be compared."""

from dataclasses import asdict, dataclass
from typing import Any

from cryoccd.errors import CryoccdError
from cryoccd.metrics.features.scattering import WaveletScattering
from cryoccd.metrics.images import VALUE_LIMIT
from cryoccd.metrics.spectral.tile_power import LEAST_TILE_PX


@dataclass(frozen=True)
class NoiseProtocol:
    """Sizes, counts and seed.

    Args:
        crop_px: side of the crops whose features are compared.
        crops_per_micrograph: how many.
        tile_px: side of the tiles of the spectra, cut down to the smallest field.
        particle_diameter_A: diameter of the particle masks; None leaves out what needs them.
        seed: of the choice of crops.

    Raises:
        CryoccdError: no crop, or a tile of no spectrum.
    """

    crop_px: int = 64
    crops_per_micrograph: int = 16
    tile_px: int = 128
    particle_diameter_A: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.crops_per_micrograph < 1:
            raise CryoccdError(
                f"crops_per_micrograph = {self.crops_per_micrograph}, expected 1 or more"
            )
        if self.tile_px < LEAST_TILE_PX:
            raise CryoccdError(f"tile_px = {self.tile_px}, expected {LEAST_TILE_PX} or more")

    def as_dict(self) -> dict[str, Any]:
        """All that is fixed, for the record beside the figures."""
        return asdict(self) | {
            "normalisation": f"median 0, 1.4826 MAD = 1, cut at +-{VALUE_LIMIT:g}",
            "scattering": WaveletScattering(self.crop_px).version,
        }
