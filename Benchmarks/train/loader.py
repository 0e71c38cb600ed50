"""Reads a folder of images repeatedly, as PyTorch's scripts do.

Usage: loader.py FOLDER SIDE THREADS WORKERS

WORKERS is the loader's num_workers: 0 reads in the process itself.
"""

import pathlib
import sys

import torch
import torchvision
from torchvision import transforms
from torchvision.datasets.folder import default_loader, is_image_file

import rounds

folder, (side, threads, workers) = pathlib.Path(sys.argv[1]), map(int, sys.argv[2:])
torch.set_num_threads(threads)


class Pictures(torch.utils.data.Dataset):
    """Like ImageFolder, but for a folder without classes."""

    prepare = transforms.Compose(
        [
            transforms.Resize(side),
            transforms.CenterCrop(side),
            transforms.ToTensor(),
            transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ]
    )

    def __init__(self):
        self.files = [path for path in sorted(folder.rglob("*")) if is_image_file(path.name)]

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return self.prepare(default_loader(str(self.files[index])))


loader = torch.utils.data.DataLoader(Pictures(), batch_size=128, num_workers=workers)
rounds.answer_rounds(torchvision.__version__, lambda: sum(len(batch) for batch in loader))
