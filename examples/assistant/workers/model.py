#!/usr/bin/python3
"""model: a transformer of RANDOM weights (PyTorch): the weight and work of a language model,
none of its sense. It gives the scores of each next byte of a text."""

import os

from base import BadRequest, Worker, models_dir, serve

import torch

WIDTH, HEADS, LAYERS, CONTEXT, BYTES = 768, 12, 6, 128, 256


def network(device="cpu"):
    """The layers with new weights; with none at all on the device "meta"."""
    layer = torch.nn.TransformerEncoderLayer(
        WIDTH, HEADS, 4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True, device=device)
    return torch.nn.ModuleDict({
        "embed": torch.nn.Embedding(BYTES, WIDTH, device=device),
        "place": torch.nn.Embedding(CONTEXT, WIDTH, device=device),
        "body": torch.nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False),
        "head": torch.nn.Linear(WIDTH, BYTES, device=device)})


def weights_path():
    return os.path.join(models_dir(), "model", "weights.pt")


class Model(Worker):
    def load(self):
        torch.set_num_threads(1)
        self.net = network("meta").eval()
        weights = torch.load(weights_path())
        for prefix, module in self.net.named_modules():
            for name, parameter in module._parameters.items():
                if parameter is not None:
                    module._parameters[name] = torch.nn.Parameter(
                        weights[f"{prefix}.{name}"], requires_grad=False)
        self.scores("a warm start")

    def scores(self, text):
        data = text.encode()[:CONTEXT]
        if not data:
            raise BadRequest("some text is wanted")
        with torch.inference_mode():
            tokens = torch.tensor([list(data)])
            x = self.net["embed"](tokens) + self.net["place"](torch.arange(len(data)))
            mask = torch.full((len(data), len(data)), float("-inf")).triu(1)
            logits = self.net["head"](self.net["body"](x, mask))
            return torch.log_softmax(logits[0], -1)

    def run(self, request):
        text = request["text"]
        scores = self.scores(text)
        data = text.encode()[:CONTEXT]
        chosen = [float(scores[i - 1, data[i]]) for i in range(1, len(data))]
        return {"scores": chosen, "sum": float(scores[-1].exp().sum()), "weights": "random"}


if __name__ == "__main__":
    serve(Model())
