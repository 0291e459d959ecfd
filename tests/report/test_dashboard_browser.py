"""The page in headless Chromium: it sorts, slides, filters, and asks for nothing."""

import importlib.util
from pathlib import Path

import pytest
from dashboard_fixtures import BOX_PX, write_picking, write_results, write_volume
from report_fixtures import entry, write_cells

from cryoccd.launch.dashboard import write_dashboard
from cryoccd.launch.dashboard_tables import find_tables, reduce_found
from cryoccd.report.page import write_page

_FILE = Path(__file__).parents[2] / "benchmarks" / "chromium.py"
_SPEC = importlib.util.spec_from_file_location("chromium", _FILE)
chromium = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(chromium)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        chromium.find_chromium() is None,
        reason="chromium is absent: install the system packages chromium and fonts-dejavu-core",
    ),
]
ROWS = "[...document.querySelectorAll('#t0 tbody tr')].map(row => row.cells[0].textContent)"
HEAD = "document.querySelectorAll('#t0 thead tr:last-child th')"
STAGE = "document.querySelector('.stage')"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    root = tmp_path_factory.mktemp("browser")
    results, runs = write_results(root)
    write_picking(results, runs)
    write_volume(results, runs)
    return write_dashboard(results, runs, root / "report.html").path


@pytest.fixture
def browser(page):
    with chromium.Chromium() as opened:
        opened.open(page)
        yield opened
        assert opened.messages == []  # of the console, and requests to anything but files


def test_columns_sort_by_mouse_and_keyboard(browser):
    own = ["real_floor", "cut", "spectrum", "white_ceiling"]
    assert browser.value(ROWS) == own
    # the second column of ice is nearest to 1 in spectrum (1.0), and cut is undefined there
    for expected, state in (
        (["spectrum", "real_floor", "white_ceiling", "cut"], "ascending"),
        (["white_ceiling", "real_floor", "spectrum", "cut"], "descending"),
        (own, None),
    ):
        browser.value(f"{HEAD}[2].querySelector('button').click()")
        assert browser.value(ROWS) == expected
        assert browser.value(f"{HEAD}[2].getAttribute('aria-sort')") == state
    browser.value(f"{HEAD}[0].querySelector('button').focus()")
    browser.press("Enter")
    assert browser.value(ROWS) == ["cut", "real_floor", "spectrum", "white_ceiling"]
    assert browser.value("document.querySelectorAll('#t0 [aria-sort]').length") == 1


def test_every_image_loads(browser):
    whole = (
        "Promise.all([...document.images].map(i => i.decode())).then(() => "
        "[...document.images].every(i => i.naturalWidth > 0) && document.images.length)"
    )
    browser.value("document.querySelector('.viewer').scrollIntoView()")
    browser.value("new Promise(done => setTimeout(done, 300))")
    browser.value("document.querySelectorAll('.pane img:not([src])').forEach(i => i.remove())")
    assert (
        browser.value(whole) >= 24 + 48 + 6
    )  # the sheets, and the enlarged crops that are in sight


def test_the_cut_moves_by_keyboard_and_pointer(browser):
    browser.value("document.querySelector('.viewer').scrollIntoView()")
    browser.value("new Promise(done => setTimeout(done, 300))")
    cut = f"{STAGE}.style.getPropertyValue('--cut')"
    assert browser.value(cut) == "50%"
    browser.value("document.querySelector('.viewer input').focus()")
    browser.press("ArrowRight")
    assert browser.value(cut) == "51%"
    browser.press("End")
    assert browser.value(cut) == "100%"
    box = browser.value("(b => [b.left, b.top, b.width, b.height])"
                        "(document.querySelector('.pane').getBoundingClientRect())")  # fmt: skip
    at = {"x": box[0] + box[2] / 4, "y": box[1] + box[3] / 2, "button": "left", "buttons": 1}
    browser.call("Input.dispatchMouseEvent", type="mousePressed", clickCount=1, **at)
    assert browser.value(cut) == "25%"
    sources = "[...document.querySelectorAll('.pane img')].map(i => i.alt.split(',')[0])"
    assert browser.value(sources)[:2] == ["real", "cut"]  # cut is nearest to the ideal
    browser.value(
        "(s => { s.value = 'clean'; s.dispatchEvent(new Event('change')); })"
        "(document.querySelector('.viewer select'))"
    )
    assert browser.value(sources)[:2] == ["real", "clean"]


def test_slices_of_a_class_stand_side_by_side(browser):
    last = "[...document.querySelectorAll('.viewer')].at(-1)"
    browser.value(f"{last}.scrollIntoView()")
    browser.value("new Promise(done => setTimeout(done, 300))")
    panes = f"[...{last}.querySelectorAll('.pane')]"
    labels = [f"{plane}, box {k}" for k in (1, 2) for plane in ("XY", "XZ", "YZ")]
    assert browser.value(f"{panes}.map(pane => pane.dataset.label)") == labels
    widths = browser.value(f"{panes}.map(pane => pane.querySelector('.over').naturalWidth)")
    assert widths == [BOX_PX] * 6
    shown = f"{panes}.map(pane => [...pane.querySelectorAll('img')].map(i => i.alt))"
    assert browser.value(shown)[4] == [
        f"{row}, XZ, box 2 of hook, kinds" for row in ("real", "copy")
    ]
    tops = browser.value(
        f"[...{last}.querySelector('figure').querySelectorAll('img')]"
        ".map(i => i.getBoundingClientRect().top)"
    )
    assert tops[0] == tops[2] < tops[3] == tops[5]  # three across
    assert browser.value("document.body.scrollWidth <= innerWidth")


def test_data_sets_can_be_hidden(browser):
    shown = "[...document.querySelectorAll('#t0 td')].filter(d => d.offsetParent).length"
    before = browser.value(shown)
    browser.value("document.querySelector('#filter input').click()")
    assert browser.value(shown) == before - 2 * 4  # two metrics of four rows
    assert browser.value("document.querySelector('.viewer').offsetParent") is None
    browser.value("document.querySelector('#filter input').click()")
    assert browser.value(shown) == before


def test_themes_differ_and_print_is_light(browser):
    paper = "getComputedStyle(document.body).backgroundColor"
    light = {}
    for theme in ("system", "light", "dark"):
        assert browser.value("document.getElementById('theme').textContent") == f"theme: {theme}"
        light[theme] = browser.value(paper)
        browser.value("document.getElementById('theme').click()")
    assert light["light"] == "rgb(255, 255, 255)"
    assert light["dark"] == "rgb(20, 23, 27)"
    media = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.call("Emulation.setEmulatedMedia", features=media)
    assert browser.value(paper) == light["dark"]
    browser.value("document.getElementById('theme').click()")
    browser.value("document.getElementById('theme').click()")  # dark, by choice
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.value(paper) == light["light"]


def test_a_legend_entry_lights_its_line(browser):
    browser.value("document.querySelector('.legend li').focus()")
    assert browser.value("document.querySelectorAll('.lit path.line.on').length") >= 2


def test_the_page_of_a_single_table_sorts(tmp_path):
    write_cells(tmp_path, {m: {"fd": entry(v)} for m, v in {"real_floor": 2.0, "a": 1.0}.items()})
    table, _ = reduce_found(find_tables(tmp_path)[0])
    write_page(tmp_path / "page.html", [table], {})
    with chromium.Chromium() as browser:
        browser.open(tmp_path / "page.html")
        browser.value(f"{HEAD}[1].querySelector('button').click()")
        assert browser.value(ROWS) == ["a", "real_floor", "white_ceiling"]
        assert browser.messages == []
