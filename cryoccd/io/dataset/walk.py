"""The rows of a truth table, micrograph by micrograph, in constant memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from cryoccd.errors import CryoccdError

_ROWS_AT_ONCE = 10_000


def walk_rows(
    path: Path, names: Sequence[str], key: str = "micrograph"
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and rows of each micrograph, in the order of `names`; a micrograph may have none.

    Args:
        path: Parquet table whose rows stand in the order of `names`, as they are written.
        names: micrographs.
        key: column of the name.

    Raises:
        CryoccdError: rows in another order, or of a micrograph that is not named.
    """
    with pq.ParquetFile(path) as file:
        batches = file.iter_batches(_ROWS_AT_ONCE)
        pending = file.schema_arrow.empty_table().to_pandas()
        exhausted = False
        for name in names:
            # a name that fills the buffer may go on in the next batch
            while not exhausted and (len(pending) == 0 or pending[key].iloc[-1] == name):
                batch = next(batches, None)
                exhausted = batch is None
                if batch is not None:
                    more = batch.to_pandas()
                    pending = more if len(pending) == 0 else pd.concat([pending, more])
            other = (pending[key] != name).to_numpy()
            end = int(other.argmax()) if other.any() else len(pending)
            yield name, pending.iloc[:end].reset_index(drop=True)
            pending = pending.iloc[end:]
        if len(pending) or (not exhausted and next(batches, None) is not None):
            where = f" ({pending[key].iloc[0]})" if len(pending) else ""
            raise CryoccdError(
                f"{path}: rows out of the order of micrographs.parquet{where}; make the set again"
            )
