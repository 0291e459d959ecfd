"""Transfers that break, against a local server."""

import socket

import pytest
from archive_server import Archive

from cryoccd.errors import CryoccdError
from cryoccd.io.download import AbsentError, Transfer, UnreachableError, download

BODY = bytes(range(256)) * 5000
QUICK = Transfer(attempts=3, pause_s=0.0, timeout_s=5)


@pytest.fixture
def archive(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    server = Archive()
    server.files["/f"] = BODY
    yield server
    server.close()


@pytest.fixture
def part(tmp_path):
    return tmp_path / ".f.part"


def ranges(archive):
    return [headers.get("Range") for _, headers in archive.requests]


def test_a_whole_file_and_its_progress(archive, part):
    told = []
    download(f"{archive.address}/f", part, QUICK, lambda done, total: told.append((done, total)))
    assert part.read_bytes() == BODY
    assert told[0] == (0, len(BODY))
    assert told[-1] == (len(BODY), len(BODY))
    assert [path.name for path in part.parent.iterdir()] == [part.name]  # no tag is left


def test_an_empty_file(archive, part):
    archive.files["/f"] = b""
    download(f"{archive.address}/f", part, QUICK)
    assert part.read_bytes() == b""


def test_a_broken_transfer_goes_on_where_it_stopped(archive, part):
    archive.faults["/f"] = [{"cut": 300_000}, {"cut": 500_000}]
    download(f"{archive.address}/f", part, QUICK)
    assert part.read_bytes() == BODY
    assert ranges(archive) == [None, "bytes=300000-", "bytes=800000-"]


def test_growth_counts_as_success_of_an_attempt(archive, part):
    archive.faults["/f"] = [{"cut": 200_000}] * 6
    download(f"{archive.address}/f", part, QUICK)  # 7 requests, 3 attempts
    assert part.read_bytes() == BODY


def test_another_run_goes_on_too(archive, part):
    archive.faults["/f"] = [{"cut": 1000}, {"cut": 0}, {"cut": 0}]
    with pytest.raises(UnreachableError, match=r"ended after 1000 of 1280000 bytes, after 3"):
        download(f"{archive.address}/f", part, QUICK)
    assert part.stat().st_size == 1000
    download(f"{archive.address}/f", part, QUICK)
    assert part.read_bytes() == BODY
    assert ranges(archive)[-1] == "bytes=1000-"


def test_a_file_that_changed_meanwhile_is_begun_anew(archive, part):
    archive.faults["/f"] = [{"cut": 1000}, {"status": 500}, {"status": 500}]
    with pytest.raises(UnreachableError):
        download(f"{archive.address}/f", part, QUICK)
    archive.files["/f"] = BODY[::-1]
    download(f"{archive.address}/f", part, QUICK)
    assert part.read_bytes() == BODY[::-1]


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
def test_without_a_strong_tag_nothing_is_continued(archive, part, tag):
    archive.faults["/f"] = [{"cut": 1000, "tag": tag}, {"tag": tag}]
    download(f"{archive.address}/f", part, QUICK)
    assert part.read_bytes() == BODY
    assert ranges(archive) == [None, None]


def test_a_part_of_another_address_is_not_continued(archive, part):
    archive.files["/g"] = BODY[::-1]
    archive.faults["/f"] = [{"cut": 1000}, {"status": 503}, {"status": 503}]
    with pytest.raises(UnreachableError):
        download(f"{archive.address}/f", part, QUICK)
    download(f"{archive.address}/g", part, QUICK)
    assert part.read_bytes() == BODY[::-1]


def test_an_answer_from_another_place_is_thrown_away(archive, part):
    archive.faults["/f"] = [{"cut": 1000}, {"shift": 7}]
    download(f"{archive.address}/f", part, QUICK)
    assert part.read_bytes() == BODY


def test_a_range_that_the_server_cannot_satisfy(archive, part):
    archive.faults["/f"] = [{"cut": 1000}, {"status": 416}]
    download(f"{archive.address}/f", part, QUICK)
    assert part.read_bytes() == BODY


def test_a_busy_server_is_asked_again_after_growing_pauses(archive, part, monkeypatch):
    pauses = []
    monkeypatch.setattr("cryoccd.io.download.time.sleep", pauses.append)
    archive.faults["/f"] = [
        {"status": 503},
        {"status": 502},
        {"status": 429, "headers": {"Retry-After": "7"}},
        {"status": 503, "headers": {"Retry-After": "99999"}},
    ]
    download(f"{archive.address}/f", part, Transfer(attempts=5, pause_s=0.5, timeout_s=5))
    assert part.read_bytes() == BODY
    assert pauses == [0.5, 1.0, 7.0, 60.0]


@pytest.mark.parametrize("status", [404, 410])
def test_an_absent_file_is_not_asked_for_again(archive, part, status):
    archive.faults["/f"] = [{"status": status}]
    with pytest.raises(AbsentError, match=str(status)):
        download(f"{archive.address}/f", part, QUICK)
    assert len(archive.requests) == 1
    assert not part.exists()


def test_a_refusal_is_final(archive, part):
    archive.faults["/f"] = [{"status": 403}]
    with pytest.raises(CryoccdError, match="403 Forbidden; the server refuses it"):
        download(f"{archive.address}/f", part, QUICK)
    assert len(archive.requests) == 1


def test_nobody_answers(part):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UnreachableError, match=r"refused, after 3 attempts"):
        download(f"http://127.0.0.1:{port}/f", part, QUICK)


def test_a_name_that_is_not_resolved_ends_at_once(part, monkeypatch):
    calls = []

    def unknown(*args, **kwargs):
        calls.append(args)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(UnreachableError, match="Name or service not known"):
        download("http://archive.invalid/f", part, QUICK)
    assert len(calls) == 1


@pytest.mark.parametrize("unsaid", [False, True])
def test_more_than_is_allowed_is_refused(archive, part, unsaid):
    archive.faults["/f"] = [{"unsaid": unsaid}]
    small = Transfer(attempts=3, pause_s=0, largest_bytes=700_000)
    with pytest.raises(CryoccdError, match="expected at most 700000 bytes"):
        download(f"{archive.address}/f", part, small)
    assert len(archive.requests) == 1
    assert not part.exists() or part.stat().st_size <= 700_000


def test_no_redirection_leaves_the_web(archive, part, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    for target in (secret.as_uri(), "ftp://127.0.0.1/f"):
        archive.faults["/f"] = [{"status": 302, "headers": {"Location": target}}] * 3
        with pytest.raises(CryoccdError):
            download(f"{archive.address}/f", part, QUICK)
        assert not part.exists()


def test_a_redirection_to_another_place_is_followed(archive, part):
    archive.faults["/old"] = [{"status": 302, "headers": {"Location": "/f"}}]
    download(f"{archive.address}/old", part, QUICK)
    assert part.read_bytes() == BODY


def test_a_fault_of_the_disk_is_no_fault_of_the_network(archive, tmp_path):
    with pytest.raises(OSError, match=r"absent/f"):
        download(f"{archive.address}/f", tmp_path / "absent" / "f", QUICK)
    assert len(archive.requests) == 1
