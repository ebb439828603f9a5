"""PyTorch's side of the benches: answers requests, one JSON object a line, with one JSON object a line.

{"make": kind, ...}              sets up a workload, answers {"id": ...}
{"id": ..., "turn": calls}       does its work so many times, answers {"seconds": ...}
{"id": ..., "result": true}      answers {"result": [...]}: what it has computed, for comparing
{"id": ..., "drop": true}        lets go of it
"""

import json
import math
import sys
import time

import torch
from torch.nn import functional


def numbers(length, step, scale):
    """bench/data.ts has the same."""
    i = torch.arange(length, dtype=torch.int64) * step % 1024
    return ((i + 1).to(torch.float64) / 1024 * scale).to(torch.float32)


def weights(length, step, scale):
    return numbers(length, step, scale) - scale / 2


def sampled(tensor):
    flat = tensor.detach().reshape(-1)
    n = flat.numel()
    return flat[[k * 99991 % n for k in range(64)]].tolist()


class Adam:
    """One step of Adam over variables of these sizes, after clipping by the global norm where `clipNorm` is given."""

    def __init__(self, sizes, foreach, clipNorm=None):
        self.parameters = [weights(n, 7, 2**-6).requires_grad_() for n in sizes]
        for parameter in self.parameters:
            parameter.grad = numbers(parameter.numel(), 5, 1)
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3, foreach=foreach)
        self.clip_norm = clipNorm

    def run(self):
        if self.clip_norm is not None:
            # It clips in place, so every call but the first finds the gradients clipped; that takes as long.
            torch.nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        self.optimizer.step()

    def result(self):
        return sampled(self.parameters[-1])


class Mnist:
    """Forward, backward, clip by global norm, Adam: 784-256-10, batch 64."""

    def __init__(self):
        self.x = numbers(64 * 784, 11, 1).reshape(64, 784)
        self.y = torch.arange(64) % 10
        self.parameters = [
            weights(784 * 256, 7, 0.125).reshape(784, 256).requires_grad_(),
            torch.zeros(256, requires_grad=True),
            weights(256 * 10, 7, 0.25).reshape(256, 10).requires_grad_(),
            torch.zeros(10, requires_grad=True),
        ]
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3)
        self.losses = []

    def run(self):
        w1, b1, w2, b2 = self.parameters
        logits = torch.addmm(b2, torch.relu(torch.addmm(b1, self.x, w1)), w2)
        loss = torch.nn.functional.cross_entropy(logits, self.y)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.losses = self.losses[-2:] + [loss.item()]

    def result(self):
        return self.losses


def start(shape):
    """Start values of weights [..., inputs, outputs]; bench/models.ts has the same."""
    fan_in = math.prod(shape[:-1])
    return weights(math.prod(shape), 7, 2.0 ** math.floor(math.log2(math.sqrt(12 / fan_in)))).reshape(shape)


