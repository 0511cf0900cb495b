use std::time::Instant;
use wengert::prelude::*;
fn tri(d: usize) -> usize {
    d * (d + 1) / 2
}
fn gmm<S: Scalar>(x: &[S], d: usize, k: usize, data: &[f64]) -> S {
    let (alphas, rest) = x.split_at(k);
    let (means, icf) = rest.split_at(k * d);
    let mut rows = Vec::with_capacity(icf.len());
    let mut bases = Vec::with_capacity(k);
    for (alpha, icf) in alphas.iter().zip(icf.chunks_exact(tri(d))) {
        let (q, l) = icf.split_at(d);
        for (r, q) in q.iter().enumerate() {
            rows.extend((0..r).map(|c| l[c * (2 * d - c - 1) / 2 + r - c - 1]));
            rows.push(q.exp());
        }
        let sum_q = S::sum_of(q.iter().copied());
        bases.push(*alpha + sum_q);
    }
    let mut centred = vec![S::from(0.0); d];
    let mut mapped = vec![S::from(0.0); d];
    let mut terms = vec![S::from(0.0); k];
    S::sum_of(data.chunks_exact(d).map(|point| {
        let components = means.chunks_exact(d).zip(rows.chunks_exact(tri(d)));
        for ((term, base), (mean, factor)) in terms.iter_mut().zip(&bases).zip(components) {
            for ((centred, mean), x) in centred.iter_mut().zip(mean).zip(point) {
                *centred = *mean - *x;
            }
            let mut factor = factor;
            for (r, mapped) in mapped.iter_mut().enumerate() {
                let (row, below) = factor.split_at(r + 1);
                factor = below;
                *mapped = S::dot_of(row.iter().copied().zip(centred.iter().copied()));
            }
            *term = *base - S::squared_norm_of(mapped.iter().copied()) * 0.5;
        }
        S::log_sum_exp_of(terms.iter().copied())
    }))
}
fn main() {
    let (d, k, n) = (10, 25, 1000);
    let data: Vec<f64> = (0..d * n)
        .map(|i| ((i * 7919) % 1000) as f64 / 1000.0)
        .collect();
    let x: Vec<f64> = (0..k * (1 + d + tri(d)))
        .map(|i| ((i * 104729) % 997) as f64 / 997.0)
        .collect();
    let mut f = PreparedGradient::new(|x: &[Var<f64>]| gmm(x, d, k, &data), x.len());
    let mut g = vec![0.0; x.len()];
    for _ in 0..60 {
        let t = Instant::now();
        let v = gmm(std::hint::black_box(&x), d, k, &data);
        let plain = t.elapsed().as_secs_f64();
        let t = Instant::now();
        let w = f
            .value_and_gradient_into(std::hint::black_box(&x), &mut g)
            .unwrap();
        let s = t.elapsed().as_secs_f64();
        println!(
            "plain {:.2} ms grad {:.2} ms  {} {} {}",
            plain * 1e3,
            s * 1e3,
            v,
            w,
            g[3]
        );
    }
    let p = Pullback::record(|x| [gmm(x, d, k, &data)], &x).unwrap();
    let mut w = wengert::reverse::Workspace::new();
    for _ in 0..3 {
        let t = Instant::now();
        p.vjp_into(&[1.0], &mut w, &mut g).unwrap();
        println!(
            "sweep {:.2} ms, {} MB, {} st",
            t.elapsed().as_secs_f64() * 1e3,
            p.tape_bytes() / 1000000,
            p.statements()
        );
    }
}
