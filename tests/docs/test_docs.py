"""What the pages say is so: their code runs, and what they name exists."""

import importlib
import re
import runpy
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from cryoccd.cli import VERBS, main
from cryoccd.cli.evaluate import KINDS
from cryoccd.data.datamodule import CryoDataModule
from cryoccd.io.export.run import FORMATS
from cryoccd.io.folder_optics import OPTICS_KEYS, read_optics_yaml
from cryoccd.metrics.standard import standard_figures
from cryoccd.records import ARTEFACT_COLUMNS, PARTICLE_COLUMNS, Optics

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (
    "conventions.md",
    "dataset.md",
    "detection.md",
    "export.md",
    "folders.md",
    "import.md",
    "methods.md",
    "metrics.md",
    "paper.md",
    "picking.md",
    "pose.md",
    "report.md",
    "subtomograms.md",
    "sweeps.md",
    "tracking.md",
    "training.md",
    "verify.md",
)
OPTION = re.compile(r"(?<![\w-])--([A-Za-z][\w.-]*)")
HELP = {verb: (verb,) for verb in VERBS if verb != "evaluate"}
HELP |= {f"evaluate {kind}": ("evaluate", kind) for kind in KINDS}
HELP["table"] = ("table", "fid")


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(page), re.S | re.M)


def spans(page: str) -> list[str]:
    """Inline code, outside fenced blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text_of(page), flags=re.S | re.M))


def commands(page: str) -> list[str]:
    """Indented lines and inline code that run `cryoccd`, continued lines joined."""
    joined = text_of(page).replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if re.match(r"    cryoccd ", line)] + [
        span for span in spans(page) if span.startswith("cryoccd ")
    ]


def run_blocks(page: str) -> dict[str, object]:
    names: dict[str, object] = {}
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), names)
    return names


@pytest.fixture
def example_folders(tmp_path, toy_folders, monkeypatch) -> Path:
    """The folders `simulated` and `real` of the examples in the working directory."""
    for source in toy_folders:
        shutil.copytree(source, tmp_path / source.name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """Names of the options of each verb, as its help prints them."""
    known = {}
    for verb, argv in HELP.items():
        with pytest.MonkeyPatch.context() as patch:
            lines: list[str] = []
            patch.setattr("sys.stdout", _Capture(lines))
            assert main([*argv, "--help"]) == 0
        known[verb] = set(OPTION.findall("".join(lines)))
        assert {"help"} | ({"config"} if verb != "fetch" else set()) <= known[verb]
    return known


class _Capture:
    """A stand-in for stdout that is no terminal."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def write(self, text: str) -> int:
        self.lines.append(text)
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


def test_conventions_hold() -> None:
    names = run_blocks("conventions.md")
    assert f"{names['seen_A'][0]:.3f}, {names['seen_A'][1]:.3f}" in text_of("conventions.md")


def test_dataset_is_read(example_folders) -> None:
    [recipe, _] = blocks("dataset.md", "python")
    assert len([line for line in recipe.splitlines() if line]) <= 9  # two imports and the rest
    names = run_blocks("dataset.md")
    column, row = names["centres_px"].round().astype(int).to_numpy().T
    image = names["image"]
    assert image.shape == (128, 128)
    assert len(row) == 9
    assert image[row, column].max() < image.mean() - 0.02  # the centres are dark
    assert len(names["exposure"].particles) == 9


def test_folder_is_read(example_folders) -> None:
    names = run_blocks("folders.md")
    assert names["picks_px"].shape == (9, 2)
    assert names["image"].shape == (128, 128)


def test_a_set_is_verified(exact, tmp_path, monkeypatch) -> None:
    (tmp_path / "simulated").symlink_to(exact)
    monkeypatch.chdir(tmp_path)
    found = run_blocks("verify.md")["finding"]
    assert (found.family, found.verdict) == ("defocus", "pass")


def test_formats_of_the_page_are_those_of_the_verb() -> None:
    told = re.findall(r"^\| `(\w+)` \|.*\|.*\|$", text_of("export.md"), re.M)
    assert told == [*FORMATS, "copick"]


def test_optics_of_the_page_are_valid(tmp_path) -> None:
    [block] = blocks("folders.md", "yaml")
    path = tmp_path / "optics.yaml"
    path.write_text(block)
    assert tuple(read_optics_yaml(path)) == OPTICS_KEYS


