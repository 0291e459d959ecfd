"""Pictures of one data set side by side, and a slider between any two columns of them.

The pictures stand in the page once, as a sheet that needs no script and prints; the script shows
two columns of it enlarged, one over the other, and the slider moves the cut between them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cryoccd.errors import CryoccdError
from cryoccd.report.web.document import attributes, escaped, image_uri


@dataclass(frozen=True)
class Viewer:
    """Columns of square pictures, such as crops.

    Args:
        columns: PNG files of each column, all equally many; "clean" first and "real" last, as they
            should be read.
        side_px: side of a picture.
        caption: what must be known of them.
        left: column that stands left of the cut at first; the last stands right of it.
        title: of what the pictures are, where a data set has several viewers.
        labels: what each picture of a column shows; by default its number.
        across: pictures of a column that stand beside each other.

    Raises:
        CryoccdError: columns that are not equally long, or other than the labels.
    """

    columns: Mapping[str, tuple[bytes, ...]]
    side_px: int
    caption: str
    left: str
    title: str = ""
    labels: tuple[str, ...] = ()
    across: int = 1

    def __post_init__(self) -> None:
        counts = {name: len(column) for name, column in self.columns.items()}
        if self.labels:
            counts["labels"] = len(self.labels)
        if len(set(counts.values())) != 1 or 0 in counts.values():
            raise CryoccdError(f"viewer: {counts} pictures, expected equally many in each column")

    @property
    def n_bytes(self) -> int:
        """Of all files."""
        return sum(len(png) for column in self.columns.values() for png in column)


def viewer_html(viewer: Viewer, ident: str, dataset: str) -> str:
    """The sheet, and room for the slider.

    Args:
        viewer: the pictures.
        ident: id of the slider in the page.
        dataset: what they are of.
    """
    of = f"{viewer.title}, {dataset}" if viewer.title else dataset
    columns = "\n".join(
        f"<figure{attributes(data_name=name)}><figcaption>{escaped(name)}</figcaption>"
        + "".join(_picture(viewer, name, k, of) for k in range(len(pngs)))
        + "</figure>"
        for name, pngs in viewer.columns.items()
    )
    title = f"<h4>{escaped(viewer.title)}</h4>\n" if viewer.title else ""
    caption = f'<p class="caption">{escaped(viewer.caption)}</p>\n' if viewer.caption else ""
    sizes = f"--columns: {len(viewer.columns)}; --across: {viewer.across}"
    kept = attributes(id=ident, data_set=dataset, data_left=viewer.left)
    return (
        f'{title}<div class="viewer"{kept}>\n'
        f'<div class="sheet" style="{sizes}">\n{columns}\n</div>\n{caption}</div>'
    )


def _picture(viewer: Viewer, name: str, number: int, of: str) -> str:
    """One of them; with a label, a pointer on it tells that."""
    side = viewer.side_px
    label = viewer.labels[number] if viewer.labels else None
    alt = f"{name}, {label or f'crop {number + 1}'} of {of}"
    tags = attributes(width=side, height=side, decoding="async", alt=alt, title=label)
    return f'<img{tags} src="{image_uri(viewer.columns[name][number])}">'
