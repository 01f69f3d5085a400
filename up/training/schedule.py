"""Learning rate and batch size as functions of the instances seen so far, and of nothing else.

Source: Bloem 2025 (arXiv 2506.20057), appendix A.1. Both are pure, so a resumed run continues them exactly, and the
size of a microbatch or the number of devices does not enter.
"""

from up.training.config import TrainingConfig


def learning_rate(config: TrainingConfig, instances: int) -> float:
    """Return the rate of the step that starts after `instances` and is applied to the batch that follows.

    Linear from 0 to the peak over `warmup_instances`, then geometric, halving every `halving_instances`. The warm-up is
    read at the end of the step's batch, so that the first step does not have rate 0.
    """
    end = instances + batch_size(config, instances)
    warmup = min(1.0, end / config.warmup_instances) if config.warmup_instances else 1.0
    return config.learning_rate * warmup * 0.5 ** (max(0, end - config.warmup_instances) / config.halving_instances)


def batch_size(config: TrainingConfig, instances: int) -> int:
    """Return how many instances the step that starts after `instances` trains on.

    `batch_start` at first, growing linearly to `batch` between `batch_warmup_from` and `batch_warmup_to`; the last
    step of a run takes what is left.
    """
    if instances >= config.batch_warmup_to:
        size = config.batch
    elif instances <= config.batch_warmup_from:
        size = config.batch_start
    else:
        grown = (instances - config.batch_warmup_from) / (config.batch_warmup_to - config.batch_warmup_from)
        size = config.batch_start + round(grown * (config.batch - config.batch_start))
    return max(0, min(size, config.instances - instances))
