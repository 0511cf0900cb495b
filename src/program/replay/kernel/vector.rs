//! The interpreter of vector code: one dispatch serves `U` registers, so `U W` lanes.
//!
//! With one register per dispatch the interpreter would spend most of its time on dispatching.

use pulp::{Simd, WithSimd};

use super::super::code::{Entry, Exit, Instruction, Opcode, Sequential, Unit, VECTOR};
use super::Report;
use super::files::Files;
use super::scalar::{step, value_of};
use crate::elementary::{self as rules, Unary, vector as math};
use crate::scalar::Short;

/// The numbers of the lanes of a register, and their number.
const LANES: [f64; 9] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];

/// Code to be run with `L` lanes in `U` registers.
pub(super) struct Body<'a, 'f, const U: usize, const L: usize, const FMA: bool> {
    pub(super) unit: &'a Unit,
    pub(super) code: &'a [Instruction],
    pub(super) files: &'a mut Files<'f>,
    pub(super) report: &'a mut Report,
}

impl<const U: usize, const L: usize, const FMA: bool> WithSimd for Body<'_, '_, U, L, FMA> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        debug_assert_eq!(L, U * S::F64_LANES);
        run::<S, U, L, FMA>(simd, self.unit, self.code, self.files, self.report);
    }
}

/// Runs code with `L` lanes in `U` registers.
#[inline(always)]
fn run<S: Simd, const U: usize, const L: usize, const FMA: bool>(
    simd: S,
    unit: &Unit,
    code: &[Instruction],
    files: &mut Files<'_>,
    report: &mut Report,
) {
    let zero = simd.splat_f64s(0.0);
    let one = simd.splat_f64s(1.0);
    for i in code {
        if i.dst & VECTOR == 0 && !matches!(i.op, Opcode::Loop | Opcode::Guard) {
            step(unit, i, files.u, 0.0);
            continue;
        }
        let shared: &Files<'_> = files;
        let u: &[f64] = shared.u;
        // SAFETY (of the blocks below): `register` points to U registers; an instruction never writes to a slot that it reads.
        let register = |slot: u32| shared.register::<S, L>(slot);
        let scalar = |slot: u32| -> S::f64s {
            debug_assert!((slot as usize) < u.len());
            simd.splat_f64s(unsafe { *u.get_unchecked(slot as usize) })
        };
        let fetch = |operand: u32, j: usize| -> S::f64s {
            if operand & VECTOR != 0 {
                unsafe { *register(operand).add(j) }
            } else {
                scalar(operand)
            }
        };
        let dst = register(i.dst);
        macro_rules! unary {
            (|$a:ident| $value:expr) => {{
                let a = register(i.a);
                for j in 0..U {
                    let $a = unsafe { *a.add(j) };
                    unsafe { *dst.add(j) = $value };
                }
            }};
        }
        macro_rules! math {
            ($function:ident) => {{
                let x = unsafe { &*register(i.a).cast::<[f64; L]>() };
                let out = unsafe { &mut *dst.cast::<[f64; L]>() };
                math::$function::<FMA, L>(x, out);
            }};
        }
        macro_rules! each_pair {
            ($lhs:expr, $rhs:expr, |$j:ident, $a:ident, $b:ident| $work:expr) => {{
                let (lhs, rhs): (u32, u32) = ($lhs, $rhs);
                if lhs & rhs & VECTOR != 0 {
                    let (a, b) = (register(lhs), register(rhs));
                    for $j in 0..U {
                        let ($a, $b) = unsafe { (*a.add($j), *b.add($j)) };
                        $work;
                    }
                } else if lhs & VECTOR != 0 {
                    let (a, $b) = (register(lhs), scalar(rhs));
                    for $j in 0..U {
                        let $a = unsafe { *a.add($j) };
                        $work;
                    }
                } else {
                    let $a = scalar(lhs);
                    for $j in 0..U {
                        let $b = fetch(rhs, $j);
                        $work;
                    }
                }
            }};
        }
        macro_rules! binary {
            (|$a:ident, $b:ident| $value:expr) => {
                each_pair!(i.a, i.b, |j, $a, $b| unsafe { *dst.add(j) = $value })
            };
        }
        let pool = || &unit.pool[i.a as usize..(i.a + i.b) as usize];
        macro_rules! each_register {
            ($operand:expr, |$j:ident, $x:ident| $work:expr) => {{
                let operand: u32 = $operand;
                if operand & VECTOR != 0 {
                    let x = register(operand);
                    for $j in 0..U {
                        let $x = unsafe { *x.add($j) };
                        $work;
                    }
                } else {
                    let $x = scalar(operand);
                    for $j in 0..U {
                        $work;
                    }
                }
            }};
        }
        // All registers of an operand, which then stay in registers.
        let all = |operand: u32| -> [S::f64s; U] { std::array::from_fn(|j| fetch(operand, j)) };
        macro_rules! ternary {
            (|$a:ident, $b:ident, $c:ident| $value:expr) => {{
                let (a, b, c) = (all(i.a), all(i.b), all(i.c));
                for j in 0..U {
                    let ($a, $b, $c) = (a[j], b[j], c[j]);
                    unsafe { *dst.add(j) = $value };
                }
            }};
        }
        let store = |values: [S::f64s; U]| {
            for (j, value) in values.into_iter().enumerate() {
                unsafe { *dst.add(j) = value };
            }
        };
        let mask = |m: S::m64s| simd.select_f64s(m, one, zero);
        let not_zero = |x: S::f64s| simd.not_m64s(simd.equal_f64s(x, zero));
        match i.op {
            Opcode::Copy => unary!(|a| a),
            Opcode::Neg => unary!(|a| simd.neg_f64s(a)),
            Opcode::Recip => unary!(|a| simd.div_f64s(one, a)),
            Opcode::Sqrt => unary!(|a| simd.sqrt_f64s(a)),
            Opcode::Abs => unary!(|a| simd.abs_f64s(a)),
            Opcode::Square => unary!(|a| simd.mul_f64s(a, a)),
            Opcode::Not => unary!(|a| mask(simd.equal_f64s(a, zero))),
            Opcode::Exp => math!(exp),
            Opcode::Exp2 => math!(exp2),
            Opcode::Log2 => math!(log2),
            Opcode::Log10 => math!(log10),
            Opcode::Cbrt => math!(cbrt),
            Opcode::Atanh => math!(atanh),
            Opcode::Softplus => math!(softplus),
            Opcode::Asinh => math!(asinh),
            Opcode::Acosh => math!(acosh),
            Opcode::ExpM1 => math!(exp_m1),
            Opcode::Ln => math!(ln),
            Opcode::Ln1p => math!(ln_1p),
            Opcode::Sin => math!(sin),
            Opcode::Cos => math!(cos),
            Opcode::Tan => math!(tan),
            Opcode::Asin => math!(asin),
            Opcode::Acos => math!(acos),
            Opcode::Atan => math!(atan),
            Opcode::Sinh => math!(sinh),
            Opcode::Cosh => math!(cosh),
            Opcode::Tanh => math!(tanh),
            Opcode::SechSquared => math!(sech_squared),
            Opcode::Logistic => math!(logistic),
            Opcode::Add => binary!(|a, b| simd.add_f64s(a, b)),
            Opcode::Sub => binary!(|a, b| simd.sub_f64s(a, b)),
            Opcode::Mul => binary!(|a, b| simd.mul_f64s(a, b)),
            Opcode::Div => binary!(|a, b| simd.div_f64s(a, b)),
            Opcode::Domain => binary!(|a, b| {
                let valid = simd.equal_f64s(a, a);
                simd.select_f64s(valid, b, simd.splat_f64s(f64::NAN))
            }),
            Opcode::Less => binary!(|a, b| mask(simd.less_than_f64s(a, b))),
            Opcode::LessEqual => binary!(|a, b| mask(simd.less_than_or_equal_f64s(a, b))),
            Opcode::Equal => binary!(|a, b| mask(simd.equal_f64s(a, b))),
            // Masks are 1 and 0.
            Opcode::And => binary!(|a, b| mask(simd.and_m64s(not_zero(a), not_zero(b)))),
            Opcode::Or => binary!(|a, b| mask(simd.or_m64s(not_zero(a), not_zero(b)))),
            Opcode::Pow | Opcode::Atan2 | Opcode::Hypot => {
                let array = |operand: u32| -> [f64; L] {
                    if operand & VECTOR != 0 {
                        unsafe { *register(operand).cast::<[f64; L]>() }
                    } else {
                        [u[operand as usize]; L]
                    }
                };
                let (a, b) = (array(i.a), array(i.b));
                let out = unsafe { &mut *dst.cast::<[f64; L]>() };
                match i.op {
                    Opcode::Pow => math::pow::<FMA, L>(&a, &b, out),
                    Opcode::Atan2 => math::atan2::<FMA, L>(&a, &b, out),
                    _ => math::hypot::<FMA, L>(&a, &b, out),
                }
            }
            Opcode::MulAdd => {
                if FMA {
                    ternary!(|a, b, c| simd.mul_add_f64s(a, b, c));
                } else {
                    lanes::<L>(unit, i, &[i.a, i.b, i.c], files);
                }
            }
            Opcode::MulPlus if FMA && unit.fuses => {
                ternary!(|a, b, c| simd.mul_add_f64s(a, b, c));
            }
            Opcode::MulPlus => ternary!(|a, b, c| simd.add_f64s(simd.mul_f64s(a, b), c)),
            Opcode::MulMinus if FMA && unit.fuses => {
                ternary!(|a, b, c| simd.mul_add_f64s(a, b, simd.neg_f64s(c)));
            }
            Opcode::MulMinus => ternary!(|a, b, c| simd.sub_f64s(simd.mul_f64s(a, b), c)),
            Opcode::MinusMul if FMA && unit.fuses => {
                ternary!(|a, b, c| simd.mul_add_f64s(simd.neg_f64s(a), b, c));
            }
            Opcode::MinusMul => ternary!(|a, b, c| simd.sub_f64s(c, simd.mul_f64s(a, b))),
            Opcode::Select => ternary!(|a, b, c| simd.select_f64s(not_zero(c), a, b)),
            Opcode::Gate => {
                ternary!(|a, b, c| simd.select_f64s(not_zero(c), simd.mul_f64s(a, b), zero));
            }
            Opcode::Sum => {
                let (first, rest) = pool().split_at(1);
                let mut sum = all(first[0]);
                for operand in rest {
                    each_register!(*operand, |j, x| sum[j] = simd.add_f64s(sum[j], x));
                }
                store(sum);
            }
            Opcode::Dot => {
                let (first, rest) = pool().split_at(2);
                let (mut sum, b) = (all(first[0]), all(first[1]));
                for j in 0..U {
                    sum[j] = simd.mul_f64s(sum[j], b[j]);
                }
                if FMA && unit.fuses {
                    for pair in rest.chunks_exact(2) {
                        each_pair!(pair[0], pair[1], |j, a, b| sum[j] =
                            simd.mul_add_f64s(a, b, sum[j]));
                    }
                } else {
                    for pair in rest.chunks_exact(2) {
                        each_pair!(pair[0], pair[1], |j, a, b| sum[j] =
                            simd.add_f64s(sum[j], simd.mul_f64s(a, b)));
                    }
                }
                store(sum);
            }
            Opcode::SquaredNorm => {
                let (first, rest) = pool().split_at(1);
                let mut sum = all(first[0]);
                for x in &mut sum {
                    *x = simd.mul_f64s(*x, *x);
                }
                for operand in rest {
                    each_register!(*operand, |j, x| sum[j] =
                        simd.add_f64s(sum[j], simd.mul_f64s(x, x)));
                }
                store(sum);
            }
            Opcode::MaxOf | Opcode::LogSumExp => {
                let pool = pool();
                let (first, rest) = pool.split_at(1);
                let mut largest = all(first[0]);
                for operand in rest {
                    each_register!(*operand, |j, x| {
                        let is_larger = simd.greater_than_f64s(x, largest[j]);
                        largest[j] = simd.select_f64s(is_larger, x, largest[j]);
                    });
                }
                store(largest);
                if i.op == Opcode::LogSumExp {
                    let largest = unsafe { *dst.cast::<[f64; L]>() };
                    let mut sum = [-0.0; L];
                    for operand in pool {
                        let mut x = [0.0; L];
                        if operand & VECTOR != 0 {
                            x = unsafe { *register(*operand).cast::<[f64; L]>() };
                        } else {
                            x.fill(u[*operand as usize]);
                        }
                        for l in 0..L {
                            x[l] -= largest[l];
                        }
                        let mut term = [0.0; L];
                        math::exp::<FMA, L>(&x, &mut term);
                        for l in 0..L {
                            sum[l] += term[l];
                        }
                    }
                    let mut ln = [0.0; L];
                    math::ln::<FMA, L>(&sum, &mut ln);
                    let out = unsafe { &mut *dst.cast::<[f64; L]>() };
                    for l in 0..L {
                        out[l] = largest[l] + ln[l];
                    }
                }
                // Zeros of both signs, NaN and infinities are left to the scalar rule.
                let out = unsafe { &*dst.cast::<[f64; L]>() };
                let is_special = |x: &f64| {
                    if i.op == Opcode::MaxOf {
                        *x == 0.0 || x.is_nan()
                    } else {
                        !x.is_finite()
                    }
                };
                if out.iter().any(is_special) {
                    lanes::<L>(unit, i, pool, files);
                }
            }
            Opcode::Powi => lanes::<L>(unit, i, &[i.a], files),
            Opcode::General | Opcode::Custom => lanes::<L>(unit, i, pool(), files),
            Opcode::LastAdd
            | Opcode::LastSub
            | Opcode::SubLast
            | Opcode::LastMul
            | Opcode::LastMulPlus
            | Opcode::MulPlusLast
            | Opcode::LastMulMinus
            | Opcode::MulMinusLast
            | Opcode::MinusLastMul
            | Opcode::LastMinusMul => unreachable!("only scalar units are linked"),
            Opcode::Loop => {
                simd.vectorize(Loop::<U, L, FMA> {
                    unit,
                    this: &unit.sequential[i.a as usize],
                    files,
                    report,
                });
            }
            Opcode::Guard => {
                for lane in 0..files.active {
                    let values = [i.b, i.c].map(|operand| files.number::<L>(operand, lane));
                    report.check(unit, files.base + lane, i, values);
                }
            }
        }
    }
}

