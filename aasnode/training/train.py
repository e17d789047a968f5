"""Train one network: read from top to bottom. Where the samples come from is not its business.

    stream → loader → heatmaps against unbiased Gaussians → AdamW, cosine → moving average → weights.safetensors

Resumes from ``checkpoint.pt`` in the output folder; beside it lie TensorBoard curves and ``training.json`` (recipe,
seeds, what was reached, in which precision and on what device). The finished folder holds ``weights.safetensors``, the
moving average of the weights.
"""

import copy
import dataclasses
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import DataLoader, default_collate
from torch.utils.tensorboard import SummaryWriter

from aasnode.anatomy import LANDMARKS
from aasnode.errors import ConfigurationError, ModelError
from aasnode.inference.card import sha256_of
from aasnode.inference.heatmap import Decoding, decode, gaussian_targets
from aasnode.inference.hrnet import PoseHRNet, Variant
from aasnode.inference.weights import load_pretrained, write_weights
from aasnode.training.samples import Batch, Sample, SampleStream, StreamDataset, as_tensors

CHECKPOINT, WEIGHTS, REPORT = "checkpoint.pt", "weights.safetensors", "training.json"
_LOSS_SCALE = 100.0  # squared errors of heatmaps are tiny; keeps losses and gradients of the order of 1
_UNKNOWN = "unknown"  # what an earlier version did not write down
_LEAST_RATE = 0.01  # of the learning rate, at the end of the cosine


