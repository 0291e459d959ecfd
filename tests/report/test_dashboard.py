import base64
import io
import re
from html.parser import HTMLParser

import pytest
from dashboard_fixtures import DATASETS, NASTY, VALUES, break_cell, write_picking, write_results
from PIL import Image
from report_fixtures import entry, write_cells

from cryoccd.cli import main
from cryoccd.errors import CryoccdError
from cryoccd.launch.dashboard import write_dashboard
from cryoccd.launch.dashboard_rows import Rows
from cryoccd.launch.dashboard_tables import find_tables, reduce_found
from cryoccd.launch.dashboard_training import Logs
from cryoccd.launch.places import Runs
from cryoccd.report.figure import distance
from cryoccd.report.writers import write_table

VOID = {"meta", "img", "br", "wbr", "input"}


class Page(HTMLParser):
    """Tags, text of the cells of the first table, and whether all is closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.figures, self._cell = [], [], [], None
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.tags.append((tag, known))
        if tag == "td" and "data-v" in known and "data-set" in known:
            self._cell = [known, ""]
            self.figures.append(self._cell)
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        if self._cell:
            self._cell[1] += data

    def handle_endtag(self, tag):
        if tag == "td":
            self._cell = None
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("dashboard")
    results, runs = write_results(root)
    write_picking(results, runs)
    break_cell(results)
    written = write_dashboard(results, runs, root / "report.html")
    return results, runs, written, written.path.read_text(encoding="utf8")


@pytest.fixture(scope="module")
def page(made):
    return Page(made[-1])


def test_every_table_is_shown_or_named_with_its_reason(made):
    _, _, written, text = made
    assert (written.tables, written.cells) == (2, 8 + 3)
    ((name, reason),) = written.refused
    assert name == "broken, demo"
    assert "cut__ice__0.json" in reason
    assert "broken, demo" in text


def test_images_are_embedded_and_decode(page):
    images = [known for tag, known in page.tags if tag == "img"]
    assert len(images) == len(DATASETS) * 3 * (2 + 2)  # clean, spectrum, cut, real
    for known in images:
        kind, _, data = known["src"].partition(",")
        assert kind == "data:image/png;base64"
        picture = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
        picture.load()
        assert picture.size == (int(known["width"]), int(known["height"]))
        assert len(picture.getcolors()) > 8  # no blank panel


def test_nothing_is_asked_of_the_outside(page, made):
    for tag, known in page.tags:
        assert tag not in ("link", "iframe", "object")
        for name in ("src", "href", "xlink:href"):
            assert not known.get(name) or known[name].startswith(("data:image/png", "#"))
    assert "url(" not in made[-1]
    policy = next(k["content"] for _, k in page.tags if k.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy.partition("script-src")[2]


def test_ids_are_unique_and_links_lead_to_them(page):
    ids = [known["id"] for _, known in page.tags if "id" in known]
    assert len(ids) == len(set(ids))
    links = [known["href"][1:] for _, known in page.tags if "href" in known]
    assert len(links) == 4  # two tables, training, not shown
    assert set(links) <= set(ids)


def test_hostile_text_stays_text(made):
    text = made[-1]
    assert text.count("<script") == 1
    assert "<img src=http" not in text
    assert text.count("&lt;script&gt;alert(1)") >= 3  # a note, its tooltips, the tone map


def test_figures_are_those_of_the_cells(page, made):
    results, *_ = made
    table, _ = reduce_found(find_tables(results)[1])
    shown = {}
    for known, text in page.figures:
        shown.setdefault(known["data-set"], []).append((float(known["data-v"]), text))
    for dataset in DATASETS:
        expected = []
        for method in table.methods:
            for metric in table.metrics:
                figure = table.figures[method, dataset, metric]
                if figure.value is not None:
                    expected.append((distance(metric, figure.value), figure))
        for (sort, text), (rank, figure) in zip(shown[dataset], expected, strict=False):
            assert sort == pytest.approx(rank, rel=1e-5)
            numbers = [float(n) for n in re.findall(r"-?\d+\.\d+", text)]
            assert numbers[:1] + numbers[-2:] == pytest.approx(
                [figure.value, figure.low, figure.high], abs=5e-3
            )


def test_precision_and_recall_are_those_of_the_cells(made):
    results, runs, _, text = made
    table, _ = reduce_found(find_tables(results)[2])
    value = table.figures["cut", "ice", "auprc"].value
    assert f"cut  {value:.3f}</li>" in text
    path = runs / "demo" / "picking" / "ice" / "cut__fast__0" / "picks.csv"
    kept = path.read_text()
    path.write_text("\n".join(kept.splitlines()[:5]) + "\n")
    try:
        write_dashboard(results, runs, results / "other.html")
    finally:
        path.write_text(kept)
    other = (results / "other.html").read_text()
    assert "The picks of cut are of another run than the cells." in other
    assert (
        'data-line="cut" tabindex="0"><svg width="22" height="8"><path class="line c0 d0"' in other
    )


def test_rows_and_columns_are_those_of_the_last_table(tmp_path):
    figures = {m: {"fd": entry(v), "kid": entry(v)} for m, v in VALUES.items()}
    write_cells(tmp_path, figures)
    (found,) = find_tables(tmp_path)
    table, notes = reduce_found(found)
    assert table.methods == ("real_floor", "cut", "spectrum", "white_ceiling")
    assert (table.metrics, notes) == (("fd", "kid"), ())
    small = reduce_found(found)[0]
    object.__setattr__(small, "methods", ("real_floor", "spectrum", "white_ceiling"))
    object.__setattr__(small, "metrics", ("kid",))
    write_table(small, tmp_path)
    again, notes = reduce_found(found)
    assert (again.methods, again.metrics) == (small.methods, ("kid",))
    assert notes == ("1 cells are outside of the table as last made: cut__ice__0.json",)


def test_images_seen_are_those_of_the_log(made):
    results, runs, *_ = made
    found = find_tables(results)[1]
    logs = Logs(Runs(runs / "demo"))
    assert logs.images(Rows.of(found, reduce_found(found)[0])) == {"cut": 12000.0}
    (fit,) = logs.read[0]
    images, loss = fit.curve("train/loss_nce")
    assert len(images) == 120
    assert loss[0] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3, rel=1e-6)  # 300 lines, 3 or 2 each


def test_large_pictures_are_left_out_and_named(made, monkeypatch):
    results, runs, *_ = made
    picture = results / "demo" / "fid" / "control_ice.png"
    Image.effect_noise((300, 300), 50).save(picture)
    try:
        write_dashboard(results, runs, results / "whole.html")
        monkeypatch.setattr("cryoccd.launch.dashboard._PICTURE_BYTES", 1000)
        write_dashboard(results, runs, results / "small.html")
    finally:
        picture.unlink()
    assert 'alt="control_ice.png"' in (results / "whole.html").read_text()
    small = (results / "small.html").read_text()
    assert "control_ice.png is left out" in small
    assert 'alt="control_ice.png"' not in small


def test_a_fault_leaves_the_old_page(made, tmp_path):
    old = tmp_path / "report.html"
    old.write_text("old")
    with pytest.raises(CryoccdError, match="no such results folder"):
        write_dashboard(tmp_path / "none", tmp_path, old)
    assert old.read_text() == "old"
    assert list(tmp_path.iterdir()) == [old]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--output=report.pdf"], "ends in .html"),
        (["--output=folder.html"], "is a folder"),
        (["--results=absent"], "absent: no such results folder"),
        (["--results=folder.html"], "holds no PROFILE/TABLE"),
        (["--reference=absent.yaml"], "absent.yaml: not readable"),
    ],
)
def test_faults_are_one_line(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.html").mkdir()
    assert main(["report", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "report.html").exists()


def test_the_verb_writes_the_page(made, tmp_path, monkeypatch, capsys):
    results, runs, *_ = made
    monkeypatch.chdir(tmp_path)
    assert main(["report", f"--results={results}", f"--runs={runs}", "--output=a/b.html"]) == 0
    assert (tmp_path / "a" / "b.html").stat().st_size > 10_000
    told = capsys.readouterr().out
    assert "not shown: broken, demo" in told
    assert "2 tables of 11 cells" in told
    assert NASTY not in told