/// Computes an operation lane by lane.
#[inline(never)]
fn lanes<const L: usize>(unit: &Unit, i: &Instruction, operands: &[u32], files: &mut Files<'_>) {
    let mut args = Short::<f64>::new();
    for lane in 0..L {
        args.clear();
        args.extend(
            operands
                .iter()
                .map(|operand| files.number::<L>(*operand, lane)),
        );
        let value = match i.op {
            Opcode::Powi => rules::Powi(i.b.cast_signed()).value(args[0]),
            Opcode::MulAdd => args[0].mul_add(args[1], args[2]),
            _ => value_of(unit, i, &args),
        };
        files.numbers::<L>(i.dst)[lane] = value;
    }
}

/// A sequential loop to be run with `L` lanes in `U` registers.
struct Loop<'a, 'f, const U: usize, const L: usize, const FMA: bool> {
    unit: &'a Unit,
    this: &'a Sequential,
    files: &'a mut Files<'f>,
    report: &'a mut Report,
}

impl<const U: usize, const L: usize, const FMA: bool> WithSimd for Loop<'_, '_, U, L, FMA> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            unit,
            this,
            files,
            report,
        } = self;
        for step in 0..this.iterations {
            let i = if this.is_reversed {
                this.iterations - 1 - step
            } else {
                step
            };
            for entry in &this.entries {
                match entry {
                    Entry::Lane { from, to } => copy::<S, U, L>(simd, files, from.operand(i), *to),
                    Entry::Data { from, to } => files.u[*to as usize] = from[i],
                    Entry::Carried { initial, next, to } => {
                        let from = if step == 0 { *initial } else { *next };
                        copy::<S, U, L>(simd, files, from, *to);
                    }
                }
            }
            simd.vectorize(Body::<U, L, FMA> {
                unit,
                code: &this.code,
                files,
                report,
            });
            for exit in &this.exits {
                match exit {
                    Exit::Sum { from, to } if step > 0 => add::<S, U, L>(simd, files, *from, *to),
                    Exit::Sum { from, to } | Exit::Last { from, to } => {
                        copy::<S, U, L>(simd, files, *from, *to);
                    }
                    Exit::Each { from, to } => copy::<S, U, L>(simd, files, *from, to.operand(i)),
                    Exit::Accumulate { from, to } => {
                        accumulate::<S, U, L>(simd, files, *from, to.at(i));
                    }
                    Exit::AccumulateProduct { from: (a, b), to } => {
                        accumulate_product::<S, U, L, FMA>(simd, files, (*a, *b), to.at(i));
                    }
                }
            }
        }
    }
}

