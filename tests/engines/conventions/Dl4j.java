// Dl4j.java - answers the calls that remote.py describes with Deeplearning4j: its layers, activations and updaters.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.*;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

public class Dl4j {
    static float real(int digits) {
        return Float.intBitsToFloat(Integer.reverseBytes(digits));
    }

    static Object read(String word) {
        String[] parts = word.split(":");
        if (parts[0].equals("n")) return Double.parseDouble(parts[1]);
        if (parts[0].equals("s")) return parts[1];
        if (!parts[0].equals("a")) return null;
        String[] lengths = parts[1].split(",");
        long[] shape = new long[lengths.length];
        for (int i = 0; i < shape.length; i++) shape[i] = Long.parseLong(lengths[i]);
        float[] data = new float[parts[2].length() / 8];
        for (int i = 0; i < data.length; i++)
            data[i] = real(Integer.parseUnsignedInt(parts[2], 8 * i, 8 * i + 8, 16));
        return Nd4j.create(data, shape, 'c');
    }

    static String written(INDArray a) {
        StringBuilder text = new StringBuilder("a:");
        for (int i = 0; i < a.rank(); i++) text.append(i > 0 ? "," : "").append(a.size(i));
        text.append(":");
        for (float x : a.dup('c').data().asFloat())
            text.append(String.format("%08x", Integer.reverseBytes(Float.floatToRawIntBits(x))));
        return text.toString();
    }

    static double number(Object value, double otherwise) {
        return value == null ? otherwise : (Double) value;
    }

    static int count(Object value) {
        return ((Double) value).intValue();
    }

    static INDArray nchw(INDArray a) {
        return a.rank() == 4 ? a.permute(0, 3, 1, 2).dup('c') : a;
    }

    static INDArray nhwc(INDArray a) {
        return a.rank() == 4 ? a.permute(0, 2, 3, 1).dup('c') : a;
    }

    static MultiLayerNetwork network(INDArray x, Layer... layers) {
        NeuralNetConfiguration.Builder settings = new NeuralNetConfiguration.Builder().updater(new Sgd(0));
        NeuralNetConfiguration.ListBuilder list = settings.dataType(DataType.FLOAT).list();
        for (Layer layer : layers) list.layer(layer);
        list.setInputType(x.rank() == 4 ? InputType.convolutional(x.size(2), x.size(3), x.size(1))
            : InputType.feedForward(x.size(1)));
        MultiLayerNetwork network = new MultiLayerNetwork(list.build());
        network.init();
        return network;
    }

    static ConvolutionLayer conv(INDArray kernel, int strides, Object padding) {
        int high = (int) kernel.size(0), wide = (int) kernel.size(1);
        int p = padding instanceof Double ? count(padding) : 0;
        ConvolutionMode mode = "same".equals(padding) ? ConvolutionMode.Same : ConvolutionMode.Truncate;
        return new ConvolutionLayer.Builder(high, wide).stride(strides, strides).padding(p, p).convolutionMode(mode)
            .nOut((int) kernel.size(3)).hasBias(false).activation(Activation.IDENTITY).build();
    }

    static SubsamplingLayer pool(PoolingType type, int size, int strides, Object padding) {
        int p = padding instanceof Double ? count(padding) : 0;
        ConvolutionMode mode = "same".equals(padding) ? ConvolutionMode.Same : ConvolutionMode.Truncate;
        int[] window = {size, size}, steps = {strides, strides}, cells = {p, p};
        return new SubsamplingLayer.Builder(type, window, steps, cells).convolutionMode(mode).build();
    }

    static INDArray gradient(INDArray x, INDArray dy, Layer layer) {
        MultiLayerNetwork network = network(x, layer);
        network.setInput(x);
        network.feedForward(true, false);
        return network.backpropGradient(dy, LayerWorkspaceMgr.noWorkspaces()).getSecond();
    }

    /** Statistics are kept as they are, not as the logarithm of the deviation. */
    static BatchNormalization norm(Object momentum, Object epsilon) {
        BatchNormalization.Builder layer = new BatchNormalization.Builder().useLogStd(false);
        if (momentum != null) layer.decay((Double) momentum);
        if (epsilon != null) layer.eps((Double) epsilon);
        return layer.build();
    }

    static final String[] STATISTICS = {"_gamma", "_beta", "_mean", "_var"};

    static void set(MultiLayerNetwork network, int layer, List<Object> values) {
        for (int i = 0; i < 4; i++)
            network.setParam(layer + STATISTICS[i], ((INDArray) values.get(i)).reshape(1, -1));
    }

