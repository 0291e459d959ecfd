"""Response of a camera over frequency: MTF, NNPS and DQE, of which two give the third.

    DQE(s) = DQE(0) MTF(s)^2 / NNPS(s)

(Meyer & Kirkland 2000, Microsc. Res. Tech. 49, 269), s as a fraction of the Nyquist frequency of
the physical pixel. MTF(0) = NNPS(0) = 1.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.io.curves import Curve

_HIGHEST = 1.5  # a little beyond the corner of the transform, 2 ** 0.5
_TOLERANCE = 0.05  # of DQE, between three curves that were measured apart


@dataclass(frozen=True)
class Response:
    """What a camera does to signal and noise.

    Args:
        mtf: modulation transfer, 1 at frequency 0.
        nnps: noise power as a fraction of that at frequency 0.
        dqe0: detective quantum efficiency at frequency 0, above 0 and at most 1.
    """

    mtf: Curve
    nnps: Curve
    dqe0: float

    def __post_init__(self) -> None:
        if not 0 < self.dqe0 <= 1:
            raise CryoccdError(f"camera: dqe0 = {self.dqe0}, expected above 0 and at most 1")
        dqe = self.dqe(sampled())
        worst = int(dqe.argmax())
        if float(dqe[worst]) > 1 + 1e-4:
            raise CryoccdError(
                f"camera: DQE = {float(dqe[worst]):.3g} at {float(sampled()[worst]):.3g} of "
                f"Nyquist from dqe0 = {self.dqe0:.3g}, {self.mtf.name} and {self.nnps.name}, "
                "expected at most 1"
            )

    def dqe(self, fraction: Tensor) -> Tensor:
        """Detective quantum efficiency at fractions of Nyquist."""
        return self.dqe0 * self.mtf(fraction) ** 2 / self.nnps(fraction)


def sampled() -> Tensor:
    """The fractions of Nyquist at which curves are computed and compared."""
    return torch.linspace(0, _HIGHEST, 301)


def tabulated(values: Tensor, name: str) -> Curve:
    """A curve of values at the `sampled` frequencies."""
    return Curve(tuple(sampled().tolist()), tuple(values.tolist()), name)


def join(
    mtf: Curve | None = None,
    dqe: Curve | None = None,
    nnps: Curve | None = None,
    dqe0: float | None = None,
) -> Response:
    """The response of two or three measured curves.

    Args:
        mtf: modulation transfer.
        dqe: detective quantum efficiency; its first point is DQE(0) where dqe0 is not given.
        nnps: normalised noise power.
        dqe0: DQE(0), needed where dqe is not given.

    Raises:
        CryoccdError: fewer than two curves, no DQE(0), a DQE above 1, or three that contradict.
    """
    given = {"mtf": mtf, "dqe": dqe, "nnps": nnps}
    names = [name for name, curve in given.items() if curve is not None]
    if len(names) < 2:
        raise CryoccdError(
            f"camera: {' and '.join(names) or 'no curve'} given, expected two of mtf, dqe, nnps"
        )
    mtf = mtf and _from_one(mtf)
    nnps = nnps and _above_zero(_from_one(nnps))
    if dqe is not None:
        if max(dqe.values) > 1:
            raise CryoccdError(f"{dqe.name}: DQE = {max(dqe.values):g}, expected at most 1")
        dqe0 = dqe.values[0] if dqe0 is None else dqe0
        efficiency = _above_zero(dqe)(sampled())
        efficiency[0] = dqe0
        if mtf is not None and nnps is None:
            noise = dqe0 * mtf(sampled()) ** 2 / efficiency
            nnps = _above_zero(tabulated(noise, f"NNPS of {mtf.name} and {dqe.name}"))
        elif nnps is not None and mtf is None:
            transfer = (efficiency * nnps(sampled()) / dqe0).sqrt()
            mtf = tabulated(transfer, f"MTF of {dqe.name} and {nnps.name}")
    if mtf is None or nnps is None or dqe0 is None:
        raise CryoccdError("camera: dqe0 is not given, expected it beside mtf and nnps")
    response = Response(mtf, nnps, dqe0)
    if dqe is not None:
        _agree(response, dqe)
    return response


def _from_one(curve: Curve) -> Curve:
    """The curve with its value of 1 at frequency 0."""
    if curve.fractions[0] > 0:
        return Curve((0.0, *curve.fractions), (1.0, *curve.values), curve.name)
    if abs(curve.values[0] - 1) > 0.01:
        raise CryoccdError(
            f"{curve.name}: {curve.values[0]:g} at frequency 0, expected 1; divide by it"
        )
    return replace(curve, values=(1.0, *curve.values[1:]))


def _above_zero(curve: Curve) -> Curve:
    if not min(curve.values) > 0:
        raise CryoccdError(f"{curve.name}: value {min(curve.values):g}, expected above 0")
    return curve


def _agree(response: Response, dqe: Curve) -> None:
    covered = [s for s in dqe.fractions if s <= min(1.0, response.mtf.fractions[-1])]
    at = torch.tensor(covered)
    stated, followed = dqe(at), response.dqe(at)
    worst = int((stated - followed).abs().argmax())
    if abs(float(stated[worst] - followed[worst])) > _TOLERANCE:
        raise CryoccdError(
            f"{dqe.name}: DQE = {float(stated[worst]):.3g} at {float(at[worst]):.3g} of Nyquist, "
            f"expected {float(followed[worst]):.3g} = dqe0 MTF^2 / NNPS of {response.dqe0:.3g}, "
            f"{response.mtf.name} and {response.nnps.name}; give only two of them"
        )
