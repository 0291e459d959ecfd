"""A picture of boxes: central slices of each class in three planes, real beside generated.

The fourth panel of each side is the log power of the class in the kx-kz plane, summed over ky, to
Nyquist: the missing wedge is the dark double cone about kz.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from cryoccd.io.atomic import atomic_path
from cryoccd.metrics.volume import BoxSet
from cryoccd.metrics.volume.matched import check_alike
from cryoccd.randomness import item_seed

PLANES = ("XY", "XZ", "YZ")
_SPAN = (0.003, 0.997)
_BAR_A = 100.0
_RANGE_DB = 50.0


def write_volume_figure(
    path: Path, real: BoxSet, generated: BoxSet, seed: int = 0, name: str = "generated"
) -> None:
    """Draw one box of every class that both sides have.

    Args:
        path: PNG file.
        real: one side, on the left.
        generated: the other, of the same classes, box and voxel size.
        seed: of the choice of boxes.
        name: of the other side.

    Raises:
        CryoccdError: sides that cannot be compared.
    """
    check_alike(real, generated)
    labels = [label for label in real.occurring if label in generated.occurring]
    figure = Figure(figsize=(11, 1.45 * len(labels) + 0.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(labels), 8, squeeze=False)
    for row, label in enumerate(labels):
        peak_dB = float(_wedge_plane(real.volumes[real.labels == label]).max())
        for side_name, boxes, panels in (
            ("real", real, list(axes[row, :4])),
            (name, generated, list(axes[row, 4:])),
        ):
            own = boxes.volumes[boxes.labels == label]
            draw = torch.Generator().manual_seed(item_seed(seed, "shown", side_name, label))
            _side(panels, own, int(torch.randint(len(own), (), generator=draw)), peak_dB)
            if row == 0:
                # the name of a side may be as wide as its four panels
                heads = (side_name, "", "", "")
                for panel, head, what in zip(panels, heads, (*PLANES, "kx-kz, dB"), strict=True):
                    panel.set_title(f"{head}\n{what}", fontsize=8, loc="left")
        axes[row, 0].set_ylabel(real.classes[label], fontsize=8)
    side = real.box_px
    length = _BAR_A / real.voxel_size_A
    axes[-1, 0].plot([1, 1 + length], [side - 2.5, side - 2.5], color="white", lw=2)
    axes[-1, 0].set(xlim=(-0.5, side - 0.5), ylim=(side - 0.5, -0.5))
    axes[-1, 0].set_xlabel(f"bar {_BAR_A:g} Å", fontsize=7)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def _side(panels: Sequence[Axes], volumes: Tensor, shown: int, peak_dB: float) -> None:
    """Slices of one box of a class, and the power of all."""
    low, high = torch.quantile(volumes[shown].flatten(), torch.tensor(_SPAN)).tolist()
    for panel, view in zip(panels[:3], central_slices(volumes[shown]), strict=True):
        panel.imshow(view.numpy(), cmap="gray", vmin=low, vmax=high)
    power_dB = _wedge_plane(volumes).numpy()
    panels[3].imshow(power_dB, cmap="magma", vmin=peak_dB - _RANGE_DB, vmax=peak_dB)
    for panel in panels:
        panel.set_xticks([])
        panel.set_yticks([])


def central_slices(volume: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows and columns y x, z x and y z of the slices through the middle."""
    middle = int(volume.shape[-1]) // 2
    return volume[middle], volume[:, middle], volume[:, :, middle].T


def _wedge_plane(volumes: Tensor) -> Tensor:
    """(b, b) decibels of the mean power under a Hann window, rows kz and columns kx, centred."""
    edge = torch.hann_window(int(volumes.shape[-1]), periodic=True)
    window = edge[:, None, None] * edge[:, None] * edge
    mean = (volumes * window).sum((1, 2, 3), keepdim=True) / window.sum()
    spectrum = torch.fft.fftn((volumes - mean) * window, dim=(1, 2, 3))
    power = spectrum.abs().square().mean(0).sum(1)
    decibels: Tensor = 10 * torch.fft.fftshift(power).clamp_min(1e-12).log10()
    return decibels
