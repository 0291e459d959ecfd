"""Micrographs of an archive's entry in the cache, against a local server of the same layout."""

import numpy as np
import pytest
import tifffile
from archive_server import Archive
from paper_archive import (
    CONFIGS,
    NAMES,
    micrograph,
    mrc_bytes,
    serve,
    small_config,
    small_set,
)

from cryoccd.errors import CryoccdError
from cryoccd.io.download import Transfer
from cryoccd.io.fetch_entries import Hosts
from cryoccd.io.fetch_images import cached_images, check_intact, fetch_images
from cryoccd.io.paper_set import find_paper_set, read_paper_set

QUICK = Transfer(attempts=2, pause_s=0.0, timeout_s=5)


@pytest.fixture
def archive(monkeypatch, tmp_path):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("CRYOCCD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CRYOCCD_MIRROR", raising=False)
    server = Archive()
    yield server
    server.close()


@pytest.fixture
def ribosome(tmp_path):
    return small_set("ribosome", tmp_path / "sets")


def get(archive, paper, **options):
    hosts = Hosts(empiar=f"{archive.address}/empiar")
    return fetch_images(paper, hosts=hosts, transfer=QUICK, **options)


@pytest.mark.parametrize("name", NAMES)
def test_each_entry_of_the_paper(archive, tmp_path, name):
    paper = small_set(name, tmp_path / "sets")
    files = serve(archive, paper, name)
    folder = get(archive, paper)
    assert folder == tmp_path / "cache/empiar" / paper.empiar / paper.images.folder
    paths = cached_images(paper)
    assert [path.name for path in paths] == sorted(files)
    for number, path in enumerate(paths, 1):
        assert path.read_bytes() == mrc_bytes(micrograph(number), 2.0)
        check_intact(paper, path)
    assert archive.paths()[0] == f"/empiar/{paper.empiar}/data/{paper.images.folder}/"
    assert not list(folder.glob(".*.part*"))


def test_what_is_cached_needs_no_network(archive, ribosome):
    serve(archive, ribosome, "ribosome")
    get(archive, ribosome)
    archive.requests.clear()
    get(archive, ribosome)
    assert archive.requests == []


def test_a_larger_limit_keeps_what_a_smaller_one_brought(archive, ribosome):
    serve(archive, ribosome, "ribosome", count=6)
    told = []
    get(archive, ribosome, limit=2, on_file=lambda *file: told.append(file[1:]))
    few = cached_images(ribosome)
    assert told == [(0, 2), (1, 2)]
    archive.requests.clear()
    get(archive, ribosome, limit=4)
    assert set(few) < set(cached_images(ribosome))
    assert len(archive.requests) == 2
    get(archive, ribosome, limit=2)
    assert cached_images(ribosome) == few
    with pytest.raises(CryoccdError, match="limit = 1, expected 2 or more"):
        get(archive, ribosome, limit=1)


def test_only_names_of_the_range_are_taken(archive, tmp_path):
    paper = small_set("ribosome", tmp_path / "sets", images={"first": "062.mrc", "last": "063.mrc"})
    serve(archive, paper, "ribosome")
    get(archive, paper)
    assert [path.name for path in cached_images(paper)] == ["062.mrc", "063.mrc"]


def test_an_interrupted_fetch_goes_on(archive, ribosome):
    files = serve(archive, ribosome, "ribosome")
    place = f"/empiar/10028/data/{ribosome.images.folder}/{files[1]}"
    archive.faults[place] = [{"cut": 5000}, {"cut": 0}]
    with pytest.raises(CryoccdError, match="empiar:10028: not in the cache and not to be had"):
        get(archive, ribosome)
    with pytest.raises(CryoccdError, match=r"3 of 4 files .* such as 062.mrc; run `cryoccd fetch "):
        cached_images(ribosome)
    archive.requests.clear()
    get(archive, ribosome)
    assert archive.paths()[0] == place  # the first is not asked for again
    assert archive.requests[0][1]["Range"] == "bytes=5000-"
    assert cached_images(ribosome)[1].read_bytes() == archive.files[place]


def test_a_part_of_a_limited_fetch_names_the_limit(archive, ribosome):
    files = serve(archive, ribosome, "ribosome")
    get(archive, ribosome, limit=3)
    gone = cached_images(ribosome)[0]
    gone.unlink()
    with pytest.raises(CryoccdError, match=r"run `cryoccd fetch empiar:10028 --limit 3`"):
        cached_images(ribosome)
    assert gone.name in files


