import json

import pytest
from report_fixtures import cell, entry, origin

from cryoccd.errors import CryoccdError
from cryoccd.report.cells import ResultCell, cell_path, reusable

METRICS = {"fd_scattering": entry(1.5), "kid_scattering": entry(None, note="too few crops")}


def test_round_trip_and_place(tmp_path):
    made = cell("cryogem", "ice-a", METRICS, seed=3)
    path = made.write(tmp_path, "demo")
    assert path == tmp_path / "demo" / "fid" / "cryogem__ice-a__3.json"
    assert ResultCell.read(path) == made
    keys = ["table", "method", "dataset", "seed", "metrics", "protocol", "provenance"]
    assert list(json.loads(path.read_text())) == keys
    assert [p.name for p in path.parent.iterdir()] == [path.name]  # no temporary file stays


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("seed"), "expected"),
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d.update(seed="0"), "seed"),
        (lambda d: d.update(seed=1), "holds the cell"),
        (lambda d: d.update(method="../x"), "method"),
        (lambda d: d["metrics"]["fd_scattering"].pop("n"), "fd_scattering"),
        (lambda d: d["metrics"]["fd_scattering"].update(value="1"), "value"),
        (lambda d: d["metrics"]["fd_scattering"].update(value=float("nan")), "finite"),
        (lambda d: d["metrics"]["fd_scattering"].update(value=None), "note"),
        (lambda d: d["metrics"]["fd_scattering"].update(ci_low=None), "half an interval"),
        (lambda d: d["metrics"]["fd_scattering"].update(ci_low=9.0), "ci_low"),
        (lambda d: d["metrics"]["fd_scattering"].update(n=True), "count"),
        (lambda d: d["protocol"].pop("domain"), "domain"),
        (lambda d: d["provenance"].pop("commit"), "commit"),
        (lambda d: d["provenance"].update(versions={}), "version"),
        (lambda d: d["provenance"].update(seconds=-1), "seconds"),
        (lambda d: d.update(metrics=[]), "metrics"),
    ],
)
def test_malformed_cell_gives_one_line_naming_the_file(tmp_path, change, message):
    path = cell("cryogem", "ice-a", METRICS).write(tmp_path, "demo")
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    with pytest.raises(CryoccdError, match=message) as caught:
        ResultCell.read(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00"])
def test_what_is_no_cell_is_refused(tmp_path, text):
    path = tmp_path / "a__b__0.json"
    path.write_text(text)
    with pytest.raises(CryoccdError, match=r"a__b__0\.json"):
        ResultCell.read(path)
    with pytest.raises(CryoccdError, match="absent"):
        ResultCell.read(tmp_path / "absent__b__0.json")


def test_oracle_figures_cannot_claim_empiar():
    with pytest.raises(CryoccdError, match="oracle"):
        cell("cryogem", "empiar-10146", METRICS)
    cell("cryogem", "empiar-10146", METRICS, protocol={"domain": "EMPIAR-10146"})


def test_names_that_would_make_file_names_ambiguous_are_refused(tmp_path):
    for name in ("a__b", "a/b", "", "..", "-a", "a b", "a\n"):
        with pytest.raises(CryoccdError, match="dataset"):
            cell_path(tmp_path, "demo", "fid", "cut", name, 0)


@pytest.mark.parametrize(
    ("config", "data", "version", "stands"),
    [
        ("c", "d", "0.1.0", True),
        ("x", "d", "0.1.0", False),
        ("c", "x", "0.1.0", False),
        ("c", "d", "0.1.1", False),
    ],
)
def test_reuse_needs_config_data_and_version(config, data, version, stands):
    made = cell("cut", "ice", METRICS, provenance=origin(config_hash="c", data_hash="d"))
    assert reusable(made, config, data, version) is stands
