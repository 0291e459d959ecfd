import io
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cryoccd.errors import CryoccdError
from cryoccd.report.web.document import attributes, document
from cryoccd.report.web.grey_png import grey_png
from cryoccd.report.web.line_chart import Chart, Line, line_chart, simplified, stroke
from cryoccd.report.web.ticks import decade_ticks, linear_ticks, tick_text


@pytest.mark.parametrize("greys", [2, 32, 256])
def test_png_holds_the_nearest_of_its_greys(greys):
    image = np.random.default_rng(0).normal(size=(13, 29)).astype(np.float32)
    picture = Image.open(io.BytesIO(grey_png(image, (-2, 2), greys)))
    assert (picture.mode, picture.size) == ("L", (29, 13))
    read = np.asarray(picture) / 255 * 4 - 2
    assert len(np.unique(read)) <= greys
    step = 4 / (greys - 1)
    assert np.abs(read - np.clip(image, -2, 2)).max() <= step / 2 + 4 / 255 / 2


def test_few_greys_halve_noise():
    image = np.random.default_rng(0).normal(size=(160, 160)).astype(np.float32)
    whole, few = (len(grey_png(image, (-2.6, 2.6), greys)) for greys in (256, 32))
    assert few < 0.66 * image.size < 0.75 * whole


@pytest.mark.parametrize(
    ("image", "limits"),
    [(np.zeros((2, 2, 2)), (0, 1)), (np.full((2, 2), np.nan), (0, 1)), (np.zeros((2, 2)), (1, 1))],
)
def test_png_refuses_what_is_no_picture(image, limits):
    with pytest.raises(CryoccdError, match="picture"):
        grey_png(image.astype(np.float32), limits)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_round_and_inside(low, span):
    ticks = linear_ticks(low, low + span)
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)
    assert 1 <= len(ticks) <= 6


def test_ticks_as_one_would_write_them():
    assert linear_ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert decade_ticks(0.5, 2000) == [1, 10, 100, 1000]
    assert [tick_text(t) for t in (20000, 2e6, -0.5, 1e-5)] == ["20k", "2M", "−0.5", "1e−5"]


@settings(max_examples=50)
@given(st.integers(2, 60), st.integers(0, 2**32 - 1))
def test_simplified_lines_stay_within_the_tolerance(n, seed):
    rng = np.random.default_rng(seed)
    points = np.stack([np.arange(n, dtype=float), rng.normal(size=n)], axis=1)
    kept = simplified(points, 0.5)
    assert (kept[0] == points[0]).all()
    assert (kept[-1] == points[-1]).all()
    away = np.abs(np.interp(points[:, 0], kept[:, 0], kept[:, 1]) - points[:, 1])
    slope = np.abs(np.diff(kept[:, 1])).max() if n > 1 else 0
    assert away.max() <= 0.5 * np.hypot(1, slope) + 1e-9  # vertical, of a perpendicular distance


def test_a_straight_line_takes_two_points():
    points = np.stack([np.arange(1000.0), 2 * np.arange(1000.0)], axis=1)
    assert len(simplified(points)) == 2


def test_chart_places_points_and_leaves_out_what_is_not_finite():
    x = np.array([0.0, 1.0, 2.0, 3.0])
    line = Line("a<b", x, np.array([1.0, np.nan, 0.0, 100.0]), stroke(0))
    text = line_chart(Chart("t", "x", "y", (line,), "log"))
    path = re.search(r'data-line="a&lt;b" d="M([\d. ]+)L([\d. ]+)"', text)
    ends = [tuple(map(float, each.split())) for each in path.groups()]
    assert ends[0][0] == 46  # left and right of the axes
    assert ends[1][0] == 422
    assert ends[0][1] > ends[1][1]  # up is less


def test_an_empty_chart_has_axes():
    assert "<svg" in line_chart(Chart("t", "x", "y", ()))


def test_strokes_of_forty_rows_differ():
    assert len({stroke(k) for k in range(40)}) == 40


def test_attributes_are_escaped():
    assert attributes(data_set='"><b', class_="x", title=None) == (
        ' data-set="&quot;&gt;&lt;b" class="x"'
    )


def test_the_policy_names_the_script_of_the_page():
    text = document("t", "")
    script = re.search(r"<script>(.*)</script>", text, re.DOTALL).group(1)
    import base64
    import hashlib

    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "http" not in script
