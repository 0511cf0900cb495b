#!/usr/bin/env python3
"""Reference values of the elementary functions, their derivatives and of special functions.

Date: 2026-11-23.  mpmath 1.3.0.  Run: pip install mpmath==1.3.0 && python3 elementary.py
Writes elementary.json and special.json beside itself.

Only the *values* of the functions are programmed here; derivatives are central differences with
1100 digits and steps of 1e-200 (1e-180 in the control run) times the scale on which the function
varies.  The two runs must agree to 60 digits, else the script stops.  So no derivative formula is
shared with the code under test.

unary: d holds the value and the derivatives of order 1, 2, 3.  sinc(x) is sin(x)/x, log is to the
base "param", trigamma is polygamma of order 1.
binary: d holds f, f_x, f_y, f_xx, f_xy, f_yy, where x is the first argument: atan2(x, y) has x as
ordinate, powd is x to the power y, rem has the sign of x.

All arguments are exact in binary64.  Arguments and results are strings: JSON readers round numbers
in their own way, str -> double conversion is exact.  null: the magnitude is not a normal binary64
number.  "0": exactly zero.
"""

import json
import math
import os
import sys

from mpmath import mp, mpf

mp.dps = 1100

LARGEST = mpf(sys.float_info.max)
SMALLEST = mpf(sys.float_info.min)
NOISE = mpf(10) ** -1080


def text(value, noise):
    """17 significant digits, enough to identify the nearest binary64 number."""
    if abs(value) <= noise:
        return "0"
    if abs(value) > LARGEST or abs(value) < SMALLEST:
        return None
    return mp.nstr(value, 17, strip_zeros=True, min_fixed=-5, max_fixed=17)


def agree(a, b, noise):
    return abs(a - b) <= noise or abs(a - b) <= mpf(10) ** -60 * abs(a)


def unary(f, x, scale):
    def run(step):
        h = mpf(scale) * step
        v = f(x)
        p1, m1, p2, m2 = f(x + h), f(x - h), f(x + 2 * h), f(x - 2 * h)
        size = max(abs(t) for t in (v, p1, m1, p2, m2))
        d = [v, (p1 - m1) / (2 * h), (p1 - 2 * v + m1) / h**2]
        d.append((p2 - 2 * p1 + 2 * m1 - m2) / (2 * h**3))
        return d, [size * NOISE / h**k for k in range(4)]

    a, na = run(mpf(10) ** -200)
    b, nb = run(mpf(10) ** -180)
    assert all(agree(u, v, max(s, t)) for u, v, s, t in zip(a, b, na, nb)), (x, a, b)
    return [text(u, s) for u, s in zip(a, na)]


def binary(f, x, y, sx, sy):
    def run(step):
        h, k = mpf(sx) * step, mpf(sy) * step
        v = f(x, y)
        xp, xm, yp, ym = f(x + h, y), f(x - h, y), f(x, y + k), f(x, y - k)
        pp, pm, mq, mm = f(x + h, y + k), f(x + h, y - k), f(x - h, y + k), f(x - h, y - k)
        size = max(abs(t) for t in (v, xp, xm, yp, ym))
        d = [v, (xp - xm) / (2 * h), (yp - ym) / (2 * k), (xp - 2 * v + xm) / h**2]
        d += [(pp - pm - mq + mm) / (4 * h * k), (yp - 2 * v + ym) / k**2]
        n = [1, h, k, h * h, h * k, k * k]
        return d, [size * NOISE / t for t in n]

    a, na = run(mpf(10) ** -200)
    b, nb = run(mpf(10) ** -180)
    assert all(agree(u, v, max(s, t)) for u, v, s, t in zip(a, b, na, nb)), (x, y, a, b)
    return [text(u, s) for u, s in zip(a, na)]


def lgamma(x):
    return mp.loggamma(x) if x > 0 else mp.log(abs(mp.gamma(x)))


def cbrt(x):
    return mp.cbrt(x) if x > 0 else -mp.cbrt(-x)


def sph(n):
    def f(x):
        return x**n / mp.fac2(2 * n + 1) * mp.hyp0f1(n + mpf(3) / 2, -x * x / 4)

    return f


def logistic(x):
    return 1 / (1 + mp.exp(-x))


def softplus(x):
    return mp.log1p(mp.exp(x))


def trunc(x):
    return mp.floor(x) if x >= 0 else mp.ceil(x)


BELOW_ONE = 1 - 2.0**-53
ABOVE_ONE = 1 + 2.0**-52
HALF_PI = math.pi / 2
WIDE = [0.015625, 0.5, -0.75, 1.265625, -2.5, 12.328125]
POSITIVE = [1e-300, 0.015625, 0.5, 1.265625, 2.5, 100.171875, 1e300]
UNIT = [2.0**-40, 0.015625, 0.5, -0.75, 0.984375, BELOW_ONE, -BELOW_ONE]

