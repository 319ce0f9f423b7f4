"""Pretraining of the small GPT on English, and its cache."""

import hashlib
import io
import math
import platform
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from boundcheck.errors import InputError
from boundcheck.functions.arithmetic import at_most
from boundcheck.functions.networks import corpora, gpt
from boundcheck.functions.networks.corpora import ALPHABET
from boundcheck.functions.networks.gpt import GPT, GPTShape, token_losses
from boundcheck.system.files import cache_folder, replace_file
from boundcheck.system.limits import Tick, silent

STEPS = 4000
"""How many steps the default takes: one or two minutes on one core."""

_BATCH = 16
_PEAK, _FLOOR, _WARMUP = 5e-3, 0.1, 0.05
_LARGEST_GRADIENT = 1.0
# This many characters of held-out text give the loss to within a hundredth of a nat.
_HELD_OUT = 1 << 16


@dataclass(frozen=True)
class Pretrained:
    """A pretrained model and how good it is.

    Attributes:
        model: the GPT, in float32 on the CPU.
        held_out_loss: its mean next-character loss on windows of held-out text, in nats.
        unigram_loss: the loss of the best guess without context, the frequencies of the training text.

    """

    model: GPT
    held_out_loss: float
    unigram_loss: float


def pretrained(
    shape: GPTShape | None = None,
    steps: int = STEPS,
    seed: int = 0,
    tick: Tick = silent,
) -> Pretrained:
    """A GPT pretrained on the American Standard Version, from the cache if possible.

    The cache is the folder in the environment variable BOUNDCHECK_CACHE, or else ``~/.cache/boundcheck``. The same
    arguments give the same weights to the last bit whatever threads there are. Another torch, and a processor with
    other vector instructions, round sums differently: then the weights are made anew, and are others. MKL's choice of
    instructions, which torch does not tell, is the one thing that can still differ.

    Args:
        shape: by default, `GPTShape` of the vocabulary of `ALPHABET`.
        steps: of AdamW, each on 16 random windows.
        seed: of the initial weights and the windows.
        tick: is called with the progress of the training, unless the result is cached.

    Raises:
        InputError: for another vocabulary, steps that are not positive, a cache that cannot be written, and if the text
            is not installed.

    """
    shape = shape or GPTShape(vocabulary=len(ALPHABET))
    if shape.vocabulary != len(ALPHABET):
        raise InputError("vocabulary", shape.vocabulary, f"{len(ALPHABET)}, the size of the alphabet")
    if steps < 1:
        raise InputError("steps", steps, "a positive integer")
    training, held_out = corpora.split(corpora.english())
    ids = ALPHABET.encode(training)
    # One more character than the context, so that the last one has a next one too.
    length = shape.context + 1
    windows = corpora.windows(held_out, length, min(_HELD_OUT, len(held_out)) // length, seed=0)

    path = cache_folder() / f"gpt-{_key(shape, steps, seed, ids, windows)}.pt"
    cached = _load(path, shape)
    if cached is not None:
        return cached
    _make_writable(path.parent)
    # Bits of a sum depend on how many threads share it, and training makes them differences that are seen. Matrices as
    # small as these gain nothing from a second thread.
    with at_most(1):
        model = _train(shape, steps, seed, ids, tick)
        with torch.no_grad():
            held_out_loss = token_losses(model(windows[:, :-1]), windows).mean().item()
        result = Pretrained(model, held_out_loss, _unigram_loss(ids, windows[:, 1:]))
    _save(result, path)
    return result


def _train(shape: GPTShape, steps: int, seed: int, ids: Tensor, tick: Tick) -> GPT:
    """Train from scratch on random windows of the text `ids`."""
    generator = torch.Generator().manual_seed(seed)
    model = GPT(shape, generator)
    optimizer = torch.optim.AdamW(model.parameters(), lr=_PEAK, betas=(0.9, 0.99))
    offsets = torch.arange(shape.context + 1)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = _PEAK * _rate(step, steps)
        starts = torch.randint(len(ids) - shape.context, (_BATCH, 1), generator=generator)
        batch = ids[starts + offsets]
        optimizer.zero_grad()
        torch.autograd.backward(token_losses(model(batch[:, :-1]), batch).mean())
        nn.utils.clip_grad_norm_(model.parameters(), _LARGEST_GRADIENT)
        optimizer.step()
        tick("pretraining", step + 1, steps)
    optimizer.zero_grad()
    return model


def _rate(step: int, steps: int) -> float:
    """The step size as a part of the peak: linear from 0 in the first twentieth, then half a cosine down to 0.1."""
    warmup = _WARMUP * steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    progress = (step - warmup) / (steps - warmup)
    return _FLOOR + (1 - _FLOOR) * (1 + math.cos(math.pi * progress)) / 2


def _unigram_loss(ids: Tensor, targets: Tensor) -> float:
    """The cross-entropy of `targets` under the frequencies in `ids`, one added to each count, in nats."""
    counts = torch.bincount(ids, minlength=len(ALPHABET)).double() + 1
    return -(counts / counts.sum()).log()[targets].mean().item()


def _key(shape: GPTShape, steps: int, seed: int, *texts: Tensor) -> str:
    """A hash of what is known to determine the result: arguments, texts, code, torch and the processor's kind."""
    made_by = str(torch.__version__), platform.machine(), torch.backends.cpu.get_cpu_capability()
    sha = hashlib.sha256(repr((shape, steps, seed, *made_by)).encode())
    for text in texts:
        sha.update(text.numpy().tobytes())
    for source in (__file__, gpt.__file__):
        sha.update(Path(source).read_bytes())
    return sha.hexdigest()[:32]


def _load(path: Path, shape: GPTShape) -> Pretrained | None:
    """The model that `_save` wrote, or None if there is none that can be used."""
    if not path.is_file():
        return None
    # Filled below. Its own generator keeps all other draws independent of the cache.
    model = GPT(shape, torch.Generator())
    try:
        with zipfile.ZipFile(path) as archive:
            # Torch writes checksums, but does not check them.
            if archive.testzip() is not None:
                return None
        content = torch.load(path, weights_only=True)
        if content["key"] != path.stem:
            return None
        model.load_state_dict(content["weights"])
        return Pretrained(model, float(content["held_out_loss"]), float(content["unigram_loss"]))
    except Exception:
        # The errors for a broken file are documented nowhere. The file is made again and replaced.
        return None


def _save(result: Pretrained, path: Path) -> None:
    # A file that was given another's name is not this one.
    content = {
        "key": path.stem,
        "weights": result.model.state_dict(),
        "held_out_loss": result.held_out_loss,
        "unigram_loss": result.unigram_loss,
    }
    written = io.BytesIO()
    torch.save(content, written)
    try:
        replace_file(path, written.getvalue())
    except OSError as error:
        raise _unwritable(path, error) from None


def _make_writable(folder: Path) -> None:
    """Make the folder; raises InputError if that fails, before the time is spent."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The folder may exist and not be writable.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from None


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError("BOUNDCHECK_CACHE", path, f"a path that can be written ({error.strerror})")
