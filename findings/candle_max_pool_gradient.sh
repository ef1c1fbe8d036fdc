#!/bin/sh
# candle: the gradient of a 2x2 max pooling is a quarter of what it should be. Each window's gradient is multiplied by
# the share of its cells that are the largest: 1/4 for one; where all four are equal each gets the whole.
#
# Takes cargo; the build, some ten minutes.
#
# And where the windows leave a row over (size 5), gradients go to cells that are in no window: those of the average
# pooling too, which is right otherwise.
#
# Seen with candle-core 0.11.1, gradients of the sum of all results:
#     max pooling 2x2 of 4x4, all cells different   gradients sum to 1      (right: 4)   largest gradient 0.25
#     max pooling 4x4 of 4x4, all cells different   gradients sum to 0.0625 (right: 1)   largest gradient 0.0625
#     max pooling 2x2 of 4x4, all cells equal       gradients sum to 16     (right: 4 in most libraries)
#     average pooling 2x2 of 5x5                    gradients of the last row: 0.25 0.25 0.25 0.25 0.25   (right: 0)
#
# Why one would guess otherwise: of one largest cell the derivative is 1, beyond all conventions about equal ones; the
# forward pass is right, so that imported networks answer as they should; and a network with such layers still learns,
# since what it loses is the size of gradients, which Adam divides out again.
# Who meets it: whoever trains or fine-tunes a convolutional network: behind three poolings the gradients of the first
# layers are 64 times too small against those of the last, SGD's learning rate is off by that, weight decay and the
# epsilon of Adam weigh 64 times as much, and a comparison with PyTorch fails at the first pooling.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
cd "$folder"
export CARGO_HOME="$folder/cargo"
mkdir src
cat > Cargo.toml <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
candle-core = "=0.11.1"

[profile.dev]
debug = false
END
cat > src/main.rs <<'END'
use candle_core::{Device, Result, Tensor, Var};

/// The gradient of the sum of f(x), as a list.
fn gradients(x: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Vec<f32>> {
    let x = Var::from_tensor(x)?;
    let all = f(&x)?.sum_all()?.backward()?;
    all.get(&x).unwrap().flatten_all()?.to_vec1()
}

fn main() -> Result<()> {
    println!("candle-core 0.11.1");
    let different = Tensor::arange(0f32, 16f32, &Device::Cpu)?.reshape((1, 1, 4, 4))?;
    let sum = |g: &[f32]| g.iter().sum::<f32>();
    let largest = |g: &[f32]| g.iter().cloned().fold(0f32, f32::max);

    let four = gradients(&different, |x| x.max_pool2d(2))?;
    println!("max pooling 2x2 of 4x4, all cells different   gradients sum to {:<6} (right: 4)   largest gradient {}",
             sum(&four), largest(&four));
    let one = gradients(&different, |x| x.max_pool2d(4))?;
    println!("max pooling 4x4 of 4x4, all cells different   gradients sum to {:<6} (right: 1)   largest gradient {}",
             sum(&one), largest(&one));
    let equal = gradients(&different.ones_like()?, |x| x.max_pool2d(2))?;
    println!("max pooling 2x2 of 4x4, all cells equal       gradients sum to {:<6} (right: 4 in most libraries)",
             sum(&equal));
    let odd = Tensor::arange(0f32, 25f32, &Device::Cpu)?.reshape((1, 1, 5, 5))?;
    let average = gradients(&odd, |x| x.avg_pool2d(2))?;
    let last: Vec<String> = average[20..].iter().map(|g| g.to_string()).collect();
    println!("average pooling 2x2 of 5x5                    gradients of the last row: {}   (right: 0)",
             last.join(" "));

    if sum(&four) != 1.0 || average[24] == 0.0 {
        println!("CHANGED: the gradient of a largest cell is 1, or cells outside of all windows have none");
        std::process::exit(1);
    }
    Ok(())
}
END
cargo build --quiet >log 2>&1 || { tail -n 5 log; exit 1; }
target/debug/finding
