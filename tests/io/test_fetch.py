"""Entries of archives in the cache, against a local server."""

import gzip
import hashlib
import json
import re
import threading
from dataclasses import replace

import pytest
from archive_server import Archive

from cryoccd.errors import CryoccdError
from cryoccd.io.download import Transfer
from cryoccd.io.fetch import cached, fetch, recommended_contour
from cryoccd.io.fetch_cache import cache_folder
from cryoccd.io.fetch_entries import Hosts, parse_entry
from cryoccd.io.published_weights import PUBLISHED

CIF = gzip.compress(b"data_1PMA\n" + b"# atoms\n" * 20000, 1, mtime=0)
MAP = gzip.compress(bytes(208) + b"MAP " + bytes(5000), mtime=0)
MODEL = b"data_AF-P12345-F1\n#\n"
XML = b"""<?xml version="1.0"?><emd><map><contour_list>
<contour primary="false"><level>9.0</level></contour>
<contour primary="true"><level>0.0233</level></contour></contour_list></map></emd>"""
DIVIDED = "pdb/data/structures/divided/mmCIF/pm/1pma.cif.gz"
QUICK = Transfer(attempts=2, pause_s=0.0, timeout_s=5)


@pytest.fixture
def archive(monkeypatch, tmp_path):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("CRYOCCD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CRYOCCD_MIRROR", raising=False)
    server = Archive()
    server.files |= {
        "/rcsb/download/1pma.cif.gz": CIF,
        "/alphafold/api/prediction/P12345": models("AF-P12345-F1-model_v6.cif"),
        "/alphafold/files/AF-P12345-F1-model_v6.cif": MODEL,
        "/ebi/emdb/structures/EMD-1234/map/emd_1234.map.gz": MAP,
        "/ebi/emdb/structures/EMD-1234/header/emd-1234.xml": XML,
    }
    yield server
    server.close()


def models(*names):
    base = "https://elsewhere.example/files/"
    return json.dumps([{"entryId": name, "cifUrl": base + name} for name in names]).encode()


def get(archive, identifier, **options):
    base = archive.address
    hosts = Hosts(f"{base}/rcsb", f"{base}/wwpdb", f"{base}/ebi", f"{base}/alphafold")
    return fetch(identifier, hosts=hosts, transfer=QUICK, **options)


@pytest.mark.parametrize(
    ("identifier", "file", "content"),
    [
        ("pdb:1PMA", "pdb/1pma.cif.gz", CIF),
        ("pdb:pdb_00001pma", "pdb/1pma.cif.gz", CIF),
        ("alphafold:p12345", "alphafold/P12345.cif", MODEL),
        ("emdb:1234", "emdb/emd_1234.map.gz", MAP),
        ("emdb:EMD-1234", "emdb/emd_1234.map.gz", MAP),
    ],
)
def test_each_archive(archive, tmp_path, identifier, file, content):
    path = get(archive, identifier)
    assert path == tmp_path / "cache" / file
    assert path.read_bytes() == content
    known = (path.parent / f"{path.name}.sha256").read_text()
    assert known == f"{hashlib.sha256(content).hexdigest()}  {path.name}\n"
    assert cached(identifier) == path
    assert not list(path.parent.glob(".*.part*"))


def test_the_public_addresses():
    """As the archives document them."""
    hosts = Hosts()
    pdb = parse_entry("pdb:1PMA")
    assert pdb.addresses(pdb.files[0], hosts, None) == (
        "https://files.rcsb.org/download/1pma.cif.gz",
        f"https://files.wwpdb.org/pub/{DIVIDED}",
        f"https://ftp.ebi.ac.uk/pub/databases/{DIVIDED}",
    )
    emdb = parse_entry("emdb:1234")
    assert [emdb.addresses(file, hosts, None)[0] for file in emdb.files] == [
        "https://ftp.ebi.ac.uk/pub/databases/emdb/structures/EMD-1234/map/emd_1234.map.gz",
        "https://ftp.ebi.ac.uk/pub/databases/emdb/structures/EMD-1234/header/emd-1234.xml",
    ]
    asked = []

    def read_json(address):
        asked.append(address)
        return json.loads(models("AF-P12345-2-F1-model_v6.cif", "AF-P12345-F1-model_v6.cif"))

    model = parse_entry("alphafold:P12345")
    (address,) = model.addresses(model.files[0], hosts, read_json)
    assert asked == ["https://alphafold.ebi.ac.uk/api/prediction/P12345"]
    assert address == "https://alphafold.ebi.ac.uk/files/AF-P12345-F1-model_v6.cif"


