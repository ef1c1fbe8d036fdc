// gorgonia.go - answers the calls that remote.py describes with gorgonia: a graph a call, run by its tape machine.
package main

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func must[T any](result T, err error) T {
	if err != nil {
		panic(err)
	}
	return result
}

func check(err error) { must(0, err) }

func dense(a array) *tensor.Dense {
	return tensor.New(tensor.WithShape(a.shape...), tensor.WithBacking(append([]float32{}, a.data...)))
}

func of(v G.Value) array {
	t := v.(tensor.Tensor)
	return array{append([]int{}, t.Shape()...), append([]float32{}, t.Data().([]float32)...)}
}

func nchw(a array) array {
	if len(a.shape) == 4 {
		return a.moved(0, 3, 1, 2)
	}
	return a
}

func nhwc(a array) array {
	if len(a.shape) == 4 {
		return a.moved(0, 2, 3, 1)
	}
	return a
}

func node(g *G.ExprGraph, name string, a array) *G.Node {
	return G.NodeFromAny(g, dense(a), G.WithName(name))
}

// run is what f makes of x. A tape machine for training resets what BatchNorm has gathered: its statistics are set
// behind it.
func run(x array, f func(*G.ExprGraph, *G.Node) *G.Node, set func(), options ...G.VMOpt) array {
	g := G.NewGraph()
	var result G.Value
	G.Read(f(g, node(g, "x", x)), &result)
	machine := G.NewTapeMachine(g, options...)
	defer machine.Close()
	set()
	check(machine.RunAll())
	return of(result)
}

func gradient(x, dy array, f func(*G.Node) *G.Node) array {
	g := G.NewGraph()
	at := node(g, "x", x)
	loss := must(G.Sum(must(G.HadamardProd(f(at), node(g, "dy", dy)))))
	must(G.Grad(loss, at))
	machine := G.NewTapeMachine(g, G.BindDualValues(at))
	defer machine.Close()
	check(machine.RunAll())
	return of(must(at.Grad()))
}

func cells(padding value) []int {
	switch p := padding.(type) {
	case float64:
		return []int{int(p), int(p)}
	case string:
		if p == "valid" {
			return []int{0, 0}
		}
	}
	panic("no such padding")
}

func conv(g *G.ExprGraph, x *G.Node, kernel array, strides int, padding value) *G.Node {
	filter := kernel.moved(3, 2, 0, 1)
	shape, stride, dilation := tensor.Shape(filter.shape[2:]), []int{strides, strides}, []int{1, 1}
	return must(G.Conv2d(x, node(g, "kernel", filter), shape, cells(padding), stride, dilation))
}

type pool func(*G.Node, tensor.Shape, []int, []int) (*G.Node, error)

func (p pool) of(x *G.Node, size, strides float64, padding value) *G.Node {
	return must(p(x, tensor.Shape{int(size), int(size)}, cells(padding), []int{int(strides), int(strides)}))
}

// batchNorm takes gamma, beta, mean, variance. Broadcasting is left out: the parameters are as large as x.
type batchNorm struct {
	statistics        []value
	momentum, epsilon float64
	op                *G.BatchNormOp
}

func (norm *batchNorm) of(g *G.ExprGraph, x *G.Node) *G.Node {
	wide := func(name string, a array) *G.Node {
		full := array{x.Shape().Clone(), make([]float32, x.Shape().TotalSize())}
		for i := range full.data {
			full.data[i] = a.data[i/size(full.shape[2:])%full.shape[1]]
		}
		return node(g, name, full)
	}
	gamma, beta := wide("gamma", norm.statistics[0].(array)), wide("beta", norm.statistics[1].(array))
	y, _, _, op, err := G.BatchNorm(x, gamma, beta, norm.momentum, norm.epsilon)
	norm.op = op
	return must(y, err)
}

func (norm *batchNorm) set() {
	check(norm.op.SetStats(dense(norm.statistics[2].(array)), dense(norm.statistics[3].(array))))
}

func normalized(v []value) []array {
	training := v[1] == "True"
	if v[6] == nil {
		panic("missing no default momentum")
	}
	if v[7] == nil && !training {
		panic("missing no default epsilon")
	}
	norm, mode := &batchNorm{v[2:6], v[6].(float64), number(v[7], 1e-5), nil}, []G.VMOpt{G.EvalMode()}
	if training {
		mode = nil
	}
	y := run(nchw(v[0].(array)), norm.of, norm.set, mode...)
	mean, variance := norm.op.Stats()
	return []array{nhwc(y), of(mean), of(variance)}
}

type variable struct{ value, gradient G.Value }

func (v variable) Value() G.Value          { return v.value }
func (v variable) Grad() (G.Value, error) { return v.gradient, nil }

func adam(v []value) array {
	options := []G.SolverOpt{}
	if v[2] != nil {
		options = append(options, G.WithLearnRate(v[2].(float64)))
	}
	if v[3] != nil {
		options = append(options, G.WithEps(v[3].(float64)))
	}
	solver, p, gradients := G.NewAdamSolver(options...), dense(v[0].(array)), v[1].(array)
	n := gradients.shape[1]
	for step := 0; step < gradients.shape[0]; step++ {
		slope := dense(array{[]int{n}, gradients.data[step*n : (step+1)*n]})
		check(solver.Step([]G.ValueGrad{variable{p, slope}}))
	}
	return of(p)
}

func call(name string, v []value) []array {
	x := v[0].(array)
	of_map := func(f func(*G.ExprGraph, *G.Node) *G.Node) []array { return []array{nhwc(run(nchw(x), f, func() {}))} }
	pooled := func(p pool) []array {
		return of_map(func(_ *G.ExprGraph, x *G.Node) *G.Node { return p.of(x, v[1].(float64), v[2].(float64), v[3]) })
	}
	elements := func(f func(*G.Node) (*G.Node, error)) []array {
		return []array{run(x, func(_ *G.ExprGraph, x *G.Node) *G.Node { return must(f(x)) }, func() {})}
	}
	switch name {
	case "conv":
		return of_map(func(g *G.ExprGraph, x *G.Node) *G.Node { return conv(g, x, v[1].(array), int(v[2].(float64)), v[3]) })
	case "max_pool":
		return pooled(G.MaxPool2D)
	case "average_pool":
		return pooled(G.AveragePool2D)
	case "max_pool_grad":
		f := func(x *G.Node) *G.Node { return pool(G.MaxPool2D).of(x, v[2].(float64), v[3].(float64), "valid") }
		return []array{nhwc(gradient(nchw(x), nchw(v[1].(array)), f))}
	case "relu":
		return elements(G.Rectify)
	case "relu_grad":
		return []array{gradient(x, v[1].(array), func(x *G.Node) *G.Node { return must(G.Rectify(x)) })}
	case "sigmoid":
		return elements(G.Sigmoid)
	case "leaky_relu":
		panic("missing no default")
	case "batch_norm":
		return normalized(v)
	case "adam":
		return []array{adam(v)}
	case "conv_bn":
		norm := &batchNorm{v[2:6], 0.1, 1e-5, nil}
		return []array{nhwc(run(nchw(x), func(g *G.ExprGraph, x *G.Node) *G.Node {
			return norm.of(g, conv(g, x, v[1].(array), 1, "valid"))
		}, norm.set, G.EvalMode()))}
	}
	panic("missing no " + name)
}

func main() { serve(call) }
