/*
 * The smooth top-k loss and the elementary symmetric polynomials under it, in C99. No dependency but libm.
 *
 * Each function comes in double precision and, with an f at the end of its name, in single precision. All are
 * re-entrant: there is no state, and each call allocates its own room and frees it. Arrays are row-major. An entry of
 * -INFINITY is not there: a masked class, a removed entry. Arguments are checked before anything is computed or written.
 *
 * u is the unit roundoff: 2^-53 in double, 2^-24 in single precision. How the results are computed, and why they are
 * as accurate as said here, stands in smooth_topk.c.
 *
 * L. Berrada, A. Zisserman, M. P. Kumar, Smooth Loss Functions for Deep Top-k Classification, ICLR 2018.
 */
#ifndef SMOOTH_TOPK_H
#define SMOOTH_TOPK_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is wrong with the arguments, if anything. */
enum smooth_topk_code {
  SMOOTH_TOPK_OK = 0,
  SMOOTH_TOPK_BAD_SCORE,        /* scores or x [row, column] is NaN or +INFINITY */
  SMOOTH_TOPK_BAD_ORDER,        /* k is out of range */
  SMOOTH_TOPK_BAD_LABEL,        /* labels[row] is outside 0..n - 1 */
  SMOOTH_TOPK_MASKED_LABEL,     /* scores[row, labels[row]] is -INFINITY */
  SMOOTH_TOPK_BAD_TEMPERATURE,  /* tau is not a finite number above 0 */
  SMOOTH_TOPK_BAD_MARGIN,       /* alpha is not finite */
  SMOOTH_TOPK_BAD_DIRECTION,    /* v[row, column] is not finite */
  SMOOTH_TOPK_NO_MEMORY
};

typedef struct {
  enum smooth_topk_code code;
  size_t row, column; /* where, for the codes that say so */
} smooth_topk_status;

/*
 * The smooth top-k loss of each row and its gradient:
 *
 *     L = tau log(1 + exp z),  z = alpha/tau + log sigma_k(e) - log sigma_{k-1}(e) - s_y/(k tau),
 *     e_i = exp(s_i/(k tau)) over the classes i besides the label y.
 *
 * scores  [batch, n];  labels  [batch], 0 <= label < n, not masked;  1 <= k <= n - 1;  tau > 0;  alpha finite.
 * loss    [batch], out: one per row.  grad  [batch, n], out: the gradient of each row's own loss.
 *
 * Where masking leaves fewer than k other classes, both are 0. k = 1, tau = 1, alpha = 0 is the cross-entropy.
 * Any finite score is allowed: the loss is INFINITY only where the exact one is beyond the largest number.
 * Error of the loss at most 9 u relative (single: 1e-5), of a gradient entry 64 k u relative (single: 1e-3 of it and
 * 1e-5 of the row's largest), except below 1e-280 (1e-30). O(n) time per row, or O(n k) where few entries hold most of
 * the weight.
 */
smooth_topk_status smooth_topk_loss(const double *scores, const int *labels, size_t batch, int n, int k, double tau,
                                    double alpha, double *loss, double *grad);
smooth_topk_status smooth_topk_lossf(const float *scores, const int *labels, size_t batch, int n, int k, double tau,
                                     double alpha, float *loss, float *grad);

/*
 * The hard top-k SVM max(0, alpha + (s_[k] - s_y)/k), s_[k] the k-th largest score besides the label's, and the limit of
 * the gradient above as tau -> 0: -1/k at y and 1/k shared equally by the classes at s_[k]; 0 where the loss is 0.
 * Error at most 3 u relative.
 */
smooth_topk_status topk_loss(const double *scores, const int *labels, size_t batch, int n, int k, double alpha,
                             double *loss, double *grad);
smooth_topk_status topk_lossf(const float *scores, const int *labels, size_t batch, int n, int k, double alpha,
                              float *loss, float *grad);

/*
 * Logarithms of the elementary symmetric polynomials of exp(x), and the inclusion probabilities of order k:
 *
 *     log_sigma[j] = log sigma_j(exp(x_1), ..., exp(x_n)), j = 0..k,
 *     inclusion[i] = exp(x_i) sigma_{k-1}(exp(x) without i)/sigma_k(exp(x)) = d log_sigma[k]/d x_i.
 *
 * x  [batch, n];  0 <= k <= n.  log_sigma  [batch, k + 1], out: -INFINITY where sigma_j = 0.
 * inclusion  [batch, n], out, or NULL: NaN throughout a row with sigma_k = 0.
 *
 * Error of log_sigma at most 2 u max(1, |value|), at any magnitude of x; of inclusion 64 k u relative (single: 1e-3).
 * O(n k) time per row.
 */
smooth_topk_status log_esp(const double *x, size_t batch, int n, int k, double *log_sigma, double *inclusion);
smooth_topk_status log_espf(const float *x, size_t batch, int n, int k, float *log_sigma, float *inclusion);

/*
 * The Hessian of log sigma_k(exp(x)) times v: hvp_i = Cov([i in A], sum over l in A of v_l) for a k-subset A drawn with
 * probability prod over A of exp(x_i) / sigma_k.
 *
 * v  [batch, n], finite; what it holds at removed entries does not count.
 * hvp  [batch, n], out: NaN throughout a row with sigma_k = 0.
 *
 * Error at most 64 k u inclusion_i (1 - inclusion_i) (max v - min v) (single: 1e-3 of that). O(n k) time per row.
 */
smooth_topk_status log_esp_hvp(const double *x, const double *v, size_t batch, int n, int k, double *hvp);
smooth_topk_status log_esp_hvpf(const float *x, const float *v, size_t batch, int n, int k, float *hvp);

#ifdef __cplusplus
}
#endif

#endif
