"""PyTorch's side of the benches: answers requests, one JSON object a line, with one JSON object a line.

{"make": kind, ...}              sets up a workload, answers {"id": ...}
{"id": ..., "turn": calls}       does its work so many times, answers {"seconds": ...}
{"id": ..., "result": true}      answers {"result": [...]}: what it has computed, for comparing
{"id": ..., "drop": true}        lets go of it
"""

import json
import sys
import time

import torch


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


kinds = {"adam": Adam, "conv": Conv, "mnist": Mnist, "sparse": Sparse}
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


print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