def test_the_published_weights():
    for name, published in PUBLISHED.items():
        entry = parse_entry(f"weights:{name.upper()}")
        assert entry.files == (f"weights/{published.file}",)
        assert entry.sha256 == published.sha256
        assert re.fullmatch("[0-9a-f]{64}", published.sha256)
        assert f"-{published.sha256[:8]}." in published.file  # as torch's hub names files
    clip = parse_entry("weights:clip")
    (address,) = clip.addresses(clip.files[0], Hosts(), None)
    assert address.startswith("https://huggingface.co/openai/clip-vit-large-patch14-336/resolve/")
    theirs = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    inception = parse_entry("weights:inception")
    assert inception.addresses(inception.files[0], Hosts(), None) == (theirs.URL_INCEPTION_V3,)


def test_weights_are_held_to_the_published_checksum(archive, monkeypatch, tmp_path):
    clip = PUBLISHED["clip"]
    archive.files[f"/hf/{clip.path}"] = b"weights"
    hosts = Hosts(hugging_face=f"{archive.address}/hf")
    path = tmp_path / "cache/weights" / clip.file
    with pytest.raises(CryoccdError, match=f"weights:clip: .* not the published {clip.sha256}"):
        fetch("weights:clip", hosts=hosts, transfer=QUICK)
    assert not path.exists()
    digest = hashlib.sha256(b"weights").hexdigest()
    monkeypatch.setitem(PUBLISHED, "clip", replace(clip, sha256=digest))
    assert fetch("weights:clip", hosts=hosts, transfer=QUICK) == path
    assert cached("weights:clip") == path
    asked = len(archive.requests)
    assert fetch("weights:clip", hosts=hosts, transfer=QUICK) == path
    assert len(archive.requests) == asked
    path.write_bytes(b"another")  # with a checksum beside it that says so
    other = hashlib.sha256(b"another").hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{other}  {path.name}")
    with pytest.raises(CryoccdError, match="does not match"):
        cached("weights:clip")
    assert fetch("weights:clip", hosts=hosts, transfer=QUICK).read_bytes() == b"weights"
    mirror = {f"/m/weights/{clip.file}": b"another"}
    archive.files |= mirror | {f"/m/weights/{clip.file}.sha256": other.encode()}
    path.unlink()
    with pytest.raises(CryoccdError, match="not the published"):
        fetch("weights:clip", mirror=f"{archive.address}/m", transfer=QUICK)


def test_what_is_cached_needs_no_network(archive):
    for identifier in ("pdb:1PMA", "alphafold:P12345", "emdb:1234"):
        path = get(archive, identifier)
        archive.requests.clear()
        assert get(archive, identifier) == path
        assert archive.requests == []


def test_a_damaged_file_is_seen_on_use_and_replaced(archive):
    path = get(archive, "pdb:1PMA")
    path.write_bytes(CIF[:-1] + b"?")
    with pytest.raises(CryoccdError, match=r"does not match .* run `cryoccd fetch pdb:1PMA`"):
        cached("pdb:1PMA")
    get(archive, "pdb:1PMA")
    assert cached("pdb:1PMA").read_bytes() == CIF
    (path.parent / "1pma.cif.gz.sha256").write_text("junk")
    with pytest.raises(CryoccdError, match="does not match a checksum"):
        cached("pdb:1PMA")


def test_a_read_only_cache_is_used(archive, monkeypatch):
    path = get(archive, "pdb:1PMA")
    monkeypatch.setattr("os.access", lambda *args, **kwargs: False)
    assert get(archive, "pdb:1PMA") == path
    with pytest.raises(CryoccdError, match="no permission"):
        get(archive, "emdb:1234")


def test_what_is_not_cached_tells_the_command(archive, tmp_path):
    with pytest.raises(CryoccdError, match=r"^pdb:1PMA: no .*; run `cryoccd fetch pdb:1PMA`$"):
        cached("pdb:1PMA")
    assert not (tmp_path / "cache").exists()


