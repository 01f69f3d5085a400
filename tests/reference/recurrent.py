"""The plain way to sample from random recurrent models: one model at a time, one step at a time, through torch.nn."""

import torch
from torch import nn

from tests.reference.sampling import sample_token
from up.sources.recurrent import RecurrentWeights


def build_modules(weights: RecurrentWeights, model: int, cell: str):
    """The embeddings, recurrent layer and read-out of one model as ordinary modules."""
    vocabulary, embedding = weights.input_embedding_GVE.shape[1:]
    hidden = weights.weight_hh_GKD.shape[2]
    layer = {"lstm": nn.LSTM, "gru": nn.GRU}[cell](2 * embedding, hidden, batch_first=True, dtype=torch.float64)
    readout = nn.Linear(hidden, vocabulary, dtype=torch.float64)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(weights.weight_ih_GKI[model])
        layer.weight_hh_l0.copy_(weights.weight_hh_GKD[model])
        layer.bias_ih_l0.copy_(weights.bias_ih_GK[model])
        layer.bias_hh_l0.copy_(weights.bias_hh_GK[model])
        readout.weight.copy_(weights.readout_weight_GVD[model])
        readout.bias.copy_(weights.readout_bias_GV[model])
    input_embedding = nn.Embedding.from_pretrained(weights.input_embedding_GVE[model].double())
    condition_embedding = nn.Embedding.from_pretrained(weights.condition_embedding_GVE[model].double())
    return input_embedding, condition_embedding, layer, readout


@torch.no_grad()
def generate_sequences(weights, *, cell, temperature, seeds_RS, conditions_RT, uniforms_TR):
    num_models = weights.multiplier_G.shape[0]
    rows_per_model = len(seeds_RS) // num_models
    seed_length = seeds_RS.shape[1]
    sequences = []
    for row in range(len(seeds_RS)):
        modules = build_modules(weights, row // rows_per_model, cell)
        input_embedding, condition_embedding, layer, readout = modules
        tokens, state = seeds_RS[row].tolist(), None
        for t in range(conditions_RT.shape[1] - 1):
            parts = [input_embedding(torch.tensor(tokens[t])), condition_embedding(conditions_RT[row, t].long())]
            output, state = layer(torch.cat(parts)[None, None], state)
            if t + 1 >= seed_length:
                u = float(uniforms_TR[t + 1 - seed_length, row])
                tokens.append(sample_token(readout(output[0, 0]), temperature, u))
        sequences.append(tokens)
    return torch.tensor(sequences)
