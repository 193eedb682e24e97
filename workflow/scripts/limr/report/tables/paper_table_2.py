"""The paper's Table 2 beside ours: choices of data under reinforcement learning."""

from __future__ import annotations

from functools import partial

from limr.report.tables import _paper

TITLE = "Beside the paper's Table 2"
REQUIRES, OPTIONAL, Options = _paper.REQUIRES, _paper.OPTIONAL, _paper.Options
build = partial(_paper.build, table=2)
caption = partial(_paper.caption, table=2)
