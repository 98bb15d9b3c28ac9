"""The yardstick: torchlike beside real torch, `python scripts/bench.py --torch-python PATH`.

PATH is a Python with torch 2.13. Each workload of `scripts/workloads.py` runs in real torch, in
torchlike unmodified and, where asked, under `torch.compile`, in `torchlike.jit` and, as `jax`,
written by hand for JAX and optax (`pip install optax`; nine of them). Each variant is a process of
its own that stays alive, and they take turns. A ratio is torch's time over the variant's: above 1
is faster than torch. Cold is process start to tenth step with an empty compile cache, warm the same
once more. Writes a table, and with --out a JSON, Markdown and a bar chart.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.workloads import FREE_PYTHON, WORKLOADS  # noqa: E402

VARIANTS = ("torch", "torch-compile", "torchlike", "torchlike-compile", "torchlike-jit", "jax")
BY_HAND = "bcdeghjln"  # written for JAX and optax in scripts/workloads_jax.py
ROUND = 0.4  # seconds a round should last
WARM_UPS = 8  # rounds at most before the first that counts


class Runner:
    """A process that has one workload ready in one variant."""

    def __init__(self, name: str, variant: str, python: str, cache: str) -> None:
        environment = {**os.environ, "XDG_CACHE_HOME": cache, "PYTHONPATH": str(ROOT)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)    # an installed package has its bytecode
        self.process = subprocess.Popen(
            [python, "-W", "ignore", str(ROOT / "scripts/workloads.py"), name, variant],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=cache,
        )  # fmt: skip
        self.start = self.answer()
        self.last = self.start
        self.times: list[float] = []

    def answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[-2:]} ended with {self.process.wait()}")
        return json.loads(line)

    def round(self, steps: int) -> float:
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        self.last = self.answer()
        return self.last["step"]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def cold_and_warm(name: str, variant: str, python: str) -> dict:
    """Seconds from process start to the tenth step: with an empty compile cache, then once more."""
    with tempfile.TemporaryDirectory() as cache:
        found = {}
        for kind in ("cold", "warm"):
            runner = Runner(name, variant, python, cache)
            found[kind] = runner.start["tenth"]
            runner.close()
        return found


def warm_up(runner: Runner) -> int:
    """Run until nothing is compiled any more; how many steps a round is to have."""
    steps, built = 5, -1
    for _ in range(WARM_UPS):
        spent = runner.round(steps)
        steps = max(3, min(2000, round(ROUND / max(spent, 1e-6))))
        if built == runner.last["compiled"]:
            break
        built = runner.last["compiled"]
    return steps


def measure(name: str, pythons: dict[str, str], rounds: int, cache: str) -> dict:
    """Every variant of one workload, by turns."""
    runners, failed = {}, {}
    for variant, python in pythons.items():
        try:
            runners[variant] = Runner(name, variant, python, cache)
        except RuntimeError as error:
            failed[variant] = str(error)
    steps = {}
    for variant, runner in runners.items():
        steps[variant] = warm_up(runner)
    for _ in range(rounds):
        for variant, runner in runners.items():
            runner.times.append(runner.round(steps[variant]))
    found = {}
    for variant, runner in runners.items():
        low, high = min(runner.times), max(runner.times)
        found[variant] = {
            "step": statistics.median(runner.times), "low": low, "high": high,
            "first": runner.start["first"], "loss": runner.start["loss"],
            "peak_mib": runner.last["peak_mib"], "compiled": runner.last["compiled"],
        }  # fmt: skip
        runner.close()
    return {**found, **{variant: {"failed": text} for variant, text in failed.items()}}


# ----- showing -----
def ratios(found: dict, key: str = "step") -> dict[str, float]:
    """torch's figure over each variant's."""
    base = found.get("torch", {}).get(key)
    return {v: base / row[key] for v, row in found.items() if base and v != "torch" and key in row}


def row_of(name: str, found: dict) -> str:
    """A line of the table."""
    cells = [f"{name:3}{WORKLOADS[name][0]:34}"]
    step = found.get("torch", {}).get("step")
    cells.append(f"{step * 1e3:9.3f} ms" if step else f"{'-':>12}")
    by_step = ratios(found)
    others = [v for v in found if v != "torch"]
    cells += [f"{by_step[v]:18.2f}" if v in by_step else f"{'-':>18}" for v in others]
    for key in ("cold", "warm", "peak_mib"):
        by_key = ratios(found, key).get("torchlike")
        cells.append(f"{by_key:8.2f}" if by_key else f"{'-':>8}")
    return "".join(cells) + f"{found.get('torchlike', {}).get('compiled', 0):6}"


def summary(results: dict, variants: list[str]) -> str:
    """The geometric mean of all workloads but the first, and the worst."""
    lines = []
    for variant in variants:
        rows = {n: ratios(f)[variant] for n, f in results.items()
                if n != "a" and variant in ratios(f)}
        if rows:
            mean = statistics.geometric_mean(rows.values())
            worst = min(rows, key=lambda n: rows[n])
            lines.append(f"{variant}: geometric mean {mean:.2f}, worst {rows[worst]:.2f} ({worst})")
    return "\n".join(lines)


def markdown(results: dict, variants: list[str]) -> str:
    """The table of the README: times torch's speed."""
    heads = [*variants, "cold start", "warm start", "memory"]
    lines = [f"| | torch | {' | '.join(heads)} |", f"| --- {'| ---: ' * (len(heads) + 1)}|"]
    for name, found in results.items():
        step = found.get("torch", {}).get("step")
        cells = [f"{step * 1e3:.3g} ms" if step else ""]
        by_step = ratios(found)
        cells += [f"{by_step[v]:.2f}" if v in by_step else "" for v in variants]
        for key in ("cold", "warm", "peak_mib"):
            by_key = ratios(found, key).get("torchlike")
            cells.append(f"{by_key:.2f}" if by_key else "")
        lines.append(f"| {WORKLOADS[name][0]} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def chart(results: dict, variants: list[str], path: Path) -> None:
    """A bar for each workload and variant: how many times torch's speed."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(10, 0.45 * len(results) + 1.5), layout="constrained")
    height = 0.8 / max(1, len(variants))
    for k, variant in enumerate(variants):
        places = [i + k * height for i in range(len(results))]
        axes.barh(places, [ratios(f).get(variant, 0) for f in results.values()], height,
                  label=variant)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(range(len(results)), [WORKLOADS[n][0] for n in results])
    axes.invert_yaxis()
    axes.set_xlabel("times torch's speed (right of the line: faster than torch)")
    axes.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Measure what is asked for; a line each as it comes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch-python", required=True, help="a Python that has torch 2.13")
    parser.add_argument("--only", default=",".join(WORKLOADS), help="letters, as a,b,c")
    parser.add_argument("--variants", default="torch,torchlike", help=", ".join(VARIANTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-start", action="store_true", help="leave out cold and warm starts")
    parser.add_argument("--out", type=Path, help="folder for bench.json and bench.png")
    args = parser.parse_args()
    pythons = {v: args.torch_python if v.startswith("torch") and not v.startswith("torchlike")
               else sys.executable for v in args.variants.split(",")}
    others = [v for v in pythons if v != "torch"]
    print(f"{'':37}{'torch':>12}{''.join(f'{v:>18}' for v in others)}"
          f"{'cold':>8}{'warm':>8}{'memory':>8}{'built':>6}")
    results = {}
    with tempfile.TemporaryDirectory() as cache:
        for name in args.only.split(","):
            usable = {v: p for v, p in pythons.items()
                      if not (v.endswith("-jit") and name in FREE_PYTHON)
                      and (v != "jax" or name in BY_HAND)}
            found = measure(name, usable, args.rounds, cache)
            if not args.no_start:
                for variant in {"torch", "torchlike"} & set(found):
                    found[variant] |= cold_and_warm(name, variant, pythons[variant])
            results[name] = found
            print(row_of(name, found), flush=True)
    print(summary(results, others))
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "bench.json").write_text(json.dumps(results, indent=1) + "\n")
        (args.out / "bench.md").write_text(markdown(results, others))
        chart(results, others, args.out / "bench.png")


if __name__ == "__main__":
    main()
