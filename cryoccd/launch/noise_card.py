"""One generated set against real micrographs: the card, its anchors and its tests."""

from dataclasses import dataclass
from typing import Any

from rich.console import Console

from cryoccd.launch.noise_sets import Sets
from cryoccd.metrics.anchors import white_like
from cryoccd.metrics.card import Described, Metric, ReportCard
from cryoccd.metrics.features.crop_features import ScatteringExtractor
from cryoccd.metrics.learnt import Learnt
from cryoccd.metrics.networks.deep import DeepWeights
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.metrics.standard import PANEL, fitting_protocol, lens_of, standard_card
from cryoccd.metrics.statistics.verdict import Verdict, verdicts
from cryoccd.report.noise_card import Difference, NoiseCard

_FEWEST_TO_HALVE = 4


@dataclass(frozen=True)
class Tests:
    """What is done beside the figures.

    Args:
        permutations: exchanges of the tests; 0 for none.
        anchors: floor, halves and ceiling.
    """

    permutations: int = 239
    anchors: bool = True


def make_noise_card(
    sets: Sets,
    protocol: NoiseProtocol,
    weights: DeepWeights,
    tests: Tests,
    inputs: dict[str, Any],
    console: Console,
) -> NoiseCard:
    """The card of these sets.

    Args:
        sets: what is compared.
        protocol: sizes, counts and seed.
        weights: networks beside.
        tests: what else is done.
        inputs: for the record.
        console: where the user is told what is done.

    Raises:
        CryoccdError: sets that cannot be compared, or parts that do not fit them.
    """
    protocol = fitting_protocol(protocol, sets.all())
    with console.status("learning from the real training micrographs"):
        scattering = ScatteringExtractor(protocol.crop_px)
        learnt = Learnt.of(sets.training, sets.generated, scattering, protocol)
        deep = weights.measures(sets.real, protocol)
    lens = lens_of(sets.generated) or lens_of(sets.real)
    card = standard_card(protocol, learnt, scattering, lens, deep)
    with console.status(f"measuring {len(sets.real)} real micrographs"):
        real = card.describe(sets.real, "real")
    with console.status(f"measuring {len(sets.generated)} generated micrographs"):
        made = card.describe(sets.generated, "generated")
    metrics = card.compare(real, made)
    with console.status("anchors: real against real, and white noise"):
        anchors = _anchors(card, sets, real, protocol.seed) if tests.anchors else {}
    panel = [name for name in PANEL if metrics[name].value is not None]
    judged: dict[str, Verdict] = {}
    differences: dict[str, Difference] = {}
    if tests.permutations and panel:
        with console.status(f"{tests.permutations} exchanges of micrographs"):
            found = card.exchanged(real, made, tests.permutations, protocol.seed, panel)
            judged = verdicts(found)
            if sets.other is not None:
                two = card.describe(sets.other, "generated")
                pairs = card.contrasted(real, made, two, tests.permutations, protocol.seed, panel)
                ruled = verdicts(pairs)
                differences = {name: Difference(pairs[name].value, ruled[name]) for name in ruled}
    fixed = protocol.as_dict() | weights.protocol() | {"permutations": tests.permutations}
    title = f"{inputs['generated']} against {inputs['real']}"
    return NoiseCard(title, card.figures, metrics, anchors, judged, differences, fixed, inputs)


def _anchors(
    card: ReportCard, sets: Sets, real: Described, seed: int
) -> dict[str, dict[str, Metric]]:
    anchors = {}
    if sets.training is not None:
        anchors["floor"] = card.compare(real, card.describe(sets.training, "generated"))
    if len(real) >= _FEWEST_TO_HALVE:
        as_made = card.describe(sets.real, "generated")
        even, odd = range(0, len(real), 2), range(1, len(real), 2)
        anchors["halves"] = card.compare(real.take(even), as_made.take(odd))
    white = white_like(sets.real, seed)
    anchors["ceiling"] = card.compare(real, card.describe(white, "generated"))
    return anchors
