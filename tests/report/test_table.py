import pytest
from report_fixtures import PROTOCOL, entry, origin, simple_table, write_cells

from cryoccd.errors import CryoccdError
from cryoccd.report.cells import ResultCell
from cryoccd.report.layout import lay_out
from cryoccd.report.reference import Published
from cryoccd.report.table import reduce_cells

ANCHORS = {"real_floor": 1.0, "white_ceiling": 9.0}


def figures(metric="fd_scattering", **values):
    return {m: {metric: entry(v)} for m, v in (ANCHORS | values).items()}


def reduce(root, methods=("cut",), datasets=("ice",), metrics=("fd_scattering",), **options):
    return reduce_cells(root, "demo", "fid", methods, datasets, metrics, **options)


def test_rows_stand_in_the_order_given_between_floor_and_ceiling(tmp_path):
    table = simple_table(tmp_path, {"spectrum": 2.0, "cut": 3.0, "gaussian": 4.0})
    names = [name for name, _ in lay_out(table).rows]
    assert names == ["real_floor", "spectrum", "cut", "gaussian", "white_ceiling"]


def test_one_line_names_every_missing_cell_and_metric(tmp_path):
    write_cells(tmp_path, figures())
    write_cells(tmp_path, figures(cut=2.0), dataset="gold")
    with pytest.raises(CryoccdError, match="--allow-missing") as caught:
        reduce(tmp_path, ("cut", "gaussian"), ("ice", "gold"), ("fd_scattering", "kid"))
    text = str(caught.value)
    assert "\n" not in text
    for name in ("cut__ice__0.json", "gaussian__ice__0.json", "gaussian__gold__0.json"):
        assert name in text
    assert "kid in cut__gold__0.json" in text
    assert " cut__gold__0.json," not in text.replace("in cut__gold__0.json", "")


def test_missing_cells_may_be_allowed(tmp_path):
    write_cells(tmp_path, figures())
    rows = dict(lay_out(reduce(tmp_path, allow_missing=True)).rows)
    assert [cell.text for cell in rows["cut"]] == ["missing", "missing"]  # and no wall time of 0 s
    assert rows["cut"][-1].sort is None
    assert rows["real_floor"][0].text == "1.00 [0.90, 1.10]"
    with pytest.raises(CryoccdError, match="no cell"):
        reduce(tmp_path, datasets=("gold",), allow_missing=True)


def test_published_figures_are_sorted_by_their_own_ideal(tmp_path):
    write_cells(tmp_path, figures(cut=2.0))
    rows = {"cut": (0.9,), "real_floor": (0.2,)}
    published = [Published("fid", "", "", metric, ("d",), "", rows) for metric in ("AUPRC", "FID")]
    found = dict(lay_out(reduce(tmp_path, reference=published)).rows)
    assert found["cut"][-2].sort < found["real_floor"][-2].sort  # nearer to 1
    assert found["cut"][-1].sort > found["real_floor"][-1].sort


def test_a_seed_that_is_missing_is_missing(tmp_path):
    write_cells(tmp_path, figures(cut=2.0), seed=0)
    with pytest.raises(CryoccdError, match=r"cut__ice__1\.json"):
        reduce(tmp_path, seeds=(0, 1))


def test_a_malformed_cell_fails_the_table(tmp_path):
    write_cells(tmp_path, figures(cut=2.0))
    path = tmp_path / "demo" / "fid" / "cut__ice__0.json"
    path.write_text(path.read_text()[:-20])
    with pytest.raises(CryoccdError, match=r"cut__ice__0\.json"):
        reduce(tmp_path, allow_missing=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protocol": PROTOCOL | {"extractor": "Inception-v3"}}, "extractor"),
        ({"protocol": PROTOCOL | {"crop": 128}}, "crop"),
        ({"protocol": PROTOCOL | {"extra": 1}}, "protocol"),
        ({"provenance": origin(data_hash="other")}, "data_hash"),
        ({"provenance": origin(versions={"cryoccd": "0.0.9"})}, "version"),
    ],
)
def test_figures_that_do_not_compare_are_refused(tmp_path, change, message):
    write_cells(tmp_path, figures())
    write_cells(tmp_path, {"cut": {"fd_scattering": entry(2.0)}}, **change)
    with pytest.raises(CryoccdError, match=message):
        reduce(tmp_path)


