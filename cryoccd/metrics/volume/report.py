"""Every figure of a set of generated boxes beside held-out real ones.

Both sides are cut to as many boxes of each class, as distances depend on number and mix. For the
rows beside a model the same is called with other sets in place of the generated one (`anchors`):
half of the real boxes against the other half, and noise of their spectrum.
"""

from collections.abc import Mapping

from cryoccd.errors import CryoccdError
from cryoccd.metrics.card import Metric
from cryoccd.metrics.volume.boxes import BoxSet
from cryoccd.metrics.volume.class_accuracy import class_accuracy
from cryoccd.metrics.volume.class_average import fsc_beyond
from cryoccd.metrics.volume.columns import VOLUMES
from cryoccd.metrics.volume.contrast import class_contrast
from cryoccd.metrics.volume.diversity import diversity_ratio
from cryoccd.metrics.volume.feature_distance import fd_volume, kd_volume
from cryoccd.metrics.volume.matched import matched
from cryoccd.metrics.volume.memorisation import memorisation_ratio
from cryoccd.metrics.volume.readings import Readings
from cryoccd.metrics.volume.spectrum import spectrum_db
from cryoccd.metrics.volume.wedge import wedge_error_db
from cryoccd.records import Volume

_FSC_BANDS_A = {"fsc_beyond_40A": (40.0, 30.0), "fsc_beyond_80A": (80.0, 50.0)}


def volume_figures(
    real: BoxSet,
    generated: BoxSet,
    real_readings: Readings,
    generated_readings: Readings,
    training: BoxSet | None = None,
    maps: Mapping[str, Volume] | None = None,
    tilt_limit_deg: float = 60.0,
    dark: bool = True,
    seed: int = 0,
) -> dict[str, Metric]:
    """The figures of `VOLUMES` by name.

    Args:
        real: held-out boxes, of tomograms that no training box is of.
        generated: boxes of a model.
        real_readings: of a classifier trained on real boxes, of `real`.
        generated_readings: of the same classifier, of `generated`.
        training: what the model was trained on; without it memorisation is left out.
        maps: of each class, matter positive; without them the FSC is left out.
        tilt_limit_deg: highest tilt of the series, about y.
        dark: whether matter is dark in the boxes.
        seed: of the choice of boxes from the side that has more.

    Raises:
        CryoccdError: sets that cannot be compared, readings of other boxes, or a class without
            map.
    """
    for boxes, readings, side in (
        (real, real_readings, "real"),
        (generated, generated_readings, "generated"),
    ):
        if len(boxes) != len(readings):
            raise CryoccdError(
                f"readings: {len(readings)} of {len(boxes)} {side} boxes, expected one a box"
            )
    one, two = matched(real, generated, seed)
    real, generated = real.take(one), generated.take(two)
    real_readings, generated_readings = real_readings.take(one), generated_readings.take(two)
    features = (real_readings.features, generated_readings.features)
    found = {
        **fd_volume(real, generated, *features),
        **kd_volume(real, generated, *features),
        "class_accuracy": class_accuracy(generated, generated_readings),
        "class_contrast": class_contrast(real, generated),
        "spectrum_db": spectrum_db(real, generated),
        "wedge_error_db": wedge_error_db(real, generated, tilt_limit_deg),
        "diversity_ratio": diversity_ratio(real, generated),
    }
    found["memorisation_ratio"] = (
        _left_out("the training boxes", len(generated))
        if training is None
        else memorisation_ratio(real, generated, training)
    )
    for name, band_A in _FSC_BANDS_A.items():
        found[name] = (
            _left_out("maps of the classes", len(generated))
            if maps is None
            else fsc_beyond(generated, maps, tilt_limit_deg, dark, band_A)
        )
    return {figure.name: found[figure.name] for figure in VOLUMES}


def _left_out(what: str, n: int) -> Metric:
    return Metric(None, None, None, n, "none", f"left out: needs {what}")