# Name, parameter, function, points, whether it varies on the scale of |x| (else on the scale 1).
UNARY = [
    ("neg", None, lambda x: -x, WIDE, False),
    ("recip", None, lambda x: 1 / x, WIDE + [1e-50, -1e75], True),
    ("exp", None, mp.exp, WIDE + [2.0**-60, 700.5, -700.5], False),
    ("exp2", None, lambda x: mpf(2) ** x, WIDE + [2.0**-60, 1000.5, -1000.5], False),
    ("exp_m1", None, mp.expm1, WIDE + [1e-200, 700.5, -40.5], False),
    ("ln", None, mp.log, POSITIVE + [ABOVE_ONE], True),
    ("log2", None, lambda x: mp.log(x) / mp.log(2), POSITIVE + [ABOVE_ONE], True),
    ("log10", None, lambda x: mp.log(x) / mp.log(10), POSITIVE + [ABOVE_ONE], True),
    ("log", 3, lambda x: mp.log(x) / mp.log(3), POSITIVE + [ABOVE_ONE], True),
    ("ln_1p", None, mp.log1p, [1e-200, 2.0**-40, 0.5, -0.75, 2.5, 1e10, -BELOW_ONE], False),
    ("sqrt", None, mp.sqrt, POSITIVE, True),
    ("cbrt", None, cbrt, POSITIVE + [-2.5], True),
    ("sin", None, mp.sin, WIDE + [1e-200, math.pi, 1e6], False),
    ("cos", None, mp.cos, WIDE + [1e-200, HALF_PI, 1e6], False),
    ("tan", None, mp.tan, WIDE + [1e-200, HALF_PI - 2.0**-20, 1e6], False),
    ("asin", None, mp.asin, UNIT, False),
    ("acos", None, mp.acos, UNIT, False),
    ("atan", None, mp.atan, WIDE + [2.0**-40, 1e20, -1e20], False),
    ("sinh", None, mp.sinh, WIDE + [2.0**-40, 700.5, -700.5], False),
    ("cosh", None, mp.cosh, WIDE + [2.0**-40, 700.5, -700.5], False),
    ("tanh", None, mp.tanh, WIDE + [2.0**-40, 20.5, 300.0, -300.0], False),
    ("asinh", None, mp.asinh, WIDE + [2.0**-40, 1e20, -1e20], False),
    ("acosh", None, mp.acosh, [ABOVE_ONE, 1.015625, 1.5, 2.5, 12.328125, 1e20], False),
    ("atanh", None, mp.atanh, UNIT, False),
    ("abs", None, abs, WIDE + [1e-200, -1e200], True),
    ("erf", None, mp.erf, WIDE + [2.0**-40, 5.5, -5.5], False),
    ("erfc", None, mp.erfc, WIDE + [2.0**-40, 5.5, 26.0], False),
    ("lgamma", None, lgamma, [2.0**-40, 0.5, 1.265625, 3.75, 100.5, 1e6, -0.5, -3.75], True),
    ("digamma", None, lambda x: mp.psi(0, x),
     [2.0**-40, 0.5, 1.265625, 3.75, 100.5, 1e6, -0.5, -3.75], True),
    ("trigamma", None, lambda x: mp.psi(1, x),
     [2.0**-40, 0.5, 1.265625, 3.75, 100.5, 1e6, -0.5, -3.75], True),
    ("logistic", None, logistic, WIDE + [2.0**-40, 36.5, -36.5, -700.5], False),
    ("softplus", None, softplus, WIDE + [2.0**-40, 36.5, -36.5, -700.5], False),
    ("sinc", None, sph(0), WIDE + [1e-200, 2.0**-40, 2.0**-13, math.pi, 100.5], False),
    ("sph_j0", None, sph(0), WIDE + [2.0**-40, 2.0**-13, math.pi, 100.5], False),
    ("sph_j1", None, sph(1), WIDE + [2.0**-40, 2.0**-13, 4.5, 100.5], False),
    ("sph_j2", None, sph(2), WIDE + [2.0**-40, 2.0**-13, 5.75, 100.5], False),
    ("sech_squared", None, lambda x: mp.sech(x) ** 2, WIDE + [2.0**-40, 20.5, 300.0, -300.0], False),
]
for n in (-3, -1, 0, 1, 2, 3, 7):
    UNARY.append(("powi", n, lambda x, n=n: x**n, WIDE + [2.0**-40, -1e30], True))
for c in (-1.5, 0.5, 1.0, 2.0, 2.5):
    UNARY.append(("powf", c, lambda x, c=c: mp.power(x, mpf(c)),
                  [2.0**-40, 0.015625, 0.5, 1.265625, 12.328125, 1e40], True))


def own(x, y):
    return abs(x), abs(y)