def test_best_row_leaves_the_anchors_apart_and_knows_the_sign(tmp_path):
    table = simple_table(tmp_path, {"cut": 2.0, "spectrum": 1.5, "gaussian": 1.5})
    assert table.best("ice", "fd_scattering") == {"spectrum", "gaussian"}
    signed = {"real_floor": 0.1, "cut": -0.4, "gaussian": -5.0, "spectrum": 0.6}
    table = simple_table(tmp_path, signed, metric="contrast_error_db")
    assert table.best("ice", "contrast_error_db") == {"cut"}


def test_only_a_clear_gain_counts_as_better_than_the_floor(tmp_path):
    table = simple_table(tmp_path, {"cut": 0.95, "gaussian": 3.0, "spectrum": 0.2})
    assert table.better_than_bound == {("spectrum", "ice", "fd_scattering")}
    flags = {name: cells[0].better for name, cells in lay_out(table).rows}
    assert [name for name, flag in flags.items() if flag] == ["spectrum"]
    assert any("spectrum (fd_scattering, ice)" in line for line in lay_out(table).remarks)


def test_the_level_holds_for_the_whole_table(tmp_path):
    # one row at z = -2: a gain alone, none among ten
    alone = simple_table(tmp_path / "one", {"cut": 1 - 0.1 / 1.96 * 2 * 2**0.5})
    assert len(alone.better_than_bound) == 1
    many = {"cut": 1 - 0.1 / 1.96 * 2 * 2**0.5} | {f"m{i}": 2.0 for i in range(9)}
    table = simple_table(tmp_path / "ten", many)
    assert not table.better_than_bound
    remarks = " ".join(lay_out(table).remarks)
    assert "No row is significantly better than the floor." in remarks
    assert "smallest single p 0.023 (cut, fd_scattering, ice)" in remarks


def test_nothing_is_claimed_of_what_was_not_tested(tmp_path):
    short = {m: {"fd": entry(v, interval="range")} for m, v in (ANCHORS | {"cut": 0.1}).items()}
    layout = lay_out(reduce(write_cells(tmp_path, short), metrics=("fd",)))
    assert "No row could be tested" in layout.remarks[1]
    assert layout.notes == (
        "range of the estimates with micrographs left out, not a confidence interval",
    )
    assert dict(layout.rows)["cut"][0].notes == (1,)


def test_seeds_are_averaged_and_wall_time_is_summed(tmp_path):
    for seed, value in enumerate((2.0, 3.0, 7.0)):
        write_cells(tmp_path, figures(cut=value), seed=seed)
    table = reduce(tmp_path, seeds=(0, 1, 2))
    cells = dict(lay_out(table).rows)["cut"]
    assert cells[0].text == "4.00 [2.00, 7.00]"
    assert cells[1].text == "3 min 3 s"
    assert "wall time of all cells: 9 min 9 s" in " ".join(lay_out(table).heading)


def test_undefined_figures_say_so_and_why(tmp_path):
    made = figures() | {"cut": {"fd_scattering": entry(None, note="too few crops")}}
    layout = lay_out(reduce(write_cells(tmp_path, made)))
    cell = dict(layout.rows)["cut"][0]
    assert (cell.text, layout.notes[cell.notes[0] - 1]) == ("undefined", "too few crops")


def test_title_and_heading_tell_the_protocol(tmp_path):
    layout = lay_out(simple_table(tmp_path, {"cut": 2.0}))
    assert "scattering J=4 L=8" in layout.title
    assert "oracle" in layout.title
    assert layout.columns[0] == ("ice (oracle)", "fd_scattering")
    assert "crop: 64" in layout.heading
    assert "split: train 16, test 16" in layout.heading


def test_an_extractor_is_named_whatever_its_key(tmp_path):
    protocol = {"domain": "EMPIAR-10146", "scattering": "morlet-J4-L8", "inception": "v3 sha256 ab"}
    write_cells(tmp_path, figures(cut=2.0), "empiar-10146", protocol=protocol)
    layout = lay_out(reduce(tmp_path, datasets=("empiar-10146",)))
    assert layout.title.endswith("real side: EMPIAR-10146; extractor: morlet-J4-L8, v3 sha256 ab")
    assert layout.columns[0] == ("empiar-10146", "fd_scattering")


def test_settings_of_some_methods_stay_in_their_cells(tmp_path):
    write_cells(tmp_path, figures())
    cut = {"cut": {"fd_scattering": entry(2.0)}}
    write_cells(tmp_path, cut, protocol=PROTOCOL | {"choices": {"contrast": 0.3}})
    assert "contrast" not in " ".join(lay_out(reduce(tmp_path)).heading)
    read = ResultCell.read(tmp_path / "demo" / "fid" / "cut__ice__0.json")
    assert read.protocol["choices"] == {"contrast": 0.3}
