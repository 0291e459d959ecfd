"""A column of the demo table, with what it must show."""

import pytest
from fid_tables import FITTED, LEARNED, METHODS, WHITE, reduced, run

pytestmark = pytest.mark.slow


def test_demo_table(tmp_path):
    styles = ("thin_ice",)  # one of its two, as it takes many minutes
    run(tmp_path, "--styles", *styles)
    table = reduced(tmp_path, "demo", styles)
    assert not table.better_than_bound
    for style in styles:
        value = {m: table.figures[m, style, "psd_background_db"].value for m in METHODS}
        assert value["gaussian_fitted"] == max(value[m] for m in FITTED)
        assert value["spectrum"] * 3 < min(value[m] for m in WHITE)
        for method in FITTED:
            assert abs(table.figures[method, style, "contrast_error_db"].value) < 1
        white = table.figures["gaussian_fitted", style, "fd_scattering"].value
        for method in LEARNED:
            assert table.figures[method, style, "fd_scattering"].value < white
