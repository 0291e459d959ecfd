"""Where a Fourier shell correlation falls below a threshold."""

import numpy as np
import pytest

from cryoccd.verify.shells import Curve


def curve(*values):
    return Curve(np.array(values), 2.0)  # a field of 2 (n - 1) 2 A


def test_it_lies_between_shells():
    assert curve(1, 1, 0.8, 0.2, 0).resolution_A() == pytest.approx(16 / 2.5)


def test_nyquist_where_it_never_falls():
    assert curve(1, 0.9, 0.8).resolution_A() == 4.0


def test_the_whole_field_where_nothing_agrees():
    assert curve(-0.4, 0.1, 0.6, 0).resolution_A() == 12.0
    assert curve(0.9, 0.1, 0.6, 0).resolution_A() == pytest.approx(12 / 0.5)
