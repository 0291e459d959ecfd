"""Wavelet scattering of image crops: fixed features without weights (Bruna & Mallat 2013).

Morlet wavelets psi_(j,l) at J octaves and L directions over the half circle, two orders, spatial
mean (Bruna & Mallat, eq. 2 and section 2.2; parameters as usual: centre frequency 3 pi / 4 and
width 0.8 px at the finest scale, slant 4 / L):

    S0 = mean x     S1(j,l) = mean |x * psi_(j,l)|     S2 = mean ||x * psi_(j1,l1)| * psi_(j2,l2)|

with j2 > j1 alone, as the envelope of a wavelet has little power above its own scale:
1 + J L + L^2 J (J - 1) / 2 features. The bank obeys Littlewood-Paley: sum |x * psi|^2 <= |x|^2.
Each coefficient is divided by the norm of its last filter, which makes all of them of order one
for unit white noise, so that every octave has a say. Each scale is computed on the smallest grid
that holds its band.
"""

import hashlib
from math import pi

import torch
from torch import Tensor, nn

from cryoccd.errors import CryoccdError

_CENTRE = 0.75 * pi
_WIDTH_PX = 0.8
_CHUNK_PX = 2**16  # pixels of crops at a time: their intermediate fields stay in the caches


class WaveletScattering(nn.Module):
    """Scattering features of square crops.

    Args:
        n_px: side of the crops, a multiple of 2^J and at least 2^(J + 1).
        J: octaves.
        L: directions over the half circle.
    """

    filters: Tensor
    norms: Tensor

    def __init__(self, n_px: int, J: int = 4, L: int = 8) -> None:
        super().__init__()
        if n_px % 2**J or n_px < 2 ** (J + 1):
            raise CryoccdError(
                f"crop: {n_px} px, expected a multiple of {2**J} of at least {2 ** (J + 1)}; "
                "change the crop size"
            )
        self.n_px, self.J, self.L = n_px, J, L
        bank = _morlet_bank(n_px, J, L)
        self.register_buffer("filters", bank.to(torch.float32))  # (J, L, n_px, n_px), real
        norms = bank.square().mean((-2, -1)).sqrt()  # (J, L): the grid cuts the finest scale
        self.register_buffer("norms", norms.to(torch.float32))
        digest = hashlib.sha256((bank * 1e6).round().to(torch.int32).numpy().tobytes())
        self.version = f"morlet-J{J}-L{L}-n{n_px}-{digest.hexdigest()[:12]}"

    @property
    def n_features(self) -> int:
        """Length of a feature vector."""
        return 1 + self.J * self.L + self.L**2 * self.J * (self.J - 1) // 2

    @torch.no_grad()
    def forward(self, crops: Tensor) -> Tensor:
        """(n, n_features) float32 of (n, n_px, n_px) crops, in the order S0, S1, S2."""
        if crops.shape[-2:] != (self.n_px, self.n_px):
            raise CryoccdError(
                f"crops: {tuple(crops.shape)}, expected (n, {self.n_px}, {self.n_px})"
            )
        values = crops.to(self.filters.dtype)
        chunk = max(1, _CHUNK_PX // self.n_px**2)
        starts = range(0, len(values), chunk)
        return torch.cat([self._scatter(values[i : i + chunk]) for i in starts])

    def _scatter(self, crops: Tensor) -> Tensor:
        first, second = [], []
        spectrum = torch.fft.fft2(crops)[:, None]
        for j1 in range(self.J):
            envelope = self._modulus(spectrum, j1)
            first.append(envelope.mean((-2, -1)) / self.norms[j1])
            inner = torch.fft.fft2(envelope)[:, :, None]
            for j2 in range(j1 + 1, self.J):
                coefficients = self._modulus(inner, j2).mean((-2, -1)) / self.norms[j2]
                second.append(coefficients.flatten(1))
        return torch.cat([crops.mean((-2, -1))[:, None], *first, *second], dim=1)

    def _modulus(self, spectrum: Tensor, j: int) -> Tensor:
        """|x * psi_(j,l)| for all l (a new last-but-two axis), on the grid of that scale."""
        side = self.n_px >> max(j - 1, 0)
        scale = (side / int(spectrum.shape[-1])) ** 2
        product = _low_band(spectrum, side) * _low_band(self.filters[j], side)
        wave = torch.fft.ifft2(product)
        # three times as fast as abs(), which guards against an overflow that cannot be here
        modulus: Tensor = (wave.real.square() + wave.imag.square()).sqrt()
        return modulus * scale


def _low_band(spectrum: Tensor, side: int) -> Tensor:
    """The (side, side) lowest frequencies of unshifted spectra."""
    if side == spectrum.shape[-1]:
        return spectrum
    half = side // 2
    rows = torch.cat([spectrum[..., :half, :], spectrum[..., -half:, :]], dim=-2)
    return torch.cat([rows[..., :half], rows[..., -half:]], dim=-1)


def _morlet_bank(n_px: int, J: int, L: int) -> Tensor:
    """(J, L, n_px, n_px) float64 transforms, 0 outside the band of their scale's grid."""
    k = 2 * pi * torch.fft.fftfreq(n_px, dtype=torch.float64)
    k_y, k_x = torch.meshgrid(k, k, indexing="ij")
    angles = pi * torch.arange(L, dtype=torch.float64)[:, None, None] / L
    along = k_x * angles.cos() + k_y * angles.sin()
    across = k_y * angles.cos() - k_x * angles.sin()
    bank = []
    for j in range(J):
        centre, width = _CENTRE / 2**j, _WIDTH_PX * 2**j
        tail = (across * L / 4) ** 2
        wave = torch.exp(-(width**2) / 2 * ((along - centre) ** 2 + tail))
        blob = torch.exp(-(width**2) / 2 * (along**2 + tail))
        morlet = wave - wave[:, :1, :1] * blob  # no response to a constant
        edge = pi / 2 ** max(j - 1, 0)
        bank.append(morlet * ((k_y.abs() < edge) & (k_x.abs() < edge)))
    filters = torch.stack(bank)
    power = filters.square().sum((0, 1))
    mirrored = power.flip(0, 1).roll((1, 1), (0, 1))
    return filters / ((power + mirrored) / 2).max().sqrt()