/// Register `j` of an operand.
#[inline(always)]
fn load<S: Simd, const L: usize>(simd: S, files: &Files<'_>, operand: u32, j: usize) -> S::f64s {
    if operand & VECTOR == 0 {
        simd.splat_f64s(files.u[operand as usize])
    } else {
        // SAFETY: a slot has all registers.
        unsafe { *files.register::<S, L>(operand).add(j) }
    }
}

/// Copies an operand to a slot.
#[inline(always)]
fn copy<S: Simd, const U: usize, const L: usize>(
    simd: S,
    files: &mut Files<'_>,
    from: u32,
    to: u32,
) {
    if to & VECTOR == 0 {
        files.u[to as usize] = files.u[from as usize];
        return;
    }
    for j in 0..U {
        let value = load::<S, L>(simd, files, from, j);
        // SAFETY: a slot has all registers.
        unsafe { *files.register::<S, L>(to).add(j) = value };
    }
}

/// Adds an operand to a slot.
#[inline(always)]
fn add<S: Simd, const U: usize, const L: usize>(
    simd: S,
    files: &mut Files<'_>,
    from: u32,
    to: u32,
) {
    if to & VECTOR == 0 {
        files.u[to as usize] += files.u[from as usize];
        return;
    }
    for j in 0..U {
        let sum = load::<S, L>(simd, files, to, j);
        let sum = simd.add_f64s(sum, load::<S, L>(simd, files, from, j));
        // SAFETY: a slot has all registers.
        unsafe { *files.register::<S, L>(to).add(j) = sum };
    }
}

