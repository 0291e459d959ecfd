"""Made-up cells: figures of no meaning, to test how they are shown."""

from pathlib import Path
from typing import Any

from cryoccd.report.cells import ResultCell
from cryoccd.report.table import reduce_cells

PROTOCOL = {
    "domain": "oracle",
    "extractor": "scattering J=4 L=8",
    "crop": 64,
    "tone_map": "median 0, MAD 1",
    "split": {"train": 16, "test": 16},
}


def entry(value: float | None, half_width: float | None = 0.1, **changes: Any) -> dict[str, Any]:
    ends = (None, None)
    if value is not None and half_width is not None:
        ends = (value - half_width, value + half_width)
    made = {"value": value, "ci_low": ends[0], "ci_high": ends[1]}
    return made | {"n": 16, "interval": "jackknife", "note": ""} | changes


def origin(**changes: Any) -> dict[str, Any]:
    made = {"commit": "0" * 40, "config_hash": "c", "data_hash": "d"}
    made |= {"versions": {"cryoccd": "0.1.0", "torch": "2.11"}, "device": "cpu", "seconds": 61.0}
    return made | changes


def cell(method: str, dataset: str, metrics: dict[str, Any], seed: int = 0, **changes: Any):
    fields = {"protocol": dict(PROTOCOL), "provenance": origin()} | changes
    return ResultCell("fid", method, dataset, seed, metrics, **fields)


def write_cells(root: Path, figures: dict[str, Any], dataset="ice", seed=0, **changes: Any) -> Path:
    """Write cells of {method: {metric: entry}}; returns the results folder."""
    for method, metrics in figures.items():
        cell(method, dataset, metrics, seed, **changes).write(root, "demo")
    return root


def simple_table(root: Path, figures: dict[str, float], metric="fd_scattering", half_width=0.1):
    """A table of one metric and one data set; the anchors are added where they are not given."""
    figures = {"real_floor": 1.0, "white_ceiling": 9.0} | figures
    write_cells(root, {m: {metric: entry(v, half_width)} for m, v in figures.items()})
    return reduce_cells(root, "demo", "fid", list(figures), ["ice"], [metric])
