"""The standard report card: which measures it has, and which of its figures are tested together."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from cryoccd.imaging.lens import Lens
from cryoccd.metrics.card import ReportCard
from cryoccd.metrics.features.crop_features import ScatteringExtractor
from cryoccd.metrics.features.feature_distance import FeatureDistance
from cryoccd.metrics.features.frechet_limit import FrechetLimit
from cryoccd.metrics.features.memorisation import Memorisation
from cryoccd.metrics.features.two_sample import TwoSampleClassifier
from cryoccd.metrics.fields import FieldFolder
from cryoccd.metrics.learnt import Learnt
from cryoccd.metrics.measure import Field, Figure, Measure
from cryoccd.metrics.noise.autocorrelation import NoiseAutocorrelation
from cryoccd.metrics.noise.low_frequency import LowFrequencyField
from cryoccd.metrics.noise.noise_variance import NoiseVariance
from cryoccd.metrics.noise.pixel_values import PixelValues
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.metrics.signal.contrast_error import ContrastError
from cryoccd.metrics.signal.label_rates import LabelRates
from cryoccd.metrics.signal.signal_slope import SignalSlope
from cryoccd.metrics.spectral.anisotropy import Anisotropy
from cryoccd.metrics.spectral.ctf_refit import CtfRefit
from cryoccd.metrics.spectral.lattice import LatticePeaks
from cryoccd.metrics.spectral.spectra import SpectrumError, fitting_tile_px

PANEL = (
    "psd_background_db",
    "psd_particle_db",
    "lattice_peak_db",
    "acf_rmse",
    "low_frequency_db",
    "histogram_w1",
    "variance_map_db",
    "particle_snr_error_db",
    "ctf_score_difference",
    "fd_scattering",
    "classifier_auc",
)
"""Tested together for "indistinguishable": one of each kind, as each one more weakens the rest."""

_LATTICE_PX = 64


def standard_card(
    protocol: NoiseProtocol,
    learnt: Learnt,
    scattering: ScatteringExtractor,
    lens: Lens | None = None,
    deep: Sequence[Measure[Any]] = (),
) -> ReportCard:
    """All measures; those that lack something are there and say what.

    Args:
        protocol: sizes, with the tile cut down to the smallest field.
        learnt: from real training micrographs.
        scattering: the extractor that `learnt` had.
        lens: microscope of both sides; None leaves out the refit of the CTF.
        deep: measures of networks with weights (`deep`).
    """
    crops = (protocol.crop_px, protocol.crops_per_micrograph, protocol.seed)
    tile_px, known = protocol.tile_px, protocol.particle_diameter_A is not None
    measures: list[Measure[Any]] = [
        SpectrumError("background", tile_px),
        SpectrumError("particle", tile_px),
        SpectrumError("whole", tile_px),
        Anisotropy("background" if known else "whole", tile_px),
        LatticePeaks(_LATTICE_PX)
        if tile_px >= _LATTICE_PX
        else LeftOut(LatticePeaks.figures, f"micrographs of {_LATTICE_PX} px"),
        NoiseAutocorrelation(),
        PixelValues(),
        LowFrequencyField(),
        NoiseVariance(between_particles=known),
        CtfRefit(lens) if lens else LeftOut(CtfRefit.figures, "voltage, Cs, amplitude contrast"),
        *_labelled(learnt),
        FeatureDistance(scattering, *crops),
        FrechetLimit(scattering, *crops),
        TwoSampleClassifier(scattering, *crops),
        LeftOut(Memorisation.figures, "real training micrographs")
        if learnt.features is None
        else Memorisation(scattering, learnt.features, *crops),
        *deep,
    ]
    return ReportCard(measures)


def standard_figures() -> dict[str, Figure]:
    """Every figure of a card without weights."""
    protocol = NoiseProtocol(particle_diameter_A=100.0)
    return standard_card(protocol, Learnt(), ScatteringExtractor(protocol.crop_px)).figures


def fitting_protocol(protocol: NoiseProtocol, sets: Iterable[FieldFolder]) -> NoiseProtocol:
    """The protocol with its tile cut down to the smallest micrograph of all sets."""
    shapes = [shape for each in sets for shape in each.shapes_px()]
    return replace(protocol, tile_px=fitting_tile_px(shapes, protocol.tile_px))


def lens_of(made: FieldFolder) -> Lens | None:
    """The microscope by the truth of a simulated set, or by a folder's optics; None if not one."""
    if made.truth is None:
        known = made.folder.known_optics
        keys = ("voltage_kV", "cs_mm", "amplitude_contrast")
        return Lens(*(float(known[key]) for key in keys)) if known.keys() >= set(keys) else None
    optics = [made.truth.optics(name) for name in made.names]
    lenses = {Lens(o.voltage_kV, o.cs_mm, o.amplitude_contrast, o.phase_shift_deg) for o in optics}
    return lenses.pop() if len(lenses) == 1 else None


class LeftOut(Measure[None]):
    """Figures that nothing can be said of.

    Args:
        figures: which.
        what: is missing.
    """

    def __init__(self, figures: Sequence[Figure], what: str) -> None:
        self.figures = tuple(figures)
        self.what = what

    def lacks(self, field: Field) -> str:
        """The same for all."""
        return self.what

    def describe(self, field: Field) -> None:
        """Nothing."""

    def compare(self, real: Sequence[None], made: Sequence[None]) -> dict[str, float]:
        """Nothing."""
        return {}


def _labelled(learnt: Learnt) -> list[Measure[Any]]:
    filter_, calibration = learnt.detectability, learnt.calibration
    return [
        ContrastError(filter_) if filter_ else LeftOut(ContrastError.figures, learnt.missing),
        SignalSlope(calibration.gain)
        if calibration
        else LeftOut(SignalSlope.figures, learnt.missing_clean),
        LabelRates(filter_, calibration)
        if filter_ and calibration
        else LeftOut(LabelRates.figures, learnt.missing_clean),
    ]
