import base64
import re
from html.parser import HTMLParser

import pytest
from report_fixtures import PROTOCOL, entry, write_cells

from cryoccd.errors import CryoccdError
from cryoccd.report.page import write_page
from cryoccd.report.table import reduce_cells

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
NASTY = "<script>alert(1)</script> & \"quoted\" 'note'"
VOID = {"meta", "img", "br", "wbr"}


class Structure(HTMLParser):
    """Checks that tags are closed in order; counts the cells of every row."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.rows = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append(0)
        if tag in ("td", "th"):
            self.rows[-1] += int(dict(attributes).get("colspan", 1))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def table(tmp_path):
    rows = {"real_floor": entry(1.0), "cut": entry(None, note=NASTY), "white_ceiling": entry(9.0)}
    rows["spectrum"] = entry(0.1)
    for dataset in ("ice", "gold"):
        figures = {method: {"fd": figure, "kid": figure} for method, figure in rows.items()}
        write_cells(tmp_path, figures, dataset=dataset, protocol=PROTOCOL | {"tone_map": NASTY})
    rows = ["cut", "spectrum"]
    return reduce_cells(tmp_path, "demo", "fid", rows, ["ice", "gold"], ["fd", "kid"])


@pytest.fixture
def text(table, tmp_path):
    (tmp_path / "ice.png").write_bytes(PNG)
    write_page(tmp_path / "report.html", [table], {f"ice {NASTY}": tmp_path / "ice.png"})
    return (tmp_path / "report.html").read_text(encoding="utf8")


def test_rows_are_whole_and_tags_closed(text):
    structure = Structure(text)
    assert structure.rows == [6] * (2 + 4)  # method, 2 styles x 2 metrics, wall time
    assert [tag for tag, _ in structure.tags].count("table") == 1


def test_text_is_escaped(text):
    assert text.count("<script") == 1  # the page's own
    assert text.count("&lt;script&gt;") >= 3  # the note, the tone map, the caption


def test_anchors_best_and_better_rows_are_marked(text):
    rows = re.findall(r'<tr class="anchor"><th scope="row">(\w+)<', text)
    assert rows == ["real_floor", "white_ceiling"]
    best = re.findall(r'<td class="best"[^>]*>(.*?)</td>', text)
    assert best == ['0.100<sup>†</sup><span class="ci"> [0.000, 0.200]</span>'] * 4


def test_page_works_without_a_network(text):
    for tag, attributes in Structure(text).tags:
        assert tag not in ("link", "iframe")
        for value in (attributes.get("src"), attributes.get("href")):
            assert value is None or value.startswith("data:")
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text
    image = re.search(r"data:image/png;base64,([^\"]+)", text)
    assert base64.b64decode(image.group(1), validate=True) == PNG


def test_absent_or_broken_galleries_leave_no_page(table, tmp_path):
    (tmp_path / "no.png").write_bytes(b"GIF89a")
    for name in ("absent.png", "no.png"):
        with pytest.raises(CryoccdError, match=name):
            write_page(tmp_path / "report.html", [table], {"ice": tmp_path / name})
    assert not (tmp_path / "report.html").exists()
