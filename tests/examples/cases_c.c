/* cases_c.c - a convolution of one's own, in C, against the cases of `fer cases conv2d -o DIR`:
 *
 *     cc -std=c99 -O2 -I. tests/examples/cases_c.c libfer.a -lm -fopenmp -o cases_c
 *     ./cases_c DIR ANSWERS && fer64 verify DIR ANSWERS          (ANSWERS is a folder that is there)
 *
 * The library reads and writes the files, and says where the window lies; `convolve` is what is being tested. */
#include "fer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void convolve(const struct fer_window *g, const float *x, const float *kernel, const float *bias, float *y)
{
    const size_t group = g->in_c / g->groups, out_group = g->out_c / g->groups;
    for (size_t n = 0; n < g->n; n++)
        for (size_t oh = 0; oh < g->out_h; oh++)
            for (size_t ow = 0; ow < g->out_w; ow++)
                for (size_t o = 0; o < g->out_c; o++) {
                    float sum = bias ? bias[o] : 0;
                    for (size_t k = 0; k < g->kernel_h * g->kernel_w * group; k++) {
                        const size_t kh = k / group / g->kernel_w, kw = k / group % g->kernel_w, c = k % group;
                        const size_t h = oh * g->stride_h + kh * g->dilation_h - g->pad_top; /* huge when above the image */
                        const size_t w = ow * g->stride_w + kw * g->dilation_w - g->pad_left;
                        if (h < g->in_h && w < g->in_w)
                            sum += x[((n * g->in_h + h) * g->in_w + w) * g->in_c + o / out_group * group + c] * kernel[k * g->out_c + o];
                    }
                    *y++ = sum;
                }
}

static float *take(struct fer_npz *npz, const char *name, const struct fer_array **about)
{
    float *values = (*about = fer_npz_find(npz, name)) ? malloc((*about)->count * sizeof *values) : NULL;
    return values && fer_npz_read(npz, *about, values, NULL) == 0 ? values : NULL;
}

static int answer(const char *in, const char *out, struct fer_window_options *o, struct fer_error *e)
{
    struct fer_npz *npz;
    struct fer_npz_writer *writer;
    const struct fer_array *x, *k, *b;
    struct fer_window g;
    float *image, *kernel, *bias, *y;
    if (fer_npz_open(&npz, in, e) || !(image = take(npz, "x", &x)) || !(kernel = take(npz, "kernel", &k))) return -1;
    bias = take(npz, "bias", &b); /* NULL: there is none */
    o->kernel_h = k->shape[0], o->kernel_w = k->shape[1], o->out_c = k->shape[3];
    if (fer_window_fill(&g, x->shape[0], x->shape[1], x->shape[2], x->shape[3], o, e)) return -1;
    if (!(y = malloc(g.n * g.out_h * g.out_w * g.out_c * sizeof *y)) || fer_npz_create(&writer, out, e)) return -1;
    convolve(&g, image, kernel, bias, y);
    fer_npz_write(writer, "y", FER_F4, 4, (size_t[]){g.n, g.out_h, g.out_w, g.out_c}, y, e);
    free(image), free(kernel), free(bias), free(y), fer_npz_close(npz);
    return fer_npz_commit(writer, e); /* fails too when the write has */
}

static void read_options(const char *text, struct fer_window_options *o)
{
    const char *at;
    if ((at = strstr(text, "--strides "))) sscanf(at, "--strides %zu,%zu", &o->stride_h, &o->stride_w);
    if ((at = strstr(text, "--dilation "))) sscanf(at, "--dilation %zu,%zu", &o->dilation_h, &o->dilation_w);
    if ((at = strstr(text, "--groups "))) sscanf(at, "--groups %zu", &o->groups);
    if (!(at = strstr(text, "--padding "))) return;
    o->padding = strstr(at, "same_lower") ? FER_SAME_LOWER : strstr(at, "same") ? FER_SAME : FER_EXPLICIT;
    if (o->padding == FER_EXPLICIT)
        sscanf(at, "--padding %zu,%zu,%zu,%zu", &o->top, &o->bottom, &o->left, &o->right);
}

int main(int argc, char **argv)
{
    char path[4096], out[4096], line[1024], *layer, *options;
    struct fer_error e = {"a file cannot be read"};
    FILE *csv;
    snprintf(path, sizeof path, "%s/cases.csv", argc == 3 ? argv[1] : ".");
    if (argc != 3 || !(csv = fopen(path, "r"))) return fprintf(stderr, "usage: cases_c DIR ANSWERS\n"), 2;
    while (fgets(line, sizeof line, csv)) {
        struct fer_window_options o = {.stride_h = 1, .stride_w = 1, .padding = FER_VALID};
        if (!(layer = strchr(line, ';')) || strncmp(layer, ";conv2d;", 8) != 0) continue;
        *layer = 0, options = layer + 8, options[strcspn(options, ";")] = 0;
        read_options(options, &o);
        snprintf(path, sizeof path, "%s/%s.npz", argv[1], line);
        snprintf(out, sizeof out, "%s/%s.npz", argv[2], line);
        if (answer(path, out, &o, &e)) return fprintf(stderr, "%s: %s\n", line, e.text), 1;
    }
    return fclose(csv);
}
