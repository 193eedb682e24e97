"""The paper's Table 3 beside ours: fine-tuning against reinforcement learning."""

from __future__ import annotations

from functools import partial

from limr.report.tables import _paper

TITLE = "Beside the paper's Table 3"
REQUIRES, OPTIONAL, Options = _paper.REQUIRES, _paper.OPTIONAL, _paper.Options
build = partial(_paper.build, table=3)
caption = partial(_paper.caption, table=3)
