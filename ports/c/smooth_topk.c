/*
 * The smooth top-k loss and the elementary symmetric polynomials under it: see smooth_topk.h. The second half of this
 * file is compiled twice, by including itself: once per precision.
 *
 * One order k of prod_i (1 + e_i X) is computed so:
 *
 * 1. c is the k-th largest entry and every exponential e_i = exp(-|x_i - c|/T) is at most 1: a factor is 1 + e_i X below
 *    c and e_i + X above it. What these leave out is common to all orders.
 * 2. With S the sum of all entries but the k - 1 largest, q_i = e_i k/S bounds the inclusion probability. Entries with
 *    q_i above a threshold, and those above c, are heavy, the others light.
 * 3. The light product comes from M power sums by Newton's identities, where that is cheaper and safe; else, as the
 *    heavy product always, factor by factor. Then light times heavy = P, to order k.
 * 4. The product without a light entry: one polynomial of e_i for the whole row, or division from order 0 upwards.
 *    Without a heavy one: division of the heavy product from both ends, each as far as it is stable; times light.
 *
 * Rows are computed in the wider of two types: `pair` (two doubles) for double precision, double for single precision.
 * So only the exponentials and the last few operations round, and the results do not depend on how often equal factors
 * repeat. Errors of the e_i do not add up either: the derivatives of log(sigma_k/sigma_{k-1}) by the x_i are positive
 * and sum to 1. The loss: e_i 1.6 u, exp 1.6 u, log1p 2 u, two products 2 u, power sums 0.3 u: below 8 u.
 *
 * Compile without contraction of products and sums (-ffp-contract=off; ISO C99 mode of gcc) and without -ffast-math.
 */
#ifndef REAL

#include "smooth_topk.h"
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256, LANES = 32, MOST_SUMS = 32, MOST_LIGHT_ORDER = 256, MOST_LIGHT_HEAVY = 512 };

typedef enum { RATIO, INCLUSION, HVP } result_kind;

/* ------------------------------------------------------------------------------------------- pairs of doubles ---- */

typedef struct {
  double hi, lo; /* hi + lo, hi the double nearest to it */
} pair;

static inline pair two_sum(double a, double b) { /* exactly a + b */
  double s = a + b, t = s - a;
  return (pair){s, (a - (s - t)) + (b - t)};
}

static inline pair fast_two_sum(double a, double b) { /* the same for |a| >= |b| */
  double s = a + b;
  return (pair){s, b - (s - a)};
}

static inline pair two_product(double a, double b) { /* exactly a b */
  double p = a * b;
#ifdef FP_FAST_FMA
  return (pair){p, fma(a, b, -p)};
#else
  double s = 134217729 * a, t = 134217729 * b, ah = s - (s - a), bh = t - (t - b), al = a - ah, bl = b - bh;
  return (pair){p, al * bl - (((p - ah * bh) - al * bh) - ah * bl)};
#endif
}

static inline pair pair_add(pair a, pair b) {
  pair s = two_sum(a.hi, b.hi), t = two_sum(a.lo, b.lo);
  s = fast_two_sum(s.hi, s.lo + t.hi);
  return fast_two_sum(s.hi, s.lo + t.lo);
}

static inline pair pair_sub(pair a, pair b) { return pair_add(a, (pair){-b.hi, -b.lo}); }

