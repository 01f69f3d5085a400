"""From nothing to a gradient step."""

import up

config = up.configure("tiny", ["model.depth=1", "cadence.burn_in_batches=0"])
state = up.TrainingState(config.resolve())
print(state.train_step().loss_bits)
