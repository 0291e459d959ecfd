"""Which figure of the noise report card sees which fault: a matrix, and a table of its numbers.

    python benchmarks/faults.py --output benchmarks/faults [--micrographs 24] [--seed 0]

writes OUTPUT.png and OUTPUT.md. Real, training and generated micrographs are draws of one simulated
process, so the faultless generated side is at the floor. Then it gets each fault of `faulty` in
four strengths. Changes from the floor are in units of the detectable one,

    D = (z_0.975 + z_0.8) sd ,

which a two-sided test at 5 % finds in four of five experiments; sd is the standard deviation of the
figure when labels of real and faultless micrographs are exchanged at random, or of its jackknife
where it takes no real ones. A figure sees a fault from 1 D on.
"""

import argparse
import time
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from statistics import NormalDist, stdev

import torch
from faultless import DIAMETER_A, Microscope
from faults_page import Response, draw_matrix, page
from faulty import FAULTS, Fault
from scipy.stats import t as student_t

from cryoccd.imaging.lens import Lens
from cryoccd.io.progress import progress_bar
from cryoccd.metrics.calibration import Calibration
from cryoccd.metrics.card import Described, Metric, ReportCard
from cryoccd.metrics.crop_features import ScatteringExtractor
from cryoccd.metrics.detectability import Detectability
from cryoccd.metrics.intervals import MAX_BLOCKS
from cryoccd.metrics.learnt import Learnt
from cryoccd.metrics.measure import Field
from cryoccd.metrics.memorisation import training_features
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.metrics.standard import standard_card

_REACH = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
_PERMUTATIONS = 99


@dataclass(frozen=True)
class Bench:
    """A report card, its real side and the generated one without fault.

    Args:
        microscope: makes and spoils micrographs.
        card: learnt from training micrographs.
        real: held-out real side.
        indices: of the generated micrographs.
        floor: figures without fault.
        detectable: D of every figure.
    """

    microscope: Microscope
    card: ReportCard
    real: Described
    indices: range
    floor: dict[str, float]
    detectable: dict[str, float]

    @classmethod
    def of(cls, n: int, seed: int) -> "Bench":
        """Draw n micrographs a side and learn."""
        scope = Microscope(n, seed)
        training = [draw.field() for draw in scope.training]
        real, made = (
            [scope.draw(i).field() for i in range(k * n, (k + 1) * n)] for k in (1, 2)
        )
        card = card_of(training, made)
        sides = card.describe(real, "real"), card.describe(made, "generated")
        floor = card.compare(*sides)
        tests = card.exchanged(*sides, _PERMUTATIONS, seed, list(card.figures))
        spread = {name: _spread(metric, n) for name, metric in floor.items()}
        spread |= {name: stdev(test.null) for name, test in tests.items()}
        return cls(
            scope,
            card,
            sides[0],
            range(2 * n, 3 * n),
            {name: nan if m.value is None else m.value for name, m in floor.items()},
            {name: _REACH * sd for name, sd in spread.items()},
        )

    def response(self, fault: Fault) -> dict[str, Response]:
        """Of every figure to a fault."""
        values = [self._values(fault, strength) for strength in fault.strengths]
        return {
            name: Response(self.floor[name], tuple(v[name] for v in values), self.detectable[name])
            for name in self.card.figures
        }

    def _values(self, fault: Fault, strength: float) -> dict[str, float]:
        scope = self.microscope
        made = self.card.describe(
            (fault.apply(scope, scope.draw(i), strength) for i in self.indices), "generated"
        )
        values: dict[str, float] = {}
        for measure, real, generated in zip(
            self.card.measures, self.real.statistics, made.statistics, strict=True
        ):
            values |= measure.compare(real, generated)
        return values


def card_of(training: list[Field], made: list[Field]) -> ReportCard:
    """The standard card, learnt from training micrographs and the clean images of generated ones."""
    protocol, scattering = NoiseProtocol(particle_diameter_A=DIAMETER_A), ScatteringExtractor(64)
    images, centres = [f.image for f in training], [f.centres_px for f in training]
    found = Detectability.fit(images, centres, DIAMETER_A / training[0].pixel_size_A)
    clean = [f.clean for f in made], [f.centres_px for f in made]
    calibration = Calibration.fit(found, (images, centres), clean)
    features = training_features(
        scattering, training, protocol.crop_px, 4 * protocol.crops_per_micrograph, protocol.seed
    )
    optics = training[0].optics
    lens = Lens(optics.voltage_kV, optics.cs_mm, optics.amplitude_contrast)
    return standard_card(protocol, Learnt(found, calibration, features, "", ""), scattering, lens)


def _spread(metric: Metric, n: int) -> float:
    """Standard deviation of a jackknifed figure."""
    if metric.ci_low is None or metric.ci_high is None:
        return nan
    quantile = float(student_t.ppf(0.975, min(n, MAX_BLOCKS) - 1))
    return (metric.ci_high - metric.ci_low) / 2 / quantile


def main() -> None:
    """Measure all and write the matrix and its table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("benchmarks/faults"))
    parser.add_argument("--micrographs", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    begun = time.monotonic()
    bench = Bench.of(options.micrographs, options.seed)
    with progress_bar() as progress:
        responses = {
            fault.name: bench.response(fault)
            for fault in progress.track(FAULTS, description="faults")
        }
    minutes = (time.monotonic() - begun) / 60
    draw_matrix(options.output.with_suffix(".png"), responses)
    text = page(responses, FAULTS, bench.card, options, minutes)
    options.output.with_suffix(".md").write_text(text, encoding="utf8")


if __name__ == "__main__":
    main()