class Classifier:
    """Forward, backward and a step of a network that tells ten kinds of images."""

    def __init__(self, shape, optimizer):
        images, height, width, channels = shape
        # Channels last is what PyTorch's convolutions are fastest with on most CPUs, and what the images are.
        x = numbers(images * height * width * channels, 11, 1).reshape(shape).permute(0, 3, 1, 2)
        self.x = x.contiguous(memory_format=torch.channels_last)
        self.y = torch.arange(images) % 10
        self.parameters = []
        self.build()
        self.optimizer = optimizer(self.parameters)
        self.losses = []

    def kept(self, tensor):
        self.parameters.append(tensor.requires_grad_())
        return tensor

    def conv(self, *shape):
        filters = start(shape).permute(3, 2, 0, 1)
        return self.kept(filters.contiguous(memory_format=torch.channels_last).detach().clone())

    def dense(self, inputs, outputs):
        return self.kept(start((inputs, outputs)).t().contiguous()), self.kept(torch.zeros(outputs))

    def run(self):
        loss = functional.cross_entropy(self.forward(self.x), self.y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.losses = self.losses[-2:] + [loss.item()]

    def result(self):
        return self.losses


class LeNet(Classifier):
    def __init__(self):
        super().__init__((64, 28, 28, 1), lambda parameters: torch.optim.Adam(parameters, lr=1e-3))

    def build(self):
        self.conv1, self.bias1 = self.conv(5, 5, 1, 32), self.kept(torch.zeros(32))
        self.conv2, self.bias2 = self.conv(5, 5, 32, 64), self.kept(torch.zeros(64))
        self.hidden, self.logits = self.dense(49 * 64, 512), self.dense(512, 10)

    def forward(self, x):
        x = functional.max_pool2d(torch.relu(functional.conv2d(x, self.conv1, self.bias1, padding=2)), 2)
        x = functional.max_pool2d(torch.relu(functional.conv2d(x, self.conv2, self.bias2, padding=2)), 2)
        x = x.permute(0, 2, 3, 1).reshape(64, -1)  # in the order of pixels, then channels
        return functional.linear(torch.relu(functional.linear(x, *self.hidden)), *self.logits)


class ResNet18(Classifier):
    def __init__(self):
        sgd = lambda parameters: torch.optim.SGD(parameters, lr=0.01, momentum=0.9)
        super().__init__((32, 32, 32, 3), sgd)

    def build(self):
        self.stem = self.normalized(3, 3, 64)
        self.blocks = []
        before = 64
        for filters in (64, 128, 256, 512):
            for i in range(2):
                stride = 2 if i == 0 and filters > 64 else 1
                first, second = self.normalized(3, before, filters), self.normalized(3, filters, filters)
                shortcut = self.normalized(1, before, filters) if stride == 2 else None
                self.blocks.append((stride, first, second, shortcut))
                before = filters
        self.logits = self.dense(512, 10)

    def normalized(self, size, inputs, filters):
        conv = self.conv(size, size, inputs, filters)
        norm = self.kept(torch.ones(filters)), self.kept(torch.zeros(filters))
        return conv, norm, (torch.zeros(filters), torch.ones(filters))

    @staticmethod
    def apply(x, layer, stride=1):
        conv, (gamma, beta), (mean, variance) = layer
        y = functional.conv2d(x, conv, stride=stride, padding=conv.shape[2] // 2)
        return functional.batch_norm(y, mean, variance, gamma, beta, training=True, momentum=0.1, eps=1e-5)

    def forward(self, x):
        x = torch.relu(self.apply(x, self.stem))
        for stride, first, second, shortcut in self.blocks:
            inner = self.apply(torch.relu(self.apply(x, first, stride)), second)
            x = torch.relu(inner + (x if shortcut is None else self.apply(x, shortcut, stride)))
        return functional.linear(x.mean((2, 3)), *self.logits)


class Gpt:
    """Forward, backward, clip by global norm, AdamW: 4 layers of 128, 4 heads, 8 pieces of 128 tokens."""

    def __init__(self, start=start):
        self.start = start
        i = torch.arange(8 * 128)
        self.now = ((i * 37 + i * i % 11) % 96).reshape(8, 128)
        self.next = self.now.reshape(-1).roll(-1)
        self.mask = torch.full((128, 128), -torch.inf).triu(1)
        self.parameters = []
        self.tokens, self.positions = self.kept(self.start((96, 128))), self.kept(self.start((128, 128)))
        self.blocks = [
            (self.norm(), self.dense(384), self.dense(128), self.norm(), self.dense(512), self.dense(128, 512))
            for _ in range(4)
        ]
        self.last_norm = self.norm()
        self.head = self.kept(self.start((128, 96)).t().contiguous())
        self.optimizer = torch.optim.AdamW(self.parameters, lr=1e-3, weight_decay=0.01)
        self.losses = []

    def kept(self, tensor):
        self.parameters.append(tensor.requires_grad_())
        return tensor

    def norm(self):
        return self.kept(torch.ones(128)), self.kept(torch.zeros(128))

    def dense(self, outputs, inputs=128):
        return self.kept(self.start((inputs, outputs)).t().contiguous()), self.kept(torch.zeros(outputs))

    def attention(self, x, projections, output):
        q, k, v = (part.reshape(8, 128, 4, 32).transpose(1, 2) for part in functional.linear(x, *projections).split(128, -1))
        scores = q @ k.transpose(2, 3) / math.sqrt(32) + self.mask
        seen = (scores.softmax(-1) @ v).transpose(1, 2).reshape(8, 128, 128)
        return functional.linear(seen, *output)

    def looked_up(self):
        return functional.embedding(self.now, self.tokens)

    def clip(self):
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)

    def run(self):
        x = self.looked_up() + self.positions
        for norm1, projections, output, norm2, up, down in self.blocks:
            x = x + self.attention(functional.layer_norm(x, (128,), *norm1), projections, output)
            hidden = functional.gelu(functional.linear(functional.layer_norm(x, (128,), *norm2), *up))
            x = x + functional.linear(hidden, *down)
        logits = functional.linear(functional.layer_norm(x, (128,), *self.last_norm), self.head)
        loss = functional.cross_entropy(logits.reshape(-1, 96), self.next)
        self.optimizer.zero_grad()
        loss.backward()
        self.clip()
        self.optimizer.step()
        self.losses.append(loss.item())

    def result(self):
        return self.losses[-3:]


class Sparse:
    """SparseAdam on some rows of a table."""

    def __init__(self, rows, columns, touched):
        self.table = weights(rows * columns, 7, 2**-6).reshape(rows, columns).requires_grad_()
        indices = (torch.arange(touched) * 104729 % rows).reshape(1, touched)
        values = numbers(touched * columns, 5, 1).reshape(touched, columns)
        self.touched = indices[0]
        self.gradient = torch.sparse_coo_tensor(indices, values, (rows, columns)).coalesce()
        self.optimizer = torch.optim.SparseAdam([self.table], lr=1e-3)

    def run(self):
        self.table.grad = self.gradient
        self.optimizer.step()

    def result(self):
        return sampled(self.table.detach()[self.touched])


class Conv:
    """A convolution, or one of its gradients, of images and filters in whichever of PyTorch's two layouts is faster."""

    def __init__(self, shape, images, way):
        size, channels, outputs, window = shape["size"], shape["channels"], shape["outputs"], shape["window"]
        stride, padding = [shape["stride"]] * 2, [shape["padding"]] * 2
        across = (size + 2 * padding[0] - window) // stride[0] + 1
        x = weights(images * size * size * channels, 7, 1).reshape(images, size, size, channels).permute(0, 3, 1, 2)
        filter = weights(window * window * channels * outputs, 11, 1)
        filter = filter.reshape(window, window, channels, outputs).permute(3, 2, 0, 1)
        dy = weights(images * across * across * outputs, 5, 1).reshape(images, across, across, outputs)
        dy = dy.permute(0, 3, 1, 2)
        self.way = way
        works = []
        for layout in (torch.contiguous_format, torch.channels_last):
            mine = [each.contiguous(memory_format=layout) for each in (x, filter, dy)]
            works.append(lambda mine=mine: self.convolve(*mine, stride, padding))
        self.work = min(works, key=self.time)

    def convolve(self, x, filter, dy, stride, padding):
        if self.way == "forward":
            return torch.nn.functional.conv2d(x, filter, None, stride, padding)
        mask = [self.way == "by input", self.way == "by filter", False]
        backward = torch.ops.aten.convolution_backward
        return backward(dy, x, filter, None, stride, padding, [1, 1], False, [0, 0], 1, mask)[0 if mask[0] else 1]

    def time(self, work):
        times = []
        for _ in range(9):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return sorted(times)[3]

    def run(self):
        with torch.no_grad():
            self.work()

    def result(self):
        with torch.no_grad():
            out = self.work()
        order = (2, 3, 1, 0) if self.way == "by filter" else (0, 2, 3, 1)
        return sampled(out.permute(*order).contiguous())


class LayerNorm:
    """Forward only."""

    def __init__(self, rows, columns):
        self.x = weights(rows * columns, 5, 4).reshape(rows, columns)
        self.gamma, self.beta = numbers(columns, 7, 2), numbers(columns, 3, 2)

    def run(self):
        self.y = torch.nn.functional.layer_norm(self.x, self.gamma.shape, self.gamma, self.beta, 1e-5)

    def result(self):
        return sampled(self.y)


class Descent:
    """Steps of gradient descent on the loss of a subclass."""

    def __init__(self, parameters, rate):
        self.optimizer = torch.optim.SGD(parameters, lr=rate)
        self.losses = []

    def run(self):
        loss = self.loss()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.losses = self.losses[-2:] + [loss.item()]

    def result(self):
        return self.losses


class Attention(Descent):
    """Causal, as one writes it in this version, which has no function for it."""

    def __init__(self, batch, heads, tokens, depth):
        shape, n = (batch, heads, tokens, depth), batch * heads * tokens * depth
        self.parts = [weights(n, step, 4).reshape(shape).requires_grad_() for step in (7, 5, 11)]
        self.factors = numbers(n, 3, 2**-10).reshape(shape)
        hidden = ~torch.ones(tokens, tokens, dtype=torch.bool).tril()
        self.mask = torch.zeros(tokens, tokens).masked_fill(hidden, -float("inf"))
        self.scale = depth**-0.5
        super().__init__(self.parts, 1)

    def loss(self):
        q, k, v = self.parts
        scores = q @ k.transpose(-1, -2) * self.scale + self.mask
        return (scores.softmax(-1) @ v * self.factors).sum()


class Recurrent(Descent):
    def __init__(self, layer, gates, batch, time, units):
        self.layer = layer(units, units, batch_first=True)
        self.x = numbers(batch * time * units, 11, 1).reshape(batch, time, units)
        with torch.no_grad():
            for kernel, step in ((self.layer.weight_ih_l0, 7), (self.layer.weight_hh_l0, 5)):
                kernel.copy_(weights(units * gates * units, step, 2**-3).reshape(units, gates * units).t())
            self.layer.bias_ih_l0.zero_()
            self.layer.bias_hh_l0.zero_()
            self.layer.bias_hh_l0.requires_grad_(gates == 3)  # an LSTM has one bias too many
        super().__init__(self.layer.parameters(), 0.1)

    def loss(self):
        return self.layer(self.x)[0].square().mean()


kinds = {
    "adam": Adam,
    "attention": Attention,
    "conv": Conv,
    "gpt": Gpt,
    "gru": lambda **sizes: Recurrent(torch.nn.GRU, 3, **sizes),
    "layerNorm": LayerNorm,
    "lenet": LeNet,
    "lstm": lambda **sizes: Recurrent(torch.nn.LSTM, 4, **sizes),
    "mnist": Mnist,
    "resnet": ResNet18,
    "sparse": Sparse,
}
made = {}


def answer(request):
    if "make" in request:
        kind = kinds[request.pop("make")]
        torch.set_num_threads(request.pop("threads"))
        identity = len(made)
        made[identity] = kind(**request)
        return {"id": identity}
    workload = made[request["id"]]
    if "turn" in request:
        torch.set_num_threads(request["threads"])
        start = time.perf_counter()
        for _ in range(request["turn"]):
            workload.run()
        return {"seconds": time.perf_counter() - start}
    if "result" in request:
        return {"result": workload.result()}
    made[request["id"]] = None
    return {}


if __name__ == "__main__":
    print(json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
