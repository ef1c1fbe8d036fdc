// call.go - the calls that remote.py describes, for programs in Go.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

type array struct {
	shape []int
	data  []float32
}

func size(shape []int) int {
	n := 1
	for _, length := range shape {
		n *= length
	}
	return n
}

// moved has the axes in another order: axis i of the result is axis order[i].
func (a array) moved(order ...int) array {
	shape := make([]int, len(order))
	for i, axis := range order {
		shape[i] = a.shape[axis]
	}
	result, at := array{shape, make([]float32, len(a.data))}, make([]int, len(order))
	for k := range result.data {
		for i, rest := len(order)-1, k; i >= 0; i-- {
			at[order[i]], rest = rest%shape[i], rest/shape[i]
		}
		from := 0
		for axis, length := range a.shape {
			from = from*length + at[axis]
		}
		result.data[k] = a.data[from]
	}
	return result
}

// value is nil, a float64, a string or an array.
type value interface{}

func read(word string) value {
	parts := strings.Split(word, ":")
	switch parts[0] {
	case "n":
		x, _ := strconv.ParseFloat(parts[1], 64)
		return x
	case "s":
		return parts[1]
	case "a":
		a := array{}
		for _, length := range strings.Split(parts[1], ",") {
			n, _ := strconv.Atoi(length)
			a.shape = append(a.shape, n)
		}
		bytes, _ := hex.DecodeString(parts[2])
		for i := 0; i < len(bytes); i += 4 {
			a.data = append(a.data, math.Float32frombits(binary.LittleEndian.Uint32(bytes[i:])))
		}
		return a
	}
	return nil
}

func written(a array) string {
	bytes := make([]byte, 4*len(a.data))
	for i, x := range a.data {
		binary.LittleEndian.PutUint32(bytes[4*i:], math.Float32bits(x))
	}
	return "a:" + strings.Trim(strings.ReplaceAll(fmt.Sprint(a.shape), " ", ","), "[]") + ":" + hex.EncodeToString(bytes)
}

// number is the value, or what stands for it where the call leaves it to the library.
func number(v value, by_default float64) float64 {
	if x, ok := v.(float64); ok {
		return x
	}
	return by_default
}

// answer catches panics, which are answers too. What the library lacks is a panic that begins with "missing ".
func answer(call func(string, []value) []array, name string, values []value) (line string) {
	defer func() {
		if trouble := recover(); trouble != nil {
			line = strings.Join(strings.Fields(fmt.Sprint(trouble)), " ")
			if !strings.HasPrefix(line, "missing ") {
				line = "error " + line
			}
		}
	}()
	line = "ok"
	for _, a := range call(name, values) {
		line += " " + written(a)
	}
	return line
}

func serve(call func(string, []value) []array) {
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		words, values := strings.Fields(line), []value{}
		for _, word := range words[1:] {
			values = append(values, read(word))
		}
		fmt.Println(answer(call, words[0], values))
	}
}
