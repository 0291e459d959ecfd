"""What the ice does to the beam and to the image, beside holding the particles."""

from dataclasses import dataclass

from cryoccd.errors import check_within


@dataclass(frozen=True)
class SolventConfig:
    """The ice as a scatterer.

    Args:
        noise: amplitude of its structural noise; 1 is what independent molecules at the structure
            factor of amorphous ice give, 0 none.
        mean_free_path_A: of inelastic scattering; 3100 at 300 kV, 2400 at 200 kV.
        inelastic_kept: share of the inelastic electrons that reach the camera as a flat
            background; 0 with an energy filter.
    """

    noise: float = 1.0
    mean_free_path_A: float = 3100.0
    inelastic_kept: float = 0.0

    def __post_init__(self) -> None:
        check_within("solvent: noise", self.noise, 0, 100, "times the noise of amorphous ice")
        check_within("solvent: mean_free_path_A", self.mean_free_path_A, 100, 1e9, "angstrom")
        check_within("solvent: inelastic_kept", self.inelastic_kept, 0, 1, "a share")
