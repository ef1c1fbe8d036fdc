#!/bin/sh
# gorgonia's AveragePool2D divides the sum of a window by the width of the image, not by the number of its cells.
#
# Right where the image is as wide as the window has cells: 2x2 windows on 4x4 images, as in its own tests. A 3x3
# average of ones on a map 48 wide is 0.1875, on a map 6 wide 1.5.
#
# Seen with gorgonia 0.9.18, images of ones, stride as large as the window:
#     window 2x2, image  4x4:  average of ones 1        gradients sum to 1       (right: 1 and 4)
#     window 2x2, image  8x8:  average of ones 0.5      gradients sum to 2       (right: 1 and 16)
#     window 2x2, image 48x48: average of ones 0.083333 gradients sum to 12      (right: 1 and 576)
#     window 3x3, image  6x6:  average of ones 1.5      gradients sum to 0.66667 (right: 1 and 4)
#
# Why one would guess otherwise: the mean of ones is 1 in every other library; the function has the same arguments as
# MaxPool2D beside it, which is right; and a network that is trained with it learns all the same, since the layer behind
# takes up a constant factor.
# Who meets it: whoever brings weights from elsewhere, where the factor is missing (logits shrink with the image), or
# evaluates at another image size than in training: the factor changes with the width. The gradient is no multiple of
# the right one either.
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

func sum(t G.Value) (total float64) {
	for _, x := range t.Data().([]float32) {
		total += float64(x)
	}
	return total
}

// pooled is an element of the average, and the sum of the gradients of the sum of all.
func pooled(window, width int) (float32, float64) {
	g := G.NewGraph()
	ones := tensor.Ones(tensor.Float32, 1, 1, width, width)
	x := G.NodeFromAny(g, ones, G.WithName("x"))
	y := must(G.AveragePool2D(x, tensor.Shape{window, window}, []int{0, 0}, []int{window, window}))
	var average G.Value
	G.Read(y, &average)
	must(G.Grad(must(G.Sum(y)), x))
	machine := G.NewTapeMachine(g, G.BindDualValues(x))
	defer machine.Close()
	must(0, machine.RunAll())
	return average.Data().([]float32)[0], sum(must(x.Grad()))
}

func main() {
	fmt.Println("gorgonia 0.9.18")
	wrong := 0
	for _, c := range [][2]int{{2, 4}, {2, 8}, {2, 48}, {3, 6}} {
		average, gradients := pooled(c[0], c[1])
		cells := c[1] / c[0] * (c[1] / c[0])
		fmt.Printf("window %dx%d, image %2dx%-3s average of ones %-8.5g gradients sum to %-7.5g (right: 1 and %d)\n",
			c[0], c[0], c[1], fmt.Sprint(c[1], ":"), average, gradients, cells)
		if average != 1 {
			wrong++
		}
	}
	if wrong != 3 {
		fmt.Println("CHANGED: the average of ones is 1")
		os.Exit(1)
	}
}
END
{ go get 'gorgonia.org/gorgonia@v0.9.18' 'go4.org/unsafe/assume-no-moving-gc@v0.0.0-20231121144256-b99613f794b6' &&
  go mod tidy && go build -o program; } >log 2>&1 || { tail -n 5 log; exit 1; }
./program
