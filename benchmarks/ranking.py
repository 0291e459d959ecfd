"""Do two tables rank the methods alike?

    python benchmarks/ranking.py results/real/picking results/real/picking_topaz [--metric auprc]

Takes the rows that both folders of cells have, each at its mean over seeds, and prints the
correlation of their ranks (Spearman) and the share of pairs in the same order (from Kendall's tau),
each with the p of a permutation test: how often a random order of the rows agrees as much.
"""

import argparse
from pathlib import Path
from statistics import fmean

import numpy as np
from scipy.stats import kendalltau, permutation_test, spearmanr

from cryoccd.report.cells import ResultCell


def main() -> None:
    """Print a line for each data set."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("one", type=Path)
    parser.add_argument("two", type=Path)
    parser.add_argument("--metric", default="auprc")
    parser.add_argument("--without", default="", help="rows to leave out, as anchors: a,b")
    options = parser.parse_args()
    one, two = (means(folder, options.metric) for folder in (options.one, options.two))
    left_out = set(options.without.split(","))
    for dataset in sorted({dataset for dataset, _ in one} & {dataset for dataset, _ in two}):
        rows = [m for d, m in one if d == dataset and (d, m) in two and m not in left_out]
        x, y = (np.array([table[dataset, m] for m in rows]) for table in (one, two))
        print(f"{dataset}: {len(rows)} rows; {', '.join(rows)}")
        if len(rows) < 3:
            continue
        for name, figure in (("Spearman", spearmanr), ("Kendall", kendalltau)):
            found = permutation_test(
                (x,),
                lambda order, figure=figure, y=y: figure(order, y).statistic,
                permutation_type="pairings",
                alternative="greater",
                n_resamples=9999,
                rng=0,
            )
            print(f"  {name} {found.statistic:.2f}, p {found.pvalue:.4f}")


def means(folder: Path, metric: str) -> dict[tuple[str, str], float]:
    """Mean over seeds by data set and method."""
    values: dict[tuple[str, str], list[float]] = {}
    for path in sorted(folder.glob("*__*__*.json")):
        cell = ResultCell.read(path)
        value = cell.metrics[metric]["value"]
        if value is not None:
            values.setdefault((cell.dataset, cell.method), []).append(value)
    return {key: fmean(found) for key, found in values.items()}


if __name__ == "__main__":
    main()
