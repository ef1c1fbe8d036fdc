#!/bin/sh
# Deeplearning4j's softplus is the formula as it stands, log(1 + exp(x)): infinite from 89 on, its gradient there
# NaN, and 0 from -17 down.
#
# Seen with Deeplearning4j 1.0.0-M2.1, float32:
#     softplus( -20) = 0.00000      (right: 2.06115e-09), slope 2.06115e-09 (right: 2.06115e-09)
#     softplus( -10) = 4.54177e-05  (right: 4.53989e-05), slope 4.53979e-05 (right: 4.53979e-05)
#     softplus(  10) = 10.0000      (right: 10.0000), slope 0.999955 (right: 0.999955)
#     softplus(  88) = 88.0000      (right: 88.0000), slope 1.00000 (right: 1.00000)
#     softplus(  89) = Infinity     (right: 89.0000), slope NaN (right: 1.00000)
#     softplus( 100) = Infinity     (right: 100.000), slope NaN (right: 1.00000)
#
# Why one would guess otherwise: softplus was made as a smooth max(x, 0), of which 100 is 100; the usual form,
# max(x, 0) + log(1 + exp(-|x|)), is right to the last digits everywhere; and the same library's softmax
# takes the maximum off.
# Who meets it: networks with a softplus at their end (variances, rates, intensities), when one input in a million is
# large: one NaN in the gradient, and after the step all weights before the layer are NaN.
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
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

public class Finding {
    public static void main(String[] arguments) {
        float[] inputs = {-20, -10, 10, 88, 89, 100};
        INDArray x = Nd4j.createFromArray(inputs);
        INDArray y = Activation.SOFTPLUS.getActivationFunction().getActivation(x.dup(), false);
        INDArray slope = Activation.SOFTPLUS.getActivationFunction().backprop(x.dup(), Nd4j.onesLike(x)).getFirst();
        System.out.println("Deeplearning4j 1.0.0-M2.1");
        for (int i = 0; i < inputs.length; i++) {
            double right = Math.max(inputs[i], 0) + Math.log1p(Math.exp(-Math.abs(inputs[i])));
            System.out.printf("softplus(%4.0f) = %-12.6g (right: %.6g), slope %.6g (right: %.6g)%n", inputs[i],
                y.getFloat(i), right, slope.getFloat(i), 1 / (1 + Math.exp(-inputs[i])));
        }
        if (!Float.isInfinite(y.getFloat(5)) || y.getFloat(0) != 0) {
            System.out.println("CHANGED: softplus(100) is 100, or softplus(-20) is not 0");
            System.exit(1);
        }
    }
}
END
{ mvn -q -B -Dmaven.repo.local="$folder/m2" dependency:copy-dependencies -DoutputDirectory=jars &&
  javac -cp 'jars/*' Finding.java; } >log 2>&1 || { tail -n 5 log; exit 1; }
java -cp 'jars/*:.' Finding
