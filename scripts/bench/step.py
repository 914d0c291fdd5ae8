"""The cpu-base supernet in PyTorch: the same blocks, paths, batch and optimiser as 'danas bench step', for comparison."""
import argparse
import json
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

args = argparse.ArgumentParser()
args.add_argument("--threads", type=int, default=1)
args.add_argument("--layout", default="channels-last")
args.add_argument("--seconds", type=float, default=5)
args = args.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(1)


def conv_norm(i, o, k, s=1, g=1, act=True):
    layers = [nn.Conv2d(i, o, k, s, k // 2, groups=g, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if act else nn.Sequential(*layers)


class Block(nn.Module):
    def __init__(self, i, o, s, k, e):
        super().__init__()
        h = i * e
        steps = ([conv_norm(i, h, 1)] if e > 1 else []) + [conv_norm(h, h, k, s, h), conv_norm(h, o, 1, act=False)]
        self.steps, self.residual = nn.Sequential(*steps), s == 1 and i == o

    def forward(self, x):
        y = self.steps(x)
        return y + x if self.residual else y


class Supernet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, rows, i = conv_norm(3, 16, 3), [], 16
        for o, s in [(16, 1), (24, 2), (24, 1), (40, 2), (40, 1), (64, 1)]:
            rows.append(nn.ModuleList(Block(i, o, s, k, e) for k in (3, 5) for e in (1, 3, 6)))
            i = o
        self.layers, self.head, self.fc = nn.ModuleList(rows), conv_norm(64, 128, 1), nn.Linear(128, 10)

    def forward(self, x, path):
        x = self.stem(x)
        for layer, choice in zip(self.layers, path):
            x = layer[choice](x)
        return self.fc(self.head(x).mean((2, 3)))


net = Supernet()
x = torch.randn(64, 3, 24, 24)
if args.layout == "channels-last":
    net = net.to(memory_format=torch.channels_last)
    x = x.contiguous(memory_format=torch.channels_last)
labels = torch.arange(64) % 10
optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
step, images, started = 0, 0, 0.0
while step <= 3 or time.perf_counter() - started < args.seconds:
    if step == 3:
        started, images = time.perf_counter(), 0
    loss = F.cross_entropy(net(x, [(7 * step + 3 * l) % 6 for l in range(6)]), labels)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    loss.item()
    images += 64
    step += 1
print(json.dumps({"imagesPerSecond": images / (time.perf_counter() - started), "torch": torch.__version__}))
