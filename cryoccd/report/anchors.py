"""Rows of a table that are no methods: what the others are read against."""

from dataclasses import dataclass

FLOOR = "real_floor"
CEILING = "white_ceiling"


@dataclass(frozen=True)
class Anchors:
    """The rows of a table that are no methods.

    Args:
        first: rows above the methods.
        last: rows below them.
        bound: the one that no method should beat: real data in place of generated ones.
        name: what it is called in the remarks.
    """

    first: tuple[str, ...]
    last: tuple[str, ...]
    bound: str
    name: str

    @property
    def all(self) -> tuple[str, ...]:
        """Every one."""
        return self.first + self.last

    def around(self, methods: list[str] | tuple[str, ...]) -> tuple[str, ...]:
        """The rows of a table in order."""
        return (*self.first, *(m for m in methods if m not in self.all), *self.last)


NOISE = Anchors((FLOOR,), (CEILING,), FLOOR, "the floor")
"""Real training micrographs, and white noise of the real strength."""

REAL_TRAIN = "real_train"
TEMPLATE = "template"
RANDOM_PICKS = "random_picks"
TOPAZ_PRETRAINED = "topaz_pretrained"

PICKING = Anchors((REAL_TRAIN,), (TEMPLATE, RANDOM_PICKS), REAL_TRAIN, "a picker of real labels")
"""A picker trained on the real training split; template matching; picks anywhere."""

PICKING_TOPAZ = Anchors(
    PICKING.first, (TOPAZ_PRETRAINED, *PICKING.last), PICKING.bound, PICKING.name
)
"""The same, and the detector that comes with Topaz."""

TRUE_POSES = "true_poses"
RANDOM_POSES = "random_poses"

POSE = Anchors((TRUE_POSES, REAL_TRAIN), (RANDOM_POSES,), REAL_TRAIN, "an estimator of real poses")
"""True poses; an estimator trained on the real training split; poses anywhere."""

TRUE_PICKS = "true_picks"

RESOLUTION = Anchors(
    (TRUE_PICKS, REAL_TRAIN),
    (TEMPLATE, RANDOM_PICKS, RANDOM_POSES),
    TRUE_PICKS,
    "the true picks",
)
"""True picks; a picker trained on real ones; template matching; chance; true picks, turned."""

REAL_HALF = "real_half"
PHASE_NOISE = "phase_noise"

VOLUME = Anchors((REAL_HALF,), (PHASE_NOISE,), REAL_HALF, "real boxes of other tomograms")
"""Half of the held-out tomograms beside the other half; noise of the spectrum of real boxes."""

NAMES = frozenset((*NOISE.all, *PICKING_TOPAZ.all, *POSE.all, *RESOLUTION.all, *VOLUME.all))
"""Names that no row of another kind may have."""
