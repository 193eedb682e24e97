"""One reader's LIM scores of a rollouts file, as JSON on stdout.

python benchmarks/growth/side.py polars|duckdb ROLLOUTS.parquet

Rows are counted by problem and epoch, and scored against the mean curve. Unlike `limr score`, these
queries check nothing: no row twice, no reward against its verdict, no epoch that a problem lacks.
"""

from __future__ import annotations

import json
import sys
from typing import Any

SQL = """
WITH rates AS (SELECT problem_id, epoch, avg((verdict = 'correct')::INT) AS rate
               FROM read_parquet(?) GROUP BY ALL),
     means AS (SELECT epoch, avg(rate) AS mean FROM rates GROUP BY epoch)
SELECT problem_id, 1 - sum((rate - mean) ** 2) / sum((1 - mean) ** 2)
FROM rates JOIN means USING (epoch) GROUP BY problem_id
"""


def with_duckdb(path: str) -> dict[str, float]:
    """Return problem -> score by DuckDB."""
    import duckdb

    duckdb.execute("SET threads = 1")
    return dict(duckdb.execute(SQL, [path]).fetchall())


def with_polars(path: str) -> dict[str, float]:
    """Return problem -> score by polars, as a stream."""
    import polars as pl

    right = (pl.col("verdict").cast(pl.String) == "correct").mean().alias("rate")
    rates = pl.scan_parquet(path).group_by("problem_id", "epoch").agg(right)
    gap = (pl.col("rate") - pl.col("mean")) ** 2
    room = (1 - pl.col("mean")) ** 2
    found: Any = (
        rates.collect(engine="streaming")
        .with_columns(pl.col("rate").mean().over("epoch").alias("mean"))
        .group_by("problem_id")
        .agg((1 - gap.sum() / room.sum()).alias("score"))
    )
    return dict(found.iter_rows())


if __name__ == "__main__":
    sides = {"duckdb": with_duckdb, "polars": with_polars}
    json.dump(sides[sys.argv[1]](sys.argv[2]), sys.stdout)