static inline pair pair_mul(pair a, pair b) {
  pair p = two_product(a.hi, b.hi);
  return fast_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

static inline pair pair_div(pair a, pair b) {
  double q = a.hi / b.hi;
  pair rest = pair_sub(a, pair_mul((pair){q, 0}, b));
  return fast_two_sum(q, (rest.hi + rest.lo) / b.hi);
}

static const double LN2 = 0x1.62e42fefa39efp-1, LN2_LOW = 0x1.abc9e3b39803fp-56;

static pair pair_exp(pair x) { /* for x <= 0, to 2^-90 */
  if (!(x.hi > -745)) return (pair){0, 0};
  double m = nearbyint(x.hi / LN2);
  pair r = pair_sub(x, pair_mul((pair){m, 0}, (pair){LN2, LN2_LOW}));
  r = (pair){r.hi / 512, r.lo / 512};
  pair sum = {1 + r.hi / 7 * (1 + r.hi / 8 * (1 + r.hi / 9)), 0};
  for (int i = 6; i > 0; i--) sum = pair_add((pair){1, 0}, pair_div(pair_mul(r, sum), (pair){i, 0}));
  for (int i = 0; i < 9; i++) sum = pair_mul(sum, sum);
  return (pair){ldexp(sum.hi, (int)m), ldexp(sum.lo, (int)m)};
}

/* exp(x + low), x <= 650: 1.6 u. 0 below e^-708. No branch and no call, so that loops over it vectorise. */
static inline double exp_double(double x, double low) {
  const double shifter = 0x1.8p52 + 1023, ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
  union { double value; uint64_t bits; } shifted, power;
  double z = x > -708 ? x : -708;
  shifted.value = z * 1.4426950408889634 + shifter;
  power.bits = shifted.bits << 52;
  double m = shifted.value - shifter, high = z - m * ln2_high, r = high - m * ln2_low;
  double tail = (high - r) - m * ln2_low + low;
  double p = 1. / 6227020800;
  p = p * r + 1. / 479001600, p = p * r + 1. / 39916800, p = p * r + 1. / 3628800, p = p * r + 1. / 362880;
  p = p * r + 1. / 40320, p = p * r + 1. / 5040, p = p * r + 1. / 720, p = p * r + 1. / 120, p = p * r + 1. / 24;
  p = p * r + 1. / 6, p = p * r + 1. / 2;
  double rest = r + r * r * p, result = power.value * (1 + (rest + tail * (1 + rest)));
  return x > -708 ? result : 0;
}

/* The same in single precision, without a low part; 0 below e^-87. */
static inline float exp_single(float x) {
  const float shifter = 0x1.8p23f + 127, ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f;
  union { float value; uint32_t bits; } shifted, power;
  float z = x > -87 ? x : -87;
  shifted.value = z * 1.44269504f + shifter;
  power.bits = shifted.bits << 23;
  float m = shifted.value - shifter, r = (z - m * ln2_high) - m * ln2_low;
  float p = 1.f / 5040;
  p = p * r + 1.f / 720, p = p * r + 1.f / 120, p = p * r + 1.f / 24, p = p * r + 1.f / 6, p = p * r + 1.f / 2;
  float result = power.value * (1 + (r + r * r * p));
  return x > -87 ? result : 0;
}

/* ------------------------------------------------------------------------------ temperature, margin, softplus ---- */

/*
 * T = k tau as a pair, for scores of any size: (x - c)/T is computed as ((down x - down c) up)/t. Where tau >= 1, scores
 * are scaled before their difference is taken, so it cannot overflow; where tau < 1 after it: what overflows then is
 * beyond e^-708.
 */
typedef struct {
  double tau, down, up, inverse; /* inverse = 1/t */
  pair t;
  pair mantissa; /* k tau 2^-exponent */
  int exponent;
} temperature;

static temperature temperature_of(int k, double tau, int least_exponent) {
  temperature of = {.tau = tau, .down = 1, .up = 1};
  int exponent;
  double mantissa = 2 * frexp(tau, &exponent);
  exponent--;
  of.mantissa = of.t = two_product(k, mantissa);
  of.exponent = exponent;
  int lowest = exponent > least_exponent ? exponent : least_exponent;
  if (exponent > 0) of.down = ldexp(1, -exponent);
  else of.up = ldexp(1, -lowest), of.t = (pair){ldexp(of.t.hi, exponent - lowest), ldexp(of.t.lo, exponent - lowest)};
  of.inverse = 1 / of.t.hi;
  return of;
}

/* k alpha + centre - own: its terms may be large and cancel. In units of *unit, so that it cannot overflow. */
static pair margin(int k, double alpha, double centre, double own, double *unit) {
  for (*unit = 1;; *unit = 0x1p60) {
    pair m = pair_add(two_sum(centre / *unit, -own / *unit), two_product(k, alpha / *unit));
    if (isfinite(m.hi) && isfinite(m.lo)) return m;
  }
}

/* tau log(1 + ratio exp(m/(k tau))), and its derivative by the argument of exp, per tau. */
static double softplus(pair ratio, pair m, double unit, int k, const temperature *at, double *weight) {
  pair g = pair_div(m, at->mantissa);
  double scaled = ldexp(g.hi * unit, -at->exponent), low = ldexp(g.lo * unit, -at->exponent);
  if (scaled > 650) {
    *weight = 1;
    return m.hi / k * unit + at->tau * log(ratio.hi);
  }
  double odds = pair_mul(ratio, (pair){exp_double(scaled, low), 0}).hi;
  *weight = odds / (1 + odds);
  return at->tau * log1p(odds);
}

/* ------------------------------------------------------------------------------------ the second half, twice ---- */

static smooth_topk_status status(enum smooth_topk_code code, size_t row, size_t column) {
  return (smooth_topk_status){code, row, column};
}

#define REAL double
#define WIDE pair
#define NAME(name) name
#define WIDEN(x) ((pair){(x), 0})
#define HEAD(a) ((a).hi)
#define PAIR(a) (a)
#define NARROW(a) ((a).hi)
#define ADD pair_add
#define SUB pair_sub
#define MUL pair_mul
#define DIV pair_div
#define WIDE_EXP pair_exp
#define DIGITS 53            /* of REAL */
#define SMALL_ORDER 20       /* up to here Newton's identities are safe for every row: see choose_split */
#define WIDE_COST 10         /* of an operation on WIDE, in those on an array of REAL */
#define COMPENSATED 2        /* power sums kept in two REALs */
#define LEAST_EXPONENT -1000 /* 2^-LEAST_EXPONENT is a REAL */
#include "smooth_topk.c"
#undef REAL
#undef WIDE
#undef NAME
#undef WIDEN
#undef HEAD
#undef PAIR
#undef NARROW
#undef ADD
#undef SUB
#undef MUL
#undef DIV
#undef WIDE_EXP
#undef DIGITS
#undef SMALL_ORDER
#undef WIDE_COST
#undef COMPENSATED
#undef LEAST_EXPONENT

#define REAL float
#define WIDE double
#define NAME(name) name##f
#define WIDEN(x) ((double)(x))
#define HEAD(a) (a)
#define PAIR(a) ((pair){(a), 0})
#define NARROW(a) ((float)(a))
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define MUL(a, b) ((a) * (b))
#define DIV(a, b) ((a) / (b))
#define WIDE_EXP(x) exp((x).hi)
#define DIGITS 24
#define SMALL_ORDER 10
#define WIDE_COST 3
#define COMPENSATED 0
#define LEAST_EXPONENT -100
#include "smooth_topk.c"

#else /* -------------------------------------------------------------------------------- once per precision ---- */

typedef struct {
  int n, k, padded;       /* padded: a multiple of BLOCK above n */
  REAL *x, *e;            /* the row, -INFINITY at the label and beyond n; exp(-|x - c|/T) */
  int *index;             /* of the entries that are multiplied factor by factor, heavy ones first */
  WIDE *a, *b, *v;        /* their factors a + b X, and directions */
  WIDE *light, *heavy, *all, *rest; /* products, to order k (light, all) or of full degree; rest lacks a heavy factor */
  WIDE *light_v, *heavy_v, *all_v, *rest_v; /* coefficient j weighs each j-subset by its sum of v; HVP only */
} NAME(workspace);

static int NAME(most_heavy)(int n, int k) {
  int most = k > n / 3 ? n : 3 * k;
  if (most < MOST_LIGHT_HEAVY) most = MOST_LIGHT_HEAVY;
  return most < n ? most : n;
}

/* One block of memory for a call; free(w->a). */
static int NAME(open)(NAME(workspace) * w, int n, int k) {
  size_t count = (size_t)n, padded = ((size_t)n / BLOCK + 1) * BLOCK, order = (size_t)k + 2;
  size_t heavy = (size_t)NAME(most_heavy)(n, k) + 2;
  size_t wide = 3 * count + 4 * order + 4 * heavy;
  char *room = malloc(wide * sizeof(WIDE) + 2 * padded * sizeof(REAL) + (count + order) * sizeof(int));
  if (room == NULL) return 0;
  WIDE *at = (WIDE *)(void *)room;
  w->n = n, w->k = k, w->padded = (int)padded;
  w->a = at, w->b = at += count, w->v = at += count;
  w->light = at += count, w->light_v = at += order, w->all = at += order, w->all_v = at += order;
  w->heavy = at += order, w->heavy_v = at += heavy, w->rest = at += heavy, w->rest_v = at += heavy;
  w->x = (REAL *)(void *)(at + heavy), w->e = w->x + padded;
  w->index = (int *)(void *)(w->e + padded);
  return 1;
}

/* Copies a row, scaled; -INFINITY stays. */
static void NAME(take_row)(NAME(workspace) * w, const REAL *row, int label, const temperature *at) {
  REAL down = (REAL)at->down;
  for (int i = 0; i < w->n; i++) w->x[i] = row[i] > -(REAL)INFINITY ? row[i] * down : row[i];
  for (int i = w->n; i < w->padded; i++) w->x[i] = -(REAL)INFINITY;
  if (label >= 0) w->x[label] = -(REAL)INFINITY;
}

/* The k largest entries, as a heap of their indices with the least of them first; -1 where fewer are there. */
static int NAME(select_largest)(const NAME(workspace) * w, int k, int *heap) {
  const REAL *x = w->x;
  for (int j = 0; j < k; j++) heap[j] = w->padded - 1;
  REAL least = -(REAL)INFINITY;
  for (int from = 0; from < w->padded; from += LANES) {
    int any = 0;
    for (int l = 0; l < LANES; l++) any |= x[from + l] > least;
    for (int i = from; any && i < from + LANES; i++) {
      if (!(x[i] > least)) continue;
      int at = 0;
      for (int child = 1; child < k; child = 2 * at + 1) {
        if (child + 1 < k && x[heap[child + 1]] < x[heap[child]]) child++;
        if (!(x[heap[child]] < x[i])) break;
        heap[at] = heap[child];
        at = child;
      }
      heap[at] = i;
      least = x[heap[0]];
    }
  }
  return least > -(REAL)INFINITY ? heap[0] : -1;
}

/* e_i = exp(-|x_i - c|/T). In double precision T and the rounding error of x_i - c count too. */
static void NAME(exponentials)(NAME(workspace) * w, REAL c, const temperature *at) {
  REAL up = (REAL)at->up;
#if DIGITS == 53
  for (int i = 0; i < w->padded; i++) {
    pair d = two_sum(w->x[i], -c);
    double sign = d.hi > 0 ? -up : up, high = d.hi * sign, q = high * at->inverse;
    pair p = two_product(q, at->t.hi);
    w->e[i] = exp_double(q, (((high - p.hi) - p.lo) + (d.lo * sign - q * at->t.lo)) * at->inverse);
  }
#else
  REAL inverse = at->inverse < FLT_MAX ? (REAL)at->inverse : FLT_MAX;
  for (int i = 0; i < w->padded; i++) w->e[i] = exp_single(-(REAL)fabsf(w->x[i] - c) * up * inverse);
#endif
}

/* How many entries are above a bound, and the sum of the others. */
static int NAME(count_above)(const NAME(workspace) * w, REAL bound, double *mass) {
  int count = 0;
  *mass = 0;
  for (int from = 0; from < w->padded; from += BLOCK) {
    REAL sum[LANES] = {0};
    const REAL *e = w->e + from;
    for (int i = 0; i < BLOCK; i += LANES)
      for (int l = 0; l < LANES; l++) sum[l] += e[i + l] > bound ? 0 : e[i + l];
    for (int i = 0; i < BLOCK; i++) count += e[i] > bound;
    for (int l = 0; l < LANES; l++) *mass += sum[l];
  }
  return count;
}

/*
 * The threshold of q_i = e_i k/S, and the number M of power sums; M = 0: factor by factor.
 *
 * rho = k max e/(p_1 - k max e), over the light entries, bounds their inclusion probability in subsets of light entries of
 * any order up to k. While rho <= 1/3, errors of Newton's identities add up along the orders and are not amplified, and
 * dropping all after M terms costs k rho^M/(M + 1). Up to SMALL_ORDER the threshold 1/8 serves whatever rho is: then
 * M = k, nothing is dropped, and an error in light coefficient j is below k e^(k/(1 - 1/8)) roundings of WIDE, in units in
 * which P_k is 1. Factor by factor, the threshold 1/2 leaves at most 3k heavy entries.
 */
static double NAME(choose_split)(const NAME(workspace) * w, int above, double unit, int *sums) {
  static const double thresholds[] = {1. / 8, 1. / 32, 1. / 256};
  int k = w->k;
  double best = 0.5, mass;
  int heavy = k <= SMALL_ORDER ? above + 3 * k : above + NAME(count_above)(w, (REAL)(unit / 2), &mass);
  double least = WIDE_COST * (2. * w->n * k + (double)heavy * (heavy + 6. * k));
  *sums = 0;
  for (int choice = 0; choice < (k <= SMALL_ORDER ? 1 : 3) && k <= MOST_LIGHT_ORDER; choice++) {
    double bound = thresholds[choice] * unit, needed = k;
    heavy = above + NAME(count_above)(w, (REAL)bound, &mass);
    if (k > SMALL_ORDER) {
      double rho = k * bound / (mass - k * bound);
      if (!(rho > 0 && rho <= 1. / 3)) continue;
      needed = fmin(k, ceil((DIGITS + 3 + log2(k)) / -log2(rho)));
    }
    double cost = 3 * needed * w->n + WIDE_COST * ((double)heavy * (heavy + 6. * k) + 2 * needed * k);
    if (heavy > MOST_LIGHT_HEAVY || needed > MOST_SUMS || cost > least) continue;
    least = cost, best = thresholds[choice], *sums = (int)needed;
  }
  return best;
}

/* p[m] = sum of e_i^m, m = 1..sums. In blocks, so that no error grows with n. */
static void NAME(power_sums)(const NAME(workspace) * w, int sums, WIDE *p) {
  REAL total[COMPENSATED + 1][LANES] = {{0}}, lost[COMPENSATED + 1][LANES] = {{0}};
  for (int m = 1; m <= sums; m++) p[m] = WIDEN(0);
  for (int from = 0; from < w->padded; from += BLOCK) {
    const REAL *e = w->e + from;
    REAL power[BLOCK];
    memcpy(power, e, sizeof power);
    for (int m = 1; m <= sums; m++) {
      if (m <= COMPENSATED) {
        REAL *sum = total[m - 1], *low = lost[m - 1];
        for (int i = 0; i < BLOCK; i += LANES)
          for (int l = 0; l < LANES; l++) {
            REAL term = power[i + l], s = sum[l] + term, t = s - sum[l];
            low[l] += (sum[l] - (s - t)) + (term - t);
            sum[l] = s;
          }
      } else {
        REAL sum[LANES] = {0};
        for (int i = 0; i < BLOCK; i += LANES)
          for (int l = 0; l < LANES; l++) sum[l] += power[i + l];
        for (int l = 0; l < LANES / 4; l++) sum[l] += sum[l + LANES / 4] + (sum[l + LANES / 2] + sum[l + 3 * LANES / 4]);
        for (int l = 1; l < LANES / 4; l++) sum[0] += sum[l];
        p[m] = ADD(p[m], WIDEN(sum[0]));
      }
      for (int i = 0; i < BLOCK; i++) power[i] *= e[i];
    }
  }
  for (int m = 1; m <= sums && m <= COMPENSATED; m++)
    for (int l = 0; l < LANES; l++) p[m] = ADD(p[m], ADD(WIDEN(total[m - 1][l]), WIDEN(lost[m - 1][l])));
}

/* Newton's identities: j c_j = p_1 c_{j-1} - p_2 c_{j-2} + ... */
static void NAME(newton)(const WIDE *p, int sums, int k, WIDE *c) {
  c[0] = WIDEN(1);
  for (int j = 1; j <= k; j++) {
    WIDE sum = WIDEN(0);
    for (int m = j < sums ? j : sums; m > 0; m--) {
      WIDE term = MUL(p[m], c[j - m]);
      sum = m & 1 ? ADD(sum, term) : SUB(sum, term);
    }
    c[j] = DIV(sum, WIDEN(j));
  }
}

/* p times a + b X, to order `top`; its companion q weighs by v: (p, q)(a + b X, v b X) = (.., q (a + b X) + p v b X). */
static void NAME(multiply)(WIDE *p, WIDE *q, int top, WIDE a, WIDE b, const WIDE *v) {
  for (int j = top; j > 0; j--) {
    if (v) q[j] = ADD(MUL(a, q[j]), MUL(b, ADD(q[j - 1], MUL(*v, p[j - 1]))));
    p[j] = ADD(MUL(a, p[j]), MUL(b, p[j - 1]));
  }
  p[0] = MUL(a, p[0]);
  if (v) q[0] = MUL(a, q[0]);
}

/*
 * (d, m) = (p, q) divided by (a + b X, v b X), p of the given degree. d_j = (p_j - b d_{j-1})/a is stable while
 * b d_{j-1} <= p_j/2, which holds up to some order; above it, d_{j-1} = (p_j - a d_j)/b is, from the top. Where p_j has
 * underflowed, the comparison says nothing: there the direction in which errors do not grow is told by a and b.
 */
static void NAME(divide)(const WIDE *p, const WIDE *q, int degree, WIDE a, WIDE b, const WIDE *v, WIDE *d, WIDE *m) {
  int split = 0;
  for (; split < degree && HEAD(a) > 0; split++) {
    WIDE below = split > 0 ? MUL(b, d[split - 1]) : WIDEN(0);
    if (HEAD(p[split]) > 1e-250 ? HEAD(below) > HEAD(p[split]) / 2 : HEAD(a) < HEAD(b)) break;
    d[split] = DIV(SUB(p[split], below), a);
    if (!v) continue;
    WIDE own = ADD(MUL(*v, below), split > 0 ? MUL(b, m[split - 1]) : WIDEN(0));
    m[split] = DIV(SUB(q[split], own), a);
  }
  for (int j = degree; j > split; j--) {
    d[j - 1] = DIV(j < degree ? SUB(p[j], MUL(a, d[j])) : p[j], b);
    if (v) m[j - 1] = SUB(DIV(j < degree ? SUB(q[j], MUL(a, m[j])) : q[j], b), MUL(*v, d[j - 1]));
  }
}

/* Coefficient j of a product; 0 for j < 0. p is of the given degree, q is known to order j. */
static WIDE NAME(coefficient)(const WIDE *p, int degree, const WIDE *q, int j) {
  WIDE sum = WIDEN(0);
  for (int i = 0; i <= j && i <= degree; i++) sum = ADD(sum, MUL(p[i], q[j - i]));
  return sum;
}

/*
 * The unit of X in which k - 1/2 entries are expected, those of the given mass besides those listed: with factors
 * normalised to a + b = 1, coefficients k - 1 and k are at the peak, and what underflows is negligible beside them.
 */
static double NAME(tilt)(const NAME(workspace) * w, int above, int entries, double mass) {
  double low = -log(2. * w->n), high = log(2. * w->k + 1);
  for (int step = 0; step < 12; step++) {
    double middle = (low + high) / 2, lambda = exp(middle), expected = lambda * mass;
    for (int i = 0; i < entries; i++) {
      double e = HEAD(w->a[i]);
      expected += i < above ? lambda / (e + lambda) : lambda * e / (1 + lambda * e);
    }
    if (expected < w->k - 0.5) low = middle;
    else high = middle;
  }
  return exp((low + high) / 2);
}

/* The result of one entry from the product d of all others: orders k - 2, k - 1, k; m is its companion. */
static WIDE NAME(entry)(result_kind kind, const NAME(workspace) * w, WIDE a, WIDE b, const WIDE *d, const WIDE *m,
                        const WIDE *v) {
  int k = w->k;
  WIDE top = w->all[k], inside = DIV(MUL(b, d[1]), top);
  if (kind == INCLUSION) return inside;
  if (kind == RATIO) {
    WIDE below = w->all[k - 1];
    WIDE bracket = SUB(MUL(DIV(d[1], top), DIV(d[1], below)), MUL(DIV(d[0], below), DIV(d[2], top)));
    return MUL(MUL(a, b), bracket);
  }
  /* H v = inside (E[v(A) | i in A] - E[v(A)]) = (1 - inside) (E[v(A)] - E[v(A) | i not in A]): the smaller factor's. */
  WIDE mean = DIV(w->all_v[k], top), outside = DIV(MUL(a, d[2]), top);
  if (!(HEAD(inside) > 0 && HEAD(outside) > 0)) return WIDEN(0);
  if (HEAD(inside) <= HEAD(outside)) return MUL(inside, SUB(ADD(*v, DIV(m[1], d[1])), mean));
  return MUL(outside, SUB(mean, DIV(m[2], d[2])));
}

/* Light entries by power sums: the result is e G(e), with G one polynomial for the row. */
static void NAME(light_results)(const NAME(workspace) * w, result_kind kind, int sums, REAL *out) {
  int k = w->k, degree = sums < k - 1 ? sums : k - 1;
  const WIDE *p = w->all;
  REAL g[MOST_SUMS + 1];
  for (int l = 0; l <= degree; l++) {
    WIDE value = DIV(p[k - 1 - l], p[k]);
    if (kind == RATIO && l < k - 1)
      value = SUB(value, DIV(p[k - 2 - l], p[k - 1]));
    g[l] = l & 1 ? -NARROW(value) : NARROW(value);
  }
  for (int from = 0; from < w->n; from += BLOCK) {
    int count = w->n - from < BLOCK ? w->n - from : BLOCK;
    const REAL *e = w->e + from;
    REAL sum[BLOCK];
    for (int i = 0; i < BLOCK; i++) sum[i] = g[degree];
    for (int l = degree - 1; l >= 0; l--)
      for (int i = 0; i < BLOCK; i++) sum[i] = sum[i] * e[i] + g[l];
    for (int i = 0; i < count; i++) out[from + i] = sum[i] * e[i];
  }
}

/* Results of order k for the row in w->x; v [n] for HVP, else NULL. *ratio = sigma_k/sigma_{k-1} in units of
 * exp(c/T). Returns the index of c, or -1 where fewer than k entries are there. */
static int NAME(order_k)(NAME(workspace) * w, result_kind kind, const REAL *v, const temperature *at, REAL *out,
                         WIDE *ratio) {
  int n = w->n, k = w->k, sums = 0, *index = w->index;
  int centre = NAME(select_largest)(w, k, index);
  if (centre < 0) return -1;
  REAL c = w->x[centre];
  NAME(exponentials)(w, c, at);
  int above = 0;
  for (int j = 0; j < k; j++) {
    if (!(w->x[index[j]] > c)) continue;
    w->a[above] = WIDEN(w->e[index[j]]), index[above++] = index[j];
  }
  for (int j = 0; j < above; j++) w->e[index[j]] = 0;
  double total;
  NAME(count_above)(w, 2, &total);
  double unit = (total - (k - 1 - above)) / k; /* q = e/unit */
  double threshold = kind == HVP ? 0.5 : NAME(choose_split)(w, above, unit, &sums);
  REAL bound = (REAL)(threshold * unit);
  int heavy = above;
  for (int from = 0; from < w->padded; from += LANES) {
    int any = 0;
    for (int l = 0; l < LANES; l++) any |= w->e[from + l] > bound;
    for (int i = from; any && i < from + LANES; i++) {
      if (!(w->e[i] > bound)) continue;
      w->a[heavy] = WIDEN(w->e[i]), index[heavy++] = i;
      total -= (double)w->e[i], w->e[i] = 0;
    }
  }
  int entries = heavy;
  for (int i = 0; i < n && sums == 0; i++) {
    out[i] = 0;
    if (w->e[i] > 0) w->a[entries] = WIDEN(w->e[i]), index[entries++] = i;
  }
  double lambda = NAME(tilt)(w, above, entries, sums > 0 && total > 0 ? total : 0);
  if (sums > 0) lambda = ldexp(1, ilogb(lambda)); /* so that it rounds nothing */
  REAL low = 0, span = 0; /* the Hessian times a constant is 0: v is shifted and scaled to [0, 1] */
  if (v) {
    REAL high = -(REAL)INFINITY;
    low = (REAL)INFINITY;
    for (int i = 0; i < n; i++)
      if (w->x[i] > -(REAL)INFINITY) low = v[i] < low ? v[i] : low, high = v[i] > high ? v[i] : high;
    span = high / 2 - low / 2;
    if (!(span > 0)) return centre;
  }
  for (int i = 0; i < entries; i++) {
    WIDE e = w->a[i], x_unit = WIDEN(lambda);
    WIDE a = i < above ? e : WIDEN(1), b = i < above ? x_unit : MUL(e, x_unit), sum = ADD(a, b);
    w->a[i] = DIV(a, sum), w->b[i] = DIV(b, sum);
    if (v) w->v[i] = DIV(SUB(WIDEN(v[index[i]] / 2), WIDEN(low / 2)), WIDEN(span));
  }

  for (int j = 0; j <= k; j++) w->light[j] = w->light_v[j] = WIDEN(0);
  for (int j = 0; j <= heavy; j++) w->heavy[j] = w->heavy_v[j] = WIDEN(0);
  w->light[0] = w->heavy[0] = WIDEN(1);
  for (int i = 0; i < heavy; i++) NAME(multiply)(w->heavy, w->heavy_v, i + 1, w->a[i], w->b[i], v ? w->v + i : NULL);
  for (int i = heavy; i < entries; i++) {
    int top = i - heavy + 1 < k ? i - heavy + 1 : k;
    NAME(multiply)(w->light, w->light_v, top, w->a[i], w->b[i], v ? w->v + i : NULL);
  }
  if (sums > 0) {
    WIDE p[MOST_SUMS + 1];
    for (int i = 0; i < w->padded; i++) w->e[i] *= (REAL)lambda;
    NAME(power_sums)(w, sums, p);
    NAME(newton)(p, sums, k, w->light);
  }
  for (int j = 0; j <= k; j++) {
    w->all[j] = NAME(coefficient)(w->heavy, heavy, w->light, j);
    if (v)
      w->all_v[j] = ADD(NAME(coefficient)(w->heavy, heavy, w->light_v, j), NAME(coefficient)(w->heavy_v, heavy, w->light, j));
  }
  if (ratio) *ratio = DIV(DIV(w->all[k], w->all[k - 1]), WIDEN(lambda));
  if (sums > 0) NAME(light_results)(w, kind, sums, out);

  for (int i = 0; i < entries; i++) {
    WIDE a = w->a[i], b = w->b[i], d[3], m[3], zero = WIDEN(0);
    const WIDE *own = v ? w->v + i : NULL;
    d[0] = d[1] = d[2] = m[0] = m[1] = m[2] = zero;
    if (i < heavy) {
      NAME(divide)(w->heavy, w->heavy_v, heavy, a, b, own, w->rest, w->rest_v);
      for (int j = 0; j < 3; j++) {
        d[j] = NAME(coefficient)(w->rest, heavy - 1, w->light, k - 2 + j);
        if (v)
          m[j] = ADD(NAME(coefficient)(w->rest, heavy - 1, w->light_v, k - 2 + j),
                     NAME(coefficient)(w->rest_v, heavy - 1, w->light, k - 2 + j));
      }
    } else {
      WIDE inverse = DIV(WIDEN(1), a);
      for (int j = 0; j <= k; j++) {
        WIDE below = MUL(b, d[2]);
        if (v) {
          WIDE weighted = ADD(MUL(*own, below), MUL(b, m[2]));
          m[0] = m[1], m[1] = m[2], m[2] = MUL(SUB(w->all_v[j], weighted), inverse);
        }
        d[0] = d[1], d[1] = d[2], d[2] = MUL(SUB(w->all[j], below), inverse);
      }
    }
    WIDE result = NAME(entry)(kind, w, a, b, d, m, own);
    out[index[i]] = v ? NARROW(MUL(MUL(result, WIDEN(span)), WIDEN(2))) : NARROW(result);
  }
  return centre;
}

/* ------------------------------------------------------------------------------------------ public functions ---- */

static smooth_topk_status NAME(check_matrix)(const REAL *x, size_t batch, int n) {
  for (size_t at = 0; at < batch * (size_t)n; at += BLOCK) {
    size_t end = at + BLOCK < batch * (size_t)n ? at + BLOCK : batch * (size_t)n;
    int bad = 0;
    for (size_t i = at; i < end; i++) bad |= !(x[i] < (REAL)INFINITY);
    for (size_t i = at; bad && i < end; i++)
      if (!(x[i] < (REAL)INFINITY)) return status(SMOOTH_TOPK_BAD_SCORE, i / (size_t)n, i % (size_t)n);
  }
  return status(SMOOTH_TOPK_OK, 0, 0);
}

static smooth_topk_status NAME(check_loss)(const REAL *scores, const int *labels, size_t batch, int n, int k,
                                           double alpha) {
  if (k < 1 || k > n - 1) return status(SMOOTH_TOPK_BAD_ORDER, 0, 0);
  if (!isfinite(alpha)) return status(SMOOTH_TOPK_BAD_MARGIN, 0, 0);
  smooth_topk_status found = NAME(check_matrix)(scores, batch, n);
  for (size_t row = 0; row < batch && found.code == SMOOTH_TOPK_OK; row++) {
    if (labels[row] < 0 || labels[row] >= n) return status(SMOOTH_TOPK_BAD_LABEL, row, 0);
    if (!(scores[row * (size_t)n + (size_t)labels[row]] > -(REAL)INFINITY))
      return status(SMOOTH_TOPK_MASKED_LABEL, row, (size_t)labels[row]);
  }
  return found;
}

smooth_topk_status NAME(smooth_topk_loss)(const REAL *scores, const int *labels, size_t batch, int n, int k, double tau,
                                          double alpha, REAL *loss, REAL *grad) {
  smooth_topk_status found = NAME(check_loss)(scores, labels, batch, n, k, alpha);
  if (found.code != SMOOTH_TOPK_OK) return found;
  if (!(tau > 0 && tau < INFINITY)) return status(SMOOTH_TOPK_BAD_TEMPERATURE, 0, 0);
  NAME(workspace) w;
  if (!NAME(open)(&w, n, k)) return status(SMOOTH_TOPK_NO_MEMORY, 0, 0);
  temperature at = temperature_of(k, tau, LEAST_EXPONENT);
  for (size_t row = 0; row < batch; row++) {
    const REAL *s = scores + row * (size_t)n;
    REAL *g = grad + row * (size_t)n;
    WIDE ratio;
    NAME(take_row)(&w, s, labels[row], &at);
    int centre = NAME(order_k)(&w, RATIO, NULL, &at, g, &ratio);
    if (centre < 0) {
      loss[row] = 0;
      for (int i = 0; i < n; i++) g[i] = 0;
      continue;
    }
    double unit, weight;
    pair m = margin(k, alpha, (double)s[centre], (double)s[labels[row]], &unit);
    loss[row] = (REAL)softplus(PAIR(ratio), m, unit, k, &at, &weight);
    REAL step = (REAL)(weight / k);
    for (int i = 0; i < n; i++) g[i] *= step;
    g[labels[row]] = -step;
  }
  free(w.a);
  return found;
}

smooth_topk_status NAME(topk_loss)(const REAL *scores, const int *labels, size_t batch, int n, int k, double alpha,
                                   REAL *loss, REAL *grad) {
  smooth_topk_status found = NAME(check_loss)(scores, labels, batch, n, k, alpha);
  if (found.code != SMOOTH_TOPK_OK) return found;
  NAME(workspace) w;
  if (!NAME(open)(&w, n, k)) return status(SMOOTH_TOPK_NO_MEMORY, 0, 0);
  temperature at = temperature_of(1, 1, LEAST_EXPONENT); /* scores as they are */
  for (size_t row = 0; row < batch; row++) {
    const REAL *s = scores + row * (size_t)n;
    REAL *g = grad + row * (size_t)n;
    NAME(take_row)(&w, s, labels[row], &at);
    int centre = NAME(select_largest)(&w, k, w.index), tied = 0;
    double unit = 1;
    pair m = {0, 0};
    if (centre >= 0) m = margin(k, alpha, (double)s[centre], (double)s[labels[row]], &unit);
    for (int i = 0; i < n; i++) tied += centre >= 0 && w.x[i] == s[centre];
    loss[row] = m.hi > 0 ? (REAL)(m.hi / k * unit) : 0;
    for (int i = 0; i < n; i++) g[i] = m.hi > 0 && w.x[i] == s[centre] ? (REAL)(1. / ((double)k * tied)) : 0;
    if (m.hi > 0) g[labels[row]] = (REAL)(-1. / k);
  }
  free(w.a);
  return found;
}

/* -|x - y| as a pair, -INFINITY where it overflows. */
static pair NAME(distance)(REAL x, REAL y) {
  pair d = two_sum((double)x, -(double)y);
  if (!isfinite(d.hi)) return (pair){-INFINITY, 0};
  return d.hi > 0 ? (pair){-d.hi, -d.lo} : d;
}

static int NAME(descending)(const void *p, const void *q) {
  REAL x = *(const REAL *)p, y = *(const REAL *)q;
  return (x < y) - (x > y);
}

/* A sum of n numbers, exactly, as parts of falling size without overlap: Shewchuk (1997). Returns how many parts. */
static int NAME(grow)(double *parts, int count, double x) {
  int kept = 0;
  for (int i = 0; i < count; i++) {
    pair s = two_sum(x, parts[i]);
    x = s.hi;
    if (s.lo != 0) parts[kept++] = s.lo;
  }
  parts[kept++] = x;
  return kept;
}

/*
 * All orders. With x_(1) >= x_(2) >= ..., sigma_j = exp(x_(1) + ... + x_(j)) c_j with 1 <= c_j <= C(n, j). Entry i adds
 * exp(x_(i) - x_(j)) c_{j-1} to c_j for j < i, and c_i begins as c_{i-1}. From i = k on that exponential is taken as
 * exp(x_(i) - x_(k)) exp(x_(k) - x_(j)): what underflows is negligible beside c_j. Each c_j has an exponent; 16 entries
 * may be added between two normalisations, since c_{j-1} <= j c_j. Returns 0 if out of memory.
 */
static int NAME(all_orders)(const REAL *row, int n, int k, REAL *log_sigma) {
  size_t order = (size_t)k + 1;
  WIDE *c = malloc(3 * order * sizeof(WIDE) + order * (sizeof(double) + sizeof(int)) + (size_t)n * sizeof(REAL));
  if (c == NULL) return 0;
  WIDE *step = c + order, *factor = step + order;
  double *parts = (double *)(void *)(factor + order);
  REAL *x = (REAL *)(void *)(parts + order);
  int *exponent = (int *)(void *)(x + n), present = 0;
  for (int i = 0; i < n; i++)
    if (row[i] > -(REAL)INFINITY) x[present++] = row[i];
  qsort(x, (size_t)present, sizeof *x, NAME(descending));
  int top = k < present ? k : present, held = 0;
  c[0] = WIDEN(1), exponent[0] = 0;
  for (int i = 0; i < present; i++) {
    int here = i < top ? i : top; /* the orders 1..here are there */
    for (int j = 1; j <= here && i % 16 == 0; j++) {
      int up;
      frexp(HEAD(c[j]), &up);
      c[j] = MUL(c[j], WIDEN(ldexp(1, -up))), exponent[j] += up;
    }
    if (i < top) c[i + 1] = c[i], exponent[i + 1] = exponent[i];
    for (int j = 1; j <= here && (i <= top || i % 16 == 0); j++) {
      if (i <= top) factor[j] = WIDE_EXP(NAME(distance)(x[i < top ? i : top - 1], x[j - 1]));
      step[j] = MUL(factor[j], WIDEN(ldexp(1, exponent[j - 1] - exponent[j])));
    }
    WIDE e = i < top ? WIDEN(1) : WIDE_EXP(NAME(distance)(x[i], x[top - 1]));
    for (int j = here; j > 0; j--) c[j] = ADD(c[j], MUL(MUL(e, step[j]), c[j - 1]));
  }
  double largest = top == 0 ? 0 : fmax(fabs((double)x[0]), fabs((double)x[top - 1])), unit = largest > 0x1p900 ? 0x1p60 : 1;
  for (int j = 0; j <= k; j++) {
    if (j > top) {
      log_sigma[j] = -(REAL)INFINITY;
      continue;
    }
    if (j > 0) held = NAME(grow)(parts, held, (double)x[j - 1] / unit);
    pair sum = {0, 0}, one = PAIR(c[j]);
    for (int i = held - 1; i >= 0; i--) sum = pair_add(sum, (pair){parts[i], 0});
    int power; /* c_j = (one.hi + one.lo) 2^power with a logarithm that does not cancel: one.hi in [0.7, 1.42) */
    if (frexp(one.hi, &power) < 0.7) power--;
    one = (pair){ldexp(one.hi, -power), ldexp(one.lo, -power)};
    pair rest = pair_mul((pair){power + exponent[j], 0}, (pair){LN2, LN2_LOW});
    rest = pair_add(rest, two_sum(log(one.hi), one.lo / one.hi));
    log_sigma[j] = (REAL)(unit == 1 ? pair_add(sum, rest).hi : sum.hi * unit);
  }
  free(c);
  return 1;
}

smooth_topk_status NAME(log_esp)(const REAL *x, size_t batch, int n, int k, REAL *log_sigma, REAL *inclusion) {
  if (k < 0 || k > n) return status(SMOOTH_TOPK_BAD_ORDER, 0, 0);
  smooth_topk_status found = NAME(check_matrix)(x, batch, n);
  if (found.code != SMOOTH_TOPK_OK) return found;
  NAME(workspace) w;
  if (!NAME(open)(&w, n, k)) return status(SMOOTH_TOPK_NO_MEMORY, 0, 0);
  temperature at = temperature_of(1, 1, LEAST_EXPONENT);
  for (size_t row = 0; row < batch && found.code == SMOOTH_TOPK_OK; row++) {
    const REAL *own = x + row * (size_t)n;
    REAL *out = inclusion ? inclusion + row * (size_t)n : NULL;
    if (!NAME(all_orders)(own, n, k, log_sigma + row * ((size_t)k + 1))) found.code = SMOOTH_TOPK_NO_MEMORY;
    NAME(take_row)(&w, own, -1, &at);
    int is_there = out && k > 0 && NAME(order_k)(&w, INCLUSION, NULL, &at, out, NULL) >= 0;
    for (int i = 0; i < n && out && !is_there; i++) out[i] = k == 0 ? 0 : (REAL)NAN;
  }
  free(w.a);
  return found;
}

smooth_topk_status NAME(log_esp_hvp)(const REAL *x, const REAL *v, size_t batch, int n, int k, REAL *hvp) {
  if (k < 0 || k > n) return status(SMOOTH_TOPK_BAD_ORDER, 0, 0);
  smooth_topk_status found = NAME(check_matrix)(x, batch, n);
  if (found.code != SMOOTH_TOPK_OK) return found;
  for (size_t i = 0; i < batch * (size_t)n; i++)
    if (!isfinite(v[i])) return status(SMOOTH_TOPK_BAD_DIRECTION, i / (size_t)n, i % (size_t)n);
  NAME(workspace) w;
  if (!NAME(open)(&w, n, k)) return status(SMOOTH_TOPK_NO_MEMORY, 0, 0);
  temperature at = temperature_of(1, 1, LEAST_EXPONENT);
  for (size_t row = 0; row < batch; row++) {
    REAL *out = hvp + row * (size_t)n;
    NAME(take_row)(&w, x + row * (size_t)n, -1, &at);
    int is_there = k > 0 && NAME(order_k)(&w, HVP, v + row * (size_t)n, &at, out, NULL) >= 0;
    for (int i = 0; i < n && !is_there; i++) out[i] = k == 0 ? 0 : (REAL)NAN;
  }
  free(w.a);
  return found;
}
#endif