def test_a_damaged_file_is_seen_and_replaced(archive, ribosome):
    serve(archive, ribosome, "ribosome")
    get(archive, ribosome)
    path = cached_images(ribosome)[2]
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"?")
    with pytest.raises(CryoccdError, match=r"does not match .* run `cryoccd fetch empiar:10028`"):
        check_intact(ribosome, path)
    get(archive, ribosome)
    assert path.read_bytes() == whole


def test_a_movie_folder_comes_with_its_gain_reference(archive, tmp_path):
    images = {"folder": "raw", "pattern": "*.frames.mrc", "gain": "raw/norm.mrc"}
    paper = small_set("proteasome", tmp_path / "sets", images=images)
    movie = mrc_bytes(np.ones((2, 32, 32), np.float32), 0)
    place = "/empiar/10025/data/raw"
    names = ("a.frames.mrc", "b.frames.mrc", "norm.mrc")
    archive.files |= {f"{place}/{name}": movie for name in names}
    archive.files[f"{place}/"] = "".join(f"<a href='{name}'>x</a>" for name in names).encode()
    folder = get(archive, paper, limit=2)
    assert (folder / "norm.mrc").is_file()
    (folder / "norm.mrc").unlink()
    with pytest.raises(CryoccdError, match=r"such as raw/norm.mrc"):
        cached_images(paper)


def test_a_mirror_of_a_cache(archive, ribosome, monkeypatch, tmp_path):
    files = serve(archive, ribosome, "ribosome")
    get(archive, ribosome)
    source = tmp_path / "cache"
    archive.files = {
        f"/m/{path.relative_to(source)}": path.read_bytes()
        for path in source.rglob("*")
        if path.is_file()
    }
    monkeypatch.setenv("CRYOCCD_CACHE", str(tmp_path / "second"))
    fetch_images(ribosome, mirror=f"{archive.address}/m/", transfer=QUICK)
    assert [path.name for path in cached_images(ribosome)] == files


def test_a_mirror_that_lists_its_folders(archive, ribosome):
    files = serve(archive, ribosome, "ribosome")
    place = f"/empiar/10028/data/{ribosome.images.folder}/"
    archive.files = {key.replace("/data/", "/"): value for key, value in archive.files.items()}
    fetch_images(ribosome, mirror=archive.address, transfer=QUICK)
    assert [path.name for path in cached_images(ribosome)] == files
    assert place not in archive.paths()


def tiff_bytes(tmp_path):
    frames = np.ones((3, 32, 32), np.uint8)
    tifffile.imwrite(tmp_path / "x.tif", frames, photometric="minisblack")
    return (tmp_path / "x.tif").read_bytes()


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("061.mrc", lambda content: content[:-10], "no whole image .*the header claims"),
        ("061.mrc", lambda content: b"<html>try later</html>" * 99, "no whole image .*not an MRC"),
        ("061.tif", lambda content: b"<html>", "no whole image"),
        ("061.tif", lambda content: "tiff", None),
        ("061.tif", lambda content: "cut", "no whole image"),
        ("061.eer", lambda content: content, "expected images .mrc, .mrcs, .tif, .tiff"),
    ],
)
def test_what_came_is_no_image(archive, tmp_path, name, change, said):
    paper = small_set("ribosome", tmp_path / "s", images={"pattern": "*", "first": "061"})
    content = change(mrc_bytes(micrograph(1), 2.0))
    if isinstance(content, str):
        content = tiff_bytes(tmp_path)[: None if content == "tiff" else -200]
    place = f"/empiar/10028/data/{paper.images.folder}/"
    archive.files |= {place: f'<a href="{name}">'.encode(), place + name: content}
    if said is None:
        get(archive, paper)
        assert cached_images(paper)[0].read_bytes() == content
        return
    with pytest.raises(CryoccdError, match=said) as fault:
        get(archive, paper)
    assert "\n" not in str(fault.value)
    assert not list((tmp_path / "cache").rglob(name))


def test_no_such_entry_folder_or_file(archive, ribosome):
    with pytest.raises(CryoccdError, match=r"empiar:10028: no such entry .*404"):
        get(archive, ribosome)
    place = f"/empiar/10028/data/{ribosome.images.folder}/"
    archive.files[place] = b"<html><a href='sub/'>sub</a></html>"
    with pytest.raises(CryoccdError, match="the page names no file"):
        get(archive, ribosome)
    archive.files[place] = b"<a href='readme.txt'>"
    with pytest.raises(CryoccdError, match=r"none of 1 files is one of \?\?\?\.mrc from 061"):
        get(archive, ribosome)


