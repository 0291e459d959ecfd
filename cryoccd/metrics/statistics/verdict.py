"""What permutation tests find, and the smallest fault that they would have seen.

Of m figures tested together, one is a finding at p <= 0.05 / m (Bonferroni). "Indistinguishable"
alone says little, as few micrographs see nothing, so a verdict has the power of its test: the
critical deviation from the ideal, above which the figure would have been a finding, and the
detectable one,

    critical + z_0.8 sd(t_b) ,

a true deviation that is found in four of five experiments, if figures vary as much between
experiments as under exchange. Both are infinite where the random exchanges, or those that so few
micrographs allow, are too few for any finding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, inf, isfinite
from statistics import NormalDist, stdev

from cryoccd.errors import CryoccdError
from cryoccd.metrics.statistics.permutation import Exchange

LEVEL = 0.05
POWER = 0.8


@dataclass(frozen=True)
class Verdict:
    """What a test says of one figure.

    Args:
        p: not corrected.
        level: which p must not exceed to be a finding, after the correction.
        critical: smallest measured deviation from the ideal that would have been one.
        detectable: true deviation that is found with a power of 80 %.
    """

    p: float
    level: float
    critical: float
    detectable: float

    @property
    def indistinguishable(self) -> bool:
        """Nothing found; worth as much as `detectable` is small."""
        return self.p > self.level


def smallest_seen(test: Exchange, level: float = LEVEL) -> tuple[float, float]:
    """Critical and detectable deviation from the ideal, in units of the figure.

    Args:
        test: exchanges of a figure; of data with a gross fault they are wide, and both too large.
        level: the p that counts as a finding.
    """
    critical = test.critical(level)
    if not isfinite(critical) or not all(isfinite(t) for t in test.null):
        return critical, inf
    spread = stdev(test.null) if len(test.null) > 1 else 0.0
    return critical, critical + NormalDist().inv_cdf(POWER) * spread


def verdicts(tests: Mapping[str, Exchange], level: float = LEVEL) -> dict[str, Verdict]:
    """Every defined figure, tested together at one level (Bonferroni).

    Raises:
        CryoccdError: too few permutations for any finding among so many figures.
    """
    defined = {name: test for name, test in tests.items() if isfinite(test.value)}
    fewest = permutations_needed(len(defined), level)
    drawn = min((len(test.null) for test in defined.values()), default=fewest)
    if drawn < fewest:
        raise CryoccdError(
            f"permutations = {drawn}, expected {fewest} or more to test {len(defined)} figures "
            f"together at {level:g}; raise it or test fewer"
        )
    each = level / max(len(defined), 1)
    return {
        name: Verdict(test.p, each, *smallest_seen(test, each)) for name, test in defined.items()
    }


def permutations_needed(figures: int, level: float = LEVEL) -> int:
    """The fewest permutations by which one of so many figures can be a finding."""
    return ceil(figures / level - 1e-9) - 1
