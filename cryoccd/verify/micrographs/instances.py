"""Instance labels against the rows of the tables, both ways."""

from collections.abc import Callable

import numpy as np

from cryoccd.io.dataset import Dataset
from cryoccd.verify.finding import Finding


def check_instances(dataset: Dataset, advance: Callable[[], None]) -> Finding:
    """Every label has its row and every row its label."""
    faults: list[str] = []
    count = 0
    walks = zip(dataset.walk("particles"), dataset.walk("artefacts"), strict=True)
    for (name, particles), (_, artefacts) in walks:
        labels = dataset.image(name, "instances").astype(np.int64)
        seen = set(np.unique(labels).tolist()) - {0}
        rows = [*particles["instance_id"].tolist(), *artefacts["instance_id"].tolist()]
        count += len(seen)
        rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        cut = set(np.unique(rim).tolist()) - {0}
        for label in sorted(seen - set(rows)):
            at = " at the edge" if label in cut else ""
            faults.append(f"{name}: label {label}{at} has no row")
        faults += [f"{name}: row {row} has no label" for row in sorted(set(rows) - seen)]
        advance()
    if faults:
        edge_faults = sum("at the edge has no row" in fault for fault in faults)
        kind = " (edge particles are missing)" if edge_faults == len(faults) else ""
        more = f" and {len(faults) - 1} more faults" if len(faults) > 1 else ""
        return Finding("instances", "FAIL", f"{faults[0]}{more}{kind}")
    return Finding("instances", "pass", f"{count} labels and their rows agree")
