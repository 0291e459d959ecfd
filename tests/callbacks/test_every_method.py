"""Every method that trains: its log, its console line, and half precision."""

import re
from pathlib import Path

import numpy as np
import pytest
from fits import log, losses

METHODS = sorted(path.stem for path in Path("configs/method/demo").glob("*.yaml"))
TWO_STEPS = "--model.init_args.constant_images=4"


@pytest.mark.parametrize("method", METHODS)
def test_log_counts_images_and_bf16_agrees(method, fit, capsys):
    whole = fit("whole", method, TWO_STEPS, batch_size=2)
    told = capsys.readouterr().out
    assert re.search(r"^4 images · [\d.]+ a second · [\d.]+ % of the time on data$", told, re.M)
    table = log(whole)
    assert table["step"].tolist() == table["train/images"].tolist() == [2, 4]
    assert 0 < table["train/data_share"].iloc[-1] < 1

    precision = "--trainer.precision=bf16-mixed"
    half = losses(fit("half", method, TWO_STEPS, precision, batch_size=2))
    assert np.isfinite(half).all(axis=None)
    np.testing.assert_allclose(half.iloc[0], losses(whole).iloc[0], rtol=0.02)
    assert not half.equals(losses(whole))
