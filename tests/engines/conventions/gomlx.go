// gomlx.go - answers the calls that remote.py describes with gomlx on its backend in Go.
package main

import (
	"github.com/gomlx/gomlx/backends"
	_ "github.com/gomlx/gomlx/backends/simplego"
	. "github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	"github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/gomlx/pkg/ml/layers/activations"
	"github.com/gomlx/gomlx/pkg/ml/layers/batchnorm"
	"github.com/gomlx/gomlx/pkg/ml/train/optimizers"
)

var backend = backends.MustNew()

func tensor(a array) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(a.data, a.shape...)
}

func of(t *tensors.Tensor) array {
	return array{t.Shape().Dimensions, tensors.MustCopyFlatData[float32](t)}
}

func run(f func(*Node) *Node, x array) array {
	return of(MustExecOnce(backend, f, tensor(x)))
}

func gradient(f func(*Node) *Node, x, dy array) array {
	return of(MustExecOnce(backend, func(x, dy *Node) *Node {
		return Gradient(ReduceAllSum(Mul(f(x), dy)), x)[0]
	}, tensor(x), tensor(dy)))
}

func both(padding float64) [][2]int {
	p := int(padding)
	return [][2]int{{p, p}, {p, p}}
}

func conv(x, kernel *Node, strides float64, padding value) *Node {
	made := Convolve(x, kernel).Strides(int(strides))
	if p, ok := padding.(float64); ok {
		return made.PaddingPerDim(both(p)).Done()
	}
	if padding == "same" {
		return made.PadSame().Done()
	}
	return made.Done()
}

func pooled(pool *PoolBuilder, size, strides float64, padding value) *Node {
	pool = pool.Window(int(size)).Strides(int(strides))
	if p, ok := padding.(float64); ok {
		return pool.PaddingPerDim(both(p)).Done()
	}
	if padding == "same" {
		return pool.PadSame().Done()
	}
	return pool.Done()
}

var names = []string{"scale", "offset", "mean", "variance"}

// norm takes gamma, beta, mean, variance, as after many steps: in the first ones the moving averages are plain
// averages.
func norm(v []value, momentum, epsilon value) (*context.Context, func(*context.Context, *Node) *Node) {
	ctx := context.New()
	inner := ctx.In(batchnorm.BatchNormalizationScopeName)
	for i, name := range names {
		inner.VariableWithValue(name, tensor(v[i].(array))).SetTrainable(i < 2)
	}
	inner.VariableWithValue("avg_weight", tensor(many(len(v[0].(array).data))))
	return ctx, func(ctx *context.Context, x *Node) *Node {
		layer := batchnorm.New(ctx.Checked(false), x, -1).UseBackendInference(false)
		if momentum != nil {
			layer = layer.Momentum(momentum.(float64))
		}
		if epsilon != nil {
			layer = layer.Epsilon(epsilon.(float64))
		}
		return layer.Done()
	}
}

func many(channels int) array {
	a := array{[]int{channels}, make([]float32, channels)}
	for i := range a.data {
		a.data[i] = 1e6
	}
	return a
}

func batchNorm(v []value) []array {
	ctx, layer := norm(v[2:6], v[6], v[7])
	y := context.MustExecOnce(backend, ctx, func(ctx *context.Context, x *Node) *Node {
		ctx.SetTraining(x.Graph(), v[1] == "True")
		return layer(ctx, x)
	}, tensor(v[0].(array)))
	result := []array{of(y)}
	for _, name := range names[2:] {
		result = append(result, of(ctx.In(batchnorm.BatchNormalizationScopeName).GetVariable(name).MustValue()))
	}
	return result
}

func adam(v []value) array {
	ctx, gradients, settings := context.New(), v[1].(array), optimizers.Adam()
	p := ctx.VariableWithValue("p", tensor(v[0].(array)))
	if v[2] != nil {
		settings = settings.LearningRate(v[2].(float64))
	}
	if v[3] != nil {
		settings = settings.Epsilon(v[3].(float64))
	}
	optimizer, n := settings.Done(), gradients.shape[1]
	step := context.MustNewExec(backend, ctx.Checked(false), func(ctx *context.Context, slope *Node) *Node {
		loss := ReduceAllSum(Mul(p.ValueGraph(slope.Graph()), slope))
		optimizer.UpdateGraph(ctx, slope.Graph(), loss)
		return loss
	})
	for k := 0; k < gradients.shape[0]; k++ {
		step.MustExec(tensor(array{[]int{n}, gradients.data[k*n : (k+1)*n]}))
	}
	return of(p.MustValue())
}

func call(name string, v []value) []array {
	x := v[0].(array)
	one := func(f func(*Node) *Node) []array { return []array{run(f, x)} }
	switch name {
	case "conv":
		return []array{of(MustExecOnce(backend, func(x, kernel *Node) *Node { return conv(x, kernel, v[2].(float64), v[3]) },
			tensor(x), tensor(v[1].(array))))}
	case "max_pool":
		return one(func(x *Node) *Node { return pooled(MaxPool(x), v[1].(float64), v[2].(float64), v[3]) })
	case "average_pool":
		return one(func(x *Node) *Node { return pooled(MeanPool(x), v[1].(float64), v[2].(float64), v[3]) })
	case "max_pool_grad":
		f := func(x *Node) *Node { return pooled(MaxPool(x), v[2].(float64), v[3].(float64), "valid") }
		return []array{gradient(f, x, v[1].(array))}
	case "relu":
		return one(activations.Relu)
	case "relu_grad":
		return []array{gradient(activations.Relu, x, v[1].(array))}
	case "sigmoid":
		return one(Sigmoid)
	case "leaky_relu":
		return one(activations.LeakyRelu)
	case "batch_norm":
		return batchNorm(v)
	case "adam":
		return []array{adam(v)}
	case "conv_bn":
		ctx, layer := norm(v[2:6], nil, nil)
		return []array{of(context.MustExecOnce(backend, ctx, func(ctx *context.Context, x, kernel *Node) *Node {
			return layer(ctx, conv(x, kernel, 1, "valid"))
		}, tensor(x), tensor(v[1].(array))))}
	}
	panic("missing no " + name)
}

func main() { serve(call) }
