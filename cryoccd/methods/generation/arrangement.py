"""What a user chooses of composed tomograms: where particles go, and how boxes go in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryoccd.errors import CryoccdError, check_within
from cryoccd.io.atomic import sha256_file
from cryoccd.io.tomograms.voxels import Triple
from cryoccd.methods.generation.file_names import check_file_name
from cryoccd.methods.generation.placing import Placed, read_places


@dataclass(frozen=True)
class Arrangement:
    """Where particles go.

    Args:
        shape: voxels along z, y, x; None takes that of the first measured tomogram.
        count: tomograms to draw, where no picks are given.
        particles: in each of them; None as crowded as the measured ones.
        picks: places of the particles instead, a tomogram for each that they name.
        picks_pixel_size_A: what 1 in x, y, z of them is; None takes what they tell, else voxels.

    Raises:
        CryoccdError: numbers out of their range, or particles beside picks.
    """

    shape: Triple | None = None
    count: int = 1
    particles: int | None = None
    picks: Path | None = None
    picks_pixel_size_A: float | None = None

    def __post_init__(self) -> None:
        check_within("count", self.count, 1, 10**6, "tomograms")
        for side in self.shape or ():
            check_within("shape", side, 8, 10**4, "voxels")
        if self.particles is not None and self.picks is not None:
            raise CryoccdError("particles beside picks, expected one of them")
        if self.particles is not None and self.particles < 0:
            raise CryoccdError(f"particles = {self.particles}, expected 0 or more")

    def read(
        self, classes: Sequence[str], labels: Sequence[int], shape: Triple, voxel_size_A: float
    ) -> dict[str, Placed]:
        """Particles of the picks by tomogram; empty where there are no picks.

        Raises:
            CryoccdError: see `read_places`; or a tomogram's name that cannot be that of a file.
        """
        if self.picks is None:
            return {}
        unit_A = self.picks_pixel_size_A
        known = read_places(self.picks, classes, labels, shape, voxel_size_A, unit_A)
        for name in known:
            check_file_name(f"{self.picks}: tomogram", name)
        return known

    def told(self) -> dict[str, Any]:
        """What decides where particles go, for the manifest."""
        if self.picks is None:
            return {"count": self.count, "particles": self.particles}
        files = sorted(p for p in self.picks.rglob("*") if p.is_file()) or [self.picks]
        sums = [sha256_file(path) for path in files]
        return {"picks_sha256": sums, "picks_pixel_size_A": self.picks_pixel_size_A}


@dataclass(frozen=True)
class BlendOptions:
    """How boxes go into the background.

    Args:
        diameters_A: of classes by name, instead of those of their maps.
        margin_A: about a particle that is as in its box.
        rim_A: over which a box goes over into the background.
        density: draw poses, and tell the model of the density of all particles in the box.
        batch_size: boxes at once.
    """

    diameters_A: Mapping[str, float] = field(default_factory=dict)
    margin_A: float = 20.0
    rim_A: float = 80.0
    density: bool = False
    batch_size: int = 8

    def __post_init__(self) -> None:
        check_within("margin_A", self.margin_A, 0, 1e4, "angstrom")
        check_within("rim_A", self.rim_A, 0, 1e4, "angstrom")
        check_within("batch_size", self.batch_size, 1, 10**6, "boxes")
