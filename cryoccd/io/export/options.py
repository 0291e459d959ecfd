"""What a user may choose of an export."""

from dataclasses import dataclass

from cryoccd.errors import CryoccdError, check_within


@dataclass(frozen=True)
class ExportOptions:
    """Choices; each format takes those that concern it.

    Args:
        stacks: whether to cut out the particles.
        box_px: box of a particle in pixels, even; by default that of the largest species map.
        float16: half precision for stacks (RELION 4 and later).
        normalise: bring the background of each box to mean 0 and standard deviation 1; by default
            where the images have noise.
        species: species to export; by default all.
        particle_diameter_A: by default measured on the labels.
        downsample: factor of the micrographs for Topaz; by default chosen from the diameter.
    """

    stacks: bool = True
    box_px: int | None = None
    float16: bool = False
    normalise: bool | None = None
    species: tuple[str, ...] | None = None
    particle_diameter_A: float | None = None
    downsample: int | None = None

    def __post_init__(self) -> None:
        if self.box_px is not None:
            check_within("export: box_px", self.box_px, 8, 65536, "pixels")
            if self.box_px % 2:
                raise CryoccdError(f"export: box_px = {self.box_px}, expected an even number")
        if self.species is not None and not 0 < len(self.species) == len(set(self.species)):
            given = ",".join(self.species)
            raise CryoccdError(f"export: species = {given!r}, expected names, each of them once")
        if self.particle_diameter_A is not None:
            check_within(
                "export: particle_diameter_A", self.particle_diameter_A, 1, 1e5, "angstrom"
            )
        if self.downsample is not None:
            check_within("export: downsample", self.downsample, 1, 64, "a whole factor")
