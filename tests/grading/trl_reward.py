"""One step of the real GRPOTrainer with the documented reward: `python trl_reward.py FOLDER`.

FOLDER has the page's reward_trl.py; `output` is written there. A second reward takes the whole
response for the answer, which a random model of single characters sometimes gets right.
"""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "trajectories"))
import trl_runs
from trl import GRPOTrainer

from limr.grading.trainers import TrlReward


def main(folder: Path) -> None:
    sys.path.insert(0, str(folder))
    from reward_trl import reward

    whole = TrlReward(gold="answer", settings={"answer": "whole"}, malformed=-1.0)
    whole.__name__ = "whole"
    run = trl_runs.Run({"max_completion_length": 1, "max_steps": 1}, chat="chat" in sys.argv)
    words = trl_runs.tokenizer()
    train, _ = trl_runs.rows(run)
    GRPOTrainer(
        model=trl_runs.model(words),
        reward_funcs=[reward, whole],
        processing_class=words,
        train_dataset=train.map(lambda row: {"answer": "2"}),
        args=trl_runs.settings(run, folder / "output"),
    ).train()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
