"""Writes loss.json: nn.Sigmoid and nn.BCELoss on logits far beyond the point of saturation.

    python loss.py        (PyTorch 2.15.0)
"""

import json
import os

import torch

LOGITS = [
    -800, -120, -90, -40, -30, -20, -17, -5, -1, -0.001, 0, 0.25, 2, 9, 16, 18, 30, 37, 60, 800]


def main():
    result = []
    for dtype in (torch.float32, torch.float64):
        for target in (0, 1):
            for logits in [[x] for x in LOGITS] + [LOGITS]:
                x = torch.tensor(logits, dtype=dtype, requires_grad=True)
                sigmoid = torch.sigmoid(x)
                loss = torch.nn.BCELoss()(sigmoid, torch.full_like(sigmoid, target))
                loss.backward()
                result.append({
                    "type": str(dtype).removeprefix("torch."), "target": target,
                    "logits": logits, "loss": loss.item(), "score": sigmoid.mean().item(),
                    "gradient": x.grad.tolist(),
                })
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "loss.json")
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(r) for r in result) + "\n]\n")


main()