class Preset(StrEnum):
    """Ready recipes."""

    DEFAULT = "default"
    PAPER = "paper"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything but the samples that decides what is learnt."""

    variant: Variant = Variant.W18_SMALL
    images: int = 150_000  # samples in all
    batch: int = 16
    rate: float = 2e-3
    weight_decay: float = 1e-2
    warm_up_steps: int = 100
    average: float = 0.998  # of the moving average of the weights
    clip: float = 5.0  # greatest norm of the gradient
    auxiliary_weight: float = 0.4  # of points that are not landmarks
    mask_weight: float = 0.2  # of masks that only help to find the points
    decisive: tuple[str, ...] = ()  # masks by which something is decided
    decisive_weight: float = 1.0  # of these; a mask covers far more pixels than a point
    seed: int = 1
    bfloat16: bool = True  # where the device computes in it; elsewhere it would be emulated, ten times slower
    workers: int = 1
    checkpoint_seconds: float = 300.0
    validate_images: int = 10_000  # samples between two validations


def recipe_of(preset: Preset, films: int, **changes: object) -> Recipe:
    """The recipe of a preset. ``films``: annotated films that are drawn from, of which ``paper`` makes 40 epochs.

    ``paper`` follows Okita et al. 2023: HRNet-W32 with transfer learning, batches of 32.
    """
    own: dict[Preset, dict[str, object]] = {
        Preset.DEFAULT: {},
        Preset.PAPER: {"variant": Variant.W32, "images": 40 * films, "batch": 32, "rate": 1e-3},
    }
    return dataclasses.replace(Recipe(), **(own[preset] | changes))  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Validation:
    """How the averaged network does on held-out samples: mean error in crop pixels, of the points that are visible."""

    error_px: float  # of the landmarks
    errors_px: dict[str, float]  # by channel
    hidden_height: float  # mean peak where there is nothing to see; 0 is right
    joint_slope: float  # of the found distance between points 1 and 2 over the true one: 1 sees the joint, 0 guesses it


@dataclass(kw_only=True)
class Learner:
    """A network that learns, the moving average of its weights, and how far they have come."""

    network: PoseHRNet
    averaged: PoseHRNet
    optimiser: torch.optim.Optimizer
    step: int = 0  # batches learnt


def train(
    stream: SampleStream,
    held_out: Sequence[Sample],
    recipe: Recipe,
    out: Path,
    *,
    pretrained: Path | None = None,
    device: str = "auto",
    progress: bool = True,
) -> Validation:
    """Train until ``recipe.images`` are seen, from scratch, from ``pretrained`` or from the checkpoint in ``out``.

    Raises ConfigurationError when the checkpoint belongs to another recipe, ModelError when ``pretrained`` does not
    fit or the training diverges.
    """
    torch.manual_seed(recipe.seed)
    torch.set_flush_denormal(True)
    place = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    learner = _learner(stream, recipe, pretrained, place)
    identity = _identity(recipe, stream)
    out.mkdir(parents=True, exist_ok=True)
    _resume(out / CHECKPOINT, identity, learner)
    about = _about(stream, recipe, place, _learnt_before(out / REPORT, pretrained, learner.step))

    total = math.ceil(recipe.images / recipe.batch)
    weights = _channel_weights(stream, recipe, place)  # (K + M,)
    batches = _batches(stream, recipe, learner.step, place)
    validation = validate(learner.averaged, held_out, stream, recipe, place)
    started = saved = time.monotonic()
    with SummaryWriter(str(out)) as curves, _bar(progress) as bar:
        task = bar.add_task("train", total=total, completed=learner.step, loss=math.nan, error=validation.error_px)
        while learner.step < total:
            rate = recipe.rate * _schedule(learner.step, total, recipe.warm_up_steps)
            loss = _learn(learner, next(batches), weights, rate, recipe)
            curves.add_scalar("loss", loss, learner.step)
            bar.update(task, completed=learner.step, loss=loss)

            last = learner.step == total
            if last or learner.step % max(1, recipe.validate_images // recipe.batch) == 0:
                validation = validate(learner.averaged, held_out, stream, recipe, place)
                _draw(curves, validation, rate, learner.step)
                bar.update(task, error=validation.error_px)
            if last or time.monotonic() - saved > recipe.checkpoint_seconds:
                saved = time.monotonic()
                reached = _reached(learner, recipe, validation, saved - started)
                _write_report(out / REPORT, {**about, **reached})
                _save(out / CHECKPOINT, identity, learner)
    write_weights(learner.averaged, out / WEIGHTS)
    return validation


def _learner(stream: SampleStream, recipe: Recipe, pretrained: Path | None, place: torch.device) -> Learner:
    """Before the first step: the average is the network."""
    maps = len(stream.channels) + len(stream.masks)
    network = PoseHRNet(recipe.variant, maps)
    if pretrained is not None:
        load_pretrained(network, pretrained)
    network = network.to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = copy.deepcopy(network).eval().requires_grad_(False)
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=recipe.weight_decay)
    return Learner(network=network, averaged=averaged, optimiser=optimiser)


def _learn(learner: Learner, batch: Batch, weights: Tensor, rate: float, recipe: Recipe) -> float:
    """One step; the loss before it. Raises ModelError where the gradient is not finite."""
    for group in learner.optimiser.param_groups:
        group["lr"] = rate
    with _precision(recipe, weights.device):
        heatmaps = learner.network(batch["image"])  # (N, K + M, n/4, n/4)
    loss = heatmap_loss(heatmaps.float(), batch, weights)
    learner.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(learner.network.parameters(), recipe.clip)
    if not math.isfinite(norm.item()):
        raise ModelError(
            f"step {learner.step}: the gradient is not finite; lower the rate ({recipe.rate}) or start anew"
        )
    learner.optimiser.step()
    learner.step += 1
    _average(learner.averaged, learner.network, min(recipe.average, (1 + learner.step) / (10 + learner.step)))
    return loss.item()


def _precision(recipe: Recipe, place: torch.device) -> torch.autocast:
    """Within it the network computes in bfloat16, as far as recipe and device want and can."""
    return torch.autocast(place.type, torch.bfloat16, enabled=_in_bfloat16(recipe, place))


def _in_bfloat16(recipe: Recipe, place: torch.device) -> bool:
    return recipe.bfloat16 and computes_bfloat16(place)


@cache
def computes_bfloat16(place: torch.device) -> bool:
    """Whether the device has instructions for it."""
    if place.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    has = torch.cpu.get_capabilities()
    return bool(has.get("avx512_bf16") or has.get("amx_bf16"))


def _batches(stream: SampleStream, recipe: Recipe, step: int, place: torch.device) -> Iterator[Batch]:
    """Endless batches on the device, from that of ``step`` on; the loader's workers draw while the network learns."""
    cv2.setNumThreads(1)  # before the workers are forked: they would wait for threads that only the parent has
    loader = DataLoader(
        StreamDataset(stream, recipe.seed, recipe.batch, step),
        batch_size=recipe.batch,
        num_workers=recipe.workers,
        prefetch_factor=3 if recipe.workers else None,
        pin_memory=place.type == "cuda",
    )
    for batch in loader:
        yield _placed(batch, place)


def _placed(batch: Batch, place: torch.device) -> Batch:
    placed = {name: tensor.to(place, non_blocking=True) for name, tensor in batch.items()}
    placed["image"] = placed["image"].contiguous(memory_format=torch.channels_last)
    return placed


