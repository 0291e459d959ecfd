"""What the report card learns from real training micrographs, before it sees any to be judged."""

from dataclasses import dataclass

from torch import Tensor

from cryoccd.metrics.features.extractor import Extractor
from cryoccd.metrics.features.memorisation import training_features
from cryoccd.metrics.fields import FieldFolder
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.metrics.signal.calibration import Calibration
from cryoccd.metrics.signal.detectability import Detectability


@dataclass(frozen=True, eq=False)
class Learnt:
    """Parts that cannot be learnt are None; what is missing says why.

    Args:
        detectability: matched filter of the real particles.
        calibration: contrast of simulated particles that equals the real one.
        features: (m, d) of training crops.
        missing: what the first lacks, such as "picks".
        missing_clean: what the second lacks.
    """

    detectability: Detectability | None = None
    calibration: Calibration | None = None
    features: Tensor | None = None
    missing: str = "real training micrographs"
    missing_clean: str = "real training micrographs"

    @classmethod
    def of(
        cls,
        training: FieldFolder | None,
        clean: FieldFolder | None,
        extractor: Extractor | None,
        protocol: NoiseProtocol,
    ) -> "Learnt":
        """Learn what the two sets allow.

        Args:
            training: real training micrographs; None for none.
            clean: a simulated set of the same particle, whose noise is not looked at.
            extractor: of the features; None for no features.
            protocol: crops and diameter.

        Raises:
            CryoccdError: no particle clear of the borders, or no contrast that equals the real one.
        """
        if training is None:
            return cls()
        fields = list(training)
        crops = (protocol.crop_px, 4 * protocol.crops_per_micrograph, protocol.seed)
        features = training_features(extractor, fields, *crops) if extractor else None
        diameter_A = protocol.particle_diameter_A
        missing = "" if diameter_A else "the particle diameter"
        if any(field.centres_px is None for field in fields):
            missing = "picks of the real training micrographs"
        if missing or not diameter_A:
            return cls(None, None, features, missing, missing)
        images = [field.image for field in fields]
        centres = [field.centres_px for field in fields if field.centres_px is not None]
        size_A = training.folder.pixel_size_A
        detectability = Detectability.fit(images, centres, diameter_A / size_A)
        if clean is None or clean.truth is None:
            return cls(detectability, None, features, "", "clean images")
        calibration = Calibration.fit(detectability, (images, centres), clean.clean())
        return cls(detectability, calibration, features, "", "")
