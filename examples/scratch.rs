use std::time::Instant;
use wengert::prelude::*;
fn main() {
    let n = 5_000_000;
    for _ in 0..4 {
        let t = Instant::now();
        let mut rec = 0.0;
        let g = gradient(
            |x| {
                let (a, b) = (x[0], x[1]);
                let mut s = a;
                for _ in 0..n {
                    s = s * a + b;
                }
                rec = t.elapsed().as_secs_f64();
                s
            },
            &[0.7, 0.4],
        )
        .unwrap();
        let total = t.elapsed().as_secs_f64();
        println!(
            "record {:.2} sweep {:.2} ns/op {:?}",
            rec * 1e9 / (2.0 * n as f64),
            (total - rec) * 1e9 / (2.0 * n as f64),
            g
        );
    }
}