def test_links_out_of_the_folder_are_not_followed(archive, tmp_path):
    paper = small_set(
        "ribosome", tmp_path / "s", images={"pattern": "*.mrc", "first": None, "last": None}
    )
    links = ("../../etc/x.mrc", "/x.mrc", "http://elsewhere/x.mrc", "..%2Fx.mrc", ".x.mrc", "a.mrc")
    place = f"/empiar/10028/data/{paper.images.folder}/"
    archive.files[place] = "".join(f'<A HREF="{link}">' for link in links).encode()
    archive.files[f"{place}a.mrc"] = mrc_bytes(micrograph(1), 2.0)
    get(archive, paper)
    assert [path.name for path in cached_images(paper)] == ["a.mrc"]


def test_nothing_fetched_tells_the_command(archive, ribosome, tmp_path):
    with pytest.raises(CryoccdError, match=r"^empiar:10028: no micrographs .* run `cryoccd fetch "):
        cached_images(ribosome)
    assert not (tmp_path / "cache").exists()


def test_offline_says_so_in_one_line(archive, ribosome):
    archive.close()
    with pytest.raises(CryoccdError, match="empiar:10028: not in the cache") as fault:
        get(archive, ribosome)
    assert "\n" not in str(fault.value)


def test_the_public_address():
    assert Hosts().empiar == "https://ftp.ebi.ac.uk/empiar/world_availability"


def test_sets_of_the_paper_are_those_of_the_table():
    """Pixel size after binning, box and overlap as published."""
    published = {  # EMPIAR, A a pixel, box, mean, sd, ratio, mask, least distance
        "proteasome": ("10025", 4.62, 64, 245.88, 33.62, 0.75, 0.9, 16, "D7"),
        "ribosome": ("10028", 5.36, 90, 97.52, 13.64, 0.50, 0.9, 45, "C1"),
        "integrin": ("10345", 4.035, 90, 42.41, 17.45, 0.40, 0.7, 54, "C1"),
        "phage_ms2": ("10075", 4.64, 112, 35.42, 17.74, 0.50, 0.9, 56, "C1"),
        "human_baf": ("10590", 4.50, 84, 150.44, 17.06, 0.55, 0.9, 37, "C1"),
    }
    assert {path.stem for path in CONFIGS.glob("*.yaml")} == set(published)
    for name, (empiar, size_A, *rest) in published.items():
        paper = read_paper_set(CONFIGS / f"{name}.yaml")
        kind = paper.particle
        assert paper.empiar == empiar
        assert paper.binned_pixel_size_A == pytest.approx(size_A)
        found = (kind.box_px, kind.mean, kind.sd, kind.collapse_ratio, kind.mask_threshold)
        assert [*found, kind.least_distance_px, kind.symmetry] == rest
        assert paper.field_px == 1024
        assert (paper.simulated_train, paper.simulated_test) == (100, 1000)
        assert paper.images.matches(NAMES[name].format(3))
        assert find_paper_set(f"empiar:EMPIAR-{empiar}", CONFIGS) == paper


@pytest.mark.parametrize(
    ("identifier", "said"),
    [
        ("empiar:99999", r"no file of .* says where .*known: empiar:10025, empiar:10028, "),
        ("empiar:1002", "five or six digits"),
        ("empiar:10028/..", "five or six digits"),
        ("empiar:", "five or six digits"),
    ],
)
def test_unknown_entries(identifier, said):
    with pytest.raises(CryoccdError, match=said):
        find_paper_set(identifier, CONFIGS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"images": {"folder": "../10025"}}, "folder = '../10025', expected a path below data/"),
        ({"images": {"folder": "/etc"}}, "expected a path below data/"),
        ({"images": {"gain": "a/../b.mrc"}}, "gain = 'a/../b.mrc'"),
        ({"bin": 0}, "bin = 0, expected 1 to 64"),
        ({"pixel_size_A": -1}, "pixel_size_A = -1"),
        ({"empiar": "x"}, "five or six digits"),
        ({"microscope": {"defocus_A": [3, 2]}}, "defocus_A"),
        ({"picks": {"scale": 0}}, "picks: scale = 0"),
        ({"nothing": 1}, "unknown key nothing"),
        ({"particle": {"collapse_ratio": 1}}, "collapse_ratio = 1"),
    ],
)
def test_sets_that_are_refused(tmp_path, change, said):
    path = small_config("ribosome", tmp_path, **change)
    with pytest.raises(CryoccdError, match=said) as fault:
        read_paper_set(path)
    assert "\n" not in str(fault.value)
