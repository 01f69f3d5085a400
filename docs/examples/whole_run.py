"""A run in a folder, its model, and what that predicts; too short to learn anything."""

import tempfile

import up

settings = ["model.width=16", "model.depth=1", "training.instances=64"]
settings += ["source.kind=noise", "evaluation.samples=8"]

with tempfile.TemporaryDirectory() as folder:
    run = up.train(up.configure("tiny", settings), f"{folder}/run")
    print([round(step.loss_bits, 2) for step in run.metrics.history().steps])
    model = up.load(run.path)
    for row in up.evaluate(model, ["samples=16"]):
        print(f"{row.data}: {row.tail_bits:.2f}, Markov {row.markov_tail_bits:.2f}")
