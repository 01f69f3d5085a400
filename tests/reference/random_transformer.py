"""Sampling from random transformers the plain way: one model, row and step at a time, no cache, through torch.nn."""

import torch
from torch import nn

from tests.reference.sampling import sample_token


def build_modules(weights, model, num_heads):
    """The embeddings, blocks and read-out of one model as ordinary modules; nn.Linear keeps matrices transposed."""
    width = weights.input_embedding_GVD.shape[2]
    embeddings = [
        nn.Embedding.from_pretrained(table[model].double())
        for table in (weights.input_embedding_GVD, weights.condition_embedding_GVD, weights.position_embedding_GTD)
    ]
    layers = []
    for block in weights.blocks:
        layer = nn.TransformerEncoderLayer(
            width, num_heads, 4 * width, dropout=0.0, activation="relu", batch_first=True, dtype=torch.float64
        ).eval()
        with torch.no_grad():
            layer.self_attn.in_proj_weight.copy_(block.query_key_value_GDP[model].T)
            layer.self_attn.in_proj_bias.copy_(block.query_key_value_bias_GP[model])
            layer.self_attn.out_proj.weight.copy_(block.output_GDD[model].T)
            layer.self_attn.out_proj.bias.copy_(block.output_bias_GD[model])
            layer.linear1.weight.copy_(block.up_GDF[model].T)
            layer.linear1.bias.copy_(block.up_bias_GF[model])
            layer.linear2.weight.copy_(block.down_GFD[model].T)
            layer.linear2.bias.copy_(block.down_bias_GD[model])
        layers.append(layer)
    readout = nn.Linear(width, weights.readout_bias_GV.shape[1], dtype=torch.float64)
    with torch.no_grad():
        readout.weight.copy_(weights.readout_GDV[model].T)
        readout.bias.copy_(weights.readout_bias_GV[model])
    return embeddings, layers, readout


@torch.no_grad()
def generate_sequences(weights, *, num_heads, temperature, seeds_RS, conditions_RT, uniforms_TR):
    num_models = weights.multiplier_G.shape[0]
    rows_per_model = len(seeds_RS) // num_models
    seed_length = seeds_RS.shape[1]
    sequences = []
    for row in range(len(seeds_RS)):
        (own, condition, position), layers, readout = build_modules(weights, row // rows_per_model, num_heads)
        tokens = seeds_RS[row].tolist()
        for t in range(seed_length - 1, conditions_RT.shape[1] - 1):
            x_TD = own(torch.tensor(tokens)) + condition(conditions_RT[row, : t + 1].long())
            x_1TD = (x_TD + position.weight[: t + 1])[None]
            for layer in layers:
                mask = nn.Transformer.generate_square_subsequent_mask(t + 1, dtype=torch.float64)
                x_1TD = layer(x_1TD, src_mask=mask, is_causal=True)
            u = float(uniforms_TR[t + 1 - seed_length, row])
            tokens.append(sample_token(readout(x_1TD[0, -1]), temperature, u))
        sequences.append(tokens)
    return torch.tensor(sequences, dtype=torch.uint8)
