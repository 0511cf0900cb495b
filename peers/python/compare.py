#!/usr/bin/env python3
"""Times JAX, CasADi and HIPS/autograd (and enzyme-ad where it installs) on the workloads of `wengert-peers`.

    python3 peers/python/compare.py --out python-peers.json

makes a virtual environment in target/peers-venv, installs the pinned packages there, runs every workload and writes one JSON
file with the keys of `wengert-peers -- all --json`: `cases`, each with `name`, `rounds`, `peers` (median seconds), `functions`
(the same of the function without derivatives, in the same tool), `minimum_seconds`, `deviations` and `failed` (why a
contestant is not shown); `points`, each with `tool`, `problem`, `inputs`, `seconds`, `ratio` and `deviation`; and `failed`.
`wengert report --peers` reads it.

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
OPTIONAL = ["enzyme-ad==0.0.16"]
TOLERANCE = 1e-8
# The numbers of inputs of `wengert-peers -- sizes`, and two beyond.
SIZES = (4, 16, 64, 256, 1024, 4096, 16_384, 65_536)


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
        return jitted(f"JAX {jax.__version__} jit", gmm_objective(jnp, data, jnp.asarray(lower)), theta)

    def with_enzyme():
        import jax.numpy as jnp

        return with_enzyme_rules(gmm_objective(jnp, data, jnp.asarray(lower)), theta)

    def with_autograd():
        import autograd
        import autograd.numpy as anp
        from importlib.metadata import version

        objective = gmm_objective(anp, data, lower)
        gradient = autograd.grad(objective)
        return f"autograd {version('autograd')}", lambda: gradient(theta), lambda: objective(theta)

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
        function = ca.Function("function", [sym], [total])
        gradient = ca.Function("gradient", [sym], [ca.gradient(total, sym)])
        return f"CasADi {ca.__version__} VM", lambda: np.asarray(gradient(theta)).ravel(), lambda: function(theta)

    return [with_jax, with_enzyme, with_autograd, with_casadi]


def jitted(label, objective, at):
    """A function of JAX, compiled, with its gradient."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    jax.config.update("jax_enable_x64", True)
    function, gradient, at = jax.jit(objective), jax.jit(jax.grad(objective)), jnp.asarray(at)
    return label, lambda: np.asarray(gradient(at).block_until_ready()), lambda: function(at).block_until_ready()


def with_enzyme_rules(objective, at):
    """The same, differentiated by Enzyme below JAX."""
    import jax
    from importlib.metadata import version

    jax.config.update("jax_enable_x64", True)
    from enzyme_ad.jax import enzyme_jax_ir

    return jitted(f"Enzyme {version('enzyme-ad')} in JAX", enzyme_jax_ir()(objective), at)


def rosenbrock_contestants(n):
    import numpy as np

    x = np.where(np.arange(n) % 2 == 0, -1.2, 1.0)

    def objective(x):
        return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()

    def with_jax():
        import jax

        return jitted(f"JAX {jax.__version__} jit", objective, x)

    def with_enzyme():
        return with_enzyme_rules(objective, x)

    def with_autograd():
        import autograd
        from importlib.metadata import version

        gradient = autograd.grad(objective)
        return f"autograd {version('autograd')}", lambda: gradient(x), lambda: objective(x)

    def with_casadi():
        import casadi as ca

        sym = ca.MX.sym("x", n)
        head, tail = sym[:-1], sym[1:]
        value = ca.sumsqr(1 - head) + 100 * ca.sumsqr(tail - head**2)
        function = ca.Function("function", [sym], [value])
        gradient = ca.Function("gradient", [sym], [ca.gradient(value, sym)])
        return f"CasADi {ca.__version__} VM", lambda: np.asarray(gradient(x)).ravel(), lambda: function(x)

    # The closed form is the oracle.
    expected = np.zeros(n)
    expected[:-1] = -2 * (1 - x[:-1]) - 400 * x[:-1] * (x[1:] - x[:-1] ** 2)
    expected[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return [with_jax, with_enzyme, with_autograd, with_casadi], expected


def compare(name, makers, expected, rounds):
    """Checks every contestant, then times them in interleaved rounds."""
    import numpy as np

    case = {"name": name, "rounds": rounds, "peers": {}, "functions": {}, "minimum_seconds": {}, "deviations": {}, "failed": {}}
    runs = {}
    for make in makers:
        label = make.__name__.removeprefix("with_")
        try:
            label, run, function = make()
            function()
            result = run()
            deviation = float(np.max(np.abs(result - expected)) / np.max(np.abs(expected)))
            if not deviation <= TOLERANCE:
                raise ValueError(f"deviates by {deviation:.1e} of the largest entry")
            case["deviations"][label] = deviation
            runs[label] = (run, function)
        except Exception as error:  # Whatever a package throws is the reason why it is not shown.
            case["failed"][label] = f"{type(error).__name__}: {error}".splitlines()[0]
    times = {label: ([], []) for label in runs}
    for _ in range(rounds):
        for label, pair in runs.items():
            for run, found in zip(pair, times[label]):
                start = time.perf_counter()
                run()
                found.append(time.perf_counter() - start)
    for label, (seconds, plain) in times.items():
        case["peers"][label] = statistics.median(seconds)
        case["functions"][label] = statistics.median(plain)
        case["minimum_seconds"][label] = min(seconds)
    return case


def points(case, problem, inputs):
    """The contestants of one case as points of a line over the number of inputs."""
    return [
        {"tool": label, "problem": problem, "inputs": inputs, "seconds": seconds,
         "ratio": seconds / case["functions"][label], "deviation": case["deviations"][label]}
        for label, seconds in case["peers"].items()
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="python-peers.json", help="the file to write")
    parser.add_argument("--adbench", default=str(ROOT.parent / "shared" / "adbench"), help="folder with ADBench instances")
    parser.add_argument("--rounds", type=int, default=11, help="measured rounds")
    arguments = parser.parse_args()
    enter_environment()
    import numpy as np

    cases, failed = [], {}
    gmm = Path(arguments.adbench) / "gmm" / "gmm_d10_K25.txt"
    oracle = Path(arguments.adbench) / "expected" / "gmm_1k_d10_K25.json"
    if gmm.exists() and oracle.exists():
        expected = np.array(json.loads(oracle.read_text())["gradient"])
        cases.append(compare("gmm d=10 K=25 N=1000", gmm_contestants(read_gmm(gmm)), expected, arguments.rounds))
    else:
        failed["gmm"] = f"there are no {gmm} and {oracle}"
    sweep, sizes = [], []
    for n in SIZES:
        makers, expected = rosenbrock_contestants(n)
        case = compare(f"rosen n={n}", makers, expected, arguments.rounds)
        sweep.extend(points(case, "rosen", n))
        failed.update({f"{label} on {case['name']}": reason for label, reason in case["failed"].items()})
        sizes.append(case)
    everything = {"name": "python", "cases": cases, "points": sweep, "failed": failed}
    Path(arguments.out).write_text(json.dumps(everything, indent=2) + "\n")
    for case in cases + sizes:
        print(case["name"])
        for label, seconds in sorted(case["peers"].items(), key=lambda item: item[1]):
            print(f"  {label:<24} {seconds * 1e3:10.4f} ms   deviation {case['deviations'][label]:.1e}")
        for label, reason in case["failed"].items():
            print(f"  {label:<24} failed: {reason}")


if __name__ == "__main__":
    main()