def joint(x, y):
    return (max(abs(x), abs(y)),) * 2


def unit(x, y):
    return 1, 1


def first_own(x, y):
    return abs(x), 1


PLANE = [(0.5, 1.25), (-2.5, 0.75), (3.015625, -1.5), (-0.015625, -12.5), (100.5, 0.5)]
HUGE = [(1e200, 1e200), (1e-200, 1e-200), (1e200, 3e199), (1e-200, -2e-200), (1e200, 1e-50)]

BINARY = [
    ("add", lambda x, y: x + y, PLANE, own),
    ("sub", lambda x, y: x - y, PLANE, own),
    ("mul", lambda x, y: x * y, PLANE + [(1e200, 1e-200)], own),
    ("div", lambda x, y: x / y, PLANE + HUGE + [(1e-200, 1e50), (3e-200, 1e-200)], own),
    ("rem", lambda x, y: x - y * trunc(x / y),
     [(5.5, 2.0), (-5.5, 2.0), (5.5, -2.0), (0.75, 1.5), (100.015625, 0.75)], own),
    ("powd", mp.power,
     [(0.5, 1.25), (2.5, -0.75), (1.265625, 3.0), (0.015625, 0.5), (12.5, 0.015625),
      (2.0**-40, 2.5), (ABOVE_ONE, 7.5)], first_own),
    ("atan2", mp.atan2, PLANE + HUGE + [(2.0**-40, 1.5), (1.5, 2.0**-40), (1e-200, -1e-200)], joint),
    ("hypot", lambda x, y: mp.sqrt(x * x + y * y),
     PLANE + HUGE + [(2.0**-40, 1.5), (1.5, -(2.0**-40))], joint),
    ("xlogy", lambda x, y: x * mp.log(y),
     [(0.5, 1.25), (-2.5, 0.75), (3.0, 0.015625), (0.015625, 12.5), (1.5, ABOVE_ONE),
      (2.0, 1e-100)], own),
    ("log_add_exp", lambda a, b: mp.log(mp.exp(a) + mp.exp(b)),
     [(0.5, 1.25), (1.25, 0.5), (-2.5, 0.75), (0.75, 0.75), (30.5, -5.25), (1000.5, 1001.25),
      (-1000.5, -999.25)], unit),
    ("copysign", lambda x, y: abs(x) if y > 0 else -abs(x), PLANE + [(1e200, -1e-200)], own),
    ("max", max, PLANE, own),
    ("min", min, PLANE, own),
]

POLYGAMMA_X = [2.0**-40, 0.0625, 0.75, 1.5, 3.984375, 9.515625, 31.984375, 1000.25, 1e6,
               -0.25, -0.75, -1.484375, -2.015625, -20.5625, -1000.75]
SPH_X = [1e-5, 0.25, 1.734375, 2.484375, 3.515625, 5.984375, 7.9375, 11.25, 19.546875, 29.984375,
         30.015625, 64.25, 1000.5]


def special():
    mp.dps = 60
    none = mpf(10) ** -2000
    gamma = [{"n": n, "x": repr(x), "v": text(mp.psi(n, mpf(x)), none)}
             for n in (0, 1, 2, 3, 4, 7, 12, 25, 40) for x in POLYGAMMA_X]
    bessel = [{"n": n, "x": repr(x), "v": text(sph(n)(mpf(x)), none)}
              for n in (0, 1, 2, 3, 5, 8, 13, 20, 30) for x in SPH_X]
    return {"polygamma": gamma, "sph_bessel": bessel}


def lines(rows):
    return ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    ones = []
    for op, param, f, points, own_scale in UNARY:
        rows = []
        for x in points:
            scale = min(1.0, abs(x)) if own_scale else 1.0
            if own_scale and op not in ("lgamma", "digamma", "trigamma"):
                scale = abs(x)
            rows.append({"x": repr(x), "d": unary(f, mpf(x), scale)})
        ones.append({"op": op, "param": param, "points": rows})
        print(op, param, file=sys.stderr)
    twos = []
    for op, f, points, scale in BINARY:
        rows = [{"x": repr(x), "y": repr(y), "d": binary(f, mpf(x), mpf(y), *scale(x, y))}
                for x, y in points]
        twos.append({"op": op, "points": rows})
        print(op, file=sys.stderr)
    with open(os.path.join(here, "elementary.json"), "w") as out:
        out.write('{"unary":[\n' + lines(ones) + '\n],"binary":[\n' + lines(twos) + "\n]}\n")
    extra = special()
    with open(os.path.join(here, "special.json"), "w") as out:
        out.write('{"polygamma":[\n' + lines(extra["polygamma"]) + '\n],"sph_bessel":[\n'
                  + lines(extra["sph_bessel"]) + "\n]}\n")


if __name__ == "__main__":
    main()
