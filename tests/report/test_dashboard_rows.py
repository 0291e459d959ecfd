"""What the page takes from where: shared sets and fits, the matrix's gallery, dates, pictures."""

import os

import pytest
from dashboard_fixtures import VALUES, write_generated, write_results
from PIL import Image
from report_fixtures import PROTOCOL, cell, entry, origin
from toys import write_real, write_simulated

from cryoccd.errors import CryoccdError
from cryoccd.launch.dashboard import write_dashboard
from cryoccd.launch.dashboard_rows import MOST, Rows
from cryoccd.launch.dashboard_sets import GeneratedSets
from cryoccd.launch.dashboard_tables import find_tables, reduce_found
from cryoccd.launch.dashboard_training import Logs
from cryoccd.launch.places import Runs
from cryoccd.report.cells import ResultCell
from cryoccd.report.web.viewer import Viewer

STEPS = "sampler.init_args.steps"


def trained(style="ice", **variant):
    known = PROTOCOL | {"training": "per_style", "train_styles": [style]}
    return known | ({"variant": variant} if variant else {})


def rows_of(results):
    [found] = find_tables(results)
    table, _ = reduce_found(found)
    return Rows.of(found, table)


def write_log(folder, text):
    path = folder / "logs" / "version_0" / "metrics.csv"
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.fixture
def matrix(tmp_path, monkeypatch):
    """Writes the matrix of the profile demo of a table."""
    folder = tmp_path / "experiments"
    folder.mkdir()
    monkeypatch.setattr("cryoccd.launch.dashboard_tables.EXPERIMENTS", folder)
    return lambda table, text: (folder / f"{table}-demo.yaml").write_text(text)


def test_rows_that_change_the_picker_show_the_set_they_share(tmp_path, matrix):
    results, runs = tmp_path / "results", Runs(tmp_path / "runs")
    changed = {"method": "cut", "picker": {"contrast": [0.7, 3.0]}}
    for method, known in {"cut": trained(), "cut_any": trained(**changed)}.items():
        for seed in (1, 2):  # of the picker: a translator is fitted once
            made = ({"auprc": entry(0.5)}, known, origin())
            ResultCell("picking", method, "ice", seed, *made).write(results, "demo")
    folder = runs.generated("cut", "ice", "ice", 0, "picking")
    write_generated(folder, 0.5)
    write_log(runs.fit("cut", "ice", 0), "step,train/images\n1,40\n")
    rows = rows_of(results)
    assert GeneratedSets(rows, "ice", runs).folders == {"cut": folder, "cut_any": folder}
    assert Logs(runs).images(rows) == {"cut": 40.0, "cut_any": 40.0}

    matrix("picking", "picking: {translator_seed: 5}")
    other = runs.generated("cut", "ice", "ice", 5, "picking")
    folder.rename(other)
    assert GeneratedSets(rows_of(results), "ice", runs).folders["cut_any"] == other


def test_rows_that_change_the_sampler_share_a_fit(tmp_path, matrix):
    """Also where the row that the fit is called by is not in the table, but in the matrix."""
    variants = {
        "quick": {"method": "cut", "overrides": {"width": 4}, "sampling": {STEPS: 2}},
        "slow": {"method": "cut", "overrides": {"width": 4}, "sampling": {STEPS: 9}},
    }
    for method, known in variants.items():
        cell(method, "ice", {"fd": entry(1.0)}, protocol=trained(**known)).write(tmp_path, "demo")
    runs = Runs(tmp_path / "runs")
    write_log(runs.fit("quick", "ice", 0), "step,train/images\n1,40\n")
    write_log(runs.fit("first", "ice", 0), "step,train/images\n1,90\n")
    rows = rows_of(tmp_path)
    assert Logs(runs).images(rows) == {"quick": 40.0, "slow": 40.0}
    [quick] = rows.table.cells["quick", "ice"]
    assert rows.generated(quick, runs) == runs.generated("quick", "ice", "ice", 0)
    matrix("fid", "variants: {first: {method: cut, overrides: {width: 4}}}")
    assert Logs(runs).images(rows_of(tmp_path)) == {"quick": 90.0, "slow": 90.0}


def test_a_mixed_fit_counts_once(tmp_path):
    mixed = PROTOCOL | {"training": "mixed", "train_styles": ["ice", "gold"]}
    for dataset in ("ice", "gold"):
        cell("cut", dataset, {"fd": entry(1.0)}, protocol=mixed).write(tmp_path, "demo")
    runs = Runs(tmp_path / "runs")
    write_log(runs.fit("cut", "mixed_ice-gold", 0), "step,train/images\n1,40\n")
    assert Logs(runs).images(rows_of(tmp_path)) == {"cut": 40.0}


