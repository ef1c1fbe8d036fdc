"""keras_jax.py - one training step of any Keras 3 classifier on JAX as a record.

    from keras_jax import training
    training("record.npz", model, keras.optimizers.Adam(), x, labels)

Then `fer64 verify record.npz --model model.json --bn-moving-variance biased`. jax.grad gives gradients of what goes
in: so a zero is added to each layer's output, and its gradient is the output's. The optimizer has made no step yet."""
import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras_model import shown, variables


def training(path, model, optimizer, x, labels):
    layers, every = shown(model)
    last, names, trained = layers[-1], {id(v): name for name, v in variables(model)}, model.trainable_variables
    arrays = {name: np.array(v) for name, v in variables(model)}
    softmax, last.activation = getattr(last, "activation", None), keras.activations.linear # so that it gives the logits
    probes, calls = {}, {l.name: l.call for l in layers}
    for l in layers:
        l.call = lambda *a, _name=l.name, **k: calls[_name](*a, **k) + probes.get(_name, 0)

    def loss_of(values, zeros):
        probes.update(zeros)
        state = [v.value for v in every.non_trainable_variables]
        outputs, rest = every.stateless_call(values, state, x, training=True)
        logs = jax.nn.log_softmax(outputs[-1])
        return -jnp.mean(logs[jnp.arange(len(labels)), labels]), (outputs, rest)

    values = [v.value for v in trained]
    zeros = {l.name: jnp.zeros((len(x),) + tuple(l.output.shape[1:])) for l in layers}
    results, (of_values, of_outputs) = jax.value_and_grad(loss_of, (0, 1), has_aux=True)(values, zeros)
    loss, (outputs, rest) = results
    last.activation = softmax
    for l in layers:
        l.call = calls[l.name]
    probes.clear()
    optimizer.build(trained)
    new, _ = optimizer.stateless_apply([v.value for v in optimizer.variables], of_values, values)
    for v, value, gradient in zip(trained, new, of_values):
        arrays.update({names[id(v)] + "_new": value, names[id(v)] + "_grad": gradient})
    for v, value in zip(every.non_trainable_variables, rest):
        arrays.update({names[id(v)] + "_new": value} if id(v) in names else {}) # not the state of random numbers
    for l, y in zip(layers, outputs):
        name = l.name + ("/logits" if l is last else "/output")
        arrays.update({name: y, name + "_grad": of_outputs[l.name]})
    arrays.update({"input": x, "labels": labels, "loss": loss, last.name + "/output": jax.nn.softmax(outputs[-1])})
    np.savez(path, **{name: np.asarray(a) for name, a in arrays.items()})
