"""The losses of PyTorch's GPT of torch_worker.py in its first 20 steps, from start values that bench/models.ts draws too.

    python3 bench/peers/gpt_losses.py > test/examples/gpt-losses.json && npx prettier --write test/examples/gpt-losses.json

makes what test/examples/gpt-losses.test.ts compares with. In float64 they are what both sides would find without rounding.
"""

import json
import math

import torch
from torch_worker import Gpt


seed, steps = 1, 20
word = 0xFFFFFFFF


def philox(blocks, key):
    """Philox4x32-10 of the counters from blocks[0] on, below 2^32, as gradstep's RandomGenerator has it. [len(blocks), 4] words."""
    c = [blocks, *(torch.zeros_like(blocks) for _ in range(3))]
    k = [key, 0]
    for _ in range(10):
        (high0, low0), (high2, low2) = product(c[0], 0xD2511F53), product(c[2], 0xCD9E8D57)
        c = [high2 ^ c[1] ^ k[0], low2, high0 ^ c[3] ^ k[1], low0]
        k = [(k[0] + 0x9E3779B9) & word, (k[1] + 0xBB67AE85) & word]
    return torch.stack(c, 1)


def product(a, b):
    """Both words of a product of two; by halves, as 64 bits with a sign do not hold it."""
    low, high = (a & 0xFFFF) * b, (a >> 16) * b
    middle = high + (low >> 16)
    return middle >> 16, (middle & 0xFFFF) << 16 | (low & 0xFFFF)


class Start:
    """Start values of weights [..., inputs, outputs]; bench/models.ts has the same."""

    def __init__(self):
        self.counter = 0

    def __call__(self, shape):
        size = math.prod(shape)
        blocks = math.ceil(size / 4)
        words = philox(torch.arange(self.counter, self.counter + blocks), seed).reshape(-1)[:size]
        self.counter += blocks
        units = (words >> 8).to(torch.float64) / 2**24
        scale = 2.0 ** math.floor(math.log2(math.sqrt(12 / math.prod(shape[:-1]))))
        return ((units - 0.5) * scale).to(torch.get_default_dtype()).reshape(shape)


class ClippedByRows(Gpt):
    """Counts each row that was looked up by itself, also where a token occurs twice, as TensorFlow does with sparse gradients."""

    def looked_up(self):
        self.rows = super().looked_up()
        self.rows.retain_grad()
        return self.rows

    def clip(self):
        gradients = [self.rows.grad] + [each.grad for each in self.parameters if each is not self.tokens]
        norm = torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt()
        for each in self.parameters:
            each.grad /= norm.clamp(min=1.0)


def losses(dtype):
    torch.set_default_dtype(dtype)
    model = ClippedByRows(Start())
    for _ in range(steps):
        model.run()
    return model.losses


if __name__ == "__main__":
    print(json.dumps({"PyTorch": torch.__version__, "float32": losses(torch.float32), "float64": losses(torch.float64)}))
