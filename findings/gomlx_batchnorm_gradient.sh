#!/bin/sh
# gomlx's BatchNormalization on its backend in Go has a gradient that takes the batch's mean and variance for constants:
# the two mean terms of BatchNormalization's gradient are missing.
#
# On that backend the fused operation is not implemented and refuses; UseBackendInference(false) is the way to get the
# layer at all. The forward pass is right.
#
# Seen with gomlx 0.26.0, one channel, x = 1, 2, 4, 9, epsilon 1e-3:
#     y                        [-0.97328 -0.64885  0.00000  1.62213]   the formula [-0.97328 -0.64885  0.00000  1.62213]
#     gradient of y1+y2+y3+y4  [ 0.32443  0.32443  0.32443  0.32443]   the formula [ 0.00000  0.00000  0.00000  0.00000]
#     gradient of y1           [ 0.32443  0.00000  0.00000  0.00000]   the formula [ 0.16649 -0.13233 -0.08111  0.04694]
#     ("the formula" is written in gomlx's own operations)
#
# Why one would guess otherwise: the sum of normalized values is 0 whatever x is, so its gradient is 0; the formula
# written out in the same library's operations gets it right; and the option's own description says of this variant that
# "it is differentiable".
# Who meets it: whoever trains or fine-tunes with BatchNormalization where XLA cannot be had (in the browser, on small
# machines): the loss goes down nevertheless, more slowly, and with convolutions before the layer their kernels' norms
# grow, since the gradient is no longer orthogonal to them.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
mkdir "$folder/program"
cd "$folder/program"
export GOPATH="$folder/go" GOCACHE="$folder/cache" GOFLAGS=-modcacherw
cat > go.mod <<'END'
module finding

go 1.26
END
cat > main.go <<'END'
package main

import (
	"fmt"
	"math"
	"os"

	"github.com/gomlx/gomlx/backends"
	_ "github.com/gomlx/gomlx/backends/simplego"
	. "github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	"github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/gomlx/pkg/ml/layers/batchnorm"
)

type layer func(*context.Context, *Node) *Node

func library(ctx *context.Context, x *Node) *Node {
	return batchnorm.New(ctx, x, -1).UseBackendInference(false).Done()
}

func formula(_ *context.Context, x *Node) *Node {
	centred := Sub(x, ReduceAndKeep(x, ReduceMean, 0))
	return Div(centred, Sqrt(AddScalar(ReduceAndKeep(Square(centred), ReduceMean, 0), 1e-3)))
}

func column(values ...float32) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(values, 4, 1)
}

// results are y and the gradient of <dy, y>.
func results(f layer, dy *tensors.Tensor) (y, dx []float32) {
	both := context.MustExecOnceN(backends.MustNew(), context.New(), func(ctx *context.Context, x, dy *Node) []*Node {
		ctx.SetTraining(x.Graph(), true)
		y := f(ctx, x)
		return []*Node{y, Gradient(ReduceAllSum(Mul(y, dy)), x)[0]}
	}, column(1, 2, 4, 9), dy)
	return tensors.MustCopyFlatData[float32](both[0]), tensors.MustCopyFlatData[float32](both[1])
}

func main() {
	fmt.Println("gomlx 0.26.0")
	y, all := results(library, column(1, 1, 1, 1))
	same, right := results(formula, column(1, 1, 1, 1))
	_, one := results(library, column(1, 0, 0, 0))
	_, right_one := results(formula, column(1, 0, 0, 0))
	fmt.Printf("y                        %8.5f   the formula %8.5f\n", y, same)
	fmt.Printf("gradient of y1+y2+y3+y4  %8.5f   the formula %8.5f\n", all, right)
	fmt.Printf("gradient of y1           %8.5f   the formula %8.5f\n", one, right_one)
	if math.Abs(float64(all[0])) < 0.1 || math.Abs(float64(right[0])) > 1e-3 || one[1] != 0 {
		fmt.Println("CHANGED: the gradient has its mean terms")
		os.Exit(1)
	}
}
END
{ go get 'github.com/gomlx/gomlx@v0.26.0' && go mod tidy && go build -o program; } >log 2>&1 ||
  { tail -n 5 log; exit 1; }
./program
