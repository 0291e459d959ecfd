import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.io.curves import Curve, read_curve


def write(tmp_path, text):
    path = tmp_path / "curve.csv"
    path.write_text(text, encoding="utf8")
    return path


def test_points_are_read_and_joined_by_lines(tmp_path):
    path = write(tmp_path, "# a camera\nfraction,MTF\n0.0, 1.0\n0.5,0.8\n\n1.0,0.4\n")
    curve = read_curve(path)
    assert curve.fractions == (0.0, 0.5, 1.0)
    values = curve(torch.tensor([[0.25, 0.75], [1.0, 1.4]]))
    assert torch.allclose(values, torch.tensor([[0.9, 0.6], [0.4, 0.4]]))
    assert values.dtype == torch.float32


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1\n1,a\n", r"curve.csv: line 2 is '1,a'"),
        ("0 1\n", "line 1"),
        ("0,1,2\n1,1,2\n", "line 1"),
        ("title\nother\n0,1\n1,1\n", "line 2"),
        ("", "no points"),
        ("0,1\n", "two or more"),
        ("0,1\n0.6,0.9\n0.5,0.8\n1,0.1\n", "0.5 follows 0.6"),
        ("0,1\n0.5,0.3\n", "times 2"),  # cycles a pixel
        ("0.3,1\n1,0.3\n", "fractions of Nyquist"),
        ("0,1\n1,-0.1\n", "value -0.1 at 1 of Nyquist"),
        ("0,1\n1,nan\n", "value nan"),
        ("nan,1\n1,1\n", "nan"),
    ],
)
def test_what_is_no_curve_is_refused(tmp_path, text, message):
    with pytest.raises(CryoccdError, match=message):
        read_curve(write(tmp_path, text))


def test_absent_and_binary_files_are_refused(tmp_path):
    with pytest.raises(CryoccdError, match="cannot be read"):
        read_curve(tmp_path / "none.csv")
    path = tmp_path / "binary.csv"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(CryoccdError, match="cannot be read"):
        read_curve(path)


def test_unequal_columns_are_refused():
    with pytest.raises(CryoccdError, match="3 frequencies and 2 values"):
        Curve((0, 0.5, 1), (1, 0.5))
