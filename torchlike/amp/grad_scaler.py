"""`torch.amp.GradScaler`: losses scaled up, so that small float16 gradients do not vanish."""

import inspect
import warnings
from collections import defaultdict
from collections.abc import Iterable
from enum import Enum

from .. import ops
from ..core import capture, dtypes
from ..core.tape import no_grad
from ..core.tensor import Tensor
from .autocast_mode import amp_definitely_not_available


class OptState(Enum):
    """How far an optimizer has come in this iteration."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


def _refresh_per_optimizer_state() -> dict:
    return {"stage": OptState.READY, "found_inf_per_device": {}}


_FIX = "This may indicate your script did not use scaler.scale(loss or outputs) earlier in the "
_FIX += "iteration."


class GradScaler:
    """Scales losses, unscales gradients, skips steps with infinities and adapts the scale."""

    def __init__(
        self, device="cuda", init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5,
        growth_interval=2000, enabled=True,
    ) -> None:  # fmt: skip
        self._device, self._enabled = device, enabled
        if device == "cuda" and enabled and amp_definitely_not_available():
            warnings.warn(
                "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.",
                stacklevel=2,
            )
            self._enabled = False
        if not self._enabled:
            return
        if growth_factor <= 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if backoff_factor >= 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale, self._scale = init_scale, None
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval = growth_interval
        self._init_growth_tracker, self._growth_tracker = 0, None
        self._per_optimizer_states = defaultdict(_refresh_per_optimizer_state)

    def _check_scale_growth_tracker(self, funcname: str):
        for name, held in (("_scale", self._scale), ("_growth_tracker", self._growth_tracker)):
            if held is None:
                raise AssertionError(f"Attempted {funcname} but {name} is None.  {_FIX}")
        return self._scale, self._growth_tracker

    def _lazy_init_scale_growth_tracker(self, dev) -> None:
        self._scale = ops.full((), self._init_scale, dtype=dtypes.float32, device=dev)
        tracked = self._init_growth_tracker
        self._growth_tracker = ops.full((), tracked, dtype=dtypes.int32, device=dev)

    # ----- one iteration -----
    def scale(self, outputs):
        """The outputs (a tensor, or an iterable of such) times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            if self._scale is None:
                self._lazy_init_scale_growth_tracker(outputs.device)
            return outputs * self._scale.to(outputs.device)
        if isinstance(outputs, Iterable):
            scaled = map(self.scale, outputs)
            return type(outputs)(scaled) if isinstance(outputs, list | tuple) else scaled
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def _unscale_grads_(self, optimizer, inv_scale, found_inf, allow_fp16: bool) -> dict:
        found = {}
        with no_grad():
            for grad in self._grads(optimizer, allow_fp16):
                held = found.get(grad.device)
                if held is None:
                    held = found[grad.device] = found_inf.to(grad.device, copy=True)
                bad = (~ops.isfinite(grad)).any()
                held.copy_(ops.maximum(held, bad.to(held.dtype)))
                grad.mul_(inv_scale.to(grad.device))
        return found

    def _grads(self, optimizer, allow_fp16: bool):
        for param in (p for group in optimizer.param_groups for p in group["params"]):
            if not isinstance(param, Tensor):
                raise AssertionError(
                    f"expected param to be torch.Tensor, got {type(param).__name__}"
                )
            if param.grad is None:
                continue
            if not allow_fp16 and param.grad.dtype == dtypes.float16:
                raise ValueError("Attempting to unscale FP16 gradients.")
            yield param.grad

    def unscale_(self, optimizer) -> None:
        """Divides the optimizer's gradients by the scale, and looks for infinities."""
        if not self._enabled:
            return
        scale, _ = self._check_scale_growth_tracker("unscale_")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.UNSCALED:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        inverse = scale.double().reciprocal().float()
        found = ops.zeros((), dtype=dtypes.float32, device=scale.device)
        state["found_inf_per_device"] = self._unscale_grads_(optimizer, inverse, found, False)
        state["stage"] = OptState.UNSCALED

    def _maybe_opt_step(self, optimizer, optimizer_state, *args, **kwargs):
        found = optimizer_state["found_inf_per_device"].values()
        step = capture.current()
        if step is not None:
            return step.unless(sum(found) != 0, lambda: optimizer.step(*args, **kwargs))
        if sum(v.item() for v in found):
            return None
        return optimizer.step(*args, **kwargs)

    def step(self, optimizer, *args, **kwargs):
        """`optimizer.step` on unscaled gradients; left out when one of them is not finite."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError(
                "Closure use is not currently supported if GradScaler is enabled."
            )
        self._check_scale_growth_tracker("step")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            return self._step_that_unscales(optimizer, state, args, kwargs)
        if state["stage"] is OptState.READY:
            self.unscale_(optimizer)
        if len(state["found_inf_per_device"]) == 0:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        result = self._maybe_opt_step(optimizer, state, *args, **kwargs)
        state["stage"] = OptState.STEPPED
        return result

    def _step_that_unscales(self, optimizer, state, args, kwargs):
        """A fused step unscales by itself, told `grad_scale` and `found_inf`."""
        takes_scaler = "grad_scaler" in inspect.signature(optimizer.step).parameters
        if takes_scaler:
            warnings.warn(
                "GradScaler is going to stop passing itself as a keyword argument to the passed "
                "optimizer. In the near future GradScaler registers `grad_scale: Tensor` and "
                "`found_inf: Tensor` to the passed optimizer and let the optimizer use them "
                "directly.",
                FutureWarning,
                stacklevel=3,
            )
            result = optimizer.step(*args, **kwargs, grad_scaler=self)
        else:
            unscaled = state["stage"] is OptState.UNSCALED
            if not unscaled:
                self._check_inf_per_device(optimizer)
            given = getattr(optimizer, "grad_scale", None)
            product = self._scale if given is None else self._scale * given
            optimizer.grad_scale = given if unscaled else product
            optimizer.found_inf = sum(
                t.to(self._scale.device) for t in state["found_inf_per_device"].values()
            )
            result = optimizer.step(*args, **kwargs)
            del optimizer.grad_scale, optimizer.found_inf
        state["stage"] = OptState.STEPPED
        return result

    def update(self, new_scale=None) -> None:
        """The next iteration's scale: backed off after an infinity, grown after many without."""
        if not self._enabled:
            return
        scale, tracker = self._check_scale_growth_tracker("update")
        if new_scale is None:
            self._adapt(scale, tracker)
        elif isinstance(new_scale, float):
            scale.fill_(new_scale)
        else:
            same = new_scale.device.type == self._device and new_scale.numel() == 1
            if not same or new_scale.requires_grad:
                raise AssertionError(
                    "new_scale should be a float or a 1-element torch.cuda.FloatTensor or "
                    "torch.FloatTensor with requires_grad=False."
                )
            scale.copy_(new_scale)
        self._per_optimizer_states = defaultdict(_refresh_per_optimizer_state)

    def _adapt(self, scale, tracker) -> None:
        found = [
            t for state in self._per_optimizer_states.values()
            for t in state["found_inf_per_device"].values()
        ]  # fmt: skip
        if not found:
            raise AssertionError("No inf checks were recorded prior to update.")
        with no_grad():
            bad = sum(t.to(scale.device) for t in found) != 0
            grown = scale * self._growth_factor
            full = tracker + 1 == self._growth_interval
            kept = ops.where(full & ops.isfinite(grown), grown, scale)
            backed_off = scale.double() * self._backoff_factor
            scale.copy_(ops.where(bad, backed_off.float(), kept))
            tracker.copy_(ops.where(bad | full, ops.zeros_like(tracker), tracker + 1))

    def _get_scale_async(self):
        return self._scale

    # ----- its settings and state -----
    def get_scale(self) -> float:
        """The scale (1.0 when disabled)."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()

    def get_growth_factor(self) -> float:
        """What the scale is multiplied with when it grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set what the scale is multiplied with when it grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the scale is multiplied with after an infinity."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set what the scale is multiplied with after an infinity."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many steps without an infinity make the scale grow."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set how many steps without an infinity make the scale grow."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        if not self._enabled:
            return 0
        held = self._growth_tracker
        return self._init_growth_tracker if held is None else held.item()

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def state_dict(self) -> dict:
        """The scale, the factors, the interval and the count of steps without an infinity."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict: dict) -> None:
        """Takes over another scaler's state."""
        if not self._enabled:
            return
        if len(state_dict) == 0:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        if self._scale is not None:
            self._scale.fill_(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._init_growth_tracker = state_dict["_growth_tracker"]
        if self._growth_tracker is not None:
            self._growth_tracker.fill_(state_dict["_growth_tracker"])

    def __getstate__(self) -> dict:
        state = self.__dict__.copy()
        if self._enabled:
            if len(self._per_optimizer_states) != 0:
                raise AssertionError(
                    "A GradScaler instance may only be pickled at the beginning of an iteration, "
                    "or at the end after scaler.update()."
                )
            state["_init_scale"] = self.get_scale()
            state["_init_growth_tracker"] = self._get_growth_tracker()
            state["_scale"] = state["_growth_tracker"] = None
        return state

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)

    def _check_inf_per_device(self, optimizer) -> dict:
        scale, _ = self._check_scale_growth_tracker("_check_inf_per_device")
        one = ops.ones((), dtype=dtypes.float32, device=scale.device)
        found = self._unscale_grads_(optimizer, one, ops.zeros_like(one), True)
        self._per_optimizer_states[id(optimizer)]["found_inf_per_device"] = found
        return found

    def _found_inf_per_device(self, optimizer) -> dict:
        return self._per_optimizer_states[id(optimizer)]["found_inf_per_device"]