def test_the_gallery_of_the_matrix_rules(tmp_path, matrix):
    results, runs = write_results(tmp_path)
    matrix("fid", "gallery: [spectrum, absent]")
    text = write_dashboard(results, runs, tmp_path / "page.html").path.read_text()
    assert 'data-name="spectrum"' in text
    assert 'data-name="cut"' not in text
    assert text.count("Of 2 rows the 1 that the matrix names for its gallery.") == 4
    matrix("fid", "gallery: [absent]")  # none of the table: as without
    text = write_dashboard(results, runs, tmp_path / "page.html").path.read_text()
    assert 'data-name="cut"' in text
    assert "rows the" not in text


def test_a_faulty_matrix_hides_nothing(tmp_path, matrix):
    results, runs = write_results(tmp_path)
    whole = write_dashboard(results, runs, tmp_path / "whole.html")
    for text in ("gallery: [", "variants: [1]", "variants: {cut: {meth: cut}}", "axes: 3"):
        matrix("fid", text)
        if text == "gallery: [":  # the columns are asked of it, before there is a table.csv
            with pytest.raises(CryoccdError, match="not readable as YAML"):
                reduce_found(find_tables(results)[0])
            continue
        written = write_dashboard(results, runs, tmp_path / "page.html")
        assert (written.tables, written.cells) == (whole.tables, whole.cells)
        assert 'data-name="cut"' in written.path.read_text()


def test_at_most_so_many_rows_have_pictures(tmp_path):
    values = {f"m{k}": float(20 - k) for k in range(MOST + 3)}
    for method, value in values.items():
        cell(method, "ice", {"fd": entry(value)}, protocol=trained()).write(tmp_path, "demo")
    rows = rows_of(tmp_path)
    assert rows.shown(list(values), "ice") == list(values)[3:]
    assert rows.choice == " Of 15 rows the 12 with the best fd."


def test_a_cell_tells_when_it_was_made(tmp_path):
    known = origin(made="2020-02-29T12:00:00+00:00")
    path = cell("cut", "ice", {"fd": entry(1.0)}, provenance=known).write(tmp_path, "demo")
    old = cell("spectrum", "ice", {"fd": entry(1.0)}).write(tmp_path, "demo")
    for each in (path, old):
        os.utime(each, (1e9, 1e9))  # of September 2001
    text = write_dashboard(tmp_path, tmp_path / "runs", tmp_path / "page.html").path.read_text()
    assert '<td data-v="1582977600.0">2020-02-29 ' in text
    assert "the cell records none" in text
    assert "2001-09-09 01:46 (file)" in text or "(file)</td>" in text
    assert text.count("(file)") == 1


def test_a_picture_is_shown_with_its_own_data_set(tmp_path):
    for dataset in ("ice", "thin_ice"):
        cell("cut", dataset, {"fd": entry(1.0)}).write(tmp_path, "demo")
        Image.effect_noise((20, 20), 50).save(tmp_path / f"demo/fid/gallery_{dataset}.png")
    text = write_dashboard(tmp_path, tmp_path / "runs", tmp_path / "page.html").path.read_text()
    for dataset in ("ice", "thin_ice"):
        assert text.count(f'alt="gallery_{dataset}.png"') == 1


def test_sets_of_few_micrographs_and_of_other_sizes_have_even_columns(tmp_path):
    runs = Runs(tmp_path / "runs" / "demo")
    write_real(runs.data("ice").real, n_train=1, n_test=2)
    write_simulated(runs.data("ice").simulated_test, count=4)
    write_generated(runs.generated("cut", "ice", "ice", 0), 0.5)
    cell("cut", "ice", {"fd": entry(1.0)}, protocol=trained()).write(tmp_path, "demo")
    viewer = GeneratedSets(rows_of(tmp_path), "ice", runs).viewer(48)
    assert {name: len(crops) for name, crops in viewer.columns.items()} == {
        "clean": 2,
        "cut": 2,
        "real": 2,
    }
    with pytest.raises(CryoccdError, match="'real': 1} pictures, expected equally many"):
        Viewer({"clean": (b"", b""), "real": (b"",)}, 8, "", "clean")


def test_a_log_that_was_cut_off_is_a_line(tmp_path):
    results, runs = write_results(tmp_path)
    [log] = runs.rglob("metrics.csv")
    log.write_text(log.read_text() + "4\0,broken\n")
    text = write_dashboard(results, runs, tmp_path / "page.html").path.read_text()
    assert "cut__ice__0: its log is not readable" in text
    log.write_text("step,train/images,train/loss\n")
    text = write_dashboard(results, runs, tmp_path / "page.html").path.read_text()
    assert "not readable" not in text


def test_a_cell_whose_training_is_half_told_is_named(tmp_path):
    for method in VALUES:
        cell(method, "ice", {"fd": entry(1.0)}).write(tmp_path, "demo")
    path = tmp_path / "demo/fid/cut__ice__0.json"
    path.write_text(path.read_text().replace('"protocol": {', '"protocol": {"training": "mixed",'))
    written = write_dashboard(tmp_path, tmp_path / "runs", tmp_path / "page.html")
    [(name, reason)] = written.refused
    assert name == "fid, demo"
    assert "train_styles is None, expected names; run the cell again" in reason
