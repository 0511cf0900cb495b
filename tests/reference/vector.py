#!/usr/bin/env python3
"""Reference values of the elementary functions as 60-digit numbers relative to the nearest double.

Date: 2026-11-23.  mpmath 1.4.1.  Run: pip install mpmath==1.4.1 && python3 vector.py
Writes vector.json beside itself.  An optional argument is the number of random points per function,
a second one another file to write.

One row is "x y rest" or "x1 x2 y rest": arguments and the nearest double as bits in hexadecimal,
and value minus nearest double in units in the last place of the value.  Beyond the largest double:
infinity and 0.  Computed with 120 digits.
"""

import json
import math
import random
import struct
import sys

from mpmath import mp, mpf

mp.dps = 120
rng = random.Random(20261123)
COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 90


def bits(x):
    return "%016x" % struct.unpack("<Q", struct.pack("<d", x))[0]


def nearest(v):
    """The nearest double and the rest in units of the last place."""
    if v == 0:
        return 0.0, mpf(0)
    exponent = max(mp.mag(v) - 53, -1074)
    unit = mpf(2) ** exponent
    n = int(mp.nint(v / unit))
    if abs(n) * unit >= mpf(2) ** 1024:
        return math.copysign(math.inf, v), mpf(0)
    d = math.ldexp(n, exponent)
    if n == 0:
        d = math.copysign(0.0, v)
    return d, v / unit - n


def log_uniform(low, high, both=True):
    """A double with uniformly distributed logarithm to base 2 and, if wanted, random sign."""
    x = math.ldexp(1 + rng.random(), rng.randint(low, high))
    return -x if both and rng.random() < 0.5 else x


def near(x, steps=3):
    """Doubles around x."""
    out = [x]
    up = down = x
    for _ in range(steps):
        up, down = math.nextafter(up, math.inf), math.nextafter(down, -math.inf)
        out += [up, down]
    return out


def both(xs):
    return [s * x for x in xs for s in (1, -1)]


def some(n, draw):
    return [draw() for _ in range(n)]


def uniform(a, b):
    return lambda: rng.uniform(a, b)


TINY = [5e-324, 1.5e-323, 1e-310, 2.2250738585072014e-308, 1e-300, 1e-160, 1e-20, 1e-16, 1e-9, 3.7e-9]
HALF_LN2 = math.log(2) / 2


