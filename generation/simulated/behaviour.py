"""How simulated Claude behaves. All of it may be changed while it runs."""

from collections import deque
from dataclasses import dataclass, field

from generation.simulated.script import Script


@dataclass
class Behaviour:
    latency: float = 0.3  # seconds, on average
    jitter: float = 0.3  # share of the latency by which it varies, up and down
    weak: float = 0.1  # share of conversations that are weak, so that review has work
    fault_rate: float = 0.0  # share of requests that fail
    faults: tuple[str, ...] = ("429", "529", "500", "reset", "malformed", "cut-off")
    script: deque[str] = field(default_factory=Script)  # faults of the next requests, "" for none; before the rate
    api_key: str = ""  # the only key accepted; empty: any key

    # Enforced limits, for each model; 0 enforces none and sends no headers.
    requests_per_minute: int = 0
    input_tokens_per_minute: int = 0
    output_tokens_per_minute: int = 0

    batch_seconds: float = 5.0  # how long a new batch takes
    batch_script: deque[str] = field(default_factory=lambda: Script(batched=True))  # of the next requests in batches
