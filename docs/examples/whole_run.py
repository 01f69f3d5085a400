"""A run in a folder, its model, and what that predicts; too short to learn anything."""

import tempfile

import up

settings = ["model.width=16", "model.depth=1", "training.instances=64"]
settings += ["source.kind=noise", "evaluation.samples=8"]

with tempfile.TemporaryDirectory() as folder:
    losses = []
    run = up.train(
        up.configure("tiny", settings),
        f"{folder}/run",
        on_event=lambda event: (
            losses.append(event.loss_bits) if isinstance(event, up.Step) else None
        ),
    )
    model = up.load(run.path)
    print([round(loss, 2) for loss in losses])
    for row in up.evaluate(model, ["samples=16"]):
        print(
            f"{row.data}: {row.tail_bits:.2f} bits, Markov {row.markov_tail_bits:.2f}"
        )
