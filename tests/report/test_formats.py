import csv
import io
from pathlib import Path

import pytest
from report_fixtures import PROTOCOL, entry, simple_table, write_cells
from rich.console import Console

from cryoccd.errors import CryoccdError
from cryoccd.report.formats import to_csv, to_latex, to_markdown
from cryoccd.report.reference import read_reference
from cryoccd.report.table import reduce_cells
from cryoccd.report.terminal import render
from cryoccd.report.text import duration, number_text
from cryoccd.report.writers import write_table

REFERENCE = Path(__file__).parents[2] / "benchmarks" / "reference.yaml"
NASTY = r"50 % of <b>A&B</b>_x^2 ~ {c} $d #e \f | [g] *h*"


@pytest.fixture
def nasty(tmp_path):
    protocol = PROTOCOL | {"tone_map": NASTY}
    rows = {"real_floor": entry(1.0), "cut": entry(2.0), "white_ceiling": entry(9.0)}
    rows |= {"spectrum": entry(0.1), "gaussian": entry(None, note=NASTY)}
    figures = {method: {"fd": figure} for method, figure in rows.items()}
    write_cells(tmp_path, figures, protocol=protocol)
    return reduce_cells(tmp_path, "demo", "fid", ["cut", "spectrum", "gaussian"], ["ice"], ["fd"])


def test_latex_escapes(nasty):
    text = to_latex(nasty)
    escaped = (
        r"50 \% of \textless{}b\textgreater{}A\&B\textless{}/b\textgreater{}\_x\textasciicircum{}2"
        r" \textasciitilde{} \{c\} \$d \#e \textbackslash{}f \textbar{} {[}g] *h*"
    )
    assert text.count(escaped) == 2
    assert r"real\_floor & 1.00 {[}0.90, 1.10]" in text
    assert r"\textbf{0.100 {[}0.000, 0.200]}$^{\dag}$" in text
    assert text.count("{") == text.count("}")
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.replace(r"\&", "").count("&") for line in rows} == {2}
    text.replace("–", "").encode("ascii")  # any engine reads it


def test_markdown_has_one_column_count_and_escapes(nasty):
    text = to_markdown(nasty)
    grid = [line for line in text.splitlines() if line.startswith("| ")]
    assert {line.replace(r"\|", "").count("|") for line in grid} == {4}
    assert len(grid) == 2 + 5
    assert r"&lt;b>A&amp;B&lt;/b>" in text
    assert r"\| \[g\] \*h\*" in text
    assert r"| spectrum | **0.100 \[0.000, 0.200\]** † |" in text
    assert "<b>" not in text


def test_csv_is_one_line_per_figure(nasty):
    rows = list(csv.DictReader(io.StringIO(to_csv(nasty))))
    assert [row["method"] for row in rows] == [*nasty.methods]
    by_method = {row["method"]: row for row in rows}
    assert float(by_method["cut"]["low"]) == 1.9
    assert by_method["spectrum"]["best"] == by_method["spectrum"]["better_than_bound"] == "1"
    assert by_method["cut"]["best"] == "0"
    assert (by_method["gaussian"]["value"], by_method["gaussian"]["note"]) == ("", NASTY)


def test_every_format_is_written(nasty, tmp_path):
    paths = write_table(nasty, tmp_path)
    names = [path.relative_to(tmp_path).as_posix() for path in paths]
    assert names == [f"demo/fid/table.{suffix}" for suffix in ("md", "csv", "tex", "html")]
    assert all(path.stat().st_size > 300 for path in paths)


def terminal(table, width):
    console = Console(width=width, file=io.StringIO(), record=True)
    render(table, console)
    return console.export_text()


def test_terminal_shows_brackets_and_marks(nasty):
    text = terminal(nasty, 120)
    assert "0.100 [0.000, 0.200]*†" in text
    assert "undefined¹" in text
    assert "wall time" in text


def test_a_narrow_terminal_splits_by_metric_and_loses_nothing(tmp_path):
    metrics = [f"metric_{i}" for i in range(6)]
    rows = ("real_floor", "cut", "white_ceiling")
    for dataset in ("ice", "gold"):
        figures = {
            row: {m: entry(r + 10 * i) for i, m in enumerate(metrics)} for r, row in enumerate(rows)
        }
        write_cells(tmp_path, figures, dataset=dataset)
    table = reduce_cells(tmp_path, "demo", "fid", ["cut"], ["ice", "gold"], metrics)
    for width in (80, 120, 400):
        text = terminal(table, width)
        assert max(map(len, text.splitlines())) <= width
        for i in range(6):
            assert text.count(f"{1 + 10 * i:.{2 if i == 0 else 1}f} [") == 2
    assert terminal(table, 80).count("white_ceiling") > terminal(table, 400).count("white_ceiling")


