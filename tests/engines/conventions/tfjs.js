// tfjs.js BACKEND - answers the calls that remote.py describes with TensorFlow.js.
console.log = console.warn = console.info = console.error
const tf = require("@tensorflow/tfjs")
const backend = process.argv[2]
if (backend === "wasm") {
    const wasm = require("@tensorflow/tfjs-backend-wasm")
    wasm.setWasmPaths(require("path").dirname(require.resolve("@tensorflow/tfjs-backend-wasm")) + "/")
}

function read(word) {
    const [kind, rest, digits] = word.split(":")
    if (kind === "-") return null
    if (kind === "n") return Number(rest)
    if (kind === "s") return rest
    const bytes = Uint8Array.from(Buffer.from(digits, "hex"))
    return tf.tensor(new Float32Array(bytes.buffer), rest.split(",").map(Number))
}

function written(t) {
    return "a:" + t.shape.join(",") + ":" + Buffer.from(Float32Array.from(t.dataSync()).buffer).toString("hex")
}

const given = o => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== null && v !== undefined))

function norm(shape, gamma, beta, mean, variance, momentum, epsilon) {
    const layer = tf.layers.batchNormalization(given({momentum, epsilon}))
    layer.build(shape)
    layer.setWeights([gamma, beta, mean, variance])
    return layer
}

const calls = {
    conv: (x, kernel, strides, padding) => tf.conv2d(x, kernel, strides, padding),
    max_pool: (x, size, strides, padding) => tf.maxPool(x, size, strides, padding),
    average_pool: (x, size, strides, padding) => tf.avgPool(x, size, strides, padding),
    max_pool_grad: (x, dy, size, strides) => tf.grad(t => tf.maxPool(t, size, strides, "valid"))(x, dy),
    relu: x => tf.relu(x),
    relu_grad: (x, dy) => tf.grad(t => tf.relu(t))(x, dy),
    sigmoid: x => tf.sigmoid(x),
    hard_sigmoid: x => tf.layers.activation({activation: "hardSigmoid"}).apply(x),
    leaky_relu: x => tf.layers.leakyReLU().apply(x),
    batch_norm: (x, training, ...rest) => {
        const layer = norm(x.shape, ...rest)
        const y = layer.apply(x, {training: training === "True"})
        return [y, layer.movingMean.read(), layer.movingVariance.read()]
    },
    adam: (parameter, gradients, rate, epsilon) => {
        if (rate === null) throw "missing no default learning rate"
        const optimizer = epsilon === null ? tf.train.adam(rate) : tf.train.adam(rate, 0.9, 0.999, epsilon)
        const p = tf.variable(parameter)
        for (const gradient of gradients.unstack()) optimizer.applyGradients({[p.name]: gradient})
        return p
    },
    conv_bn: (x, kernel, ...statistics) => {
        const model = tf.sequential()
        model.add(tf.layers.conv2d({filters: kernel.shape[3], kernelSize: 1, useBias: false, inputShape: x.shape.slice(1)}))
        model.add(tf.layers.batchNormalization())
        model.setWeights([kernel, ...statistics])
        return model.predict(x)
    }
}

async function main() {
    await tf.setBackend(backend)
    await tf.ready()
    for await (const line of require("readline").createInterface({input: process.stdin})) {
        const [name, ...words] = line.split(" ")
        let answer
        try {
            answer = "ok " + [calls[name](...words.map(read))].flat().map(written).join(" ")
        } catch (error) {
            answer = String(error).startsWith("missing ") ? error : "error " + String(error).replace(/\s+/g, " ").slice(0, 200)
        }
        process.stdout.write(answer + "\n")
    }
}
main()