    /** The moving statistics change with a step of the optimizer, here at the rate 0. */
    static INDArray[] batchNorm(List<Object> v) {
        INDArray x = nchw((INDArray) v.get(0));
        boolean training = "True".equals(v.get(1));
        Layer loss = x.rank() == 4 ? new CnnLossLayer.Builder(LossFunction.MSE).activation(Activation.IDENTITY).build()
            : new LossLayer.Builder(LossFunction.MSE).activation(Activation.IDENTITY).build();
        MultiLayerNetwork network = network(x, norm(v.get(6), v.get(7)), loss);
        set(network, 0, v.subList(2, 6));
        INDArray y = network.output(x, training).dup();
        if (training) network.fit(x, y);
        return new INDArray[] {nhwc(y), network.getParam("0_mean").reshape(-1), network.getParam("0_var").reshape(-1)};
    }

    static INDArray adam(List<Object> v) {
        INDArray p = ((INDArray) v.get(0)).dup(), gradients = (INDArray) v.get(1);
        Adam settings = new Adam();
        if (v.get(2) != null) settings.setLearningRate((Double) v.get(2));
        if (v.get(3) != null) settings.setEpsilon((Double) v.get(3));
        GradientUpdater<?> updater = settings.instantiate(Nd4j.zeros(DataType.FLOAT, 1, 2 * p.length()), true);
        for (int step = 0; step < gradients.size(0); step++) {
            INDArray update = gradients.getRow(step).dup().reshape(1, -1);
            updater.applyUpdater(update, step, 0);
            p.subi(update.reshape(-1));
        }
        return p;
    }

    static INDArray elements(IActivation function, INDArray x) {
        return function.getActivation(x.dup(), false);
    }

    static INDArray[] call(String name, List<Object> v) {
        INDArray x = (INDArray) v.get(0), map = nchw(x);
        switch (name) {
            case "conv": {
                INDArray kernel = (INDArray) v.get(1);
                MultiLayerNetwork network = network(map, conv(kernel, count(v.get(2)), v.get(3)));
                network.setParam("0_W", kernel.permute(3, 2, 0, 1));
                return new INDArray[] {nhwc(network.output(map))};
            }
            case "max_pool":
            case "average_pool": {
                PoolingType type = name.equals("max_pool") ? PoolingType.MAX : PoolingType.AVG;
                Layer layer = pool(type, count(v.get(1)), count(v.get(2)), v.get(3));
                return new INDArray[] {nhwc(network(map, layer).output(map))};
            }
            case "max_pool_grad": {
                Layer layer = pool(PoolingType.MAX, count(v.get(2)), count(v.get(3)), "valid");
                return new INDArray[] {nhwc(gradient(map, nchw((INDArray) v.get(1)), layer))};
            }
            case "relu":
                return new INDArray[] {elements(Activation.RELU.getActivationFunction(), x)};
            case "relu_grad":
                INDArray dy = ((INDArray) v.get(1)).dup();
                return new INDArray[] {Activation.RELU.getActivationFunction().backprop(x.dup(), dy).getFirst()};
            case "sigmoid":
                return new INDArray[] {elements(Activation.SIGMOID.getActivationFunction(), x)};
            case "hard_sigmoid":
                return new INDArray[] {elements(Activation.HARDSIGMOID.getActivationFunction(), x)};
            case "leaky_relu":
                return new INDArray[] {elements(Activation.LEAKYRELU.getActivationFunction(), x)};
            case "batch_norm":
                return batchNorm(v);
            case "adam":
                return new INDArray[] {adam(v)};
            case "conv_bn": {
                INDArray kernel = (INDArray) v.get(1);
                MultiLayerNetwork network = network(map, conv(kernel, 1, "valid"), norm(null, null));
                network.setParam("0_W", kernel.permute(3, 2, 0, 1));
                set(network, 1, v.subList(2, 6));
                return new INDArray[] {nhwc(network.output(map))};
            }
        }
        throw new RuntimeException("missing no " + name);
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.trim().split(" ");
            List<Object> values = new ArrayList<>();
            StringBuilder answer = new StringBuilder("ok");
            try {
                for (int i = 1; i < words.length; i++) values.add(read(words[i]));
                for (INDArray a : call(words[0], values)) answer.append(" ").append(written(a));
            } catch (Throwable trouble) {
                String text = String.valueOf(trouble.getMessage()).replaceAll("\\s+", " ");
                answer = new StringBuilder(text.startsWith("missing ") ? text : "error " + text);
            }
            System.out.println(answer);
            System.out.flush();
        }
    }
}
