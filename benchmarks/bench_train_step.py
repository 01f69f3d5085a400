"""A training step of each architecture against one with unfused attention, interleaved in one run.

    python -m benchmarks.bench_train_step [--width 384] [--depth 4] [--microbatch 4] [--repeats 7] [--json FILE]

A step is forward, cross-entropy, backward, gradient clipping at 1 and AdamW. The rule gives width 384 a depth of 16;
the default here is 4 blocks, since blocks cost the same and fewer finish sooner (`--depth 0` follows the rule).

The baseline has the same sizes, norms, feed-forward network, dropout, data type and optimizer, and an attention as it
is often written: three products for queries, keys and values, then product, mask, softmax, product. Each architecture
runs both ways in float32, and in bfloat16 autocast where the processor multiplies it natively. Figures are medians of
the repeats; a ratio is the median of the ratios to the float32 baseline of that architecture within each repeat, above
1 where it is faster. A second table times AdamW alone in PyTorch's three implementations.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.environment import environment
from up.device import describe_device
from up.model.transformer.attention import SelfAttention
from up.model.transformer.blocks import ModernBlock, PaperBlock, ProgressiveBlock
from up.model.transformer.cost import count_parameters, training_flops_per_token
from up.model.transformer.model import Transformer, TransformerConfig

WEIGHT_DECAY, LEARNING_RATE, CLIP_NORM = 0.01, 3e-4, 1.0
OPTIMIZERS = ("loop", "foreach", "fused")


class UnfusedAttention(nn.Module):
    """The baseline: the same attention with separate projections, an explicit mask and an explicit softmax."""

    future_TT: Tensor

    def __init__(self, fused: SelfAttention, context_length: int) -> None:
        super().__init__()
        width = fused.output.in_features
        self.num_heads, self.scale, self.rotary = fused.num_heads, fused.scale, fused.rotary
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.output = nn.Linear(width, width, bias=fused.output.bias is not None)
        future_TT = torch.ones(context_length, context_length, dtype=torch.bool).triu(1)
        self.register_buffer("future_TT", future_TT, persistent=False)

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Attend, one product after the other."""
        length = x_BTD.shape[1]
        q_BTNK, k_BTNK, v_BTNK = (
            project(x_BTD).unflatten(-1, (self.num_heads, -1)) for project in (self.query, self.key, self.value)
        )
        if self.rotary is not None:
            q_BTNK, k_BTNK = self.rotary(q_BTNK), self.rotary(k_BTNK)
        score_BNTT = self.scale * (q_BTNK.transpose(1, 2) @ k_BTNK.permute(0, 2, 3, 1))
        score_BNTT = score_BNTT.masked_fill(self.future_TT[:length, :length], float("-inf"))
        gathered_BNTK = torch.softmax(score_BNTT, dim=-1) @ v_BTNK.transpose(1, 2)
        return self.output(gathered_BNTK.transpose(1, 2).flatten(2))


def build(config: TransformerConfig, attention: str, device: torch.device) -> Transformer:
    """Return a model with fused or unfused attention."""
    model = Transformer(config)
    if attention == "unfused":
        for each in model.blocks:
            block = each.block if isinstance(each, ProgressiveBlock) else each
            assert isinstance(block, PaperBlock | ModernBlock)
            block.attention = UnfusedAttention(block.attention, config.context_length)  # type: ignore[assignment]
    return model.to(device)


def make_adamw(model: Transformer, implementation: str) -> torch.optim.AdamW:
    """Return AdamW in one of PyTorch's three implementations."""
    return torch.optim.AdamW(
        model.parameters(),
        lr=LEARNING_RATE,
        weight_decay=WEIGHT_DECAY,
        foreach=implementation == "foreach",
        fused=implementation == "fused",
    )


def make_step(model: Transformer, tokens_BT: Tensor, *, autocast: bool, optimizer: str) -> Callable[[], None]:
    """Return a function that takes one training step and waits for the device."""
    adamw = make_adamw(model, optimizer)

    def step() -> None:
        with torch.autocast(tokens_BT.device.type, torch.bfloat16, enabled=autocast):
            logits_BTV = model(tokens_BT[:, :-1])
            loss = functional.cross_entropy(logits_BTV.flatten(0, 1), tokens_BT[:, 1:].flatten().long())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        adamw.step()
        adamw.zero_grad()
        if tokens_BT.is_cuda:
            torch.cuda.synchronize()

    return step


