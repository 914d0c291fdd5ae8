"""@TITLE@

Found by DaNas.Actors; see ORIGIN below for its exact origin. Requires only torch:

    from model import load
    network = load("model.safetensors")          # in evaluation mode
    logits = network(pixels)                     # [N, @CHANNELS@, @RESOLUTION@, @RESOLUTION@] -> [N, @CLASSES@]

Pixels are bytes v as (v / 255 - @MEAN@) / @DEVIATION@ (see `prepare`).
"""
import json
import struct
from collections import OrderedDict

import torch
from torch import nn

CLASSES = @CLASSNAMES@
ORIGIN = @ORIGIN@


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch norm, activation (None: none)."""

    def __init__(self, inputs, outputs, kernel, stride, groups, activation):
        parts = OrderedDict(
            conv=nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            norm=nn.BatchNorm2d(outputs, eps=@EPSILON@),
        )
        if activation is not None:
            parts["activation"] = activation()
        super().__init__(parts)


class SqueezeExcite(nn.Module):
    """Channel weights from the globally averaged image (Hu et al. 2018)."""

    def __init__(self, channels, inner):
        super().__init__()
        self.reduce = nn.Linear(channels, inner)
        self.expand = nn.Linear(inner, channels)

    def forward(self, x):
        gate = torch.sigmoid(self.expand(torch.relu(self.reduce(x.mean((2, 3))))))
        return x * gate[:, :, None, None]


class Block(nn.Sequential):
    """Steps one after another; a residual block adds its input."""

    def __init__(self, residual, **steps):
        super().__init__(OrderedDict(steps))
        self.residual = residual

    def forward(self, x):
        y = super().forward(x)
        return x + y if self.residual else y


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = @STEM@
        self.layers = nn.Sequential(
@LAYERS@
        )
        self.head = @HEAD@
        self.classifier = nn.Linear(@FEATURES@, @CLASSES@)

    def forward(self, pixels):
        features = self.head(self.layers(self.stem(pixels)))
        return self.classifier(features.mean((2, 3)))


def prepare(images):
    """Bytes [N, H, W, C] to what the network takes, [N, C, H, W]."""
    return (images.permute(0, 3, 1, 2).float() / 255 - @MEAN@) / @DEVIATION@


def read_safetensors(path):
    """All tensors of a safetensors file (float32), by name."""
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    flat = torch.frombuffer(data, dtype=torch.float32)
    return {name: flat[e["data_offsets"][0] // 4:e["data_offsets"][1] // 4].reshape(e["shape"]).clone() for name, e in header.items()}


def load(path):
    network = Network()
    missing, unexpected = network.load_state_dict(read_safetensors(path), strict=False)
    wrong = [name for name in missing if not name.endswith("num_batches_tracked")] + unexpected
    if wrong:
        raise ValueError(f"{path} does not fit this network: {wrong[:3]}")
    return network.eval()
