"""Both trainers' rewards in one process, which imports PyTorch and Ray once.

Reads {"openrlhf": [file, cases], "verl": [words, cases]} from stdin, and prints what each found.
"""

import json
import sys

import openrlhf_reward
import torch
import verl_reward


def main():
    asked = json.load(sys.stdin)
    found = {
        "openrlhf": openrlhf_reward.rewards(*asked["openrlhf"]),
        "verl": verl_reward.rewards(*asked["verl"]),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