/// Adds the active lanes of an operand to an accumulator of one register.
#[inline(always)]
pub(super) fn accumulate<S: Simd, const U: usize, const L: usize>(
    simd: S,
    files: &mut Files<'_>,
    from: u32,
    accumulator: usize,
) {
    let at = |j: usize| load::<S, L>(simd, files, from, j);
    let sum = if files.active == L {
        (1..U).fold(at(0), |sum, j| simd.add_f64s(sum, at(j)))
    } else {
        sum_active::<S, U>(simd, files.active, at)
    };
    add_to_accumulator(simd, files, sum, accumulator);
}

/// Adds the active lanes of a product to an accumulator of one register.
#[inline(always)]
fn accumulate_product<S: Simd, const U: usize, const L: usize, const FMA: bool>(
    simd: S,
    files: &mut Files<'_>,
    (a, b): (u32, u32),
    accumulator: usize,
) {
    let at = |operand: u32, j: usize| load::<S, L>(simd, files, operand, j);
    let product = |j: usize| simd.mul_f64s(at(a, j), at(b, j));
    let sum = if files.active == L {
        (1..U).fold(product(0), |sum, j| {
            if FMA {
                simd.mul_add_f64s(at(a, j), at(b, j), sum)
            } else {
                simd.add_f64s(sum, product(j))
            }
        })
    } else {
        sum_active::<S, U>(simd, files.active, product)
    };
    add_to_accumulator(simd, files, sum, accumulator);
}