def test_published_figures_stand_apart(tmp_path):
    ours = simple_table(tmp_path, {"cut": 400.0, "gaussian": 500.0})
    options = {"reference": read_reference(REFERENCE, "fid")}
    rows = ["cut", "gaussian"]
    table = reduce_cells(tmp_path, "demo", "fid", rows, ["ice"], ["fd_scattering"], **options)
    assert table.best("ice", "fd_scattering") == ours.best("ice", "fd_scattering") == {"cut"}
    text = to_markdown(table)
    assert "published, not comparable: FID, mixed training" in text
    assert "unknown extractor, unknown image count" in text
    assert "| 308.1 |" in text
    assert "308.1" not in to_markdown(ours)
    sources = [row["source"] for row in csv.DictReader(io.StringIO(to_csv(table)))]
    assert set(sources[:4]) == {"cryoccd"}
    assert all("CryoCCD" in source for source in sources[4:])


def test_published_means_are_the_printed_ones():
    mixed, single, arxiv, held_out = read_reference(REFERENCE, "fid")
    printed = {"gaussian": 308.1, "poisson": 429.0, "poisson_gaussian": 305.2}
    printed |= {"cyclediffusion": 222.1, "cryogem": 231.9, "cyclenet": 230.8, "cryoccd": 126.0}
    assert {m: round(mixed.mean(m), 1) for m in mixed.rows} == printed
    assert {m: round(single.mean(m), 1) for m in single.rows} == {"cryogem": 70.7, "cryoccd": 61.3}
    assert {m: arxiv.mean(m) for m in arxiv.rows} == {"cyclediffusion": 22.67, "cryoccd_v1": 18.45}
    printed = {"gaussian": 291.5, "poisson": 408.8, "poisson_gaussian": 293.1}
    printed |= {"cryogem": 251.3, "cyclenet": 222.7, "cryoccd": 141.7}
    assert {m: round(held_out.mean(m), 1) for m in held_out.rows} == printed


def test_published_means_of_picking_and_poses_are_the_printed_ones():
    [picking], [pose] = (read_reference(REFERENCE, table) for table in ("picking", "pose"))
    printed = {"gaussian": 0.430, "poisson": 0.363, "poisson_gaussian": 0.415, "cryogem": 0.201}
    printed |= {"cyclediffusion": 0.345, "cyclenet": 0.323, "cryoccd": 0.599}
    printed["topaz_pretrained"] = 0.404
    assert picking.rows.keys() == printed.keys()
    for row, mean in printed.items():
        assert picking.mean(row) == pytest.approx(mean, abs=0.0006), row
    printed = {"gaussian": 1.14, "poisson": 1.35, "poisson_gaussian": 1.28, "cryogem": 1.66}
    printed |= {"cyclediffusion": 1.13, "cyclenet": 1.35, "cryoccd": 0.83}
    assert pose.rows.keys() == printed.keys()
    for row, mean in printed.items():
        assert pose.mean(row) == pytest.approx(mean, abs=0.006), row


def test_each_table_has_its_own_published_figures(tmp_path):
    [ablation] = read_reference(REFERENCE, "ablation")
    printed = {"full": 126.0, "no_cycle": 252.8, "no_mask_nce": 160.3, "no_corrector": 146.7}
    printed |= {"global_gradient_ice": 232.1, "small_defocus": 149.4, "large_defocus": 152.4}
    assert ablation.rows.keys() == printed.keys()
    for row, mean in printed.items():
        assert ablation.mean(row) == pytest.approx(mean, abs=0.051)
    write_cells(tmp_path, {m: {"x": entry(1.0)} for m in ("real_floor", "cut", "white_ceiling")})
    steps = read_reference(REFERENCE, "steps")
    text = to_markdown(
        reduce_cells(tmp_path, "demo", "fid", ["cut"], ["ice"], ["x"], reference=steps)
    )
    assert "published, not comparable" not in text  # no figure, no column
    assert "DDPM is about 6.5 % better than DDIM" in text


@pytest.mark.parametrize("text", ["{", "a: 1", "- {name: x}", "- 3"])
def test_bad_reference_files_give_one_line(tmp_path, text):
    path = tmp_path / "reference.yaml"
    path.write_text(text)
    with pytest.raises(CryoccdError, match=r"reference\.yaml") as caught:
        read_reference(path)
    assert "\n" not in str(caught.value)


def test_reference_rows_must_be_whole(tmp_path):
    path = tmp_path / "reference.yaml"
    path.write_text(REFERENCE.read_text().replace("[121.32, ", "["))
    with pytest.raises(CryoccdError, match="cryoccd of entry 0 has 5 figures for 6"):
        read_reference(path)


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [
        (0.4234, 0.4234, "0.423"),
        (308.09, 308.09, "308"),
        (-1.5, 1.5, "-1.50"),
        (0, 0, "0.00"),
        (2.5e-6, 2.5e-6, "2.50e-06"),
        (0.0001, 0.2, "0.000"),
        (99.96, 99.96, "100.0"),
    ],
)
def test_numbers_have_three_digits(value, scale, text):
    assert number_text(value, scale) == text


def test_durations():
    assert [duration(s) for s in (0.04, 59.94, 61, 3599, 7260)] == [
        *("0.0 s", "59.9 s", "1 min 1 s", "59 min 59 s", "2 h 1 min")
    ]
