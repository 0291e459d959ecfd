"""Crops of one data set side by side, and a slider between any two of them.

The crops stand in the page once, as a sheet that needs no script and prints; the script shows two
columns of it enlarged, one over the other, and the slider moves the cut between them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cryoccd.report.web.document import attributes, escaped, image_uri


@dataclass(frozen=True)
class Viewer:
    """Columns of crops.

    Args:
        columns: PNG files of each column, all equally many; "clean" first and "real" last, as they
            should be read.
        side_px: side of a crop.
        caption: what must be known of them.
        left: column that stands left of the cut at first; the last stands right of it.
    """

    columns: Mapping[str, tuple[bytes, ...]]
    side_px: int
    caption: str
    left: str

    @property
    def n_bytes(self) -> int:
        """Of all files."""
        return sum(len(png) for column in self.columns.values() for png in column)


def viewer_html(viewer: Viewer, ident: str, dataset: str) -> str:
    """The sheet, and room for the slider.

    Args:
        viewer: the crops.
        ident: id of the slider in the page.
        dataset: what they are of.
    """
    side = viewer.side_px
    columns = "\n".join(
        f"<figure{attributes(data_name=name)}><figcaption>{escaped(name)}</figcaption>"
        + "".join(
            f'<img width="{side}" height="{side}" decoding="async" '
            f'alt="{escaped(name)}, crop {k + 1} of {escaped(dataset)}" src="{image_uri(png)}">'
            for k, png in enumerate(pngs)
        )
        + "</figure>"
        for name, pngs in viewer.columns.items()
    )
    return (
        f'<div class="viewer"{attributes(id=ident, data_set=dataset, data_left=viewer.left)}>\n'
        f'<div class="sheet" style="--columns: {len(viewer.columns)}">\n{columns}\n</div>\n'
        f'<p class="caption">{escaped(viewer.caption)}</p>\n</div>'
    )
