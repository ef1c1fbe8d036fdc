#!/bin/sh
# Deeplearning4j: a convolution or a dense layer for which no activation is written has a sigmoid.
#
# Seen with Deeplearning4j 1.0.0-M2.1, one weight of 1, no bias:
#     DenseLayer of 0 is 0.5000, of 3 is 0.9526, of 30 is 1.0000
#     ConvolutionLayer of 0 is 0.5000, of 3 is 0.9526, of 30 is 1.0000
#     BatchNormalization of 0 is 0.0000, of 3 is 3.0000, of 30 is 29.9998
#     ConvolutionLayer, activation IDENTITY, of 0 is 0.0000, of 3 is 3.0000, of 30 is 30.0000
#
# Why one would guess otherwise: in Keras, PyTorch, MXNet and Paddle a layer without an activation has none;
# a convolution in front of a BatchNormalization and a ReLU is written so by everybody; and BatchNormalization here,
# which takes an activation in the same way, has none by default.
# Who meets it: whoever carries an architecture over layer by layer: convolution, BatchNormalization, ReLU becomes
# convolution, sigmoid, BatchNormalization, ReLU. It trains, worse; with weights from elsewhere the answers are wrong,
# and every shape is right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
cd "$folder"
cat > pom.xml <<'END'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>0</version>
  <dependencies>
    <dependency><groupId>org.deeplearning4j</groupId><artifactId>deeplearning4j-nn</artifactId>
      <version>1.0.0-M2.1</version></dependency>
    <dependency><groupId>org.nd4j</groupId><artifactId>nd4j-native</artifactId>
      <version>1.0.0-M2.1</version></dependency>
    <dependency><groupId>org.nd4j</groupId><artifactId>nd4j-native</artifactId><version>1.0.0-M2.1</version>
      <classifier>linux-x86_64</classifier></dependency>
    <dependency><groupId>org.bytedeco</groupId><artifactId>openblas</artifactId><version>0.3.19-1.5.7</version>
      <classifier>linux-x86_64</classifier></dependency>
    <dependency><groupId>org.bytedeco</groupId><artifactId>javacpp</artifactId><version>1.5.7</version>
      <classifier>linux-x86_64</classifier></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
END
cat > Finding.java <<'END'
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

public class Finding {
    static final float[] INPUTS = {0, 3, 30};

    /** What the layer, its weight 1, makes of the inputs. */
    static float[] show(String what, Layer layer, InputType type, long... shape) {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder().list().layer(layer)
            .setInputType(type).build());
        network.init();
        if (network.paramTable().containsKey("0_W")) network.getParam("0_W").assign(1);
        float[] results = new float[INPUTS.length];
        for (int i = 0; i < results.length; i++) {
            INDArray x = Nd4j.valueArrayOf(shape, INPUTS[i]).castTo(network.params().dataType());
            results[i] = network.output(x).getFloat(0);
        }
        System.out.printf("%s of 0 is %.4f, of 3 is %.4f, of 30 is %.4f%n", what, results[0], results[1], results[2]);
        return results;
    }

    public static void main(String[] arguments) {
        InputType vector = InputType.feedForward(1), image = InputType.convolutional(1, 1, 1);
        System.out.println("Deeplearning4j 1.0.0-M2.1");
        float[] dense = show("DenseLayer", new DenseLayer.Builder().nOut(1).build(), vector, 1, 1);
        float[] conv = show("ConvolutionLayer", new ConvolutionLayer.Builder(1, 1).nOut(1).build(), image, 1, 1, 1, 1);
        show("BatchNormalization", new BatchNormalization.Builder().build(), image, 1, 1, 1, 1);
        show("ConvolutionLayer, activation IDENTITY,",
            new ConvolutionLayer.Builder(1, 1).nOut(1).activation(Activation.IDENTITY).build(), image, 1, 1, 1, 1);
        if (dense[0] == 0 || conv[0] == 0) {
            System.out.println("CHANGED: no activation by default");
            System.exit(1);
        }
    }
}
END
{ mvn -q -B -Dmaven.repo.local="$folder/m2" dependency:copy-dependencies -DoutputDirectory=jars &&
  javac -cp 'jars/*' Finding.java; } >log 2>&1 || { tail -n 5 log; exit 1; }
java -cp 'jars/*:.' Finding
