/* faces.c - draws cartoon faces, so that everything can be tried without a data set.
 *
 * A face is a list of shapes painted one over the other. A shape is a signed distance: how far a point is outside it,
 * negative inside; where the distance passes 0 the paint fades over about a pixel, which makes soft edges for free.
 * The seven expressions are rows of one table: where the brows, lids and lips are. A face blends from the neutral row
 * towards that of its class, a little too far or not far enough; the rest (head, hair, pose, light, noise) is the
 * person's and the camera's, and says nothing about the class.
 *
 * Only + - * / sqrt and comparisons of doubles: the bytes are the same on every machine. */
#include "data.h"

#include <math.h>
#include <string.h>

#define SIDE FER_FACE_SIDE
#define MOST_FACES 1000000

/* ---- Expressions ---------------------------------------------------------------------------------------------
 * Lengths are in pixels of an upright face in the middle; `raised` is upwards. */

enum feature {
    BROW_INNER, BROW_OUTER, BROW_ARCH, BROW_CLOSE, /* ends raised; middle raised; inner ends drawn together */
    LID_UPPER, LID_LOWER, LID_SLANT,      /* opening above and below the corners; more open outside than inside */
    MOUTH_HALF, MOUTH_CORNER,             /* half the width; corners raised */
    MOUTH_UPPER, MOUTH_LOWER, MOUTH_SKEW, /* upper lip raised, lower lip lowered; upper lip raised on one side */
    MOUTH_ROUND, TEETH,                   /* 0 pointed corners ... 1 an ellipse; 0 none ... 1 shown */
    FROWN, FOREHEAD, NOSE, CHEEK,         /* wrinkles: between the brows, above, on the nose, beside the mouth */
    FEATURES
};

static const double expression[FER_CLASSES][FEATURES] = {
    /*            brows                 lids             mouth                                       wrinkles */
    /* angry    */ {-3.2, 1.6, -0.6, 1.4, 1.5, 0.9, 1.3, 4.6, -1.3, 0.1, 0.6, 0.0, 0.0, 0.0, 1.0, 0.0, 0.2, 0.1},
    /* disgust  */ {-1.7, -0.8, 0.2, 0.6, 0.9, 0.4, 0.4, 4.3, -1.2, 1.7, 0.5, 1.3, 0.0, 0.8, 0.3, 0.0, 1.0, 0.7},
    /* fear     */ {2.6, -0.2, 0.0, 1.4, 3.1, 1.9, -0.4, 5.6, -1.5, 0.7, 2.0, 0.0, 0.6, 1.0, 0.5, 0.7, 0.0, 0.1},
    /* happy    */ {0.5, 0.4, 1.4, 0.0, 1.5, 0.4, 0.0, 6.4, 2.4, -0.4, 3.3, 0.0, 0.2, 1.0, 0.0, 0.0, 0.0, 0.9},
    /* sad      */ {2.3, -1.8, -0.4, 0.6, 1.3, 0.9, -1.0, 4.2, -2.4, 0.6, 0.4, 0.0, 0.0, 0.0, 0.2, 0.2, 0.0, 0.2},
    /* surprise */ {3.0, 2.6, 1.8, -0.2, 3.0, 2.1, 0.0, 3.0, 0.6, 2.4, 3.8, 0.0, 1.0, 0.0, 0.0, 0.9, 0.0, 0.0},
    /* neutral  */ {0.0, 0.0, 0.9, 0.0, 1.9, 1.1, 0.0, 4.9, 0.0, 0.2, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0},
};

/* ---- Chance ----------------------------------------------------------------------------------------------------
 * Each call is the next draw of the face: so never two calls in one argument list, whose order C leaves open. */

struct dice {
    uint64_t seed, k;
    uint32_t face;
};

static double between(struct dice *dice, double least, double most)
{
    return least + (most - least) * fer_uniform(dice->seed, FER_FOR_FACES, dice->face, dice->k++);
}

