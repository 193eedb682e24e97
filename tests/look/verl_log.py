"""A small log as verl writes it, with texts that would act if a page let them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

MARKUP = '</script><script>document.title="owned"</script><img src=x onerror=alert(1)><b>bold</b>'
BIDI = "\u202egnp.exe\u2066 \x00 \x1b[31m \u2028 \u200b"
HEAD, TAIL = "system\nReason step by step.\nuser\n", "\nassistant"


def prompts(n: int) -> list[str]:
    """Distinct texts within a template; the first ones are hostile."""
    own = [MARKUP, BIDI, "B" * 1_000_000, *(f"How many are {k} and {k + 1}?" for k in range(n))]
    return [f"{HEAD}{text}{TAIL}" for text in own[:n]]


def write(
    folder: Path, texts: Sequence[str], visits: int = 4, samples: int = 4, long: int = 0
) -> Path:
    """Write one file a visit; of prompt i, i % (samples + 1) samples are right, later one more."""
    folder.mkdir(parents=True, exist_ok=True)
    for visit in range(visits):
        with (folder / f"{visit + 1}.jsonl").open("w") as file:
            for i, text in enumerate(texts):
                right = min(samples, i % (samples + 1) + (visit > 1))
                for sample in range(samples):
                    row = {
                        "input": text,
                        "output": f"{MARKUP} {BIDI} \ud800 {visit} {sample} " + "long " * long,
                        "gts": f"<b>{i}</b>",
                        "score": float(sample < right),
                        "step": visit + 1,
                    }
                    file.write(json.dumps(row) + "\n")
    return folder
