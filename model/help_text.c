/* help_text.c - what `fer help` shows of each command. fer.c has their functions, by the same names. The texts begin at
 * the margin: what fits here fits a terminal. */
#include "text.h"

#include <string.h>

const struct fer_command_help fer_command_helps[] = {
    {"train", "train the network",
     "[--data PATH] [--labels FILE] [--out RUN | --resume RUN] [--model M.json] [--weights W.npz] [SETTING ...]",
"Trains incv3v1, or another network, and validates on PublicTest after each epoch.\n"
"  --data PATH      a FER2013 CSV, or a folder of images, PATH/train/angry/*.png ... (data/README.md); without it,\n"
"                   built-in drawn faces\n"
"  --labels FILE    FER+'s fer2013new.csv: of each row of the CSV the class with the most votes\n"
"  --out RUN        folder for log.csv, last.npz, best.npz, config.txt (run)\n"
"  --resume RUN     goes on where that run stopped, with its settings and data; only --epochs may change\n"
"  --model M.json   the network, as Keras's model.to_json() writes it; seven classes, images [S,S,1] or [S,S,3]. The\n"
"                   run keeps it as RUN/model.json; BatchNormalization's momentum and epsilon are the file's unless\n"
"                   others are given\n"
"  --weights W.npz  starts from these weights\n"
"Ctrl-C stops at the next batch; --resume goes on from there, to the same bits. A folder takes one run at a time.\n"
"RUN/epochs/NNNN.npz are checkpoints after each of the last 7 epochs, and after and before each pit (see `fer help\n"
"pits`): 40 MB each (fer64: 79), so some 280 MB (560) and 80 (160) a pit.\n",
     1},
    {"eval", "loss, accuracy and confusion matrix on a split",
     "RUN|WEIGHTS.npz [--model M.json] [--data PATH] [--labels FILE] [--usage PublicTest] [--batch N] [--size N]",
"Evaluates a run's best weights, or a weights file. Without --data: a run's own data, or drawn faces.\n"
"  --model M.json   the network of a weights file; a run has its own\n"
"  --usage U        Training, PublicTest or PrivateTest\n"
"  --labels FILE    FER+'s fer2013new.csv, as of `fer train`\n"
"  --seed N         which drawn faces\n",
     0},
    {"predict", "the seven probabilities for PGM or PNG images",
     "RUN|WEIGHTS.npz [--model M.json] [--size N] [--json] IMAGE.png ...",
"Prints a line for each image, separated by tabs: name, seven probabilities, the likeliest class. Each number is the\n"
"shortest that reads back to the same bits. Colour is made grey by Pillow's rule.\n"
"  --json           the same as one JSON object\n",
     0},
    {"report", "a run, or a log of any program, as one HTML page", "RUN|LOG.csv ... [-o report.html] [--data PATH]",
"Writes a page with the run's curves, pits, confusion matrix, faces, worst mistakes and settings; it needs no\n"
"other file, no network and no script. Of a log, in any form that `fer pits` reads: its curves, pits and other falls,\n"
"and what to do next.\n"
"  -o FILE          where it goes (RUN/report.html; beside LOG.csv, LOG-report.html)\n"
"  -o FILE.svg      accuracies and pits alone, as a picture; of several runs and logs a panel each\n"
"  --column NAME, --images N  of a log: as of `fer pits`\n"
"  --data PATH      where the run's data are now; their digest must be that of config.txt\n",
     0},
    {"summary", "the network, layer by layer", "[--model M.json] [--size N] [--json]",
"Prints the table of Keras's model.summary().\n"
"  --model M.json   a network as Keras 2 or 3 writes it (model.to_json()), in place of incv3v1\n"
"  --size N         height and width, where the file leaves them open (null); of incv3v1 128\n"
"  --json           the network as such a file\n"
"Classes: Conv2D, DepthwiseConv2D, SeparableConv2D, Dense, BatchNormalization, Activation, ReLU, LeakyReLU, Softmax,\n"
"MaxPooling2D, AveragePooling2D, GlobalMaxPooling2D, GlobalAveragePooling2D, ZeroPadding2D, Cropping2D, Flatten,\n"
"Reshape, Dropout, SpatialDropout2D, Concatenate, Add, Multiply, Rescaling, Normalization, and models within the\n"
"model.\n",
     0},
    {"gradcheck", "check every gradient by finite differences",
     "[LAYER ...] [--model M.json [--size N]] [--seed N] [--strict]",
"Compares every layer's gradients, and the whole network's, with finite differences. fer64 is the program to trust.\n"
"Exit status 1 when one disagrees.\n"
"  --model M.json [--size N]  the network of a file, from the images to the loss, in place of layers\n"
"  --strict                   also when of an element nothing can be said\n"
"  --points X.npz -o P.npz    for a function of your own, in any language: writes the points at which it must be\n"
"                             known around x, [points][...], as `points`\n"
"  --values F.npz             checks dx, the gradient at x, by y, the function's value at each of these points; where\n"
"                             y is several numbers a point, with dy: the function is then <dy, y>\n",
     0},
    {"unpack", "a FER2013 CSV as folders of PGM images", "[--labels FILE] FILE.csv DIR",
"Writes DIR/Training/0/00000.pgm ...; DIR must not exist, or be empty.\n"
"  --labels FILE    FER+'s fer2013new.csv, as of `fer train`\n",
     0},
    {"op", "one layer, forward and backward, on arrays from a file", "NAME IN.npz OUT.npz [options]",
"Reads the arrays that the operation needs (those in brackets may be missing), writes its results. With dy: the\n"
"gradients too.\n"
"  conv2d                 x, kernel, [bias], [dy] y, dx, dkernel, dbias  --strides H,W (1,1) --dilation H,W (1,1)\n"
"                                                                        --padding same|same_lower|valid|T,B,L,R\n"
"                                                                        (valid) --groups G (1)\n"
"  depthwise_conv2d       x, kernel, [bias], [dy] y, dx, dkernel, dbias  strides, dilation, padding as conv2d\n"
"  batch_normalization    x, [gamma], [beta],     y, mean, variance,     --training 0|1 (1) --momentum X (0.99)\n"
"                         [moving_mean],          moving_mean,           --epsilon X (0.001)\n"
"                         [moving_variance],      moving_variance,       --moving-variance unbiased|biased (unbiased)\n"
"                         [dy]                    dx, dgamma, dbeta\n"
"  relu                   x, [dy]                 y, dx                  --max-value X (none) --negative-slope X (0)\n"
"                                                                        --at-zero 0|1 (0): the derivative at 0\n"
"  sigmoid, tanh, silu, elu, softmax: x, [dy]     y, dx                  softmax along the channels\n"
"  hard_sigmoid           x, [dy]                 y, dx                  --slope 1/6|1/5 (1/6; Keras 2 has 1/5)\n"
"  max_pooling2d          x, [dy]                 y, dx                  --pool H,W (2,2) --strides H,W (= pool)\n"
"                                                                        --padding as conv2d --ceil 0|1 (0)\n"
"                                                                        --ties first|last|all|split (first)\n"
"  average_pooling2d      x, [dy]                 y, dx                  the same, in place of --ties\n"
"                                                                        --count-include-pad 0|1 (0)\n"
"  global_average_pooling2d, global_max_pooling2d: x, [dy] y, dx  max: --ties\n"
"  concatenate, add       x0, x1, ..., [dy]       y, dx0, dx1, ...\n"
"  multiply               x0, x1, ..., [dy]       y, dx0, dx1, ...       some may be [N,1,1,C]\n"
"  zero_padding2d         x, [dy]                 y, dx                  --padding T,B,L,R (1,1,1,1)\n"
"  cropping2d             x, [dy]                 y, dx                  --cropping as padding\n"
"  dropout, spatial_dropout2d: x, [dy]            y, dx                  --rate X (0.5) --seed N (0)\n"
"                                                                        --training 0|1 (1)\n"
"  rescaling              x, [scale], [offset], [dy] y, dx\n"
"  normalization          x, [mean], [variance], [dy] y, dx\n"
"  dense                  x, kernel, [bias], [dy] y, dx, dkernel, dbias\n"
"  softmax_cross_entropy  logits, labels          probabilities, loss,   --label-smoothing X (0)\n"
"                                                 dlogits\n"
"  adam                   parameter, gradient,    parameter, m, v        --step T (1) --learning-rate X (0.001)\n"
"                         [m], [v]                                       --beta1 X (0.9) --beta2 X (0.999)\n"
"                                                                        --epsilon X (1e-7)\n"
"                                                                        --form keras|pytorch|uncorrected (keras)\n"
"                                                                        --weight-decay X (0), decoupled\n"
"Images are [N,H,W,C], kernels [KH,KW,CI,CO], depthwise [KH,KW,C,M], of a dense layer [I,O]; labels are indices [N],\n"
"one-hot or probabilities [N,C]. IN may be a lone .npy file, which is x. Arrays of IN that are not used are named on\n"
"stderr.\n"
"  --layout nchw    images are [N,C,H,W], kernels [CO,CI,KH,KW], depthwise [C*M,1,KH,KW], of a dense layer [O,I], in\n"
"                   IN and in OUT\n"
"  --print          shows the results as text too\n"
"fer64: results of your own in IN (y, dx, ...) get a verdict, as `fer64 verify --op` gives it; exit status 1 when one\n"
"is at fault. --unit f64|f32|tf32|bf16|f16 (f32) and --accumulate say what you computed in.\n",
     0},
    {"cases", "a folder of inputs for one kernel after the other, with the hard cases",
     "[LAYER ...] [--seed N] [--exact] -o DIR",
"Writes DIR/CASE.npz, inputs as `fer op` reads them (float32), and DIR/cases.csv: case;layer;options;why. 20 to 60\n"
"cases of each layer of `fer help op`, or of these alone: sizes odd and even, one pixel, windows larger than the\n"
"image, ties, kinks, NaN, infinities, -0, subnormal numbers, ends of the format, constant channels; the last column\n"
"says why. DIR is new or empty.\n"
"  --seed N         decides the numbers (0)\n"
"  --exact          small whole numbers with which every sum is exact in any order, so that the bound is 0:\n"
"                   convolutions, dense, relu, concatenate, max_pooling2d, global_max_pooling2d, average_pooling2d,\n"
"                   zero_padding2d, cropping2d\n"
"Run them through kernels of your own, write what `fer op` would write as ANSWERS/CASE.npz, any subset of it, and\n"
"`fer64 verify DIR ANSWERS`. Where libraries differ by convention and none is wrong, why begins with\n"
"`convention (WORD)`.\n",
     0},
    {"record", "every array of one training step or inference, as a file",
     "[--model M.json] [--weights W.npz] [--input IN.npz | --data PATH] [options] -o RECORD.npz",
"Writes the ground truth of one training step, Adam's first: input, labels, every output, gradient, parameter and\n"
"updated parameter.\n"
"  --model M.json   another network than incv3v1 (`fer help summary`)\n"
"  --inference      an inference in place of a training step: no gradients, no updates\n"
"  --weights W.npz  the parameters; without it, initial weights from the seed\n"
"  --input IN.npz   holds `input` [N,S,S,1], as the network sees it, and `labels`\n"
"  --data PATH      a FER2013 CSV or a folder: its first images of --usage (Training); without either, drawn faces\n"
"  --batch N        images (32; of --input: all)\n"
"  --size N         height and width at which the network sees them (the input's, the weights file's, or 128)\n"
"  --seed N         decides initial weights, drawn faces and exact integers (0)\n"
"  --exact          small integers in place of a training step, such that every sum of convolutions, dense layer and\n"
"                   poolings is exact in float32 in any order; arrays that are no such sum are left out\n"
"  --learning-rate, --beta1, --beta2, --adam-epsilon, --bn-momentum, --bn-epsilon, --bn-moving-variance: as of\n"
"                   `fer train`\n",
     0},
    {"verify", "another implementation's record against the rounding bound",
     "RECORD.npz [--model M.json] [--inference] [--layout nhwc|nchw] [--unit F] [--accumulate F] [--no-chains] "
     "[--json] [...]",
"Checks each array of a record of one training step against what should have come out of its recorded inputs,\n"
"computed in float64 (so it takes fer64). The table gives the largest error as a part of the bound that rounding can\n"
"reach (proven), and of the one that it reaches but once in 10^12 elements (likely). Verdicts: ok; suspect (beyond\n"
"likely); WRONG (beyond proven, or not finite); MISTRUSTED (all zero or all equal: it proves nothing). Exit status 1\n"
"unless all are ok.\n"
"  --op NAME IN.npz THEIRS.npz [options of op]\n"
"                          the results (y, dx, ...) of one operation, from the arguments in IN; THEIRS may be IN\n"
"                          itself\n"
"DIR ANSWERS [--unit F] [--accumulate F] [--json]: answers to the cases of `fer cases -o DIR`, a line a case, a sum a\n"
"layer. Where an answer follows a convention, that is named, and is no fault. Exit status 1 when a case is at fault\n"
"or none is answered.\n"
"  --model M.json          the network (`fer help summary`); --size N where the file leaves the size open\n"
"  --inference             BatchNormalization with the moving statistics, Dropout passes on\n"
"  --layout nchw           images are [N,C,H,W], kernels [O,I,H,W], dense kernels [O,I]\n"
"  --no-chains             an array is checked only where all that it is computed from is recorded too; else it is\n"
"                          also checked from the nearest recorded arrays, and the line says through what and which\n"
"                          relative fault it `sees`\n"
"  --unit F                f64, f32, tf32, bf16 or f16: the format of inputs and outputs (f32)\n"
"  --unit LAYER=F          of one layer, several times\n"
"  --accumulate F          what the implementation sums in (f32; with --unit f64: f64)\n"
"  --ties first|last|all|split|any\n"
"                          which of several equal maxima max pooling sends its gradient to (first): all of them get\n"
"                          the whole, split shares it, any accepts whichever\n"
"  --relu-at-zero 0|1      the derivative of a ReLU at 0 (0)\n"
"  --adam keras|pytorch    Adam's epsilon is added before the bias correction, or after (keras)\n"
"  --bn-moving-variance unbiased|biased\n"
"                          which variance the moving variance takes in (unbiased); LAYER=biased: of one layer,\n"
"                          several times\n"
"  --learning-rate, --beta1, --beta2, --adam-epsilon, --bn-momentum, --bn-epsilon as for train\n"
"  --json                  the same as one JSON object\n"
"  --part I/N              judges every N-th array, from the I-th on, for several processes to share a large record\n"
"  --join A.json B.json ...\n"
"                          adds up what all parts wrote with --json: table (or JSON), summary and exit status of the\n"
"                          whole\n"
"  --winograd 2|4|6        3x3 convolutions at stride 1 are done by Winograd's algorithm, in tiles of so many outputs\n"
"                          a side\n"
"FFT convolutions compute other products and are beyond these bounds.\n",
     0},
    {"bench", "times a training step and an inference, layer by layer",
     "[--model M.json] [--size N] [--batch N] [--repeats N] [--json]",
"Medians over the repeats (5), on drawn faces, or on random numbers for a network that takes no faces. For each layer\n"
"and pass: milliseconds a batch and, of convolutions, GFLOP/s (a multiplication and an addition are two operations;\n"
"cells outside the image are not counted); its share of the training step; its share of the peak, which is the speed\n"
"of the innermost loop alone, measured in the same run.\n"
"  --model M.json   another network than incv3v1 (`fer help summary`)\n"
"  --size N         height and width of the images (128)\n"
"  --batch N        images a batch (32)\n"
"  --json           one object: step_ms_per_image, inference_ms_per_image, and every layer and pass\n"
"The number of threads is OpenMP's: set OMP_NUM_THREADS.\n",
     0},
    {"fingerprint", "train a few fixed steps; their digests are equal everywhere", "[--check]",
"Trains two steps on drawn faces and prints a digest after every stage: faces, initial weights, each layer's output\n"
"and gradients in the first step, the weights after each step, an evaluation. Every build of fer must print the same.\n"
"  --check          compares with the digests that this version was released with, and names the first stage that\n"
"                   differs\n"
"Exit status 1 when one does.\n",
     0},
    {"pits", "find the epochs whose validation collapses, and explain them by experiment",
     "RUN|LOG.csv [--epoch N] [--experiments LIST] [--data PATH] [--images N] [--json]",
"Of a log (of fer, or of Keras's CSVLogger) it finds the pits: epochs whose val_accuracy or val_loss is far from that\n"
"of the epochs around them; model/pit_rule.c has the rule. Of a run folder it also explains them: it takes the states\n"
"after and before the epoch (RUN/epochs), changes one thing, validates, and tells what part of the drop is recovered.\n"
"Results are kept in RUN/pits.csv.\n"
"A log's columns are known by their names, as Keras gives them; val_accuracy must be there, or val_acc,\n"
"val_categorical_accuracy or val_sparse_categorical_accuracy. They are separated by commas, semicolons or tabs.\n"
"Where epochs begin anew (CSVLogger(append=True)), another run begins. Of a run the first three epochs and the\n"
"last cannot be judged.\n"
"  --epoch N           this epoch, as log.csv counts them (from 0), whether a pit or not, by every experiment. Its\n"
"                      checkpoint must be there: the last 7 are; swap, replay and changes need that of the epoch\n"
"                      before too\n"
"  --experiments LIST  some of batch,exact,swap,training,layers,replay,changes (all); replay takes as long as an\n"
"                      epoch, changes as long as seven\n"
"  --data PATH         where the run's data are now\n"
"  --images N          of a log: how many images each val_accuracy was taken over (the smallest number of which all\n"
"                      its values are whole parts, within the digits that are written; else 3589, FER2013's\n"
"                      PublicTest)\n"
"  --column NAME       of a log: another column in place of val_accuracy\n"
"  --json              the same as one JSON object, with every layer and every step\n"
"`fer train` can avoid what is found: --precise-bn, --clip-norm, --bn-momentum, --adam-epsilon, --learning-rate.\n",
     0},
    {"version", "the version, the precision, and which convolutions this processor gets", "",
     "Also -V and --version.\n", 0},
    {"help", "help on one command", "[COMMAND]", "", 0},
};
const int fer_command_count = sizeof fer_command_helps / sizeof *fer_command_helps;

int fer_command_find(const char *name)
{
    int i;
    for (i = 0; i < fer_command_count; i++)
        if (strcmp(fer_command_helps[i].name, name) == 0) return i;
    return -1;
}

void fer_help_command(FILE *out, int command)
{
    const struct fer_command_help *c = &fer_command_helps[command];
    int i;
    fprintf(out, "usage: fer %s %s\n%s", c->name, c->arguments, c->text);
    if (!c->has_settings) return;
    fprintf(out, "Settings, with the defaults of the Keras script:\n");
    for (i = 0; i < FER_SETTINGS; i++)
        fprintf(out, "  --%-20s %-15s %s\n", fer_setting_table[i].name, fer_setting_table[i].values,
                fer_setting_table[i].help);
}

void fer_help_all(FILE *out)
{
    int i;
    fprintf(out, "fer %s: the numerical ground truth for training a convolutional network (%s)\n\n", FER_VERSION,
            FER_REAL_NAME);
    for (i = 0; i < fer_command_count; i++)
        fprintf(out, "  %-11s %s\n", fer_command_helps[i].name, fer_command_helps[i].brief);
    fprintf(out, "\n`fer help COMMAND` tells more. Exit status: 0 done, 1 a check failed, 2 bad usage or input.\n");
}
