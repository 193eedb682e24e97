"""Rollouts that give the made-up study's learning curves; some of their texts are hostile."""

import numpy as np
import pyarrow as pa

from limr.core import files
from limr.core.tables import ROLLOUTS, VERDICTS

MARKUP = '</script><script>document.title="owned"</script><img src=x onerror=alert(1)>{{ 7*7 }}'
HOSTILE = {
    0: MARKUP,
    1: "\x1b[31mred\x1b[0m and \x00 null",
    2: "begin \u202egnp.exe\u2066 end",
    3: "a" * 1_000_000,
    4: "line\r\nline\u2028line\u200b \ufeff tail",
}


def write(curves, path):
    """Write rollouts that give the curves; the first responses of five problems are hostile."""
    frame = curves.to_pandas().sort_values(["epoch", "problem_id"])
    each = frame["n"].to_numpy()
    rows = frame.loc[frame.index.repeat(each)].reset_index(drop=True)
    sample = np.concatenate([np.arange(n) for n in each])
    right = sample < rows["n_correct"].to_numpy()
    codes = np.where(right, 0, np.where(sample == each.max() - 1, 2, 1))
    texts = [f"thinking of sample {k}: \\boxed{{{k}}}" for k in sample]
    for problem, text in HOSTILE.items():
        place = int(np.flatnonzero(rows["problem_id"] == f"arithmetic-{problem:04d}")[0])
        texts[place] = text
    columns = {
        "problem_id": rows["problem_id"],
        "step": rows["epoch"] + 1,
        "epoch": rows["epoch"],
        "sample": sample,
        "reward": np.where(right, 1.0, -0.5),
        "response_tokens": [len(text) % 1000 for text in texts],
        "truncated": False,
        "response": texts,
    }
    arrays = [
        pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), pa.array(VERDICTS))
        if field.name == "verdict"
        else pa.array(
            [columns[field.name]] * len(rows)
            if np.isscalar(columns[field.name])
            else list(columns[field.name]),
            field.type,
        )
        for field in ROLLOUTS
    ]
    files.write_parquet(path, pa.Table.from_arrays(arrays, schema=ROLLOUTS))
