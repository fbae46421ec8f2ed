"""How far log-probabilities, as `rocmforge logits --json` and the golden data list them, are from a reference."""
import math


def divergence(reference, measured):
    """Kullback-Leibler divergence at one position, in nats: over the reference's listed tokens, and one more term for all the others
    together. A token that is not among the measured ones counts with the smallest of those."""
    ours = dict(map(tuple, measured["top"]))
    smallest = min(ours.values())
    total = listed = ours_listed = 0.0
    for token, logprob in reference["top"]:
        our_logprob = ours.get(token, smallest)
        total += math.exp(logprob) * (logprob - our_logprob)
        listed += math.exp(logprob)
        ours_listed += math.exp(our_logprob)
    others, our_others = max(1.0 - listed, 1e-9), max(1.0 - ours_listed, 1e-9)
    return total + others * math.log(others / our_others)