/* Around the middle more often than at the ends. */
static double about(struct dice *dice, double middle, double away)
{
    return middle + away * (between(dice, -0.5, 0.5) + between(dice, -0.5, 0.5));
}

static int chance(struct dice *dice, double probability)
{
    return between(dice, 0, 1) < probability;
}

/* ---- Shapes ---- */

#define PIECES 4 /* a curve is painted as that many straight pieces */

struct shape {
    double (*distance)(const struct shape *s, double x, double y);
    double left, top, right, bottom;          /* a box around it */
    double x, y, rx, per_rx, per_ry, taper;   /* ellipse, ring, lens: middle, half width, 1 / half width and height */
    double corner, upper, lower, skew, round; /* lens */
    double px[PIECES + 1], py[PIECES + 1], thickness[PIECES + 1]; /* curve */
};

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double clamp(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

static double length(double x, double y)
{
    return sqrt(x * x + y * y);
}

/* The distance to first order, F / |grad F| with F = (x/rx)^2 + (y/ry)^2 - 1: right near the edge, where it shows. */
static double ellipse_distance(const struct shape *s, double x, double y)
{
    const double v = (y - s->y) * s->per_ry;
    const double u = (x - s->x) * s->per_rx * (v > 0 ? 1 + s->taper * v * v : 1); /* narrower towards the chin */
    return (u * u + v * v - 1) / (2 * length(u * s->per_rx, v * s->per_ry) + 1e-9);
}

static struct shape ellipse(double x, double y, double rx, double ry)
{
    struct shape s;
    memset(&s, 0, sizeof s);
    s.distance = ellipse_distance;
    s.x = x;
    s.y = y;
    s.rx = rx;
    s.per_rx = 1 / rx;
    s.per_ry = 1 / ry;
    s.left = x - rx;
    s.right = x + rx;
    s.top = y - ry;
    s.bottom = y + ry;
    return s;
}

static double ring_distance(const struct shape *s, double x, double y)
{
    const double d = ellipse_distance(s, x, y);
    return (d < 0 ? -d : d) - 0.4;
}

static struct shape ring(double x, double y, double rx, double ry)
{
    struct shape s = ellipse(x, y, rx, ry);
    s.distance = ring_distance;
    return s;
}

/* A lens hangs between two corners at x - rx and x + rx: an eye, a mouth. Its edges are y_corner + depth * profile(t),
 * t = -1 ... 1, profile 1 - t^2 (pointed corners) blended with sqrt(1 - t^2) (round ones). */
static double lens_distance(const struct shape *s, double x, double y)
{
    const double t = (x - s->x) * s->per_rx, pointed = 1 - t * t, corner = s->y - s->corner;
    double profile, steep, rise, drop, above, below;
    if (pointed <= 0.01) return length(larger(x - s->x - s->rx, s->x - s->rx - x), y - corner) + 0.3;
    profile = pointed + s->round * (sqrt(pointed) - pointed);
    steep = (2 * (1 - s->round) + s->round / sqrt(pointed)) * t * s->per_rx; /* -d profile / dx */
    rise = s->upper - s->corner + s->skew * t;
    drop = s->lower + s->corner;
    above = (corner - rise * profile - y) / length(1, rise * steep);
    below = (y - corner - drop * profile) / length(1, drop * steep);
    return larger(above, below);
}

/* upper: how far its middle rises above y; lower: how far it goes down; corner: how far the corners are above y. */
static struct shape lens(double x, double y, double half, double corner, double upper, double lower)
{
    struct shape s = ellipse(x, y, half, larger(larger(upper, lower), corner > 0 ? corner : -corner) + 2);
    s.distance = lens_distance;
    s.corner = corner;
    s.upper = upper;
    s.lower = lower;
    return s;
}

static double curve_distance(const struct shape *s, double x, double y)
{
    double nearest = 1e9;
    int i;
    for (i = 0; i < PIECES; i++) {
        const double dx = s->px[i + 1] - s->px[i], dy = s->py[i + 1] - s->py[i];
        const double from_x = x - s->px[i], from_y = y - s->py[i];
        const double t = clamp((from_x * dx + from_y * dy) / (dx * dx + dy * dy + 1e-9), 0, 1);
        const double d = length(from_x - t * dx, from_y - t * dy)
                         - (s->thickness[i] + t * (s->thickness[i + 1] - s->thickness[i]));
        if (d < nearest) nearest = d;
    }
    return nearest;
}

/* A stroke from a through b to c, with its half thickness at those three: a parabola in t = 0, 1/2, 1. */
static struct shape curve(double ax, double ay, double bx, double by, double cx, double cy,
                          double ta, double tb, double tc)
{
    struct shape s = ellipse(ax, ay, 1, 1);
    int i;
    s.distance = curve_distance;
    for (i = 0; i <= PIECES; i++) {
        const double t = (double)i / PIECES, a = (1 - t) * (1 - 2 * t), b = 4 * t * (1 - t), c = t * (2 * t - 1);
        s.px[i] = a * ax + b * bx + c * cx;
        s.py[i] = a * ay + b * by + c * cy;
        s.thickness[i] = a * ta + b * tb + c * tc;
        s.left = clamp(s.left, -1e9, s.px[i] - s.thickness[i]);
        s.right = clamp(s.right, s.px[i] + s.thickness[i], 1e9);
        s.top = clamp(s.top, -1e9, s.py[i] - s.thickness[i]);
        s.bottom = clamp(s.bottom, s.py[i] + s.thickness[i], 1e9);
    }
    return s;
}

/* ---- Paint ---- */

struct picture {
    double shade[SIDE][SIDE]; /* 0 black ... 1 white */
    double cosine, sine, scale, x, y; /* the pose: pixel = (x, y) + scale * rotation * face point */
};

/* Blends a shape in. `clip` (NULL: none): only what is inside this one too. `soft`: over how many pixels it fades. */
static void paint(struct picture *p, const struct shape *s, const struct shape *clip,
                  double shade, double opacity, double soft)
{
    /* The pixels of the turned box, and a margin for the fading edge. */
    const double half_x = (s->right - s->left) / 2, half_y = (s->bottom - s->top) / 2;
    const double middle_x = s->left + half_x, middle_y = s->top + half_y;
    const double x = p->x + p->scale * (p->cosine * middle_x - p->sine * middle_y);
    const double y = p->y + p->scale * (p->sine * middle_x + p->cosine * middle_y);
    const double turned = p->sine < 0 ? -p->sine : p->sine;
    const double reach_x = p->scale * (p->cosine * half_x + turned * half_y) + 0.75 * soft + 1;
    const double reach_y = p->scale * (p->cosine * half_y + turned * half_x) + 0.75 * soft + 1;
    const int left = (int)clamp(x - reach_x, 0, SIDE), right = (int)clamp(x + reach_x + 1, 0, SIDE);
    const int top = (int)clamp(y - reach_y, 0, SIDE), bottom = (int)clamp(y + reach_y + 1, 0, SIDE);
    const double per_scale = 1 / p->scale, per_soft = p->scale / soft;
    int row, column;
    if (opacity <= 0) return;
    for (row = top; row < bottom; row++)
        for (column = left; column < right; column++) {
            const double dx = (column + 0.5 - p->x) * per_scale, dy = (row + 0.5 - p->y) * per_scale;
            const double face_x = p->cosine * dx + p->sine * dy, face_y = p->cosine * dy - p->sine * dx;
            double d = s->distance(s, face_x, face_y), cover;
            if (clip) d = larger(d, clip->distance(clip, face_x, face_y));
            cover = opacity * clamp(0.5 - d * per_soft, 0, 1);
            p->shade[row][column] += cover * (shade - p->shade[row][column]);
        }
}

/* ---- A face, from the back to the front ---- */

enum hair { BALD, SHORT, PARTED, LONG };

struct person {
    double skin, hair_shade, ink;    /* ink: lines and shadows in the skin */
    double width, height, jaw;       /* of the head */
    double eye_x, eye_half, brow_thick, nose_length, mouth_y;
    double turn, nod;                /* the features' place on the head: to the side, up or down */
    double gaze_x, gaze_y;
    enum hair hair;
    double parting;
    int glasses, beard;
    double feature[FEATURES];
};

static void choose_person(struct person *who, struct dice *dice, int label)
{
    const double strength = about(dice, 1, 0.25);
    int i;
    for (i = 0; i < FEATURES; i++) {
        const double neutral = expression[FER_CLASSES - 1][i];
        const double shown = neutral + strength * (expression[label][i] - neutral);
        who->feature[i] = i < MOUTH_ROUND ? shown + about(dice, 0, 0.4) : clamp(shown, 0, 1);
    }
    who->skin = between(dice, 0.42, 0.86);
    who->ink = who->skin * between(dice, 0.3, 0.45);
    who->hair_shade = chance(dice, 0.25) ? between(dice, 0.55, 0.85) : between(dice, 0.04, 0.35);
    who->width = about(dice, 15, 1.5);
    who->height = about(dice, 19, 1.5);
    who->jaw = between(dice, 0.05, 0.4);
    who->eye_x = about(dice, 6.4, 0.6);
    who->eye_half = about(dice, 3.5, 0.5);
    who->brow_thick = between(dice, 0.5, 1.1);
    who->nose_length = about(dice, 5.5, 1);
    who->mouth_y = about(dice, 10.2, 0.8);
    who->turn = about(dice, 0, 2);
    who->nod = about(dice, 0, 1);
    who->gaze_x = about(dice, 0, 0.8);
    who->gaze_y = about(dice, 0, 0.4);
    who->hair = (enum hair)(int)between(dice, 0, 4);
    who->parting = between(dice, -7, 7);
    who->glasses = chance(dice, 0.15);
    who->beard = chance(dice, 0.1);
}

static void choose_pose(struct picture *p, struct dice *dice)
{
    const double half = about(dice, 0, 0.1); /* the tangent of half the tilt gives its sine and cosine without libm */
    p->cosine = (1 - half * half) / (1 + half * half);
    p->sine = 2 * half / (1 + half * half);
    p->scale = about(dice, 1, 0.12);
    p->x = SIDE / 2.0 + about(dice, 0, 2.5);
    p->y = SIDE / 2.0 + about(dice, 1, 2.5);
}

static void draw_background(struct picture *p, struct dice *dice)
{
    const double shade = between(dice, 0.1, 0.9), wall = between(dice, 0.1, 0.9);
    const double x = between(dice, -24, 24), y = between(dice, -24, 24), half = between(dice, 8, 24);
    const struct shape blob = ellipse(x, y, half, 30);
    int row, column;
    for (row = 0; row < SIDE; row++)
        for (column = 0; column < SIDE; column++) p->shade[row][column] = shade;
    paint(p, &blob, NULL, wall, 0.6, 12);
}

static void draw_head(struct picture *p, const struct person *who, struct dice *dice)
{
    const double w = who->width, h = who->height, cloth = between(dice, 0.08, 0.9);
    const struct shape shoulders = ellipse(0, h + 16, 24, 15), neck = ellipse(0, h, 0.45 * w, 9);
    const struct shape left_ear = ellipse(-w, -1, 2.4, 4), right_ear = ellipse(w, -1, 2.4, 4);
    const struct shape mane = ellipse(0, 3, w + 4, h + 3), light = ellipse(2 * who->turn, 0, 0.8 * w, 0.85 * h);
    const struct shape beard = lens(0, 0, w + 2, 3, -0.5 * h - 3.5, 40); /* what of it lies inside the head */
    struct shape head = ellipse(0, 0, w, h);
    head.taper = who->jaw;
    if (who->hair == LONG) paint(p, &mane, NULL, who->hair_shade, 1, 1.5);
    paint(p, &neck, NULL, who->skin * 0.72, 1, 1.5);
    paint(p, &shoulders, NULL, cloth, 1, 1.2);
    if (who->hair != LONG) {
        paint(p, &left_ear, NULL, who->skin * 0.85, 1, 1.5);
        paint(p, &right_ear, NULL, who->skin * 0.85, 1, 1.5);
    }
    paint(p, &head, NULL, who->skin * 0.82, 1, 1.2);
    paint(p, &light, NULL, who->skin, 1, 9);
    if (who->beard) paint(p, &beard, &head, who->hair_shade, 0.7, 2);
}

static void draw_hair(struct picture *p, const struct person *who)
{
    const double w = who->width, h = who->height;
    /* What of the cap lies above a line that hangs from the temples over the forehead. */
    struct shape cap = ellipse(0, 0, w + 1.3, h + 1.6), line = lens(0, 0, w + 3, -3, 60, -0.62 * h);
    const struct shape shine = curve(-0.6 * w, -0.74 * h, 0, -0.95 * h, 0.5 * w, -0.82 * h, 0, 1, 0);
    if (who->hair == BALD) return;
    if (who->hair != SHORT) line = lens(who->parting, 0, w + 9, -3, 60, -0.62 * h);
    cap.bottom = 4; /* the line is nowhere lower */
    paint(p, &cap, &line, who->hair_shade, 1, 1.5);
    paint(p, &shine, NULL, who->hair_shade + 0.12, 0.6, 3);
}

static void draw_eye(struct picture *p, const struct person *who, int side)
{
    const double *f = who->feature;
    const double x = who->turn + side * who->eye_x, y = who->nod - 2.5;
    const double half = who->eye_half * (1 - 0.07 * side * who->turn); /* the far eye is narrower */
    const double upper = larger(f[LID_UPPER], 0.5), lower = larger(f[LID_LOWER], 0.2);
    const struct shape socket = ellipse(x, y - 1, half + 1.5, 4);
    const struct shape iris = ellipse(x + who->gaze_x, y + who->gaze_y - 0.3, 1.6, 1.7);
    struct shape white = lens(x, y, half, 0, upper, lower);
    struct shape lid;
    white.skew = side * f[LID_SLANT];
    white.round = 0.5;
    paint(p, &socket, NULL, who->ink, 0.18, 5);
    paint(p, &white, NULL, 0.55 + 0.5 * who->skin, 1, 1);
    paint(p, &iris, &white, 0.06, 1, 1);
    lid = curve(x - half, y, x, y - upper, x + half, y, 0.15, 0.4, 0.15);
    lid.py[PIECES / 2 - 1] += 0.5 * white.skew; /* a slanted lid: inner half lower, outer half higher */
    lid.py[PIECES / 2 + 1] -= 0.5 * white.skew;
    paint(p, &lid, NULL, who->ink * 0.5, 0.9, 1);
    lid = curve(x - half + 1, y + 0.5 * lower, x, y + lower + 0.3, x + half - 1, y + 0.5 * lower, 0, 0.1, 0);
    paint(p, &lid, NULL, who->ink, 0.5, 1);
}

static void draw_brow(struct picture *p, const struct person *who, int side)
{
    const double *f = who->feature, thick = who->brow_thick;
    const double inner_y = who->nod - 7.2 - f[BROW_INNER], outer_y = who->nod - 7 - f[BROW_OUTER];
    const double inner_x = larger(who->eye_x - 3.6 - f[BROW_CLOSE], 1), outer_x = who->eye_x + 4;
    const double x = who->turn, middle_y = (inner_y + outer_y) / 2 - f[BROW_ARCH];
    const struct shape brow = curve(x + side * inner_x, inner_y, x + side * (0.4 * inner_x + 0.6 * outer_x), middle_y,
                                    x + side * outer_x, outer_y, 0.9 * thick, thick, 0.2 * thick);
    paint(p, &brow, NULL, 0.5 * who->hair_shade + 0.08 * who->skin, 0.9, 1);
}

static void draw_nose(struct picture *p, const struct person *who)
{
    const double *f = who->feature;
    const double x = who->turn, y = who->nod - 1, tip = y + who->nose_length - f[NOSE];
    const double low = x - 1.8 - 0.3 * who->turn;
    const struct shape bridge = curve(x - 1.3, y - 1, x - 1.2, y + 2, low, tip - 0.5, 0.1, 0.3, 0.3);
    const struct shape base = curve(x - 2.4, tip - 0.3, x, tip + 0.8, x + 2.4, tip - 0.3, 0.4, 0.2, 0.4);
    const struct shape shine = ellipse(x + 0.4 * who->turn, tip - 1.6, 1, 2.4);
    int line;
    paint(p, &bridge, NULL, who->ink, 0.35, 1.6);
    paint(p, &base, NULL, who->ink * 0.8, 0.8, 1.1);
    paint(p, &shine, NULL, who->skin * 1.15, 0.6, 2.5);
    for (line = 0; line < 3; line++) {
        const double ends = y + 1.6 * line - 0.6;
        const struct shape wrinkle = curve(x - 2, ends, x, ends - 0.8, x + 2, ends, 0.05, 0.3, 0.05);
        paint(p, &wrinkle, NULL, who->ink * 0.8, 0.8 * f[NOSE], 1);
    }
}

static void draw_mouth(struct picture *p, const struct person *who)
{
    const double *f = who->feature, half = f[MOUTH_HALF], corner = f[MOUTH_CORNER];
    const double x = who->turn, y = who->nod + who->mouth_y, lip = 0.5 * (who->skin + who->ink);
    const double upper = larger(f[MOUTH_UPPER], 0.15 - f[MOUTH_LOWER]); /* the upper lip stays above the lower one */
    struct shape inside = lens(x, y, half, corner, upper, f[MOUTH_LOWER]), lips, row, tongue;
    inside.skew = f[MOUTH_SKEW];
    inside.round = f[MOUTH_ROUND];
    lips = inside;
    lips.upper += 0.7;
    lips.lower += 0.9;
    paint(p, &lips, NULL, lip, 0.75, 1.3);
    paint(p, &inside, NULL, 0.05, 0.95, 1);
    tongue = ellipse(x, y + f[MOUTH_LOWER] + 0.4, 0.55 * half, 1.6);
    paint(p, &tongue, &inside, 0.35, 0.7, 1.5);
    row = inside;
    row.lower -= 0.45 * (upper + f[MOUTH_LOWER]);
    paint(p, &row, &inside, 0.95, f[TEETH], 1);
    row = curve(x - half, y - corner, x, y - upper, x + half, y - corner, 0.25, 0.3, 0.25);
    row.py[PIECES / 2 - 1] += 0.6 * f[MOUTH_SKEW];
    row.py[PIECES / 2 + 1] -= 0.6 * f[MOUTH_SKEW];
    paint(p, &row, NULL, who->ink * 0.5, 0.9, 1);
}

static void draw_wrinkles(struct picture *p, const struct person *who)
{
    const double *f = who->feature, x = who->turn, y = who->nod;
    struct shape s;
    int side, line;
    for (line = 0; line < 2; line++) {
        const double high = y - 12.6 - 1.8 * line;
        s = curve(x - 5, high + 0.3, x, high - 0.4, x + 5, high + 0.3, 0, 0.25, 0);
        paint(p, &s, NULL, who->ink, 0.6 * f[FOREHEAD], 1);
    }
    for (side = -1; side <= 1; side += 2) {
        s = curve(x + side * 1.1, y - 8.5, x + side * 0.8, y - 7, x + side * 1.2, y - 5.5, 0.05, 0.3, 0.05);
        paint(p, &s, NULL, who->ink, 0.9 * f[FROWN], 1);
        s = curve(x + side * 3.4, y + 3.8, x + side * (f[MOUTH_HALF] + 0.8), y + 5.6, x + side * (f[MOUTH_HALF] + 2.6),
                  y + who->mouth_y - 2.2, 0.05, 0.35, 0.05);
        paint(p, &s, NULL, who->ink, 0.5 * f[CHEEK], 1.2);
    }
}

static void draw_glasses(struct picture *p, const struct person *who)
{
    int side;
    const double x = who->turn, y = who->nod - 2.2, shade = who->hair_shade * 0.4;
    struct shape s = curve(x - 1.8, y - 0.6, x, y - 1.2, x + 1.8, y - 0.6, 0.3, 0.3, 0.3);
    paint(p, &s, NULL, shade, 0.9, 1);
    for (side = -1; side <= 1; side += 2) {
        s = ring(x + side * who->eye_x, y, 4.7, 4.1);
        paint(p, &s, NULL, shade, 0.9, 1);
        s = curve(x + side * (who->eye_x + 4.7), y, x + side * 13, y - 0.4, side * (who->width + 0.5), y - 0.4,
                  0.3, 0.3, 0.3);
        paint(p, &s, NULL, shade, 0.9, 1);
    }
}

/* Light from one side, grain (a byte of chance for each pixel), and to bytes. */
static void develop(const struct picture *p, struct dice *dice, uint8_t *pixels)
{
    const double slope_x = about(dice, 0, 0.3) / SIDE, slope_y = about(dice, -0.08, 0.2) / SIDE;
    const double gain = about(dice, 1, 0.2), grain = between(dice, 0.01, 0.05);
    uint32_t draw = 0;
    int row, column;
    for (row = 0; row < SIDE; row++)
        for (column = 0; column < SIDE; column++, draw >>= 8) {
            const double light = gain * (1 + slope_x * (column - SIDE / 2) + slope_y * (row - SIDE / 2));
            double value = p->shade[row][column] * light;
            if (column % 4 == 0) draw = fer_draw(dice->seed, FER_FOR_FACES, dice->face, dice->k++);
            value += grain * ((double)(draw & 255) / 127.5 - 1);
            *pixels++ = (uint8_t)(clamp(value, 0, 1) * 255 + 0.5);
        }
}

static void draw_face(uint64_t seed, uint32_t face, int label, uint8_t *pixels)
{
    struct dice dice = {seed, 0, face};
    struct picture picture;
    struct person who;
    int side;
    choose_person(&who, &dice, label);
    choose_pose(&picture, &dice);
    draw_background(&picture, &dice);
    draw_head(&picture, &who, &dice);
    draw_hair(&picture, &who);
    for (side = -1; side <= 1; side += 2) draw_eye(&picture, &who, side);
    for (side = -1; side <= 1; side += 2) draw_brow(&picture, &who, side);
    draw_nose(&picture, &who);
    draw_mouth(&picture, &who);
    draw_wrinkles(&picture, &who);
    if (who.glasses) draw_glasses(&picture, &who);
    develop(&picture, &dice, pixels);
}

int fer_dataset_draw(struct fer_dataset *data, uint64_t seed, const size_t counts[FER_USAGES], struct fer_error *e)
{
    const size_t pixels = (size_t)SIDE * SIDE;
    struct fer_growing set = {data, 0, 0};
    size_t total = 0, i;
    int usage, face;
    memset(data, 0, sizeof *data);
    for (usage = 0; usage < FER_USAGES; total += counts[usage++])
        if (counts[usage] > MOST_FACES - total) return fer_fail(e, "at most %d faces can be drawn", MOST_FACES);
    for (usage = 0; usage < FER_USAGES; usage++)
        for (i = 0; i < counts[usage]; i++) {
            if (fer_dataset_reserve(&set, pixels, e)) {
                fer_dataset_free(data);
                return -1;
            }
            fer_dataset_append(&set, SIDE, SIDE, (int)(i % FER_CLASSES), usage);
        }
    fer_dataset_shrink(&set);
    snprintf(data->source, sizeof data->source, "drawn faces");
#pragma omp parallel for
    for (face = 0; face < (int)total; face++)
        draw_face(seed, (uint32_t)face, data->image[face].label, data->pixels + (size_t)face * pixels);
    return 0;
}
