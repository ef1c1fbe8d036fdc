#!/bin/sh
# gorgonia: making a tape machine, in its default mode, sets the running mean and variance of every BatchNorm in the
# graph back to 0 and 1. So does a second machine for another round of training; and one that is made for prediction
# without the option EvalMode() normalizes with the batch at hand.
#
# Seen with gorgonia 0.9.18, one channel, batches of mean 5 and variance 4, momentum 0.1:
#     trained for 100 steps                                     running mean 5.000 variance 4.004
#     evaluated by a machine with EvalMode()                    running mean 5.000 variance 4.004   5 becomes 6.7e-05
#     a machine for training is made, and not yet run           running mean 0.000 variance 1.000
#     one more step of training                                 running mean 0.500 variance 1.300
#     evaluated by a machine with EvalMode()                    running mean 0.500 variance 1.300   5 becomes 3.9
#
# Why one would guess otherwise: a machine is what runs a graph, and its weights, which lie in the same graph, stay as
# they are; making one is not expected to write anything; in other libraries `train()` after `eval()` keeps the
# statistics.
# Who meets it: whoever evaluates after each epoch with a second machine and makes a new one for the next epoch, resumes
# training, or freezes all but the last layers. Training sees nothing of it, since it normalizes by the batch; the
# evaluation after a short epoch is far off, and the next one better: pits of validation accuracy with no cause in the
# training.
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

var g = G.NewGraph()
var op *G.BatchNormOp
var y G.Value

// like is a parameter of the one channel.
func like(name string, value float32) *G.Node {
	return G.NewTensor(g, tensor.Float32, 4, G.WithShape(256, 1, 2, 2), G.WithName(name), G.WithInit(G.ValuesOf(value)))
}

func statistics() (float32, float32) {
	mean, variance := op.Stats()
	return mean.Data().([]float32)[0], variance.Data().([]float32)[0]
}

func show(what string, more string) {
	mean, variance := statistics()
	fmt.Printf("%-56s  running mean %.3f variance %.3f%s\n", what, mean, variance, more)
}

func run(steps int, options ...G.VMOpt) {
	machine := G.NewTapeMachine(g, options...)
	defer machine.Close()
	for step := 0; step < steps; step++ {
		must(0, machine.RunAll())
		machine.Reset()
	}
}

func main() {
	batch := make([]float32, 1024)
	for i := range batch {
		batch[i] = float32(3 + i%2*4) // 3, 7, 3, 7: mean 5, variance 4
	}
	x := G.NodeFromAny(g, tensor.New(tensor.WithShape(256, 1, 2, 2), tensor.WithBacking(batch)), G.WithName("x"))
	var output *G.Node
	var err error
	output, _, _, op, err = G.BatchNorm(x, like("gamma", 1), like("beta", 0), 0.1, 1e-5)
	must(output, err)
	G.Read(output, &y)

	evaluate := func() float32 {
		for i := range batch {
			batch[i] = 5
		}
		run(1, G.EvalMode())
		for i := range batch {
			batch[i] = float32(3 + i%2*4)
		}
		return y.Data().([]float32)[0]
	}

	fmt.Println("gorgonia 0.9.18")
	run(100)
	show("trained for 100 steps", "")
	before := evaluate()
	show("evaluated by a machine with EvalMode()", fmt.Sprintf("   5 becomes %.2g", before))
	run(0)
	reset, _ := statistics()
	show("a machine for training is made, and not yet run", "")
	run(1)
	show("one more step of training", "")
	after := evaluate()
	show("evaluated by a machine with EvalMode()", fmt.Sprintf("   5 becomes %.2g", after))
	if before > 0.1 || before < -0.1 || reset != 0 || after < 1 {
		fmt.Println("CHANGED: a new machine keeps the statistics")
		os.Exit(1)
	}
}
END
{ go get 'gorgonia.org/gorgonia@v0.9.18' 'go4.org/unsafe/assume-no-moving-gc@v0.0.0-20231121144256-b99613f794b6' &&
  go mod tidy && go build -o program; } >log 2>&1 || { tail -n 5 log; exit 1; }
./program
