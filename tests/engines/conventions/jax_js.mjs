// jax_js.mjs - answers the calls that remote.py describes with jax-js.
import * as jax from "@jax-js/jax"
import { createInterface } from "node:readline"
const { numpy: np, lax, nn } = jax
jax.defaultDevice("wasm")

function read(word) {
    const [kind, rest, digits] = word.split(":")
    if (kind === "-") return null
    if (kind === "n") return Number(rest)
    if (kind === "s") return rest
    const bytes = Uint8Array.from(Buffer.from(digits, "hex"))
    return np.array(new Float32Array(bytes.buffer), { shape: rest.split(",").map(Number) })
}

async function written(t) {
    const shape = t.shape, data = await t.data()
    return "a:" + shape.join(",") + ":" + Buffer.from(Float32Array.from(data).buffer).toString("hex")
}

const nchw = x => np.transpose(x, [0, 3, 1, 2]), nhwc = x => np.transpose(x, [0, 2, 3, 1])
const cells = p => p === "same" ? "SAME" : p === "valid" ? "VALID" : [[p, p], [p, p]]
const pooled = (x, size, strides) => lax.reduceWindow(x, w => np.max(w), [1, 1, size, size], [1, 1, strides, strides])
const gradient = (f, x, dy) => jax.grad(x => np.sum(f(x).mul(dy)))(x)

const calls = {
    conv: (x, kernel, strides, padding) => nhwc(lax.conv(nchw(x), np.transpose(kernel, [3, 2, 0, 1]), [strides, strides], cells(padding))),
    max_pool: (x, size, strides) => nhwc(pooled(nchw(x), size, strides)),
    max_pool_grad: (x, dy, size, strides) => nhwc(gradient(x => pooled(x, size, strides), nchw(x), nchw(dy))),
    relu: x => nn.relu(x),
    relu_grad: (x, dy) => gradient(nn.relu, x, dy),
    sigmoid: x => nn.sigmoid(x),
    hard_sigmoid: x => nn.hardSigmoid(x),
    leaky_relu: x => nn.leakyRelu(x)
}

for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...words] = line.split(" ")
    let answer
    try {
        answer = "ok " + await written(await calls[name](...words.map(read)))
    } catch (error) {
        answer = String(error).startsWith("missing ") ? error : "error " + String(error).replace(/\s+/g, " ").slice(0, 200)
    }
    process.stdout.write(answer + "\n")
}