/// The sum over the registers, lane by lane, of the active lanes alone.
#[inline(always)]
fn sum_active<S: Simd, const U: usize>(
    simd: S,
    active: usize,
    at: impl Fn(usize) -> S::f64s,
) -> S::f64s {
    // Adding -0 changes nothing.
    let nothing = simd.splat_f64s(-0.0);
    let mut sum = nothing;
    for j in 0..U {
        let lanes = active.saturating_sub(j * S::F64_LANES).min(S::F64_LANES);
        // The lanes of a register are numbered; those below the number of active ones count.
        let numbers = simd.partial_load_f64s(&LANES[..S::F64_LANES]);
        let count = simd.splat_f64s(LANES[lanes]);
        let is_active = simd.less_than_f64s(numbers, count);
        sum = simd.add_f64s(sum, simd.select_f64s(is_active, at(j), nothing));
    }
    sum
}

#[inline(always)]
fn add_to_accumulator<S: Simd>(simd: S, files: &mut Files<'_>, sum: S::f64s, accumulator: usize) {
    let start = accumulator * S::F64_LANES;
    debug_assert!(start + S::F64_LANES <= files.len.1);
    // SAFETY: there is an accumulator of one register for every sum.
    unsafe {
        let to = files.accumulators.add(start).cast::<S::f64s>();
        *to = simd.add_f64s(*to, sum);
    }
}
