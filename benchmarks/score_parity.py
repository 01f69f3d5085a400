"""What the trainings of table-1 are worth at the step that they were stopped at, by few strings and one draw.

    python -m benchmarks.score_parity FOLDER --instances 320000 [--scale paper] [--strings 400] [--seed 0] [--json FILE]

`up experiment run table-1` measures a training when it is complete, on all of its strings. This reads the states below
FOLDER/runs of one that is not, with the `--scale` and `--instances` that it was started with, and asks for so many
strings of the lengths that were trained and of the longer ones, before the first step and as they are now; on a CPU.
"""

import argparse
import json
import statistics
from pathlib import Path

import torch

from benchmarks.environment import environment
from up.codes.parity_examples import draw_examples, score
from up.codes.parity_state import ParityState, begin
from up.device import keyed_generator
from up.experiments.experiment import Setting, Step
from up.experiments.table_1 import Table1, parity_config

KEY, DRAWS = 46, 2  # of a generator that no training uses; of the weights, for their divergence


@torch.no_grad()
def worth(state: ParityState, strings: int, seed: int) -> dict[str, object]:
    """Return steps, bits of the weights with their error, and shares of right answers."""
    task = state.config.task
    weights_SN = state.draw(1, keyed_generator(KEY, seed))
    row: dict[str, object] = {"steps": state.step}
    if state.config.is_variational:
        bits = state.code.bits(DRAWS, keyed_generator(KEY, seed))
        row |= {"KL": bits.value, "KL_stderr": bits.stderr}
    for name, lengths in (("train", task.train_lengths), ("OOD", task.test_lengths)):
        examples = draw_examples(task, lengths, strings, keyed_generator(KEY, seed, lengths[0]))
        row[name] = statistics.fmean(score(task, weights_SN, examples).accuracy_S)
    return row


def main() -> None:
    """Run, print a row for each state, and write the record if asked."""
    parser = argparse.ArgumentParser(description="Score the states of an unfinished table-1.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", default="paper")
    parser.add_argument("--instances", type=int)
    parser.add_argument("--strings", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the record to this file")
    given = parser.parse_args()
    torch.set_num_threads(1)
    setting = Setting(scale=given.scale, instances=given.instances, seeds=(given.seed,))
    rows = []
    for part in Table1().runs(setting):
        if not isinstance(part, Step) or part.name == "exact":
            continue
        start, objective = str(part.labels["start"]), str(part.labels["objective"])
        for is_trained in (False, True):
            state = begin(
                parity_config(setting, start=start, objective=objective, seed=given.seed), torch.device("cpu")
            )
            if is_trained:
                state.load(given.folder / "runs" / part.name)
            rows.append({"start": start, "objective": objective, **worth(state, given.strings, given.seed)})
            print(rows[-1], flush=True)
    if given.json is not None:
        record = {"benchmark": "score_parity", **environment(), "strings": given.strings, "rows": rows}
        given.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
