"""One data set of a noise table: every row through the report card."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from cryoccd.launch.column import Column, Outcome, Row
from cryoccd.launch.noise_gallery import draw_noise_gallery
from cryoccd.methods.checkpoint import load_translator
from cryoccd.metrics.anchors import WhiteLike
from cryoccd.metrics.card import Described, ReportCard
from cryoccd.metrics.features.crop_features import ScatteringExtractor
from cryoccd.metrics.fields import FieldFolder, read_fields
from cryoccd.metrics.learnt import Learnt
from cryoccd.metrics.measure import Field
from cryoccd.metrics.networks.deep import DeepWeights
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.metrics.standard import fitting_protocol, lens_of, standard_card
from cryoccd.randomness import item_seed
from cryoccd.report.anchors import FLOOR, NOISE, Anchors


@dataclass(frozen=True)
class NoiseColumn(Column):
    """One data set: every row's micrographs through the noise report card.

    Args:
        weights: networks for photographs that the report has beside.
    """

    weights: DeepWeights = field(default_factory=DeepWeights)

    picture: ClassVar[str] = "gallery"

    @property
    def anchors(self) -> Anchors:
        """Real training micrographs and white noise."""
        return NOISE

    def prepare(self) -> None:
        """Make the folders that are absent."""
        self.fits.prepare(self.spec)
        for side in self.matrix.sides:
            places = self.fits.runs.data(self.spec.name, side)
            self.spec.recipe_of(side).prepare_test(places.simulated_test, places.real)

    @cached_property
    def real_test(self) -> FieldFolder:
        """The real side that every row is compared with."""
        return read_fields(self.places.real, "test", diameter_A=self.diameter_A)

    @cached_property
    def real_train(self) -> FieldFolder:
        """The real side that methods are fitted on."""
        return read_fields(self.places.real, "train", diameter_A=self.diameter_A)

    @cached_property
    def clean_test(self) -> FieldFolder:
        """What is translated; its clean images tell what contrast equals the real one."""
        return read_fields(self.places.simulated_test, diameter_A=self.diameter_A)

    @cached_property
    def card_protocol(self) -> NoiseProtocol:
        """The pinned protocol of the evaluation."""
        asked = NoiseProtocol(
            crop_px=self.matrix.crop_px,
            crops_per_micrograph=self.matrix.crops_per_micrograph,
            tile_px=self.matrix.tile_px,
            particle_diameter_A=self.diameter_A,
        )
        return fitting_protocol(asked, [self.real_test, self.real_train, self.clean_test])

    def protocol(self) -> dict[str, Any]:
        """That of the card, and the weights."""
        return self.card_protocol.as_dict() | self.weights.protocol()

    @cached_property
    def card(self) -> ReportCard:
        """The measures, with what they learn from the real training split."""
        scattering = ScatteringExtractor(self.card_protocol.crop_px)
        learnt = Learnt.of(self.real_train, self.clean_test, scattering, self.card_protocol)
        deep = self.weights.measures(self.real_test, self.card_protocol, self.fits.device)
        return standard_card(self.card_protocol, learnt, scattering, lens_of(self.clean_test), deep)

    @cached_property
    def described(self) -> Described:
        """The real side, measured once for all rows."""
        return self.card.describe(self.real_test, "real")

    def decisive(self, row: Row, seed: int) -> dict[str, Any]:
        """The model, the seed, and what a variant changes."""
        model = row.trained_on and self.fits.hash(row.method, row.trained_on, seed)
        decisive: dict[str, Any] = {"seed": seed, "weights": self.weights.sha256, "model": model}
        if settings := self.matrix.variant(row.method).settings:
            decisive["set"] = settings
        if side := self.matrix.side_of(row.method):
            decisive["side"] = self.fits.runs.data(self.spec.name, side).hash
        return decisive

    def evaluate(self, row: Row, seed: int) -> Outcome:
        """Every figure of the card."""
        chosen: dict[str, Any] = {}
        generated: Iterable[Field]
        if row.trained_on:
            folder = self.fits.translate(row.method, row.trained_on, self.spec.name, seed)
            settings = self.matrix.variant(row.method).settings
            checkpoint = self.fits.checkpoint(row.method, row.trained_on, seed)
            chosen = dict(load_translator(checkpoint, settings).choices())
            generated = read_fields(folder, diameter_A=self.diameter_A)
        elif row.method == FLOOR:
            generated = self.real_train
        else:
            generated = WhiteLike(self.real_test, item_seed(seed, "white", self.spec.name))
        with self.console.status(f"evaluate · {row.method} · {self.spec.name}"):
            described = self.card.describe(generated, "generated")
            return Outcome(self.card.compare(self.described, described), chosen)

    def draw(self, path: Path, rows: Sequence[Row], seeds: Sequence[int]) -> bool:
        """Crops of the clean test set, of each row, and of the real test split."""
        shown = [r for r in rows if r.method in (self.matrix.gallery or self.matrix.methods)]
        generated = {}
        for row in shown:
            if row.trained_on:
                label, name = row.trained_on.label, self.spec.name
                folder = self.fits.runs.generated(row.method, label, name, seeds[0])
                if (folder / "manifest.json").is_file():
                    generated[row.method] = folder
        if generated:
            title = f"{self.spec.name} · real side: {self.spec.recipe.domain}"
            draw_noise_gallery(path, self.places, generated, 2 * self.matrix.crop_px, title)
        return bool(generated)
