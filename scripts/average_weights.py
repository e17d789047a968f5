"""Write the mean of two files of weights: what lies between a network and what became of it often sees best of all
what neither was trained on (Wortsman et al. 2022, arXiv:2109.01903).

    python scripts/average_weights.py BEFORE AFTER OUT

The running means and variances of batch normalisation are averaged as they are, and not estimated anew.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from aasnode.errors import ModelError
from aasnode.inference.weights import read_tensors


def main() -> int:
    """Read, average, write; exit 2 where the files are not of one network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("before", "after", "out"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    try:
        before, after = read_tensors(arguments.before), read_tensors(arguments.after)
    except ModelError as error:
        parser.error(str(error))
    if _shapes(before) != _shapes(after):
        parser.error(f"{arguments.before} and {arguments.after} are not of one network")
    mean = {name: ((one.double() + after[name].double()) / 2).to(one.dtype) for name, one in before.items()}
    safetensors.torch.save_file(mean, arguments.out)
    return 0


def _shapes(tensors: Mapping[str, Tensor]) -> Mapping[str, tuple[torch.Size, torch.dtype]]:
    return {name: (one.shape, one.dtype) for name, one in tensors.items()}


if __name__ == "__main__":
    sys.exit(main())
