// tract.rs - answers `run MODEL.onnx x` with tract, as remote.py describes calls.
mod call;
use call::{Array, Value};
use tract_onnx::prelude::*;

fn run(_: &str, values: &[Value]) -> TractResult<Vec<Array>> {
    let model = tract_onnx::onnx().model_for_path(values[0].word())?.into_optimized()?.into_runnable()?;
    let x = values[1].array();
    let y = model.run(tvec!(Tensor::from_shape(&x.shape, &x.data)?.into()))?.remove(0);
    let y = y.to_plain_array_view::<f32>()?;
    Ok(vec![Array { shape: y.shape().to_vec(), data: y.iter().cloned().collect() }])
}

fn main() {
    call::serve(run)
}
