import pytest
import torch
from particle_fields import DIAMETER, GAIN, field_of, fields, generator, noise_of

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average
from cryoccd.imaging.normalise import robust_normalise
from cryoccd.metrics.signal.calibration import Calibration, background_noise
from cryoccd.metrics.signal.detectability import Detectability
from cryoccd.metrics.signal.signal_slope import SignalSlope


@pytest.fixture(scope="module", params=[0.4, 1.0])
def share_and_calibration(request):
    share = request.param
    train, simulated = fields(8, 500, share), fields(8, 700)
    images = [1200 + 35 * f.image for f in train]  # as a camera gives them
    centres = [f.centres_px for f in train]
    found = Detectability.fit(images, centres, DIAMETER)
    sides = [f.clean for f in simulated], [f.centres_px for f in simulated]
    return share, Calibration.fit(found, (images, centres), sides)


def test_gain_gives_normalised_images_of_real_contrast_a_slope_of_one(share_and_calibration):
    share, calibration = share_and_calibration
    scale = sum(float(robust_scale(f.image)) for f in fields(8, 500, share)) / 8
    assert calibration.gain == pytest.approx(share * GAIN / scale, rel=0.08)
    measure = SignalSlope(calibration.gain)
    parts = []
    for field in fields(8, share=share):
        image = robust_normalise(field.image)
        parts.append(measure.describe(type(field)(**vars(field) | {"image": image})))
    for slope in measure.compare([], parts).values():
        assert slope == pytest.approx(1, abs=0.1)


def test_reference_is_normalised_has_slope_one_and_depends_on_the_content(share_and_calibration):
    _, calibration = share_and_calibration
    one, two = field_of(1), field_of(2)
    reference = calibration.reference(one)
    assert float(robust_scale(reference)) == pytest.approx(1, abs=0.05)
    assert torch.equal(reference, calibration.reference(one))
    noise = [calibration.reference(f) - calibration.gain * f.clean for f in (one, two)]
    assert abs(float(torch.corrcoef(torch.stack([n.flatten() for n in noise]))[0, 1])) < 0.1


def test_noise_has_the_power_of_the_rings_on_any_shape():
    power = torch.linspace(4, 1, 33, dtype=torch.float64)
    square = background_noise(power, (256, 256), generator(0)).double()
    found = radial_average(torch.fft.fft2(square).abs() ** 2 / square.numel())
    rings = torch.lerp(torch.tensor(4.0), torch.tensor(1.0), torch.arange(129) / 128)
    assert float((found[20:] / rings[20:] - 1).abs().max()) < 0.25
    assert float((found[20:] / rings[20:] - 1).mean()) == pytest.approx(0, abs=0.02)
    assert background_noise(power, (100, 31), generator(0)).shape == (100, 31)


def test_real_particles_that_do_not_stand_out_are_refused():
    train, simulated = fields(2, 500), fields(2, 700)
    centres = [f.centres_px for f in train]
    found = Detectability.fit([f.image for f in train], centres, DIAMETER)
    light = [noise_of(i) - GAIN * f.clean for i, f in enumerate(train)]
    sides = [f.clean for f in simulated], [f.centres_px for f in simulated]
    with pytest.raises(CryoccdError, match="contrast: particles of the real"):
        Calibration.fit(found, (light, centres), sides)


def robust_scale(image):
    return 1.4826 * (image - image.median()).abs().median()
