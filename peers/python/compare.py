#!/usr/bin/env python3
"""Times JAX, CasADi and HIPS/autograd (and enzyme-ad where it installs) on the workloads of `wengert-peers`.

    python3 peers/python/compare.py --out python-peers.json

makes a virtual environment in target/peers-venv, installs the pinned packages there, runs every workload and writes one JSON
file with the keys of `wengert-peers -- WORKLOAD --json`: a list under `cases`, each with `name`, `rounds`, `peers` (median
seconds), `minimum_seconds`, `deviations` and `failed` (why a contestant is not shown). `wengert report --peers` reads it.

Invariant: nothing is timed before its results agree with the oracle to 1e-8 of the largest entry.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / "target" / "peers-venv"
PACKAGES = ["numpy", "jax==0.10.2", "casadi==3.7.2", "autograd==1.8.0"]
# It ships for few platforms; a failure to install is reported, not an error.
OPTIONAL = ["enzyme-ad"]
TOLERANCE = 1e-8


def enter_environment():
    """Runs this script again inside the virtual environment, which is made if necessary."""
    python = VENV / "bin" / "python"
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    for package in PACKAGES + OPTIONAL:
        done = subprocess.run([str(python), "-m", "pip", "install", "--quiet", package], capture_output=True, text=True)
        if done.returncode:
            # The pinned version may be gone; any other is better than none, and the file says which one ran.
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", package.split("==")[0]], capture_output=True)
    os.execv(str(python), [str(python), str(Path(__file__).resolve()), *sys.argv[1:]])


def read_gmm(path):
    """The mixture in a file of the ADBench suite."""
    import numpy as np

    numbers = iter(Path(path).read_text().split())
    d, k, n = (int(next(numbers)) for _ in range(3))

    def take(*shape):
        return np.array([float(next(numbers)) for _ in range(math.prod(shape))]).reshape(shape)

    alphas, means, factors, x = take(k), take(k, d), take(k, d * (d + 1) // 2), take(n, d)
    return {"d": d, "k": k, "n": n, "alphas": alphas, "means": means, "factors": factors, "x": x,
            "gamma": float(next(numbers)), "m": int(float(next(numbers)))}


def gmm_objective(np, data, lower):
    """The log-likelihood as a function of one flat vector, for any array module."""
    d, k, n, x = data["d"], data["k"], data["n"], data["x"]
    gamma, m = data["gamma"], data["m"]
    p = d + m + 1
    log_gamma_d = d * (d - 1) / 4 * math.log(math.pi) + sum(math.lgamma(p / 2 - j / 2) for j in range(d))
    constant = p * d * (math.log(gamma) - 0.5 * math.log(2)) - log_gamma_d

    def logsumexp(a, axis):
        shift = np.max(a, axis=axis, keepdims=True)
        return np.squeeze(shift, axis) + np.log(np.sum(np.exp(a - shift), axis=axis))

    def objective(theta):
        alphas = theta[:k]
        means = theta[k:k + k * d].reshape((k, d))
        factors = theta[k + k * d:].reshape((k, d * (d + 1) // 2))
        logs, lowers = factors[:, :d], factors[:, d:]
        diagonal = np.exp(logs)
        # Strictly lower triangles, column by column, as one constant linear map.
        matrices = np.reshape(lowers @ lower, (k, d, d))
        centred = x[:, None, :] - means[None, :, :]
        scaled = diagonal[None] * centred + np.einsum("kij,nkj->nki", matrices, centred)
        inner = alphas[None] + np.sum(logs, axis=1)[None] - 0.5 * np.sum(scaled * scaled, axis=2)
        prior = np.sum(gamma**2 / 2 * (np.sum(diagonal**2, axis=1) + np.sum(lowers**2, axis=1)) - m * np.sum(logs, axis=1))
        likelihood = -n * d / 2 * math.log(2 * math.pi) + np.sum(logsumexp(inner, 1)) - n * logsumexp(alphas, 0)
        return likelihood + prior - k * constant

    return objective


def lower_map(d):
    """Takes the packed strictly lower triangle to the entries of a matrix."""
    import numpy as np

    entries = [(row, column) for column in range(d) for row in range(column + 1, d)]
    lower = np.zeros((len(entries), d * d))
    for index, (row, column) in enumerate(entries):
        lower[index, row * d + column] = 1.0
    return lower


def gmm_contestants(data):
    import numpy as np

    theta = np.concatenate([data["alphas"].ravel(), data["means"].ravel(), data["factors"].ravel()])
    lower = lower_map(data["d"])

    def with_jax():
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        gradient = jax.jit(jax.grad(gmm_objective(jnp, data, jnp.asarray(lower))))
        at = jnp.asarray(theta)
        return f"JAX {jax.__version__} jit", lambda: np.asarray(gradient(at).block_until_ready())

    def with_autograd():
        import autograd
        import autograd.numpy as anp
        from importlib.metadata import version

        gradient = autograd.grad(gmm_objective(anp, data, lower))
        return f"autograd {version('autograd')}", lambda: gradient(theta)

    def with_casadi():
        import casadi as ca

        d, k, n, x = data["d"], data["k"], data["n"], data["x"]
        gamma, m = data["gamma"], data["m"]
        sym, row = ca.MX.sym("theta", len(theta)), ca.MX.sym("x", d)
        terms, prior, pieces = [], 0, d * (d + 1) // 2
        for j in range(k):
            mean = sym[k + j * d:k + (j + 1) * d]
            factor = sym[k + k * d + j * pieces:k + k * d + (j + 1) * pieces]
            logs, packed = factor[:d], factor[d:]
            matrix = ca.reshape(ca.DM(lower).T @ packed, d, d).T + ca.diag(ca.exp(logs))
            scaled = matrix @ (row - mean)
            terms.append(sym[j] + ca.sum1(logs) - 0.5 * ca.dot(scaled, scaled))
            prior += gamma**2 / 2 * (ca.sumsqr(ca.exp(logs)) + ca.sumsqr(packed)) - m * ca.sum1(logs)
        body = ca.Function("body", [sym, row], [ca.logsumexp(ca.vertcat(*terms))])
        likelihood = ca.sum2(body.map(n)(ca.repmat(sym, 1, n), ca.DM(x.T)))
        total = likelihood - n * ca.logsumexp(sym[:k]) + prior
        gradient = ca.Function("gradient", [sym], [ca.gradient(total, sym)])
        return f"CasADi {ca.__version__} VM", lambda: np.asarray(gradient(theta)).ravel()

    return [with_jax, with_autograd, with_casadi]


def rosenbrock_contestants(n):
    import numpy as np

    x = np.where(np.arange(n) % 2 == 0, -1.2, 1.0)

    def objective(x):
        return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()

    def with_jax():
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        gradient, at = jax.jit(jax.grad(objective)), jnp.asarray(x)
        return f"JAX {jax.__version__} jit", lambda: np.asarray(gradient(at).block_until_ready())

    def with_autograd():
        import autograd
        from importlib.metadata import version

        gradient = autograd.grad(objective)
        return f"autograd {version('autograd')}", lambda: gradient(x)

    def with_casadi():
        import casadi as ca

        sym = ca.MX.sym("x", n)
        head, tail = sym[:-1], sym[1:]
        value = ca.sumsqr(1 - head) + 100 * ca.sumsqr(tail - head**2)
        gradient = ca.Function("gradient", [sym], [ca.gradient(value, sym)])
        return f"CasADi {ca.__version__} VM", lambda: np.asarray(gradient(x)).ravel()

    # The closed form is the oracle.
    expected = np.zeros(n)
    expected[:-1] = -2 * (1 - x[:-1]) - 400 * x[:-1] * (x[1:] - x[:-1] ** 2)
    expected[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return [with_jax, with_autograd, with_casadi], expected


def compare(name, makers, expected, rounds):
    """Checks every contestant, then times them in interleaved rounds."""
    import numpy as np

    case = {"name": name, "rounds": rounds, "peers": {}, "minimum_seconds": {}, "deviations": {}, "failed": {}}
    runs = {}
    for make in makers:
        label = make.__name__.removeprefix("with_")
        try:
            label, run = make()
            result = run()
            deviation = float(np.max(np.abs(result - expected)) / np.max(np.abs(expected)))
            if not deviation <= TOLERANCE:
                raise ValueError(f"deviates by {deviation:.1e} of the largest entry")
            case["deviations"][label] = deviation
            runs[label] = run
        except Exception as error:  # Whatever a package throws is the reason why it is not shown.
            case["failed"][label] = f"{type(error).__name__}: {error}".splitlines()[0]
    times = {label: [] for label in runs}
    for _ in range(rounds):
        for label, run in runs.items():
            start = time.perf_counter()
            run()
            times[label].append(time.perf_counter() - start)
    for label, seconds in times.items():
        case["peers"][label] = statistics.median(seconds)
        case["minimum_seconds"][label] = min(seconds)
    return case


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="python-peers.json", help="the file to write")
    parser.add_argument("--adbench", default=str(ROOT.parent / "shared" / "adbench"), help="folder with ADBench instances")
    parser.add_argument("--rounds", type=int, default=11, help="measured rounds")
    arguments = parser.parse_args()
    enter_environment()
    import numpy as np

    cases = []
    gmm = Path(arguments.adbench) / "gmm" / "gmm_d10_K25.txt"
    oracle = Path(arguments.adbench) / "expected" / "gmm_1k_d10_K25.json"
    if gmm.exists() and oracle.exists():
        expected = np.array(json.loads(oracle.read_text())["gradient"])
        cases.append(compare("gmm d=10 k=25 n=1000", gmm_contestants(read_gmm(gmm)), expected, arguments.rounds))
    for n in (10, 100, 1000, 10_000, 100_000):
        makers, expected = rosenbrock_contestants(n)
        cases.append(compare(f"rosenbrock n={n}", makers, expected, arguments.rounds))
    Path(arguments.out).write_text(json.dumps({"name": "python", "cases": cases}, indent=2) + "\n")
    for case in cases:
        print(case["name"])
        for label, seconds in sorted(case["peers"].items(), key=lambda item: item[1]):
            print(f"  {label:<24} {seconds * 1e3:10.4f} ms   deviation {case['deviations'][label]:.1e}")
        for label, reason in case["failed"].items():
            print(f"  {label:<24} failed: {reason}")


if __name__ == "__main__":
    main()
