"""`BoundcheckCallback`: what a training run of transformers' Trainer has of the theory, recorded
while it trains.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.parallel import DistributedDataParallel
from transformers import TrainerCallback

from boundcheck.errors import InputError, check_count
from boundcheck.experiment import training
from boundcheck.experiment.audit import Evidence
from boundcheck.experiment.experiment import device_memory, outcome
from boundcheck.experiment.plan import Start, at_a_step
from boundcheck.experiment.result import Results, RunResult, Subject
from boundcheck.experiment.run import Record, empty_trace
from boundcheck.experiment.spec import RunSpec, Spec, about_any_step
from boundcheck.experiment.statistics import Schedule
from boundcheck.experiment.steps import Watched
from boundcheck.experiment.store import RunFolder
from boundcheck.experiment.view import show_course
from boundcheck.functions.arithmetic import Point
from boundcheck.functions.networks.adapt import sites_of
from boundcheck.functions.networks.corpora import Encoded
from boundcheck.functions.networks.function import NetworkFunction
from boundcheck.functions.networks.network import Network
from boundcheck.functions.sgd import Draw
from boundcheck.language.function import Constant
from boundcheck.shown import command as typed
from boundcheck.system.ending import say
from boundcheck.system.limits import gib

# Samples that go through the model at a time, at most; and no more than a minibatch, which memory
# is there for.
_CHUNK = 32
# Of the interval over replicas, of which there is one.
_LEVEL = 0.95
# Seconds below which nothing is said.
_SOON = 5.0


class BoundcheckCallback(TrainerCallback):
    """Records σ, G, ζ, the smoothness along the path and gradient norms, and says what the theorem
    says of the run.

    >>> trainer = Trainer(
    ...     model=peft_model, args=args, train_dataset=data, callbacks=[BoundcheckCallback()]
    ... )

    Every so many steps the loss F of the training data, without dropout, is looked at before and
    after the step, on
    samples that were drawn before: at both ends they are the same. The smoothness is the gradient
    ratio, and the descent curvature. The squared norm of their mean gradient exceeds that of F's by
    their variance over how many they are, which is taken off. Training itself is not disturbed: the
    same parameters come out, to the last bit. A step is one of the optimizer, of all minibatches
    that it accumulates, in all processes; the first of them records.

    Whether training is Algorithm 1 is seen at every step, by hooks of torch: the parameters are to
    be what they were, minus α times the gradient that back-propagation left. It takes memory for
    two copies of what is trained. Whether the gradient is that of F on the samples of the step is
    seen at each record, and where a part of the network has changed its mode. A step that was not
    seen is assumed, and the row says how many were.

    Args:
        every: steps between two records.
        samples: how many samples of the training data are looked at; all, where there are no more.
        runs: where the run folder is written, which `boundcheck report` reads.
        report: whether to write a page with the figures at the end, beside the run folder.
        seed: of the draw of the samples.

    Raises:
        InputError: when training begins, for a model in which something else is trained than LoRA
            and DoRA layers, edits, linear layers and LoReFT of pyreft; for a loss that is not known
            from the model's class, as pyreft's ReftModel has one, which takes positions beside
            samples; for a model that DeepSpeed or FSDP spreads over processes.

    """

    def __init__(
        self,
        every: int = 50,
        samples: int = 32,
        runs: str | Path = "runs",
        report: bool = True,
        seed: int = 0,
    ) -> None:
        check_count("every", every)
        # One sample has no variance.
        check_count("samples", samples, 2)
        self.every = every
        self.samples = samples
        self.runs = Path(runs)
        self.report = report
        self.seed = seed
        self.result: RunResult | None = None
        self._recorder: _Recorder | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Draw the samples, and start the run folder."""
        training.check_whole(args)
        # All processes have the same model after each step; the first looks at it, and the others
        # wait in their next.
        if state.is_world_process_zero:
            # One that was interrupted has not ended.
            self._forget()
            with training.undisturbed():
                self._recorder = _Recorder(self, args, state, given)

    def on_step_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Look at F, where a record is due."""
        if self._recorder is not None:
            with self._losing_no_training():
                self._recorder.before(is_due=state.global_step % self.every == 0)

    def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Look at F after the step, and write the record."""
        if self._recorder is not None:
            with training.undisturbed(), self._losing_no_training():
                self._recorder.after(state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Judge the run, write its folder and its page, and print both."""
        if self._recorder is None:
            return
        recorder = self._recorder
        self._forget()
        if not recorder.noise:
            # Training is done, and not to be lost for this.
            say("no step was recorded")
            return
        with training.undisturbed(), self._losing_no_training():
            folder, self.result = recorder.finish(state.global_step)
            show_course(folder.trace(), self.result, recorder.noise, recorder.watched.optimizer)
            if self.report:
                # Deferred: figures are not needed while training.
                from boundcheck.present.page import write_runs

                lead = (
                    "What one run of fine-tuning showed of σ, G, ζ and smoothness, and what the"
                    " theorem says of that."
                )
                title = "Fine-tuning, held against its theorem"
                command = typed("report", folder.id)
                beside = self.runs / f"report-{folder.id}" / "index.html"
                page = write_runs(Results([self.result], self.runs), beside, title, lead, command)[
                    0
                ]
                say(str(page))

    def _forget(self) -> None:
        if self._recorder is not None:
            self._recorder.watched.close()
        self._recorder = None

    @contextmanager
    def _losing_no_training(self) -> Iterator[None]:
        """Whatever goes wrong, say so and record no more: the hours of training are worth more than
        their record.
        """
        try:
            yield
        except Exception as error:
            self._forget()
            how = str(error)
            if isinstance(error, torch.OutOfMemoryError):
                how = f"a look takes too much memory: take fewer samples than {self.samples}"
            elif not isinstance(error, InputError | OSError):
                how = (
                    f"boundcheck itself failed ({type(error).__name__}: {error}). The training is"
                    " not changed by it; please report this line"
                )
            say(f"training goes on without its record: {how}")


class _Recorder:
    """One training run: what is looked at, and the trace that grows."""

    def __init__(
        self, callback: BoundcheckCallback, args: Any, state: Any, given: dict[str, Any]
    ) -> None:
        model = given["model"]
        loader = given["train_dataloader"]
        if isinstance(model, DistributedDataParallel):
            # What spreads its gradients over processes would have them wait for this look.
            model = model.module
        sites = sites_of(model)
        base = training.base_of(model)
        device = sites[0].parameters[0].device
        task, self._total = training.audit_sample(
            loader, callback.samples, callback.seed, training.shape_of(model), device
        )
        self._network = Network.fitting(model, sites, task, min(int(args.train_batch_size), _CHUNK))
        parameters = sum(parameter.numel() for parameter in base.parameters())
        self._function = NetworkFunction(type(base).__name__, self._network, parameters)
        self._model = model
        self._args = args
        self._loader = loader
        self._task = task
        self._trained = {id(x) for x in model.parameters() if x.requires_grad}
        self._steps = int(state.max_steps)
        self._batch = training.batch_of(args)
        self._counts = training.counts_items(model, task)
        self._batches = training.batches_of(args, loader, self._counts)
        with training.undisturbed(loader.dataset, loader.collate_fn):
            self._rows = training.collated(loader, self._total)
        # Training that goes on from a checkpoint is recorded from there.
        self._times = np.arange(state.global_step, self._steps, callback.every) + 1
        self._every = callback.every
        self._spec = self._described(callback, args, task)
        self._folder = RunFolder.create(callback.runs, self._spec, str(device))
        self._trace = empty_trace(self._times[None], self._function, np.empty(0, int))
        self._folder.start_trace(self._trace, {"stratum": 1})
        self._device, self._start = str(device), self._first()
        # Of each record what was taken off the squared gradient norm, since a part of the samples
        # was looked at.
        self.noise: list[float] = []
        self._place = 0
        # v_t of a step that is recorded.
        self._pending: Point | None = None
        # Last, so that a model whose training is refused has no hooks.
        self.watched = Watched(
            self._network,
            given["optimizer"],
            args,
            begun=int(state.global_step),
            is_whole=task.samples == self._total,
        )

    def _first(self) -> Start:
        """The start of the run: what is known of the first iterate."""
        begun = time.perf_counter()
        look = self._network.look()
        lasting = time.perf_counter() - begun
        rounding = self._function.noise
        # A record looks at two points.
        parts = self._function.demands(1, 1, 0)
        _announce(
            f"a look at {self._function.samples} samples, {len(self._times)} times",
            sum(part.bytes for part in parts),
            2 * lasting * len(self._times),
        )
        square, variance = self._corrected(look.square_norm, look.variance)
        infimum = self._function.infimum
        gap = Constant(
            look.loss + rounding.loss,
            infimum.kind,
            f"F(v_1) minus the lower bound on f: {infimum.how}",
        )
        return Start(self._network.point(), gap, look.loss, max(square, 0.0), variance, norms={})

    def _described(self, callback: BoundcheckCallback, args: Any, task: Encoded) -> dict[str, Any]:
        """The tables that name the run: settings, samples, and where it starts."""
        adapter = self._network.sites[0].adapter
        digest = hashlib.sha256()
        for part in self._network.point():
            digest.update(part.cpu().numpy().tobytes())
        digest.update(task.labels[:].cpu().numpy().tobytes())
        return {
            "claim": about_any_step().id,
            "seed": int(args.seed),
            "model": {
                "kind": "trainer",
                "name": self._function.name,
                "start": digest.hexdigest()[:12],
            },
            "adapter": {
                "kind": adapter.kind,
                "rank": getattr(adapter, "rank", None),
                "scale": getattr(adapter, "scale", 1.0),
                "targets": ", ".join(
                    dict.fromkeys(site.name.rsplit(".", 1)[-1] for site in self._network.sites)
                ),
            },
            "run": (
                training.settings_of(args)
                | {
                    "every": callback.every,
                    "samples": callback.samples,
                    "steps": self._steps,
                    "replicas": 1,
                    "level": _LEVEL,
                }
            ),
        }

    def before(self, is_due: bool) -> None:
        """Keep v_t, which a step is about to leave, if that is to be recorded."""
        if is_due:
            self._pending = self._network.point()

    def after(self, t: int) -> None:
        """Compare step t, and write its record, with F at v_t and v_{t+1}, if one is due."""
        self.watched.step(is_due=self._pending is not None)
        if self._pending is None or self._place >= len(self._times):
            return
        v = self._pending
        self._pending = None
        v_next = self._network.point()
        batch = self._batches[(t - 1) % len(self._batches)]
        law = Draw(self._batch, torch.arange(self._function.samples).unsqueeze(0), replaced=True)
        try:
            with self._as_it_began():
                found = self._function.observe(v, v_next, law)
        finally:
            self._network.write(v_next)
        seen: dict[str, Any] = {name: x[0].numpy() for name, x in found.items()}
        raw = seen["gradient_square_norm"].item()
        variance = seen["noise_variance"].item() * law.batch
        square, variance = self._corrected(raw, variance)
        self.noise.append(raw - square)
        # What the bias is, the way in which minibatches are drawn says, and not a record.
        seen |= {
            "gradient_square_norm": square,
            "noise_variance": variance / batch,
            "conditional_bias": np.nan,
        }
        for name, value in seen.items():
            self._trace[name].values[0, self._place] = value
        self._trace["time"].values[0, self._place] = t
        self._folder.extend_trace(
            self._trace.isel(stratum=slice(self._place, self._place + 1)), "stratum", self._place
        )
        self._place += 1

    @contextmanager
    def _as_it_began(self) -> Iterator[None]:
        """Train those parameters that were trained when training began: F is a function of them."""
        others = [
            x for x in self._model.parameters() if x.requires_grad != (id(x) in self._trained)
        ]
        for x in others:
            x.requires_grad_(not x.requires_grad)
        try:
            yield
        finally:
            for x in others:
                x.requires_grad_(not x.requires_grad)

    def _corrected(self, square_norm: float, variance: float) -> tuple[float, float]:
        """Estimates without bias of the squared gradient norm and the variance of a sample, over
        all of the data.
        """
        count = self._function.samples
        total = self._total
        if count == total:
            return square_norm, variance
        variance = variance * count / max(count - 1, 1)
        return square_norm - (1 - count / total) * variance / count, variance * (total - 1) / total

    def finish(self, steps: int) -> tuple[RunFolder, RunResult]:
        """The run folder and the result of the records, after another look at training; the network
        stays as it was.
        """
        last = self._network.point()
        step = self.watched.step_size
        edges = np.arange(self._place + 1) * self._every
        schedule = Schedule(edges, self._times[None, : self._place], at_random=False)
        record = Record(schedule, self._trace.isel(stratum=slice(0, self._place)), None, last)
        # None that a file could hold: its tables are those of the arguments.
        spec = Spec.model_construct(
            claim=self._spec["claim"], run=RunSpec(replicas=1, step_size=step, level=_LEVEL)
        )
        plan = at_a_step(spec, self._start, step, steps, self._batch)
        sample = f"{self._function.samples} of {self._total} samples"
        try:
            with self._as_it_began():
                self.watched.look_at_function()
                sampling = training.sampling_of(
                    spec.theorem,
                    self._args,
                    self._loader,
                    self._task,
                    self._total,
                    self._steps,
                    counts=self._counts,
                    rows=self._rows,
                    gradients=self.watched.gradients(),
                )
                rules = (self.watched.rules(), sampling)
                result = outcome(
                    Evidence(
                        spec.theorem, spec, self._function, self._start, plan, record, rules, sample
                    ),
                    run_id=self._folder.id,
                    claim=spec.claim,
                    spec=self._spec,
                    environment=self._folder.environment | device_memory(self._device),
                    problem=Subject(
                        self._function.name,
                        self._function.units,
                        sample=sample,
                        **self._function.facts,
                    ),
                    constants=dict(self._function.constants),
                )
        finally:
            self._network.write(last)
        return self._folder, self._folder.finish(result)


def _announce(name: str, taken: int, lasting: float) -> None:
    """Say on stderr what looks are going to take, where one has to wait for them."""
    if lasting < _SOON:
        return
    span = f"{lasting:.2g} s"
    for unit, size in (("min", 60), ("h", 3600), ("days", 86400)):
        if lasting >= 2 * size:
            span = f"{lasting / size:.3g} {unit}"
    say(f"this run ({name}) will take about {span} and {gib(taken)}")
