"""Holds an export against PyTorch and onnx.checker: compare.py DIR. Last line: JSON."""
import importlib.util
import json
import sys

import onnx
import torch

folder = sys.argv[1]
spec = importlib.util.spec_from_file_location("model", f"{folder}/model.py")
model = importlib.util.module_from_spec(spec)
spec.loader.exec_module(model)
samples = model.read_safetensors(f"{folder}/samples.safetensors")
network = model.load(f"{folder}/model.safetensors")
with torch.no_grad():
    logits = network(samples["pixels"])
ours = samples["logits"]
scale = ours.abs().max().item()
graph = onnx.load(f"{folder}/model.onnx")
onnx.checker.check_model(graph, full_check=True)
labels = samples["labels"].long()
print(json.dumps({
    "torch": torch.__version__,
    "onnx": onnx.__version__,
    "pictures": len(labels),
    "largestDifference": (logits - ours).abs().max().item() / scale,
    "accuracy": (ours.argmax(1) == labels).float().mean().item(),
    "accuracyPytorch": (logits.argmax(1) == labels).float().mean().item(),
    "sameAnswers": bool((logits.argmax(1) == ours.argmax(1)).all()),
    "parameters": sum(p.numel() for p in network.parameters()),
    "opset": graph.opset_import[0].version,
    "metadata": sorted(p.key for p in graph.metadata_props),
}))
