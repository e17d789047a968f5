"""The network has the names, shapes and sizes of the official one, and takes its checkpoints."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from aasnode.errors import ModelError
from aasnode.inference.hrnet import PoseHRNet, Variant, parameter_count
from aasnode.inference.weights import load_pretrained, load_weights, read_tensors, write_weights

# Width, bottlenecks and planes of layer1, modules of the stages, basic blocks: from the official configurations.
OFFICIAL = {
    Variant.W18_SMALL: (16, 1, 32, (1, 1, 1), 2),
    Variant.W18_SMALL_V2: (18, 2, 64, (1, 3, 2), 2),
    Variant.W18: (18, 4, 64, (1, 4, 3), 4),
    Variant.W32: (32, 4, 64, (1, 4, 3), 4),
    Variant.W48: (48, 4, 64, (1, 4, 3), 4),
}
# SHA-256 of the lines "name shape" for 17 points and 3 inputs, so that no change of the rules below goes unseen.
DIGESTS = {
    Variant.W18_SMALL: "a2a6f8de496b8f17bfb2d433a6eafaa78a845b8876963284a7544e02d354ac2b",
    Variant.W18_SMALL_V2: "6aa0bcaea6fecf433f72781d7acbf60bdd8a30f0e4eea02ced5e955b6c5844a3",
    Variant.W18: "af33c3ccae048184b5ce20c7e06377facc8daddeac74a7b6b0f7b8434930b6f3",
    Variant.W32: "33d183da9806e2ce0b0bc412ad9855f2ef7e9e66319ca84d173a3445ecf6fd4c",
    Variant.W48: "f0e89ca79e714d97f32f1f2fd3ae4313f6165da5d1d63750b57b7319a88a8ce8",
}


def conv(name: str, outputs: int, inputs: int, kernel: int) -> Iterator[str]:
    yield f"{name}.weight {[outputs, inputs, kernel, kernel]}"


def norm(name: str, channels: int) -> Iterator[str]:
    yield from (f"{name}.{part} {[channels]}" for part in ("weight", "bias", "running_mean", "running_var"))
    yield f"{name}.num_batches_tracked []"


def pair(name: str, outputs: int, inputs: int, kernel: int) -> Iterator[str]:
    yield from conv(f"{name}.0", outputs, inputs, kernel)
    yield from norm(f"{name}.1", outputs)


def bottleneck(name: str, inputs: int, planes: int) -> Iterator[str]:
    for part, (outputs, source, kernel) in enumerate(
        ((planes, inputs, 1), (planes, planes, 3), (4 * planes, planes, 1)), start=1
    ):
        yield from conv(f"{name}.conv{part}", outputs, source, kernel)
        yield from norm(f"{name}.bn{part}", outputs)
    if inputs != 4 * planes:
        yield from pair(f"{name}.downsample", 4 * planes, inputs, 1)


def module(name: str, channels: list[int], blocks: int, outputs: int) -> Iterator[str]:
    for branch, width in enumerate(channels):
        for block in range(blocks):
            for part in (1, 2):
                yield from conv(f"{name}.branches.{branch}.{block}.conv{part}", width, width, 3)
                yield from norm(f"{name}.branches.{branch}.{block}.bn{part}", width)
    for to in range(outputs):
        for source in range(len(channels)):
            row = f"{name}.fuse_layers.{to}.{source}"
            if source > to:
                yield from pair(row, channels[to], channels[source], 1)
            for step in range(to - source):
                width = channels[to] if step == to - source - 1 else channels[source]
                yield from pair(f"{row}.{step}", width, channels[source], 3)


def official_lines(variant: Variant) -> Iterator[str]:
    """Names and shapes by the rules of the paper and the official file, without building a network."""
    width, stem_blocks, planes, modules, blocks = OFFICIAL[variant]
    channels = [width * factor for factor in (1, 2, 4, 8)]
    for part, inputs in ((1, 3), (2, 64)):
        yield from conv(f"conv{part}", 64, inputs, 3)
        yield from norm(f"bn{part}", 64)
    for block in range(stem_blocks):
        yield from bottleneck(f"layer1.{block}", 4 * planes if block else 64, planes)
    before = [4 * planes]
    for stage, count in enumerate(modules):
        now = channels[: stage + 2]
        for branch, outputs in enumerate(now):
            if branch >= len(before):
                yield from pair(f"transition{stage + 1}.{branch}.0", outputs, before[-1], 3)
            elif before[branch] != outputs:
                yield from pair(f"transition{stage + 1}.{branch}", outputs, before[branch], 3)
        for index in range(count):
            last = stage == 2 and index == count - 1
            yield from module(f"stage{stage + 2}.{index}", now, blocks, 1 if last else len(now))
        before = now
    yield f"final_layer.weight {[17, width, 1, 1]}"
    yield f"final_layer.bias {[17]}"


@pytest.mark.parametrize("variant", Variant)
def test_names_shapes_and_their_order_are_the_official_ones(variant: Variant) -> None:
    network = PoseHRNet(variant, maps=17, inputs=3)
    lines = [f"{name} {list(tensor.shape)}" for name, tensor in network.state_dict().items()]
    assert lines == list(official_lines(variant))
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == DIGESTS[variant]


@pytest.mark.parametrize(
    ("variant", "tensors", "millions"),
    [
        ("w18_small", 350, 1.28),
        ("w18_small_v2", 788, 3.62),
        ("w18", 1754, 9.32),
        ("w32", 1754, 28.5),
        ("w48", 1754, 63.6),
    ],
)
def test_sizes_are_the_published_ones(variant: str, tensors: int, millions: float) -> None:
    network = PoseHRNet(Variant(variant), maps=17, inputs=3)
    assert len(network.state_dict()) == tensors
    assert parameter_count(network) / 1e6 == pytest.approx(millions, rel=0.005)


@pytest.mark.parametrize("size", [(64, 64), (96, 64)])
def test_heatmaps_have_a_quarter_of_the_resolution(size: tuple[int, int]) -> None:
    network = PoseHRNet(Variant.W18_SMALL, maps=5).eval()
    with torch.inference_mode():
        assert network(torch.zeros(2, 1, *size)).shape == (2, 5, size[0] // 4, size[1] // 4)


def test_weights_survive_the_file_to_half_precision(tmp_path: Path) -> None:
    torch.manual_seed(0)
    written, read = PoseHRNet(Variant.W18_SMALL, maps=4), PoseHRNet(Variant.W18_SMALL, maps=4)
    write_weights(written, tmp_path / "w.safetensors")
    load_weights(read, tmp_path / "w.safetensors")
    for name, tensor in written.state_dict().items():
        assert torch.allclose(read.state_dict()[name], tensor, atol=1e-3), name
    assert (tmp_path / "w.safetensors").stat().st_size < 3_000_000


def official_checkpoint(path: Path, variant: Variant, *, prefix: str = "") -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    tensors = PoseHRNet(variant, maps=17, inputs=3).state_dict()
    torch.save({prefix + name: tensor for name, tensor in tensors.items()}, path)
    return tensors


@pytest.mark.parametrize("prefix", ["", "module.", "backbone."])
def test_an_official_pose_checkpoint_loads_with_its_colours_summed_and_its_head_left_out(
    tmp_path: Path, prefix: str
) -> None:
    official = official_checkpoint(tmp_path / "pose.pth", Variant.W18_SMALL, prefix=prefix)
    network = PoseHRNet(Variant.W18_SMALL, maps=4)
    head = network.final_layer.weight.detach().clone()
    load_pretrained(network, tmp_path / "pose.pth")
    grey = torch.rand(1, 1, 64, 64)
    assert torch.allclose(
        network.conv1(grey),
        torch.nn.functional.conv2d(grey.expand(1, 3, 64, 64), official["conv1.weight"], None, 2, 1),
        atol=1e-5,
    )
    assert torch.equal(network.final_layer.weight, head)
    assert torch.equal(
        network.state_dict()["stage4.0.branches.3.1.bn2.bias"], official["stage4.0.branches.3.1.bn2.bias"]
    )


def test_an_imagenet_checkpoint_loads_without_its_classifier(tmp_path: Path) -> None:
    tensors = official_checkpoint(tmp_path / "x.pth", Variant.W18_SMALL)
    tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("final_layer")}
    tensors |= {
        "stage4.0.fuse_layers.1.0.0.0.weight": torch.zeros(32, 16, 3, 3),
        "incre_modules.0.0.conv1.weight": torch.zeros(32, 16, 1, 1),
        "downsamp_modules.0.0.weight": torch.zeros(256, 128, 3, 3),
        "final_layer.0.weight": torch.zeros(2048, 1024, 1, 1),
        "classifier.weight": torch.zeros(1000, 2048),
    }
    torch.save({"state_dict": tensors}, tmp_path / "imagenet.pth")
    load_pretrained(PoseHRNet(Variant.W18_SMALL, maps=4), tmp_path / "imagenet.pth")


def test_a_checkpoint_of_another_variant_is_refused_by_name(tmp_path: Path) -> None:
    official_checkpoint(tmp_path / "pose.pth", Variant.W18_SMALL_V2)
    with pytest.raises(ModelError, match=r"pose.pth: does not fit the network: .* is left over|shape"):
        load_pretrained(PoseHRNet(Variant.W18_SMALL, maps=4), tmp_path / "pose.pth")


def test_a_checkpoint_that_lacks_more_than_the_head_is_refused(tmp_path: Path) -> None:
    tensors = official_checkpoint(tmp_path / "x.pth", Variant.W18_SMALL)
    del tensors["stage3.0.branches.0.0.conv1.weight"]
    torch.save(tensors, tmp_path / "less.pth")
    with pytest.raises(ModelError, match=r"stage3\.0\.branches\.0\.0\.conv1\.weight is missing"):
        load_pretrained(PoseHRNet(Variant.W18_SMALL, maps=4), tmp_path / "less.pth")


@pytest.mark.parametrize("name", ["broken.pth", "broken.safetensors", "absent.pth", "absent.safetensors"])
def test_a_file_that_is_no_checkpoint_is_a_model_error(tmp_path: Path, name: str) -> None:
    if name.startswith("broken"):
        (tmp_path / name).write_bytes(b"no weights at all")
    with pytest.raises(ModelError, match=name):
        read_tensors(tmp_path / name)


class RunsCode:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.unlink, (Path("victim"),))  # type: ignore[return-value]


def test_a_checkpoint_that_wants_to_run_code_is_refused(tmp_path: Path) -> None:
    torch.save({"conv1.weight": RunsCode()}, tmp_path / "evil.pth")
    with pytest.raises(ModelError, match=r"evil\.pth"):
        read_tensors(tmp_path / "evil.pth")