def interleave(steps: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Time every step once per repeat, in turn; the first two rounds warm up and are not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for repeat in range(-2, repeats):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if repeat >= 0:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def measure_steps(
    config: TransformerConfig, tokens_BT: Tensor, *, bf16: bool, optimizer: str, repeats: int
) -> list[dict[str, object]]:
    """Return one row for each attention and data type."""
    steps = {
        f"{attention} {dtype}": make_step(
            build(config, attention, tokens_BT.device), tokens_BT, autocast=dtype == "bf16", optimizer=optimizer
        )
        for dtype in (("fp32", "bf16") if bf16 else ("fp32",))
        for attention in ("unfused", "fused")
    }
    seconds = interleave(steps, repeats)
    tokens = tokens_BT[:, 1:].numel()
    return [
        {
            "arch": config.arch,
            "attention": name.split()[0],
            "dtype": name.split()[1],
            "step_seconds": statistics.median(times),
            "tokens_per_second": tokens / statistics.median(times),
            "gflops_per_second": tokens * training_flops_per_token(config) / statistics.median(times) / 1e9,
            "ratio": statistics.median(b / t for b, t in zip(seconds["unfused fp32"], times, strict=True)),
        }
        for name, times in seconds.items()
    ]


def measure_optimizers(config: TransformerConfig, device: torch.device, repeats: int) -> list[dict[str, object]]:
    """Return the time of an AdamW step by itself, for each implementation."""
    steps: dict[str, Callable[[], object]] = {}
    for name in OPTIMIZERS:
        model = Transformer(config).to(device)
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, 1e-3)
        adamw = make_adamw(model, name)
        steps[name] = adamw.step if device.type == "cpu" else lambda step=adamw.step: (step(), torch.cuda.synchronize())
    seconds = interleave(steps, repeats)
    return [
        {"arch": config.arch, "optimizer": name, "step_seconds": statistics.median(times)}
        for name, times in seconds.items()
    ]


def main() -> None:
    """Run, print two tables, and write the record if asked."""
    parser = argparse.ArgumentParser(description="Time training steps against unfused attention.")
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--depth", type=int, default=4, help="blocks; 0 follows the rule, 16 at width 384")
    parser.add_argument("--microbatch", type=int, default=4, help="sequences in a step")
    parser.add_argument("--context-length", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="fused")
    parser.add_argument("--json", type=Path, help="write the record to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    bf16 = describe_device(device).bf16
    generator = torch.Generator().manual_seed(0)
    shape = (arguments.microbatch, arguments.context_length + 1)
    tokens_BT = torch.randint(256, shape, generator=generator, dtype=torch.uint8).to(device)
    configs = [
        TransformerConfig(
            arch=arch, width=arguments.width, depth=arguments.depth or None, context_length=arguments.context_length
        )
        for arch in ("paper", "modern")
    ]
    record = {
        "benchmark": "train_step",
        **environment(),
        "native_bf16": bf16,
        "width": arguments.width,
        "depth": configs[0].num_layers,
        "microbatch": arguments.microbatch,
        "context_length": arguments.context_length,
        "optimizer": arguments.optimizer,
        "repeats": arguments.repeats,
        "parameters": {config.arch: count_parameters(config) for config in configs},
        "steps": [
            row
            for config in configs
            for row in measure_steps(
                config, tokens_BT, bf16=bf16, optimizer=arguments.optimizer, repeats=arguments.repeats
            )
        ],
        "optimizers": [row for config in configs for row in measure_optimizers(config, device, arguments.repeats)],
    }
    print(
        f"{record['torch']} on {record['processor']}, device {device}, {arguments.threads} thread(s), "
        f"native bfloat16 {'yes' if bf16 else 'no'}, {arguments.repeats} repeats"
    )
    print(
        f"width {arguments.width}, {record['depth']} blocks, {arguments.microbatch} sequences of "
        f"{arguments.context_length} tokens, AdamW {arguments.optimizer}"
    )
    print(f"{'arch':<8} {'attention':<10} {'dtype':<6} {'seconds':>8} {'tokens/s':>9} {'GFLOP/s':>8} {'ratio':>7}")
    for row in record["steps"]:
        print(
            f"{row['arch']:<8} {row['attention']:<10} {row['dtype']:<6} {row['step_seconds']:>8.3f} "
            f"{row['tokens_per_second']:>9.0f} {row['gflops_per_second']:>8.0f} {row['ratio']:>6.2f}x"
        )
    print(f"\n{'arch':<8} {'AdamW':<10} {'ms':>8}")
    for row in record["optimizers"]:
        print(f"{row['arch']:<8} {row['optimizer']:<10} {1e3 * row['step_seconds']:>8.1f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
