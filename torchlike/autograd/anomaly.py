"""Anomaly mode: remember where each node was made, and stop at the first NaN gradient."""

from __future__ import annotations

import warnings

from ..core.record import LOCAL


class set_detect_anomaly:
    """Switch anomaly mode at once; as a context manager, switch it back afterwards."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._saved = LOCAL.state.anomaly
        LOCAL.state.anomaly = (bool(mode), bool(mode and check_nan))

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        LOCAL.state.anomaly = self._saved


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on."""
    return bool(LOCAL.state.anomaly and LOCAL.state.anomaly[0])


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode looks for NaN; so it does by default."""
    return LOCAL.state.anomaly[1] if is_anomaly_enabled() else True


def set_anomaly_enabled(enabled: bool, check_nan: bool = True) -> None:
    """Switch anomaly mode."""
    for place, (name, given) in enumerate({"enabled": enabled, "check_nan": check_nan}.items(), 1):
        if not isinstance(given, bool):
            raise TypeError(
                f"set_anomaly_enabled(): argument '{name}' (position {place}) must be bool, not "
                f"{type(given).__name__}"
            )
    set_detect_anomaly(enabled, check_nan)


class detect_anomaly:
    """Anomaly mode inside the `with` block."""

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should "
            "only "
            "be enabled for debugging.",
            UserWarning,
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self._mode = set_detect_anomaly(True, self.check_nan)

    def __exit__(self, *error: object) -> None:
        self._mode.__exit__(*error)