def _channel_weights(stream: SampleStream, recipe: Recipe, place: torch.device) -> Tensor:
    points = [1.0 if name in LANDMARKS else recipe.auxiliary_weight for name in stream.channels]
    masks = [recipe.decisive_weight if name in recipe.decisive else recipe.mask_weight for name in stream.masks]
    return torch.tensor(points + masks, device=place)


def heatmap_loss(heatmaps: Tensor, batch: Batch, weights: Tensor) -> Tensor:
    """Weighted mean squared error; hidden points have empty targets, unknown points and masks (nan) none."""
    known = batch["points"].isfinite().all(-1) | ~batch["visible"]  # (N, K)
    drawn = batch["masks"].isfinite().all(-1).all(-1)  # (N, M)
    points = gaussian_targets(batch["points"].nan_to_num(), *heatmaps.shape[-2:])  # (N, K, n/4, n/4)
    points = points * batch["visible"][..., None, None]
    targets = torch.cat([points, batch["masks"].nan_to_num()], 1)
    counted = torch.cat([known, drawn], 1)
    squares = (heatmaps - targets).square().mean((-2, -1))  # (N, K + M)
    return _LOSS_SCALE * (squares * weights * counted).mean()


def _schedule(step: int, total: int, warm_up_steps: int) -> float:
    """Share of the learning rate: linear start, half a cosine."""
    cosine = (1 + math.cos(math.pi * step / total)) / 2
    return min(1.0, (step + 1) / warm_up_steps) * (_LEAST_RATE + (1 - _LEAST_RATE) * cosine)


@torch.no_grad()
def _average(averaged: PoseHRNet, network: PoseHRNet, decay: float) -> None:
    """Weights and statistics move towards those of the network, all at once; counters follow."""
    pairs = list(zip(averaged.state_dict().values(), network.state_dict().values(), strict=True))
    moving = [pair for pair in pairs if pair[0].dtype.is_floating_point]
    toward = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    toward([kept for kept, _ in moving], [new for _, new in moving], 0)
    for kept, new in pairs:
        if not kept.dtype.is_floating_point:
            kept.copy_(new)


@torch.inference_mode()
def validate(
    network: PoseHRNet, held_out: Sequence[Sample], stream: SampleStream, recipe: Recipe, place: torch.device
) -> Validation:
    """Errors on held-out samples with DARK decoding."""
    errors, hidden, widths = [], [], []
    precision = _precision(recipe, place)
    for first in range(0, len(held_out), recipe.batch):
        batch = default_collate([as_tensors(sample) for sample in held_out[first : first + recipe.batch]])
        batch = _placed(batch, place)
        with precision:
            heatmaps = network(batch["image"])[:, : len(stream.channels)]
        peaks = decode(heatmaps.float(), Decoding.DARK)
        distance = (peaks.points - batch["points"]).norm(dim=-1)  # (N, K)
        errors.append(torch.where(batch["visible"], distance, torch.nan))
        hidden.append(peaks.heights[~batch["visible"]])
        widths.append(_joint_widths(batch, peaks.points, stream.channels))
    means = torch.cat(errors).nanmean(0) if errors else torch.full((len(stream.channels),), torch.nan)
    by_name = dict(zip(stream.channels, means.tolist(), strict=True))
    landmarks = torch.tensor([by_name[name] for name in stream.channels if name in LANDMARKS] or [torch.nan])
    heights = torch.cat(hidden) if hidden else torch.zeros(0)
    return Validation(
        error_px=landmarks.nanmean().item(),
        errors_px=by_name,
        hidden_height=heights.mean().item() if len(heights) else 0.0,
        joint_slope=_slope(torch.cat(widths)) if widths else math.nan,
    )


def _joint_widths(batch: Batch, found: Tensor, channels: Sequence[str]) -> Tensor:
    """(n, 2): true and found distance of points 1 and 2 in pixels, of the samples that show both."""
    a, b = (channels.index(mark) for mark in LANDMARKS[:2])
    shown = (batch["visible"] & batch["points"].isfinite().all(-1))[:, [a, b]].all(1)
    distances = [(points[:, a] - points[:, b]).norm(dim=-1) for points in (batch["points"], found)]
    return torch.stack(distances, 1)[shown]


def _slope(pairs: Tensor) -> float:
    """Least squares of the second column over the first; nan below three pairs or where the first does not vary."""
    x, y = (pairs - pairs.mean(0)).unbind(1)
    return math.nan if len(pairs) < 3 or not x.any() else float(x @ y / (x @ x))


