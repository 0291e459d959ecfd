"""Which figure of the noise report card sees which fault: a matrix, and a table of its numbers.

    python benchmarks/faults.py --output benchmarks/faults [--micrographs 16] [--seed 0]

writes OUTPUT.png and OUTPUT.md. Real, training and generated micrographs are draws of one simulated
process, so the faultless generated side is at the floor. Then it gets each fault of `faulty` in
four strengths. Changes from the floor are in units of the detectable one,

    D = (z_0.975 + z_0.8) sd ,

which a two-sided test at 5 % finds in four of five experiments; sd is the standard deviation of the
figure when labels of real and faultless micrographs are exchanged at random, or of its jackknife
where it takes no real ones; a share that never varied, such as that of micrographs with rings, has
D = 1 / n. A figure sees a fault from 1 D on.
"""

import argparse
import time
from dataclasses import dataclass
from math import nan
from pathlib import Path
from statistics import stdev

import torch
from faultless import DIAMETER_A, Draw, Microscope
from faults_page import REACH, Response, draw_matrix, write_page
from faulty import FAULTS, Fault
from scipy.stats import t as student_t

from cryoccd.imaging.lens import Lens
from cryoccd.io.progress import progress_bar
from cryoccd.metrics.card import Described, Metric, ReportCard
from cryoccd.metrics.features.crop_features import ScatteringExtractor
from cryoccd.metrics.features.memorisation import training_features
from cryoccd.metrics.learnt import Learnt
from cryoccd.metrics.measure import Field
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.metrics.signal.calibration import Calibration
from cryoccd.metrics.signal.detectability import Detectability
from cryoccd.metrics.standard import standard_card
from cryoccd.metrics.statistics.intervals import MAX_BLOCKS

_PERMUTATIONS = 99
_HEAD = """{n} real, {n} training and {n} generated micrographs of 256 px at 4 A, all draws of one
simulated process: about 10 particles of `assembly:barrel_d7` (180 A) each, wedged ice of 400 A with
three times the noise of amorphous ice, defocus 1.2 to 2.2 um, 10 e/A^2, integrating camera; labels
are exact. The generated side then gets each fault in four strengths, while its labels, clean images
and optics stay (a copied micrograph keeps its own).

D = (z_0.975 + z_0.8) sd is a change that a two-sided test at 5 % finds in four of five experiments;
sd from {permutations} exchanges of labels between real and faultless micrographs, or from the
jackknife where a figure takes no real ones, and D = 1 / n where nothing varied. A figure sees a
fault where it changes by 1 D or more. It counts as monotone where it never falls back by more than
D or a tenth of its largest change."""


@dataclass(frozen=True)
class Bench:
    """A report card, its real side and the generated one without fault.

    Args:
        microscope: makes and spoils micrographs.
        card: learnt from training micrographs.
        real: held-out real side.
        made: the generated micrographs.
        floor: figures without fault.
        detectable: D of every figure.
    """

    microscope: Microscope
    card: ReportCard
    real: Described
    made: tuple[Draw, ...]
    floor: dict[str, float]
    detectable: dict[str, float]

    @classmethod
    def of(cls, n: int, seed: int) -> "Bench":
        """Draw n micrographs a side and learn."""
        scope = Microscope(n, seed)
        training = [draw.field() for draw in scope.training]
        real = [scope.draw(i).field() for i in range(n, 2 * n)]
        draws = tuple(scope.draw(i) for i in range(2 * n, 3 * n))
        made = [draw.field() for draw in draws]
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
            draws,
            {name: nan if m.value is None else m.value for name, m in floor.items()},
            {name: REACH * sd if sd > 0 else 1 / n for name, sd in spread.items()},
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
            (fault.apply(scope, draw, strength) for draw in self.made), "generated"
        )
        values: dict[str, float] = {}
        for measure, real, generated in zip(
            self.card.measures, self.real.statistics, made.statistics, strict=True
        ):
            values |= measure.compare(real, generated)
        return values


def card_of(training: list[Field], made: list[Field]) -> ReportCard:
    """The standard card, learnt from training micrographs and clean images of generated ones."""
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
    parser.add_argument("--micrographs", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    begun, n = time.process_time(), options.micrographs
    bench = Bench.of(n, options.seed)
    with progress_bar() as progress:
        responses = {
            fault.name: bench.response(fault)
            for fault in progress.track(FAULTS, description="faults")
        }
    minutes = (time.process_time() - begun) / 60
    draw_matrix(options.output.with_suffix(".png"), responses)
    head = (
        f"`python benchmarks/faults.py --micrographs {n} --seed {options.seed}`, {minutes:.0f} "
        f"minutes of one core.\n\n{_HEAD.format(n=n, permutations=_PERMUTATIONS)}"
    )
    write_page(options.output.with_suffix(".md"), responses, FAULTS, bench.card.figures, head)


if __name__ == "__main__":
    main()