def test_example_method_translates(example_folders) -> None:
    names = run_blocks("methods.md")
    [config] = [yaml.safe_load(block) for block in blocks("methods.md", "yaml")]
    method = names["White"](**config["model"]["init_args"])
    data = CryoDataModule(Path("simulated"), Path("real"), crop_px=64)
    method.calibrate(data)
    clean, generator = torch.zeros(1, 1, 40, 48), torch.Generator().manual_seed(0)
    image = method.translate(clean, clean, clean + 1, torch.tensor([0]), generator)
    assert image.shape == clean.shape
    assert float(image.std()) == pytest.approx(float(method.noise_sd), rel=0.1)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page) -> None:
    prose = re.sub(r"^    .*$", "", text_of(page), flags=re.M)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" not in target:
            assert (DOCS / target.split("#")[0]).is_file(), target


@pytest.mark.parametrize("page", PAGES)
def test_named_paths_and_objects_exist(page) -> None:
    for span in spans(page):
        if "NAME" in span:
            continue
        if re.fullmatch(r"(cryoccd|configs|docs|experiments|tests)/[\w./-]+", span):
            assert (ROOT / span).exists(), span
        if re.fullmatch(r"cryoccd(\.\w+)+", span):
            assert _exists(span), span


@pytest.mark.parametrize("page", PAGES)
def test_commands_have_their_options(page, options) -> None:
    for command in commands(page):
        verb = command.split()[1]
        assert verb in VERBS, command
        if verb == "evaluate":
            verb = " ".join(command.split()[1:3])
        for name in OPTION.findall(command):
            assert name.split(".init_args.")[0] in options[verb], f"{command}: --{name}"
    every = set().union(*options.values())
    for span in spans(page):
        if span.startswith("--"):
            assert OPTION.match(span)[1] in every, span


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in PAGES:
        for span in spans(page):
            if span.startswith("make "):
                assert span.split()[1] in targets, span


def test_every_column_is_documented() -> None:
    cells = _documented_columns()
    micrographs = {*Optics.__dataclass_fields__, "dose_e_per_A2", "seed", "style"}
    assert {*PARTICLE_COLUMNS, "micrograph"} | micrographs <= cells
    section = text_of("dataset.md").split("## artefacts.parquet")[1].split("##")[0]
    columns = ("micrograph", *ARTEFACT_COLUMNS)
    assert tuple(re.findall(r"`(\w+)`", section)[: len(columns)]) == columns


def test_columns_of_a_real_set_are_documented(toy_folders) -> None:
    cells = _documented_columns()
    for table in ("particles", "micrographs", "artefacts"):
        columns = set(pd.read_parquet(toy_folders[0] / f"{table}.parquet").columns)
        assert columns <= cells | set(ARTEFACT_COLUMNS), table


def test_every_metric_and_method_is_documented() -> None:
    named = set(re.findall(r"`(\w+)`", text_of("metrics.md")))
    assert set(standard_figures()) <= named
    table = text_of("metrics.md").split("| figures |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([a-z]\w+)`", table)) <= _headed("metrics.md")
    assert {path.stem for path in (ROOT / "configs/method").glob("*.yaml")} <= _headed("methods.md")


def test_refusals_are_worded_as_the_code_words_them() -> None:
    parts = [*(ROOT / "cryoccd/io").glob("*.py"), ROOT / "cryoccd/imaging/normalise.py"]
    code = "\n".join(path.read_text(encoding="utf8") for path in sorted(parts))
    code = re.sub(r"\"\s*\n\s*f?\"", "", code)  # a message over two lines of source
    code = re.sub(r"\{[^{}]*\}", "…", code)
    rows = text_of("folders.md").split("| fault | message |")[1].split("##")[0].splitlines()[2:]
    messages = [message for row in rows for message in re.findall(r"`([^`]+)`", row)]
    assert len(messages) > 15
    for message in messages:
        pattern = r"[^\"\n]*?".join(map(re.escape, message.split("…")))
        assert re.search(pattern, code), message


def test_figure_is_drawn(tmp_path) -> None:
    module = runpy.run_path(str(DOCS / "conventions_figure.py"))
    module["main"](tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000
    assert (DOCS / "conventions.png").is_file()


def _exists(dotted: str) -> bool:
    """Whether a module, or an attribute of one, has that name."""
    module, _, attribute = dotted.rpartition(".")
    try:
        importlib.import_module(dotted)
    except ModuleNotFoundError:
        return hasattr(importlib.import_module(module), attribute)
    return True


def _documented_columns() -> set[str]:
    """Names in the first cells of the tables of dataset.md."""
    rows = [line for line in text_of("dataset.md").splitlines() if line.startswith("|")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def _headed(page: str) -> set[str]:
    """Names that have a heading."""
    headings = re.findall(r"^## (.+)$", text_of(page), re.M)
    return {name.strip() for heading in headings for name in heading.split(",")}