def test_offline_says_so_in_one_line(archive):
    archive.close()
    with pytest.raises(CryoccdError, match="pdb:1PMA: not in the cache and not to be had") as fault:
        get(archive, "pdb:1PMA")
    assert "--mirror" in str(fault.value)
    assert "\n" not in str(fault.value)


def test_the_next_archive_is_asked(archive):
    del archive.files["/rcsb/download/1pma.cif.gz"]
    archive.files[f"/ebi/{DIVIDED}"] = CIF
    archive.faults[f"/wwpdb/{DIVIDED}"] = [{"status": 500}, {"status": 500}]
    assert get(archive, "pdb:1PMA").read_bytes() == CIF


def test_an_entry_that_does_not_exist(archive, tmp_path):
    for identifier in ("pdb:9ZZZ", "alphafold:Q99999", "emdb:9999"):
        with pytest.raises(CryoccdError, match=f"{identifier}: no such entry .*404"):
            get(archive, identifier)
    kept = [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert all(name.endswith(".lock") for name in kept)


def test_an_interrupted_fetch_goes_on(archive):
    archive.faults["/rcsb/download/1pma.cif.gz"] = [{"cut": 50}, {"cut": 0}]
    for host in ("wwpdb", "ebi"):
        archive.faults[f"/{host}/{DIVIDED}"] = [{"status": 500}] * 2
    with pytest.raises(CryoccdError, match="not to be had"):
        get(archive, "pdb:1PMA")
    told = []
    path = get(archive, "pdb:1PMA", on_progress=lambda done, total: told.append((done, total)))
    assert path.read_bytes() == CIF
    assert archive.requests[-1][1]["Range"] == "bytes=50-"
    assert told[0] == (50, len(CIF))


@pytest.mark.parametrize(
    ("identifier", "address", "content", "said"),
    [
        ("pdb:1PMA", "/rcsb/download/1pma.cif.gz", CIF[:-30], "no whole .gz file"),
        ("pdb:1PMA", "/rcsb/download/1pma.cif.gz", b"<html>login</html>", "no whole .gz file"),
        (
            "pdb:1PMA",
            "/rcsb/download/1pma.cif.gz",
            gzip.compress(b"<html>", mtime=0),
            "begins with",
        ),
        ("pdb:1PMA", "/rcsb/download/1pma.cif.gz", b"", "expected b'data_'"),
        ("alphafold:P12345", "/alphafold/files/AF-P12345-F1-model_v6.cif", b"<html>", "<html>"),
        (
            "emdb:1234",
            "/ebi/emdb/structures/EMD-1234/map/emd_1234.map.gz",
            gzip.compress(bytes(9000), mtime=0),
            "expected b'MAP'",
        ),
        ("alphafold:P12345", "/alphafold/api/prediction/P12345", b"<html>", "is no JSON"),
        ("alphafold:P12345", "/alphafold/api/prediction/P12345", b"[]", "names no model"),
        ("alphafold:P12345", "/alphafold/api/prediction/P12345", b'{"a": 1}', "names no model"),
        ("alphafold:P12345", "/alphafold/api/prediction/P12345", b"[3, null]", "names no model"),
        (
            "alphafold:P12345",
            "/alphafold/api/prediction/P12345",
            models("AF-P12345-F1-model_v6.cif/../../../etc/passwd", "AF-Q00000-F1-model_v6.cif"),
            "names no model",
        ),
    ],
)
def test_what_came_is_not_what_it_should_be(archive, tmp_path, identifier, address, content, said):
    archive.files[address] = content
    archive.faults[address] = [{"unsaid": True}]  # a cut that the length does not betray
    with pytest.raises(CryoccdError, match=said) as fault:
        get(archive, identifier)
    assert str(fault.value).startswith(f"{identifier}: ")
    with pytest.raises(CryoccdError, match="run `cryoccd fetch"):
        cached(identifier)
    assert not list(tmp_path.rglob("*.part"))


def test_the_host_of_an_answer_is_not_asked(archive):
    get(archive, "alphafold:P12345")  # the answer names elsewhere.example
    assert archive.paths()[-1] == "/alphafold/files/AF-P12345-F1-model_v6.cif"


def test_a_mirror_serves_another_cache(archive, monkeypatch):
    sha = hashlib.sha256(CIF).hexdigest()
    archive.files |= {"/m/pdb/1pma.cif.gz": CIF, "/m/pdb/1pma.cif.gz.sha256": sha.encode()}
    monkeypatch.setenv("CRYOCCD_MIRROR", f"{archive.address}/m/")
    assert get(archive, "pdb:1PMA").read_bytes() == CIF
    assert archive.paths() == ["/m/pdb/1pma.cif.gz.sha256", "/m/pdb/1pma.cif.gz"]
    with pytest.raises(CryoccdError, match="no such entry"):
        get(archive, "emdb:1234")


def test_a_mirror_with_a_wrong_checksum_is_refused(archive, tmp_path):
    archive.files |= {"/m/pdb/1pma.cif.gz": CIF, "/m/pdb/1pma.cif.gz.sha256": b"0" * 64}
    with pytest.raises(CryoccdError, match=r"pdb:1PMA: 1pma\.cif\.gz: its SHA-256 is not"):
        get(archive, "pdb:1PMA", mirror=f"{archive.address}/m")
    assert not list((tmp_path / "cache" / "pdb").glob("*.gz"))
    archive.files["/m/pdb/1pma.cif.gz.sha256"] = b"../../x"
    with pytest.raises(CryoccdError, match="no SHA-256 in it"):
        get(archive, "pdb:1PMA", mirror=f"{archive.address}/m")


def test_a_mirror_without_checksums(archive):
    archive.files["/m/pdb/1pma.cif.gz"] = CIF
    assert get(archive, "pdb:1PMA", mirror=f"{archive.address}/m").read_bytes() == CIF


@pytest.mark.parametrize(
    "mirror", ["file:///etc", "ftp://a/b", "nowhere", "http://a b", "http:///x"]
)
def test_a_mirror_that_is_no_web_address(archive, mirror):
    with pytest.raises(CryoccdError, match="expected an address http"):
        get(archive, "pdb:1PMA", mirror=mirror)


def test_several_at_once_download_it_once(archive):
    paths = []
    threads = [
        threading.Thread(target=lambda: paths.append(get(archive, "pdb:1PMA"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 1
    assert len(paths) == 4
    assert archive.paths().count("/rcsb/download/1pma.cif.gz") == 1


def test_the_recommended_contour(archive):
    get(archive, "emdb:1234")
    assert recommended_contour("emdb:1234") == pytest.approx(0.0233)
    get(archive, "pdb:1PMA")
    header = cache_folder() / "emdb/emd_1234.xml"
    for text in ("<emd/>", "<emd><map><contour_list><contour/></contour_list></map></emd>", "<"):
        header.write_text(text)
        assert recommended_contour("emdb:1234") is None


@pytest.mark.parametrize(
    ("identifier", "said"),
    [
        ("pdb:../../etc/passwd", "four characters"),
        ("pdb:1PM", "four characters"),
        ("pdb:pdb_10001pma", "four characters"),
        ("pdb:1PMA\n", "four characters"),
        ("pdb:1PM٣", "four characters"),
        ("pdb:", "four characters"),
        ("alphafold:1PMA", "UniProt accession"),
        ("alphafold:P12345/..", "UniProt accession"),
        ("emdb:12", "four to six digits"),
        ("emdb:1234?x=1", "four to six digits"),
        ("emdb:١٢٣٤", "four to six digits"),
        ("empiar:10028", "unknown kind of entry, expected pdb:1PMA, .* or weights:inception"),
        ("weights:dino", "expected weights:inception or weights:clip"),
        ("weights:clip/..", "expected weights:inception or weights:clip"),
        ("1PMA", "unknown kind"),
        ("", "unknown kind"),
    ],
)
def test_hostile_and_misspelt_names(archive, tmp_path, identifier, said):
    for ask in (cached, lambda name: get(archive, name)):
        with pytest.raises(CryoccdError, match=said):
            ask(identifier)
    assert archive.requests == []
    assert not (tmp_path / "cache").exists()


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.delenv("CRYOCCD_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache/cryoccd"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg/cryoccd"
    monkeypatch.setenv("CRYOCCD_CACHE", "~/own")
    assert cache_folder() == tmp_path / "own"
