"""One generated set against real micrographs: the card, its anchors and its tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rich.console import Console

import cryoccd
from cryoccd.launch.noise_sets import Sets
from cryoccd.launch.noise_statistics import NoiseStatistics
from cryoccd.metrics.anchors import WhiteLike
from cryoccd.metrics.card import Described, Metric, ReportCard
from cryoccd.metrics.features.crop_features import ScatteringExtractor
from cryoccd.metrics.learnt import Learnt
from cryoccd.metrics.measure import Fields, Side
from cryoccd.metrics.networks.deep import DeepWeights
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.metrics.standard import PANEL, fitting_protocol, lens_of, standard_card
from cryoccd.metrics.statistics.verdict import Verdict, verdicts
from cryoccd.report.noise_card import Difference, NoiseCard
from cryoccd.report.provenance import hash_config

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


@dataclass(frozen=True)
class NoiseTask:
    """A card that is to be made.

    Args:
        sets: what is compared.
        protocol: sizes, counts and seed, with the tile cut down to the smallest micrograph.
        weights: networks beside.
        tests: what else is done.
        inputs: for the record.
    """

    sets: Sets
    protocol: NoiseProtocol
    weights: DeepWeights
    tests: Tests
    inputs: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        sets: Sets,
        protocol: NoiseProtocol,
        weights: DeepWeights,
        tests: Tests,
        inputs: Mapping[str, Any],
    ) -> "NoiseTask":
        """The task with a tile that fits.

        Raises:
            CryoccdError: sets that cannot be compared.
        """
        return cls(sets, fitting_protocol(protocol, sets.all()), weights, tests, inputs)

    @property
    def fixed(self) -> dict[str, Any]:
        """What must be equal for two cards to be compared."""
        tests = {"permutations": self.tests.permutations}
        return self.protocol.as_dict() | self.weights.protocol() | tests

    @cached_property
    def made_by(self) -> str:
        """Hash of all that the card depends on; of the micrographs by names, sizes and times."""
        files = {
            str(each.folder.root): [each.folder.path(name).stat() for name in each.names]
            for each in self.sets.all()
        }
        return hash_config(
            {
                "version": cryoccd.__version__,
                "protocol": self.fixed,
                "anchors": self.tests.anchors,
                "inputs": dict(self.inputs),
                "files": {
                    root: [(each.st_size, each.st_mtime_ns) for each in own]
                    for root, own in files.items()
                },
            }
        )

    @cached_property
    def sides(self) -> dict[str, tuple[Fields, Side]]:
        """What is described: the two sides, the anchors, and the other method."""
        sets = self.sets
        sides: dict[str, tuple[Fields, Side]] = {
            "real": (sets.real, "real"),
            "generated": (sets.generated, "generated"),
        }
        if self.tests.anchors:
            if sets.training is not None:
                sides["floor"] = (sets.training, "generated")
            if len(sets.real) >= _FEWEST_TO_HALVE:
                sides["halves"] = (sets.real, "generated")
            sides["ceiling"] = (WhiteLike(sets.real, self.protocol.seed), "generated")
        if sets.other is not None and self.tests.permutations:
            sides["against"] = (sets.other, "generated")
        return sides

    def describe(self, statistics: NoiseStatistics, console: Console) -> ReportCard:
        """Describe this process's share of all micrographs.

        Args:
            statistics: where they are kept.
            console: where the user is told what is done.

        Returns:
            The measures.

        Raises:
            CryoccdError: parts that do not fit the sets.
        """
        sets, protocol = self.sets, self.protocol
        with console.status("learning from the real training micrographs"):
            scattering = ScatteringExtractor(protocol.crop_px)
            learnt = statistics.learnt(
                lambda: Learnt.of(sets.training, sets.generated, scattering, protocol)
            )
            deep = self.weights.measures(sets.real, protocol)
        lens = lens_of(sets.generated) or lens_of(sets.real)
        card = standard_card(protocol, learnt, scattering, lens, deep)
        for name, (fields, side) in self.sides.items():
            with console.status(f"measuring {len(fields)} micrographs: {name}"):
                statistics.describe(card, name, fields, side)
        return card

    def compare(
        self, card: ReportCard, sides: Mapping[str, Described], console: Console
    ) -> NoiseCard:
        """The card of statistics of all micrographs.

        Raises:
            CryoccdError: parts that do not fit each other.
        """
        real, made = sides["real"], sides["generated"]
        metrics = card.compare(real, made)
        with console.status("anchors: real against real, and white noise"):
            anchors = _anchors(card, sides)
        panel = [name for name in PANEL if metrics[name].value is not None]
        judged: dict[str, Verdict] = {}
        differences: dict[str, Difference] = {}
        exchanges = (self.tests.permutations, self.protocol.seed, panel)
        if self.tests.permutations and panel:
            with console.status(f"{self.tests.permutations} exchanges of micrographs"):
                judged = verdicts(card.exchanged(real, made, *exchanges))
                if "against" in sides:
                    pairs = card.contrasted(real, made, sides["against"], *exchanges)
                    ruled = verdicts(pairs)
                    differences = {n: Difference(pairs[n].value, ruled[n]) for n in ruled}
        return NoiseCard(
            title=f"{self.inputs['generated']} against {self.inputs['real']}",
            figures=card.figures,
            metrics=metrics,
            anchors=anchors,
            verdicts=judged,
            differences=differences,
            protocol=self.fixed,
            inputs=self.inputs,
            made_by=self.made_by,
        )


def _anchors(card: ReportCard, sides: Mapping[str, Described]) -> dict[str, dict[str, Metric]]:
    real, anchors = sides["real"], {}
    for name in ("floor", "halves", "ceiling"):
        if name not in sides:
            continue
        one, two = real, sides[name]
        if name == "halves":
            one, two = real.take(range(0, len(real), 2)), two.take(range(1, len(real), 2))
        anchors[name] = card.compare(one, two)
    return anchors
