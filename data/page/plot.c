/* plot.c - two curves over the epochs as one SVG picture: axes, curves, marks, and what each epoch says under the
 * mouse.
 *
 * Colours and fonts are the page's (report_style.c), by class. A picture stays small however long the run is:
 * beyond 1200 epochs each stretch of epochs is drawn as its lowest and its highest value, so that no pit gets lost. */
#include "../data.h"

enum { WIDTH = FER_PLOT_WIDTH, LEFT = 62, RIGHT = 626, TOP = 14, BELOW = 48 };
enum { MOST_POINTS = 1200, STRETCHES = 600, MOST_TITLES = 500, MOST_MARKS = 500 };

struct axis {
    double low, high;
    double step; /* between two lines; 0: the axis is logarithmic, ... */
    int digits;  /* ... with lines at 1, 2, 5, 10, ... (3), or at 1, 10, ... (1) */
};

/* Neither NaN nor beyond what an axis can show. */
static int drawable(double value)
{
    return value > -1e30 && value < 1e30;
}

static double x_of(const struct fer_plot *plot, long epoch)
{
    if (plot->epochs < 2) return 0.5 * (LEFT + RIGHT);
    return LEFT + (double)epoch * (RIGHT - LEFT) / (double)(plot->epochs - 1);
}

/* Where the curves' part ends; the epochs' numbers stand below. */
static int bottom_of(const struct fer_plot *plot)
{
    return plot->height - BELOW;
}

static long number_of(const struct fer_plot *plot, long epoch)
{
    return plot->number ? plot->number[epoch] : epoch;
}

static double y_of(const struct fer_plot *plot, const struct axis *axis, double value)
{
    const double bottom = bottom_of(plot);
    const double v = value < axis->low ? axis->low : value > axis->high ? axis->high : value;
    const double part = axis->step > 0 ? (v - axis->low) / (axis->high - axis->low)
                                       : fer_log(v / axis->low) / fer_log(axis->high / axis->low);
    return bottom - part * (bottom - TOP);
}

/* ---- Axes ---- */

/* The first number that is at least `least` and 1, 2 or 5 (digits 3), or 1 (digits 1), times a power of ten. */
static double nice_number(double least, int digits)
{
    static const double digit[3] = {1, 2, 5};
    double power;
    int i;
    for (power = 1e-12; power < 1e40; power *= 10)
        for (i = 0; i < digits; i++)
            if (digit[i] * power >= least * (1 - 1e-9)) return digit[i] * power;
    return power;
}

/* The smallest positive and the largest value that the plot shows. */
static void find_range(const struct fer_plot *plot, double *smallest, double *largest)
{
    const int column[2] = {plot->training, plot->validation};
    long i;
    int k;
    *smallest = 1e30;
    *largest = 0;
    for (k = 0; k < 2; k++)
        for (i = 0; i < plot->epochs && column[k] >= 0; i++) {
            const double value = plot->history[i][column[k]];
            if (!drawable(value)) continue;
            if (value > 0 && value < *smallest) *smallest = value;
            if (value > *largest) *largest = value;
        }
}

/* Percents have all of 0 ... 1; other values begin at 0, unless the largest is more than 20 times the smallest. */
static struct axis choose_axis(const struct fer_plot *plot)
{
    struct axis axis = {0, 1, 0.2, 0};
    double smallest, largest;
    find_range(plot, &smallest, &largest);
    if (plot->percent || largest < 1e-12) return axis;
    if (largest <= 20 * smallest) {
        axis.step = nice_number(largest / 6, 3);
        for (axis.high = axis.step; axis.high < largest; axis.high += axis.step) continue;
        return axis;
    }
    if (smallest < 1e-6 * largest) smallest = 1e-6 * largest;
    axis.step = 0;
    axis.digits = largest > 100 * smallest ? 1 : 3;
    axis.high = nice_number(largest, axis.digits);
    axis.low = nice_number(smallest / (axis.digits == 1 ? 10 : 2.5), axis.digits); /* at most `smallest` */
    return axis;
}