def exponential(low, high, extra=()):
    xs = some(COUNT, uniform(low, high)) + some(COUNT, uniform(-2, 2))
    xs += some(COUNT // 2, lambda: log_uniform(-60, 0))
    xs += both(TINY) + list(extra)
    for k in (-1, 0, 1, 2, 50):
        xs += near((k + 0.5) * math.log(2), 1)
    return xs


def angles():
    xs = some(COUNT, uniform(-8, 8)) + some(COUNT, lambda: log_uniform(-30, 19))
    xs += both(TINY) + both(near(1e6, 2)) + some(COUNT // 4, lambda: log_uniform(20, 1023))
    for k in [1, 2, 3, 4, 5, 11, 22, 344, 355, 710, 1000, 51819, 103993, 208341, 312689, 573204, 636619]:
        xs += both(near(float(k * mp.pi / 2), 1) + [float((k + 0.5) * mp.pi / 2)])
    return xs


def positive():
    xs = some(COUNT, lambda: log_uniform(-1074, 1023, False)) + some(COUNT, uniform(0.5, 2))
    xs += some(COUNT // 2, lambda: 1 + log_uniform(-52, -2)) + near(1.0) + TINY
    xs += near(math.sqrt(0.5)) + near(math.sqrt(2)) + near(2.0, 1) + [1.7976931348623157e308, 10.0, 1000.0, 1e22]
    return [x for x in xs if x > 0]


def unit():
    xs = some(COUNT, uniform(-1, 1)) + some(COUNT // 2, lambda: log_uniform(-60, -1))
    xs += some(COUNT // 2, lambda: math.copysign(1 - abs(log_uniform(-52, -2)), rng.random() - 0.5))
    return xs + both(near(0.5) + [math.nextafter(1, 0), 1 - 2**-52, 1 - 2**-40] + TINY)


def wide():
    xs = some(COUNT, lambda: log_uniform(-1060, 1023)) + some(COUNT, lambda: log_uniform(-10, 10))
    xs += both(near(math.sqrt(2) - 1) + near(math.sqrt(2) + 1) + near(1.0) + TINY + [1e17, 1e300])
    return xs


def powers():
    rows = some(COUNT, lambda: (rng.uniform(0, 10), rng.uniform(-20, 20)))

    def extreme():
        # Results over the whole range, beyond it too.
        x = log_uniform(-1074, 1023, False) or 5e-324
        t = rng.uniform(-760, 720)
        return x, float(t / mp.log(x)) if x != 1 else 1.0

    def close():
        x = 1 + log_uniform(-52, -3)
        return x, float(mpf(rng.uniform(-760, 720)) / mp.log(x)) if x != 1 else 1.0

    rows += some(2 * COUNT, extreme) + some(COUNT, close)
    rows += some(COUNT // 2, lambda: (-abs(log_uniform(-20, 20)), float(rng.randint(-60, 60))))
    rows += [(x, y) for x in (2.0, 0.5, 3.0, 10.0, 0.1, 5e-324, 1e308) for y in (1.0, 2.0, -1.0, 0.5, 1 / 3, -2.5)]
    return rows


def points():
    rows = some(COUNT, lambda: (log_uniform(-20, 20), log_uniform(-20, 20)))
    rows += some(COUNT, lambda: (log_uniform(-500, 500), log_uniform(-500, 500)))
    rows += some(COUNT // 2, lambda: (rng.uniform(-1, 1), rng.uniform(-1, 1)))
    for x in (1.0, math.sqrt(2) - 1, math.sqrt(2) + 1):
        rows += [(s * n, t * 1.0) for n in near(x, 1) for s in (1, -1) for t in (1, -1)]
    return rows


def exp2_args():
    return exponential(-1080, 1025, near(1024.0, 1) + near(-1074.0, 1) + near(-1075.0, 1) + near(0.5, 1) + near(-0.5, 1))


def power(x, y):
    v = mp.power(abs(x), y)
    return -v if x < 0 and y % 2 == 1 else v


E_OVER = near(709.782712893384) + [710.0, 800.0]
H_OVER = both(near(710.4758600739439) + [709.8, 711.0, 800.0])
SMALL = near(-708.3964185322641, 1) + near(-745.1332191019412, 1) + [-720.0, -744.0, -746.0, -800.0]

FUNCTIONS = {
    "exp": (mp.exp, exponential(-746, 710, E_OVER + SMALL)),
    "exp2": (lambda x: mp.power(2, x), exp2_args()),
    "exp_m1": (mp.expm1, exponential(-60, 710, E_OVER + [-36.7, -37.5, -800.0])),
    "ln": (mp.log, positive()),
    "ln_1p": (mp.log1p, [x for x in positive() + unit() + wide() if x > -1][:: 2 if COUNT < 100 else 1]),
    "log2": (lambda x: mp.log(x) / mp.log(2), positive()),
    "log10": (mp.log10, positive()),
    "atanh": (mp.atanh, unit()),
    "sin": (mp.sin, angles()),
    "cos": (mp.cos, angles()),
    "tan": (mp.tan, angles()),
    "asin": (mp.asin, unit()),
    "acos": (mp.acos, unit()),
    "atan": (mp.atan, wide()),
    "sinh": (mp.sinh, exponential(-712, 712, H_OVER)),
    "cosh": (mp.cosh, exponential(-712, 712, H_OVER)),
    "tanh": (mp.tanh, exponential(-25, 25, both([18.0, 19.0, 20.0, 30.0, 700.0]))),
    "sech_squared": (lambda x: mp.sech(x) ** 2, exponential(-380, 380, both([355.0, 370.0, 372.5, 373.0, 800.0]))),
    "logistic": (lambda x: 1 / (1 + mp.exp(-x)), exponential(-746, 60, SMALL)),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), exponential(-746, 60, SMALL + [1e10, 1e300])),
    "cbrt": (lambda x: mp.sign(x) * mp.cbrt(abs(x)), wide()),
    "asinh": (mp.asinh, wide()),
    "acosh": (mp.acosh, [x for x in positive() + some(COUNT, lambda: log_uniform(0, 300, False)) if x >= 1]),
    "pow": (power, powers()),
    "atan2": (mp.atan2, points()),
    "hypot": (mp.hypot, points()),
}


def main():
    lines = []
    for name, (f, arguments) in FUNCTIONS.items():
        rows = []
        for x in arguments:
            x = x if isinstance(x, tuple) else (x,)
            y, rest = nearest(f(*[mpf(v) for v in x]))
            rows.append(" ".join([bits(v) for v in x] + [bits(y), mp.nstr(rest, 3)]))
        lines.append('"%s":%s' % (name, json.dumps(rows, separators=(",", ":"))))
    path = sys.argv[2] if len(sys.argv) > 2 else __file__.replace(".py", ".json")
    with open(path, "w", encoding="ascii") as f:
        f.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
