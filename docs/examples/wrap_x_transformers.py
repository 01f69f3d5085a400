"""A model of x-transformers, pre-trained on random LSTMs."""

from x_transformers import Decoder, TransformerWrapper

import up

layers = Decoder(dim=32, depth=2, heads=2)
model = TransformerWrapper(num_tokens=256, max_seq_len=64, attn_layers=layers)
pretraining = up.wrap(model, length=65)
losses = pretraining.fit(60, batch_size=8, learning_rate=3e-3)
print(f"{losses[0]:.2f} bits per token at first, {losses[-1]:.2f} at last")
print("rows of depth 0, 1, 2, ...:", pretraining.observations()["depth"])
