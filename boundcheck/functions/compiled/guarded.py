"""Numba, imported so that it reads no settings of the current folder.

Numba reads a file .numba_config.yaml of the current folder, which may name the folder of what was compiled before:
numba unpickles that, and so would run a stranger's code. Here variables of the environment alone say what it is to do.
"""

import sys
import warnings
from typing import Any

_yaml = sys.modules.get("yaml")
# It reads the file only where it can import this.
sys.modules["yaml"] = None  # type: ignore[assignment]
try:
    with warnings.catch_warnings(action="ignore"):
        from numba.core import config
finally:
    del sys.modules["yaml"]
    if _yaml is not None:
        sys.modules["yaml"] = _yaml

_settings: Any = config
# Where numba was imported before, it has read the file: it looks again, where there is none.
_settings._config_fname = ""
_settings.reload_config()

# Here, and not above: what it reads is settled first.
from numba import njit  # noqa: E402

__all__ = ["njit"]
