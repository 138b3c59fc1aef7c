"""How fast one caller may ask, as a token bucket: BURST requests at once, and a new one every INTERVAL_MS.

The bucket is kept as the time at which it will be full again, which one number and one conditional write can do (the
generic cell rate algorithm, ITU-T I.371 annex A).
"""

from __future__ import annotations

import math

BURST = 20
INTERVAL_MS = 500
TOLERANCE_MS = (BURST - 1) * INTERVAL_MS
RETRY_AFTER_SECONDS = math.ceil(INTERVAL_MS / 1000)
KEPT_SECONDS = 3600
