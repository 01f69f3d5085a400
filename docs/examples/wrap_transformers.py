"""A model of transformers, pre-trained on random LSTMs and measured on real bytes."""

from transformers import LlamaConfig, LlamaForCausalLM

import up

config = LlamaConfig(
    vocab_size=256,
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=2,
    num_attention_heads=2,
)
model = LlamaForCausalLM(config)
pretraining = up.wrap(model, length=96)
losses = pretraining.fit(60, batch_size=8, learning_rate=3e-3)
print(f"{losses[0]:.2f} bits per token at first, {losses[-1]:.2f} at last")
for row in up.evaluate(model, ["samples=100"], context_length=96):
    print(f"{row.data}: {row.bits:.2f} bits, standard error {row.stderr:.2f}")
