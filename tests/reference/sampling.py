"""The plain rule by which a token is drawn from logits and one uniform number."""

import torch


def sample_token(logits_V, temperature, u):
    """The token in whose interval u falls, the most probable token's interval first, then the others by index."""
    probabilities = torch.softmax(logits_V.double() / temperature, dim=0)
    best = int(probabilities.argmax())
    order = [best, *(v for v in range(len(probabilities)) if v != best)]
    cumulated = 0.0
    for token in order:
        cumulated += float(probabilities[token])
        if u < cumulated:
            return token
    return next(token for token in reversed(order) if probabilities[token] > 0)
