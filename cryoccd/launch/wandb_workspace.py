"""Views of W&B that lay baselines side by side: a workspace to look around in, a report to share.

Of each table every figure is a bar chart with a bar for each method, the mean over styles and seeds
with the range; of the fits every figure of the reports is a curve over the training images with a
colour for each method. The definitions are wandb-workspaces', which only the extra `dashboards`
brings.
"""

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console

from cryoccd.callbacks.noise_report import FIGURES
from cryoccd.callbacks.wandb_gallery import KEY
from cryoccd.callbacks.wandb_logger import STEP
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text
from cryoccd.io.checked import read_json
from cryoccd.launch.wandb_cells import known_tables

TITLE = "cryoccd: baselines side by side"
CURVES = tuple(f"val/{name}" for name in (*FIGURES, "auprc"))

Tables = Mapping[tuple[str, str], Sequence[str]]
"""Profile and name of a table to its figures."""


def workspace(entity: str, project: str, tables: Tables) -> Any:
    """A workspace: a section for each name of a table, one for the training.

    A section shows all runs that have its figures, those of several profiles as well: its filter is
    the user's to choose.

    Raises:
        CryoccdError: wandb-workspaces is not there.
    """
    workspaces, reports = _modules()
    named: dict[str, dict[str, None]] = {}
    for (_, name), figures in tables.items():
        named.setdefault(name, {}).update(dict.fromkeys(figures))
    sections = [
        workspaces.Section(name=name, panels=_bars(reports, list(figures)), is_open=True)
        for name, figures in named.items()
    ]
    training = workspaces.Section(
        name="training",
        panels=[*_curves(reports), reports.WeavePanelSummaryTable(table_name=KEY)],
        is_open=True,
        panel_settings=workspaces.SectionPanelSettings(x_axis=STEP),
    )
    return workspaces.Workspace(
        entity=entity,
        project=project,
        name=TITLE,
        sections=[*sections, training],
        settings=workspaces.WorkspaceSettings(x_axis=STEP),
        runset_settings=workspaces.RunsetSettings(groupby=[workspaces.Metric("Group")]),
    )


def report(entity: str, project: str, tables: Tables) -> Any:
    """A report: a grid of bar charts for each table, one of curves.

    Raises:
        CryoccdError: wandb-workspaces is not there.
    """
    _, reports = _modules()
    blocks: list[Any] = []
    for (profile, name), figures in tables.items():
        cells = reports.Runset(  # of the report's own project, whose server is not asked
            name=f"cells of {name}, {profile}",
            filters=f"Config('table') = '{name}' and Config('profile') = '{profile}'",
            groupby=["config.method"],
        )
        grid = reports.PanelGrid(runsets=[cells], panels=_bars(reports, figures))
        blocks += [reports.H2(f"Table {name}, {profile}"), grid]
    fits = reports.Runset(name="fits", filters="JobType = 'fit'", groupby=["group"])
    curves = reports.PanelGrid(runsets=[fits], panels=_curves(reports))
    text = "Bars are means over styles and seeds with their range. Curves are over training images."
    return reports.Report(
        entity=entity,
        project=project,
        title=TITLE,
        description=text,
        blocks=[*blocks, reports.H2("Training"), curves],
    )


def save_views(runs: Path, project: str, console: Console) -> None:
    """Save both to W&B's site, once for as long as the tables are the same.

    Args:
        runs: above the cells that were logged; what was saved is noted in `wandb_views.json`.
        project: of W&B.
        console: where it is told.

    Raises:
        CryoccdError: the login has no entity that views could belong to, or W&B refuses.
    """
    tables = known_tables(runs)
    try:
        _modules()
    except CryoccdError as error:
        console.print(f"W&B: no workspace saved; {error}", style="dim", markup=False)
        return
    import wandb

    kept = runs / "wandb_views.json"
    try:
        entity = wandb.Api().default_entity
    except wandb.Error as error:
        raise CryoccdError(f"W&B: {error}; the runs are there, the same command goes on") from error
    if entity is None:
        raise CryoccdError("W&B: the login has no default entity; set one in its settings")
    told = json.dumps([entity, project, TITLE, CURVES, list(tables.items())])
    known = hashlib.sha256(told.encode()).hexdigest()
    if kept.is_file() and read_json(kept).get("definition") == known:
        return
    urls = [make(entity, project, tables).save().url for make in (workspace, report)]
    write_text(kept, json.dumps({"definition": known, "urls": urls}, indent=1) + "\n")
    for url in urls:
        console.print(f"W&B: {url}", style="dim", markup=False, soft_wrap=True)


def _bars(reports: ModuleType, figures: Sequence[str]) -> list[Any]:
    return [
        reports.BarPlot(
            title=name,
            metrics=[reports.SummaryMetric(name)],
            groupby=reports.Config("method"),
            groupby_aggfunc="mean",
            groupby_rangefunc="minmax",
        )
        for name in figures
    ]


def _curves(reports: ModuleType) -> list[Any]:
    return [
        reports.LinePlot(title=name, x=STEP, y=[name], groupby="Group", groupby_rangefunc="minmax")
        for name in CURVES
    ]


def _modules() -> tuple[ModuleType, ModuleType]:
    try:
        with warnings.catch_warnings(category=DeprecationWarning, action="ignore"):
            # 0.4.13 declares its models in the way of pydantic 1
            import wandb_workspaces.reports.v2 as reports
            import wandb_workspaces.workspaces as workspaces
    except ModuleNotFoundError as error:
        raise CryoccdError("wandb-workspaces is absent; pip install 'cryoccd[dashboards]'") from (
            error
        )
    return workspaces, reports