def _resume(path: Path, identity: str, learner: Learner) -> None:
    """Bring the learner to where the checkpoint left it; without one it stays as it is."""
    if not path.exists():
        return
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["identity"] != identity:
        raise ConfigurationError([f"{path}: belongs to another recipe; choose another folder or remove it"])
    learner.network.load_state_dict(state["network"])
    learner.averaged.load_state_dict(state["averaged"])
    learner.optimiser.load_state_dict(state["optimiser"])
    learner.step = int(state["step"])


def _save(path: Path, identity: str, learner: Learner) -> None:
    """Write beside, then rename: a training that is ended meanwhile keeps the checkpoint before."""
    state = {
        "identity": identity,
        "network": learner.network.state_dict(),
        "averaged": learner.averaged.state_dict(),
        "optimiser": learner.optimiser.state_dict(),
        "step": learner.step,
    }
    beside = path.with_suffix(".new")
    torch.save(state, beside)
    beside.replace(path)


def _identity(recipe: Recipe, stream: SampleStream) -> str:
    """What must be the same for a training to go on: recipe and samples, not where and how fast it runs."""
    free = ("workers", "checkpoint_seconds", "validate_images")
    own = {name: value for name, value in dataclasses.asdict(recipe).items() if name not in free}
    return json.dumps({**own, "samples": stream.identity, "channels": stream.channels, "masks": stream.masks})


def _learnt_before(path: Path, pretrained: Path | None, step: int) -> Mapping[str, Any]:
    """In what the steps so far were learnt, and the checksum of the weights that they started from (None: nothing).

    Raises ConfigurationError where they started from others than ``pretrained``.
    """
    source = None if pretrained is None else sha256_of(pretrained)
    if step == 0:
        return {"learnt_in": [], "pretrained": source}
    before: Mapping[str, Any] = {"learnt_in": [_UNKNOWN], "pretrained": _UNKNOWN, **_read_report(path)}
    if source is not None and before["pretrained"] not in (source, _UNKNOWN):
        raise ConfigurationError(
            [f"{path.parent}: learns from other weights than {pretrained}; choose another folder or remove it"]
        )
    return before


def _about(
    stream: SampleStream, recipe: Recipe, place: torch.device, before: Mapping[str, Any]
) -> Mapping[str, object]:
    """What a training is; ``before`` tells of the steps that it goes on from."""
    here = f"{'bfloat16' if _in_bfloat16(recipe, place) else 'float32'} on {place.type}"
    return {
        "recipe": dataclasses.asdict(recipe),
        "channels": stream.channels,
        "masks": stream.masks,
        "size": stream.size,
        "learnt_in": list(dict.fromkeys([*before["learnt_in"], here])),
        "pretrained": before["pretrained"],
        "torch": torch.__version__,
    }


def _reached(learner: Learner, recipe: Recipe, validation: Validation, seconds: float) -> Mapping[str, object]:
    """How far it has come; ``seconds`` since it was last started."""
    return {
        "samples": learner.step * recipe.batch,
        "validation": dataclasses.asdict(validation),
        "seconds": round(seconds, 1),
    }


def _write_report(path: Path, report: Mapping[str, object]) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)


def _read_report(path: Path) -> Mapping[str, Any]:
    """Empty where there is none."""
    report: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return report


def learnt(folder: Path) -> str:
    """How many samples the network of ``folder`` has seen, in which precision and on what kind of device, and from
    which weights it started, in words.
    """
    report = _read_report(folder / REPORT)
    if "samples" not in report:
        return _UNKNOWN
    told = f"{report['samples']} samples in {', then '.join(report['learnt_in'])}"
    return f"{told}, from weights {report['pretrained'][:12]}" if report.get("pretrained") else told


def _draw(curves: SummaryWriter, validation: Validation, rate: float, step: int) -> None:
    curves.add_scalar("rate", rate, step)
    curves.add_scalar("validation/landmarks_px", validation.error_px, step)
    curves.add_scalar("validation/hidden_height", validation.hidden_height, step)
    curves.add_scalar("validation/joint_slope", validation.joint_slope, step)
    for name, error in validation.errors_px.items():
        curves.add_scalar(f"validation_px/{name}", error, step)


def _bar(progress: bool) -> Progress:
    return Progress(
        TextColumn("{task.description} {task.completed}/{task.total}"),
        BarColumn(),
        TextColumn("loss {task.fields[loss]:.3f}  error {task.fields[error]:.2f} px"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not progress,
    )
