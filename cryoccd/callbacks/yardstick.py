"""What models are measured by: real micrographs, described once, and simulated ones to translate.

Training, `cryoccd test` and the tables give the same figures of the same micrographs: all translate
with `translate_micrograph` and compare with `ReportCard`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import torch

from cryoccd.errors import CryoccdError
from cryoccd.io.folder import MicrographFolder
from cryoccd.methods.base import Translator
from cryoccd.methods.translate import translate_micrograph
from cryoccd.metrics.card import Described, Metric, ReportCard
from cryoccd.metrics.features.crop_features import ScatteringExtractor
from cryoccd.metrics.features.memorisation import Memorisation
from cryoccd.metrics.fields import FieldFolder
from cryoccd.metrics.images import normalised
from cryoccd.metrics.learnt import Learnt
from cryoccd.metrics.measure import Field
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.metrics.signal.label_rates import LabelRates
from cryoccd.metrics.signal.signal_slope import SignalSlope
from cryoccd.metrics.standard import LeftOut, fitting_protocol, lens_of, standard_card

_OF_CLEAN = {figure.name for figure in (*SignalSlope.figures, *LabelRates.figures)}


class Yardstick:
    """The noise report of any number of models on the same micrographs.

    Args:
        real: micrographs that models are compared with.
        simulated: what models translate.
        training: other real micrographs, which figures such as contrast_error_db learn from; None
            for none.
        figures: their names.
        protocol: sizes and counts; the diameter is that of `real`.

    Raises:
        CryoccdError: a figure that nobody knows, or micrographs that cannot be used.
    """

    def __init__(
        self,
        real: FieldFolder,
        simulated: FieldFolder,
        training: FieldFolder | None,
        figures: Sequence[str],
        protocol: NoiseProtocol,
    ) -> None:
        if simulated.truth is None:
            raise CryoccdError(f"{simulated.folder.root}: expected a simulated set to translate")
        sets = [real, simulated] + ([training] if training else [])
        asked = replace(protocol, particle_diameter_A=real.diameter_A)
        self.figures = tuple(dict.fromkeys(figures))
        self.simulated, self.truth = simulated, simulated.truth
        self.protocol = fitting_protocol(asked, sets)
        self.card = self._card(training)
        self.real = self.card.describe(real, "real")

    def ideal(self, figure: str) -> float:
        """The value of a perfect model."""
        return self.card.figures[figure].ideal

    def missing(self) -> dict[str, str]:
        """What figures lack on the real side, by their names; those that lack nothing are absent.

        The simulated side has labels and clean images.
        """
        lacking: dict[str, str] = {}
        for measure, lacks in zip(self.card.measures, self.real.lacking, strict=True):
            few = f"{measure.fewest} micrographs" if len(self.real) < measure.fewest else ""
            lacking |= {figure.name: lacks or few for figure in measure.figures}
        return {name: lacking[name] for name in self.figures if lacking[name]}

    def translated(
        self,
        model: Translator,
        names: Iterable[str] | None = None,
        seed: int = 0,
        style: int = 0,
    ) -> Iterator[Field]:
        """Micrographs as `cryoccd translate` makes them, where the model is; None takes all.

        Raises:
            CryoccdError: the method gave NaN, or a constant.
        """
        device, folder = str(model.device), self.simulated.folder
        for name in self.simulated.names if names is None else names:
            item = translate_micrograph(model, self.truth, name, seed, style, device)
            assert item.image is not None  # a translation has one
            picks = folder.picks_px(name)
            yield Field(
                image=normalised(torch.from_numpy(item.image), f"{self.truth.root}: {name}"),
                pixel_size_A=folder.pixel_size_A,
                centres_px=None if picks is None else torch.from_numpy(picks),
                diameter_A=self.simulated.diameter_A,
                clean=item.exposure.clean,
                optics=item.exposure.optics,
            )

    def compare(self, made: Described) -> dict[str, Metric]:
        """The figures of described translations."""
        report = self.card.compare(self.real, made)
        return {name: report[name] for name in self.figures}

    def _card(self, training: FieldFolder | None) -> ReportCard:
        """The measures of the figures; training micrographs are read where one learns from them."""
        scattering = ScatteringExtractor(self.protocol.crop_px)
        lens = lens_of(self.simulated)
        card = standard_card(self.protocol, Learnt(), scattering, lens).only(self.figures)
        if training is None or not any(isinstance(measure, LeftOut) for measure in card.measures):
            return card
        clean = self.simulated if _OF_CLEAN & set(self.figures) else None
        remembered = {figure.name for figure in Memorisation.figures} & set(self.figures)
        extractor = scattering if remembered else None
        learnt = Learnt.of(training, clean, extractor, self.protocol)
        return standard_card(self.protocol, learnt, scattering, lens).only(self.figures)


def diameter_A(folder: MicrographFolder) -> float | None:
    """The particle diameter of the optics; None where they do not tell it."""
    try:
        return folder.optics().particle_diameter_A
    except CryoccdError:
        return None
