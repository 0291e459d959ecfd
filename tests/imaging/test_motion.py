import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.fourier import frequency_grid
from cryoccd.imaging.dose import DoseConfig
from cryoccd.imaging.motion import MotionConfig, draw_positions_A
from cryoccd.imaging.motion_transfer import Transfers
from cryoccd.records import Optics

OPTICS = Optics(300, 2.7, 0.1, 1.5, 15000, 15000)
CPU = torch.device("cpu")


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def drift(**changes):
    still = {"jitter_A": 0.0, "residual_A": 0.0, "corrected": False}
    return MotionConfig(**{**still, **changes})


def test_mean_position_is_zero():
    for config in (MotionConfig(), MotionConfig(total_A=40, corrected=False)):
        positions = draw_positions_A(config, 8, 40, seeded(0))
        assert positions.shape == (8, 4, 2)
        assert float(positions.mean((0, 1)).abs().max()) < 1e-9
        assert float(positions.norm(dim=-1).max()) < config.largest_shift_A


def test_drift_settles_and_covers_its_length():
    positions = draw_positions_A(drift(total_A=20), 10, 40, seeded(1)).view(-1, 2)
    steps = positions.diff(dim=0).norm(dim=1)
    step_e = 40 / len(positions)
    ratio = torch.exp(torch.tensor(-step_e / 8.0)).double()
    assert torch.allclose(steps[1:] / steps[:-1], ratio.expand(len(steps) - 1))
    # from the middle of the first step to that of the last
    assert 17 < float((positions[-1] - positions[0]).norm()) < 20


def test_random_walk_has_its_standard_deviation():
    config = drift(total_A=0, jitter_A=3.0)
    ends = [draw_positions_A(config, 40, 40, seeded(s))[[0, -1], 0] for s in range(400)]
    moved = torch.stack([b - a for a, b in ends])
    assert float(moved.std()) == pytest.approx(3 * (39 / 40) ** 0.5, rel=0.1)


def test_alignment_leaves_the_residue_and_motion_inside_frames():
    config = MotionConfig(total_A=20, jitter_A=0, residual_A=0.5)
    positions = draw_positions_A(config, 8, 40, seeded(2))
    raw = draw_positions_A(drift(total_A=20), 8, 40, seeded(2))
    assert torch.allclose(positions - positions.mean(1, True), raw - raw.mean(1, True))
    means = torch.cat([draw_positions_A(config, 8, 40, seeded(s)).mean(1) for s in range(100)])
    assert float(means.std()) == pytest.approx(0.5 * (7 / 8) ** 0.5, rel=0.1)


def test_steady_drift_blurs_with_a_sinc():
    config = drift(total_A=12, decay_e_per_A2=1e4)
    positions = draw_positions_A(config, 1, 1.0, seeded(3))
    span = positions[0, -1] - positions[0, 0]
    span *= len(positions[0]) / (len(positions[0]) - 1)  # from edge to edge
    dose = DoseConfig(1.0, damage=False)
    transfer = Transfers(dose, OPTICS, positions, (64, 96), CPU).specimen(0, 1)
    k_y, k_x = frequency_grid((64, 96), 1.5, rfft=True)
    expected = torch.sinc((k_x * span[0] + k_y * span[1]).float())
    near = (k_x * span[0] + k_y * span[1]).abs() < 3
    assert float((transfer - expected)[near].abs().max()) < 0.01
    assert float(expected.min()) < -0.2


def test_transfer_is_the_mean_of_faded_and_shifted_steps():
    dose = DoseConfig(30, frames=3, pre_exposure_e_per_A2=4)
    positions = 3 * torch.randn(3, 2, 2, generator=seeded(4), dtype=torch.float64)
    transfers = Transfers(dose, OPTICS, positions, (130, 70), CPU)
    k_y, k_x = frequency_grid((130, 70), 1.5, rfft=True)
    critical = 0.245 * torch.hypot(k_y, k_x).double() ** -1.665 + 2.81
    fine = 200
    total, ice = torch.zeros(2, *k_y.shape, dtype=torch.complex128)
    for step, (x, y) in enumerate(positions[1:].reshape(-1, 2), start=2):
        shift = torch.exp(-2j * torch.pi * (k_x * x + k_y * y))
        spent = 4 + 5 * (step + (torch.arange(fine).double() + 0.5) / fine)
        amplitude = sum(torch.exp(-n / (2 * critical)) for n in spent) / fine
        total += amplitude * shift / 4
        ice += shift / 4
    assert torch.allclose(transfers.specimen(1, 2).to(total), total, atol=1e-5)
    assert torch.allclose(transfers.ice(1, 2).to(ice), ice, atol=1e-5)


def test_whole_exposure_is_the_mean_of_its_frames():
    dose = DoseConfig(30, frames=4)
    for config in (None, MotionConfig()):
        positions = draw_positions_A(config, 4, 30, seeded(5))
        transfers = Transfers(dose, OPTICS, positions, (32, 32), CPU)
        frames = sum(transfers.specimen(f, 1) for f in range(4)) / 4
        assert torch.allclose(transfers.specimen(0, 4), frames, atol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"total_A": -1}, "total_A = -1.*angstrom"),
        ({"decay_e_per_A2": 0}, r"decay_e_per_A2 = 0.*e/A\^2"),
        ({"jitter_A": float("nan")}, "jitter_A"),
        ({"residual_A": 1e3}, "residual_A"),
    ],
)
def test_impossible_motion_is_refused(wrong, message):
    with pytest.raises(CryoccdError, match=message):
        MotionConfig(**wrong)
