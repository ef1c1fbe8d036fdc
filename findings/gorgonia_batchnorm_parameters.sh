#!/bin/sh
# gorgonia's BatchNorm, left to make its own weight and bias, makes them random instead of 1 and 0, one an element of
# the batch instead of one a channel: [N,C,H,W] of them, with the batch's size.
#
# Seen with gorgonia 0.9.18, a batch [8,3,4,4]:
#     weight (8, 3, 4, 4): 384 values, mean 0.00, deviation 0.11   bias (8, 3, 4, 4): deviation 0.10
#     outputs of a channel: mean 0.0, deviation 0.14   (right: 0 and 1)
#     the same image twice in the batch: outputs differ by 0.6
#
# Why one would guess otherwise: everywhere else the two are vectors of channels that begin at 1 and 0, so that the
# layer begins by normalizing; here it begins by multiplying each pixel of each image by its own random number of
# either sign, and gamma is an attribute of the place in the batch.
# Who meets it: whoever writes BatchNorm(x, nil, nil, ...), the shortest call. Training works somehow; the graph takes
# no other batch size, an image's prediction depends on its place in the batch, and there is nothing that weights of
# another library could be put into.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
mkdir "$folder/program"
cd "$folder/program"
export GOPATH="$folder/go" GOCACHE="$folder/cache" GOFLAGS=-modcacherw
cat > go.mod <<'END'
module finding

go 1.21
END
cat > main.go <<'END'
package main

import (
	"fmt"
	"math"
	"os"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func must[T any](result T, err error) T {
	if err != nil {
		panic(err)
	}
	return result
}

func moments(values []float32) (mean, deviation float64) {
	for _, x := range values {
		mean += float64(x) / float64(len(values))
	}
	for _, x := range values {
		deviation += (float64(x) - mean) * (float64(x) - mean) / float64(len(values))
	}
	return mean, math.Sqrt(deviation)
}

func main() {
	values := make([]float32, 8*3*4*4)
	for i := range values {
		values[i] = float32(i * 7919 % 101) // eight images
	}
	copy(values[48:96], values[:48]) // the second is the first
	g := G.NewGraph()
	x := G.NodeFromAny(g, tensor.New(tensor.WithShape(8, 3, 4, 4), tensor.WithBacking(values)), G.WithName("x"))
	y, gamma, beta, _, err := G.BatchNorm(x, nil, nil, 0.1, 1e-5)
	must(y, err)
	var output G.Value
	G.Read(y, &output)
	machine := G.NewTapeMachine(g)
	defer machine.Close()
	must(0, machine.RunAll())

	weights, biases := gamma.Value().Data().([]float32), beta.Value().Data().([]float32)
	mean, deviation := moments(weights)
	_, of_bias := moments(biases)
	fmt.Println("gorgonia 0.9.18")
	fmt.Printf("weight %v: %d values, mean %.2f, deviation %.2f   bias %v: deviation %.2f\n",
		gamma.Shape(), len(weights), mean, deviation, beta.Shape(), of_bias)
	channel, result, apart := []float32{}, output.Data().([]float32), 0.0
	for image := 0; image < 8; image++ {
		channel = append(channel, result[image*48:image*48+16]...)
	}
	m, d := moments(channel)
	m = math.Abs(m)
	fmt.Printf("outputs of a channel: mean %.1f, deviation %.2f   (right: 0 and 1)\n", m, d)
	for i := 0; i < 48; i++ {
		apart = math.Max(apart, math.Abs(float64(result[i]-result[48+i])))
	}
	fmt.Printf("the same image twice in the batch: outputs differ by %.1f\n", apart)
	if len(weights) == 3 || apart == 0 {
		fmt.Println("CHANGED: weight and bias are of the channel")
		os.Exit(1)
	}
}
END
{ go get 'gorgonia.org/gorgonia@v0.9.18' 'go4.org/unsafe/assume-no-moving-gc@v0.0.0-20231121144256-b99613f794b6' &&
  go mod tidy && go build -o program; } >log 2>&1 || { tail -n 5 log; exit 1; }
./program
