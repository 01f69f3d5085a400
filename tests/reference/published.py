"""The plain way to sample from the published code's kind of LSTM: one row, one step at a time, through nn.LSTM."""

import torch
from torch import nn


def build_modules(weights, model):
    """The embeddings, recurrent layers and read-out of one model as ordinary modules; nn keeps matrices transposed."""
    embedding = weights.input_embedding_GVE.shape[2]
    hidden, vocabulary = weights.readout_GDV.shape[1:]
    lstm = nn.LSTM(2 * embedding, hidden, len(weights.layers), batch_first=True, dtype=torch.float64)
    readout = nn.Linear(hidden, vocabulary, dtype=torch.float64)
    with torch.no_grad():
        for index, layer in enumerate(weights.layers):
            matrix_IK = layer.weight_GIK[model]
            getattr(lstm, f"weight_ih_l{index}").copy_(matrix_IK[:-hidden].T)
            getattr(lstm, f"weight_hh_l{index}").copy_(matrix_IK[-hidden:].T)
            getattr(lstm, f"bias_ih_l{index}").copy_(layer.bias_ih_GK[model])
            getattr(lstm, f"bias_hh_l{index}").copy_(layer.bias_hh_GK[model])
        readout.weight.copy_(weights.readout_GDV[model].T)
        readout.bias.copy_(weights.readout_bias_GV[model])
    own = nn.Embedding.from_pretrained(weights.input_embedding_GVE[model].double())
    condition = nn.Embedding.from_pretrained(weights.condition_embedding_GVE[model].double())
    return own, condition, lstm, readout


@torch.no_grad()
def generate_sequences(weights, *, seeds_RS, conditions_RT):
    rows_per_model = len(seeds_RS) // len(weights.multiplier_G)
    sequences = []
    for row in range(len(seeds_RS)):
        own, condition, lstm, readout = build_modules(weights, row // rows_per_model)
        tokens, state = seeds_RS[row].tolist(), None
        for t in range(conditions_RT.shape[1] - 1):
            parts = [own(torch.tensor(tokens[t])), condition(conditions_RT[row, t].long())]
            output, state = lstm(torch.cat(parts)[None, None], state)
            if t + 1 >= seeds_RS.shape[1]:
                tokens.append(int(readout(output[0, 0]).argmax()))
        sequences.append(tokens)
    return torch.tensor(sequences, dtype=torch.uint8)