static void write_line(struct fer_page *page, const struct fer_plot *plot, const struct axis *axis, double value)
{
    const double y = y_of(plot, axis, value);
    fer_page_print(page, "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"left\" x=\"%d\" y=\"%.1f\">", LEFT, y,
                   RIGHT, LEFT - 8, y + 4.5);
    fer_page_print(page, plot->percent ? "%.0f%%</text>\n" : "%g</text>\n", plot->percent ? 100 * value : value);
}

/* The lines across, each with its number. */
static void write_lines(struct fer_page *page, const struct fer_plot *plot, const struct axis *axis)
{
    double value = axis->low;
    while (value <= axis->high * (1 + 1e-9)) {
        write_line(page, plot, axis, value);
        value = axis->step > 0 ? value + axis->step : nice_number(1.1 * value, axis->digits);
    }
}

static void write_epochs(struct fer_page *page, const struct fer_plot *plot)
{
    const long last = plot->epochs - 1;
    const double nice = nice_number((double)last / 8, 3);
    const long step = nice < 1 ? 1 : (long)(nice + 0.5);
    long epoch;
    for (epoch = 0; epoch <= last; epoch += step)
        fer_page_print(page, "<path class=\"tick\" d=\"M%.1f %dv5\"/><text x=\"%.1f\" y=\"%d\">%ld</text>\n",
                       x_of(plot, epoch), bottom_of(plot), x_of(plot, epoch), bottom_of(plot) + 22,
                       number_of(plot, epoch));
    fer_page_print(page, "<path class=\"tick\" d=\"M%d %dH%d\"/><text x=\"%d\" y=\"%d\">epoch</text>\n", LEFT,
                   bottom_of(plot), RIGHT, (LEFT + RIGHT) / 2, plot->height - 4);
}

/* ---- Curves and marks ---- */

/* The epochs of the lowest and of the highest value of a column among first ... end - 1, in order: two, one when they
 * are the same, 0 when nothing there can be drawn. */
static int find_extremes(const struct fer_plot *plot, int column, long first, long end, long epoch[2])
{
    long i, lowest = -1, highest = -1;
    for (i = first; i < end; i++) {
        const double value = plot->history[i][column];
        if (!drawable(value)) continue;
        if (lowest < 0 || value < plot->history[lowest][column]) lowest = i;
        if (highest < 0 || value > plot->history[highest][column]) highest = i;
    }
    epoch[0] = lowest < highest ? lowest : highest;
    epoch[1] = lowest < highest ? highest : lowest;
    return lowest < 0 ? 0 : lowest == highest ? 1 : 2;
}

/* A piece begins with a stroke of no length, which its round ends make a dot: so a lone epoch is seen. */
static void write_curve(struct fer_page *page, const struct fer_plot *plot, const struct axis *axis, int column,
                        const char *class)
{
    const long stretches = plot->epochs <= MOST_POINTS ? plot->epochs : STRETCHES;
    long s, epoch[2] = {0, 0}, last = -1;
    int drawing = 0, count, k;
    if (column < 0) return;
    fer_page_print(page, "<path class=\"curve %s\" d=\"M0 0", class);
    for (s = 0; s < stretches; s++) {
        count = find_extremes(plot, column, s * plot->epochs / stretches, (s + 1) * plot->epochs / stretches, epoch);
        if (count == 0 || (last >= 0 && number_of(plot, epoch[0]) < number_of(plot, last))) /* another run */
            drawing = 0;
        for (k = 0; k < count; k++) {
            fer_page_print(page, drawing ? "L%.1f %.1f" : "M%.1f %.1fh0", x_of(plot, epoch[k]),
                           y_of(plot, axis, plot->history[epoch[k]][column]));
            drawing = 1, last = epoch[k];
        }
    }
    fer_page_print(page, "\"/>\n");
}

