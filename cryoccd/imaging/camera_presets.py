"""Named responses in closed form.

`ideal` counts every electron in its place. `square_pixel` counts every electron in a square pixel:
MTF = sinc(s / 2) and white noise, the limit that McMullan et al. 2014 (Ultramicroscopy 147, 156)
compare with. The others are illustrative: closed forms of the size and shape published for such
cameras at 300 kV, not the measurement of any. For a real camera give its CSV files.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.imaging.camera_response import Response, sampled, tabulated


def _flat(s: Tensor) -> Tensor:
    return torch.ones_like(s)


def _pixel(s: Tensor) -> Tensor:
    return torch.sinc(s / 2)


def _falling(half: float, power: float) -> Callable[[Tensor], Tensor]:
    """A square pixel, and spread that halves the transfer at `half` of Nyquist."""
    return lambda s: torch.sinc(s / 2) * torch.exp2(-((s / half) ** power))


def _coloured(half: float, floor: float) -> Callable[[Tensor], Tensor]:
    """Noise power that falls from 1 to a floor, halfway at `half` of Nyquist."""
    return lambda s: floor + (1 - floor) * torch.exp2(-((s / half) ** 2))


_Form = Callable[[Tensor], Tensor]

_PRESETS: dict[str, tuple[float, _Form, _Form]] = {
    "ideal": (1.0, _flat, _flat),
    "square_pixel": (1.0, _pixel, _flat),
    # illustrative: counting, nearly white noise
    "counting": (0.8, _falling(1.7, 2), _coloured(0.5, 0.9)),
    # illustrative: charge integrated over several pixels, noise blurred with the signal
    "integrating": (0.6, _falling(1.0, 1.2), _coloured(0.6, 0.25)),
    # illustrative: light in a phosphor and fibres
    "scintillator": (0.4, _falling(0.45, 1.0), _coloured(0.35, 0.12)),
}

PRESETS = tuple(_PRESETS)
"""Names of the presets."""


def preset(name: str) -> Response:
    """The response of a name.

    Raises:
        CryoccdError: an unknown name.
    """
    if name not in _PRESETS:
        raise CryoccdError(f"camera: preset = {name!r}, expected one of {', '.join(PRESETS)}")
    dqe0, mtf, nnps = _PRESETS[name]
    s = sampled()
    return Response(tabulated(mtf(s), f"{name} MTF"), tabulated(nnps(s), f"{name} NNPS"), dqe0)
