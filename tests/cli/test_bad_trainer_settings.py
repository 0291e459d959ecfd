"""Options of the trainer with a wrong key or value: one line, no folder."""

import pytest

CRYOGEM = {"method": "cryogem", "demo": True}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("optimisation.accumulate=2", "unknown key optimisation.accumulate (is it optimisation."),
        ("optimisation.accumulate_batches=0", "accumulate_batches = 0, expected 1 or more"),
        ("optimisation.accumulate_batches=1.5", "accumulate_batches: expected int, got 1.5"),
        ("optimisation.clip_norm=0", "optimisation: clip_norm = 0.0, expected above 0, or null"),
        ("optimisation.clip_norm=.nan", "clip_norm = nan, expected above 0"),
        ("optimisation.clip_norm=much", "optimisation.clip_norm: "),
        ("optimisation.compile=maybe", "optimisation.compile: expected bool, got maybe"),
        ("optimisation.channels=true", "unknown key optimisation.channels"),
        ("average.decay=1", "average: decay = 1.0, expected 0 to below 1, or null for none"),
        ("average.decay=-0.1", "decay = -0.1, expected 0 to below 1"),
        ("average.decay=long", "average.decay: "),
        ("average.rate=0.9", "unknown key average.rate"),
        ("data_time.every=3", "unknown key data_time.every"),
        ("trainer.precision=bf17", "trainer.precision: "),
        ("trainer.strategy=dpp", "invalid strategy name"),
        ("trainer.precision=16-mixed", "trainer.precision = 16-mixed needs a GPU; take bf16-mixed"),
        (
            "trainer.precision=bf16-true",
            "precision = bf16-true, expected one of 32-true, bf16-mixed",
        ),
        ("trainer.precision=64", "trainer.precision = 64, expected one of 32-true, bf16-mixed"),
        (
            "trainer.strategy={class_path: lightning.pytorch.strategies.ModelParallelStrategy}",
            "trainer.strategy = ModelParallelStrategy, expected auto or ddp: sharded weights",
        ),
        (
            "trainer.gradient_clip_val=0.5",
            "gradient_clip_val = 0.5: take optimisation.clip_norm in",
        ),
        ("trainer.accumulate_grad_batches=2", "take optimisation.accumulate_batches in its place"),
        ("model.init_args.optimizer.init_args.lr=-1", "cryogem: optimizer: Invalid learning rate"),
        ("model.init_args.optimizer.init_args.betas=[2,0.9]", "optimizer: Invalid beta parameter"),
        ("model.init_args.optimizer.init_args.rate=1", "unknown key"),
        ("ckpt_path=none.ckpt", "none.ckpt: "),
    ],
)
def test_trainer_arguments(more, words, fit, tmp_path, refused):
    refused([*fit(**CRYOGEM), f"--{more}"], words, output=tmp_path / "run")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("optimisation: {clip: 1}", "own.yaml: unknown key optimisation.clip"),
        ("optimisation: {accumulate_batches: 0}", "accumulate_batches = 0, expected 1 or more"),
        ("average: {decay: 2}", "average: decay = 2.0"),
        ("average: 0.9", "average = 0.9, expected a mapping of its settings"),
        ("trainer: 3", "trainer = 3, expected a mapping of its settings"),
        ("data_time: {share: 1}", "own.yaml: unknown key data_time.share"),
    ],
)
def test_trainer_file(content, words, fit, tmp_path, refused):
    (tmp_path / "own.yaml").write_text(content)
    argv = [*fit(**CRYOGEM), "--config", tmp_path / "own.yaml"]
    refused(argv, words, output=tmp_path / "run")