/* A band behind each pit, and an arrowhead above it. */
static void write_pits(struct fer_page *page, const struct fer_plot *plot)
{
    const double spacing = plot->epochs > 1 ? x_of(plot, 1) - LEFT : 8;
    const double width = spacing < 3 ? 3 : spacing > 20 ? 20 : spacing;
    long i;
    for (i = 0; i < plot->pits && i < MOST_MARKS; i++) {
        const double x = x_of(plot, plot->pit[i].epoch);
        fer_page_print(page, "<path class=\"band\" d=\"M%.1f %dh%.1fV%dh%.1fz\"/>", x - width / 2, TOP, width,
                       bottom_of(plot), -width);
        fer_page_print(page, "<path class=\"pit\" d=\"M%.1f %dh10l-5 8z\"/>\n", x - 5, TOP - 10);
    }
}

static void write_shown(struct fer_page *page, const struct fer_plot *plot, const struct axis *axis)
{
    const double value =
        plot->shown >= 0 && plot->validation >= 0 ? plot->history[plot->shown][plot->validation] : 1e30;
    if (drawable(value))
        fer_page_print(page, "<circle class=\"shown\" cx=\"%.1f\" cy=\"%.1f\" r=\"6\"/>\n", x_of(plot, plot->shown),
                       y_of(plot, axis, value));
}

/* What an epoch says when the mouse rests on it. */
static void write_titles(struct fer_page *page, const struct fer_plot *plot)
{
    const double spacing = plot->epochs > 1 ? x_of(plot, 1) - LEFT : RIGHT - LEFT;
    char text[40];
    long i;
    for (i = 0; i < plot->epochs && plot->epochs <= MOST_TITLES; i++) {
        fer_page_print(page, "<path class=\"hover\" d=\"M%.1f %dh%.1fV%dh%.1fz\"><title>epoch %ld",
                       x_of(plot, i) - spacing / 2, TOP, spacing, bottom_of(plot), -spacing, number_of(plot, i));
        if (plot->training >= 0) fer_format_short(plot->history[i][plot->training], plot->percent, text);
        if (plot->training >= 0) fer_page_print(page, ": training %s", text);
        if (plot->validation >= 0) fer_format_short(plot->history[i][plot->validation], plot->percent, text);
        if (plot->validation >= 0) fer_page_print(page, "%s validation %s", plot->training >= 0 ? "," : ":", text);
        fer_page_print(page, "</title></path>\n");
    }
}

static void write_drawing(struct fer_page *page, const struct fer_plot *plot)
{
    const struct axis axis = choose_axis(plot);
    fer_page_print(page, "<title id=\"%s-title\">%s</title>\n", plot->name, plot->title);
    write_pits(page, plot);
    write_lines(page, plot, &axis);
    if (plot->chance >= axis.low && plot->chance <= axis.high)
        fer_page_print(page, "<path class=\"chance\" d=\"M%d %.1fH%d\"/>\n", LEFT, y_of(plot, &axis, plot->chance),
                       RIGHT);
    write_epochs(page, plot);
    write_curve(page, plot, &axis, plot->training, "training");
    write_curve(page, plot, &axis, plot->validation, "validation");
    write_shown(page, plot, &axis);
}

void fer_plot_write(struct fer_page *page, const struct fer_plot *plot)
{
    fer_page_print(page, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s-title\">\n", WIDTH, plot->height,
                   plot->name);
    write_drawing(page, plot);
    write_titles(page, plot);
    fer_page_print(page, "</svg>\n");
}

void fer_plot_write_panel(struct fer_page *page, const struct fer_plot *plot, int y)
{
    fer_page_print(page, "<svg y=\"%d\" width=\"%d\" height=\"%d\" role=\"img\" aria-labelledby=\"%s-title\">\n", y,
                   WIDTH, plot->height, plot->name);
    write_drawing(page, plot);
    fer_page_print(page, "</svg>\n");
}
