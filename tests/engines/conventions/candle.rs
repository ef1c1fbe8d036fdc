// candle.rs - answers the calls that remote.py describes with candle_core and candle_nn.
mod call;
use call::{Array, Value};
use candle_core::{bail, Device, Result, Tensor, Var};
use candle_nn::{ops, AdamW, BatchNorm, BatchNormConfig, ModuleT, Optimizer, ParamsAdamW, VarBuilder, VarMap};

fn tensor(a: &Array) -> Result<Tensor> {
    Tensor::from_vec(a.data.clone(), a.shape.as_slice(), &Device::Cpu)
}
fn nchw(a: &Array) -> Result<Tensor> {
    tensor(a)?.permute((0, 3, 1, 2))?.contiguous()
}
fn array(t: &Tensor) -> Result<Array> {
    Ok(Array { shape: t.dims().to_vec(), data: t.flatten_all()?.to_vec1()? })
}
fn nhwc(t: &Tensor) -> Result<Array> {
    array(&t.permute((0, 2, 3, 1))?.contiguous()?)
}

fn conv(x: &Array, kernel: &Array, strides: usize, padding: &Value) -> Result<Tensor> {
    let padding = match padding {
        Value::Number(p) => *p as usize,
        Value::Word(w) if w == "valid" => 0,
        _ => bail!("no such padding"),
    };
    let kernel = tensor(kernel)?.permute((3, 2, 0, 1))?.contiguous()?;
    nchw(x)?.conv2d(&kernel, padding, strides, 1, 1)
}

fn gradient(x: Tensor, dy: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let x = Var::from_tensor(&x)?;
    let slopes = (f(&x)? * dy)?.sum_all()?.backward()?;
    Ok(slopes.get(&x).unwrap().clone())
}

/// gamma, beta, mean, variance; the layer as its builder makes it
fn norm(v: &[Value], config: BatchNormConfig) -> Result<BatchNorm> {
    let map = VarMap::new();
    let builder = VarBuilder::from_varmap(&map, candle_core::DType::F32, &Device::Cpu);
    let layer = candle_nn::batch_norm(v[0].array().data.len(), config, builder)?;
    let held = map.data().lock().unwrap();
    for (name, value) in ["weight", "bias", "running_mean", "running_var"].iter().zip(v) {
        held[*name].set(&tensor(value.array())?)?;
    }
    Ok(layer)
}

fn batch_norm(v: &[Value]) -> Result<Vec<Array>> {
    let mut config = BatchNormConfig::default();
    config.momentum = v[6].number().unwrap_or(config.momentum);
    config.eps = v[7].number().unwrap_or(config.eps);
    let layer = norm(&v[2..6], config)?;
    let (x, training) = (v[0].array(), v[1].word() == "True");
    let y = match x.shape.len() {
        4 => nhwc(&layer.forward_t(&nchw(x)?, training)?)?,
        _ => array(&layer.forward_t(&tensor(x)?, training)?)?,
    };
    Ok(vec![y, array(layer.running_mean())?, array(layer.running_var())?])
}

/// AdamW without decay
fn adam(v: &[Value]) -> Result<Array> {
    let p = Var::from_tensor(&tensor(v[0].array())?)?;
    let mut settings = ParamsAdamW { weight_decay: 0.0, ..Default::default() };
    settings.lr = v[2].number().unwrap_or(settings.lr);
    settings.eps = v[3].number().unwrap_or(settings.eps);
    let mut optimizer = AdamW::new(vec![p.clone()], settings)?;
    let gradients = tensor(v[1].array())?;
    for step in 0..gradients.dim(0)? {
        optimizer.backward_step(&(p.as_tensor() * gradients.get(step)?)?.sum_all()?)?;
    }
    array(&p)
}

fn answer(name: &str, v: &[Value]) -> Result<Vec<Array>> {
    if name.ends_with("pool") && v[3].word() != "valid" {
        bail!("missing no padding in pools");
    }
    let x = v[0].array();
    Ok(vec![match name {
        "conv" => nhwc(&conv(x, v[1].array(), v[2].count(), &v[3])?)?,
        "max_pool" => nhwc(&nchw(x)?.max_pool2d_with_stride(v[1].count(), v[2].count())?)?,
        "average_pool" => nhwc(&nchw(x)?.avg_pool2d_with_stride(v[1].count(), v[2].count())?)?,
        "max_pool_grad" => nhwc(&gradient(nchw(x)?, &nchw(v[1].array())?,
                                          |x| x.max_pool2d_with_stride(v[2].count(), v[3].count()))?)?,
        "relu" => array(&tensor(x)?.relu()?)?,
        "relu_grad" => array(&gradient(tensor(x)?, &tensor(v[1].array())?, |x| x.relu())?)?,
        "sigmoid" => array(&ops::sigmoid(&tensor(x)?)?)?,
        "hard_sigmoid" => array(&ops::hard_sigmoid(&tensor(x)?)?)?,
        "leaky_relu" => bail!("missing no default"),
        "batch_norm" => return batch_norm(v),
        "adam" => adam(v)?,
        "conv_bn" => {
            let y = conv(x, v[1].array(), 1, &Value::Number(0.0))?;
            nhwc(&norm(&v[2..6], BatchNormConfig::default())?.forward_t(&y, false)?)?
        }
        _ => bail!("missing no {name}"),
    }])
}

fn main() {
    call::serve(answer)
}
