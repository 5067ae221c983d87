/*
 * Serves smooth_topk.c by the port protocol: JSON lines on standard input and output, one answer per request, in order.
 *
 *     smooth-topk conformance -- ports/c/serve
 */
#include "smooth_topk.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------- reading JSON ---- */

typedef enum { MISSING, NUMBER, STRING, ARRAY, OBJECT, LITERAL } kind;

typedef struct value {
  kind kind;
  const char *from, *to; /* the text, without a string's quotes */
  double number;
  const char *name, *name_to;       /* in an object */
  struct value *first, *next;       /* of an array or object; its neighbour */
  size_t count;
} value;

/* Values are taken from one array that grows by blocks, so that pointers stay. */
typedef struct block {
  struct block *next;
  size_t used;
  value values[1024];
} block;

typedef struct {
  const char *at;
  block *blocks;
  const char *mistake;
} parser;

static const value missing = {MISSING, "", "", NAN, NULL, NULL, NULL, NULL, 0};
enum { DEEPEST = 16 };

static value *new_value(parser *p) {
  if (p->blocks == NULL || p->blocks->used == 1024) {
    block *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) abort();
    fresh->next = p->blocks;
    p->blocks = fresh;
  }
  return &p->blocks->values[p->blocks->used++];
}

static char peek(parser *p) {
  while (*p->at == ' ' || *p->at == '\t' || *p->at == '\r' || *p->at == '\n') p->at++;
  return *p->at;
}

static void parse_string(parser *p, const char **from, const char **to) {
  for (*from = ++p->at; *p->at != '"'; p->at++) {
    if (*p->at == '\\' && p->at[1] != 0) p->at++;
    if (*p->at == 0) {
      p->mistake = "a string does not end";
      *to = p->at;
      return;
    }
  }
  *to = p->at++;
}

static value *parse(parser *p, int depth) {
  value *v = new_value(p);
  char c = peek(p);
  v->from = p->at;
  if (c == '"') {
    v->kind = STRING;
    parse_string(p, &v->from, &v->to);
    return v;
  }
  if (c == '[' || c == '{') {
    char end = c == '[' ? ']' : '}';
    value **last = &v->first;
    v->kind = c == '[' ? ARRAY : OBJECT;
    if (depth == DEEPEST) p->mistake = "nested too deeply";
    p->at++;
    for (int more = peek(p) != end; more && p->mistake == NULL;) {
      const char *name = NULL, *name_to = NULL;
      if (c == '{') {
        if (peek(p) != '"') p->mistake = "a field without a name";
        else parse_string(p, &name, &name_to);
        if (p->mistake == NULL && peek(p) != ':') p->mistake = "a field without a value";
        if (p->mistake != NULL) return v;
        p->at++;
      }
      *last = parse(p, depth + 1);
      (*last)->name = name, (*last)->name_to = name_to;
      last = &(*last)->next;
      v->count++;
      more = peek(p) == ',';
      if (more) p->at++;
    }
    if (p->mistake == NULL && peek(p) != end) p->mistake = "an array or object does not end";
    if (p->mistake == NULL) p->at++;
    v->to = p->at;
    return v;
  }
  char *after = NULL;
  if (c == '-' || (c >= '0' && c <= '9')) v->number = strtod(p->at, &after), v->kind = NUMBER;
  for (const char *const *word = (const char *const[]){"true", "false", "null", NULL}; after == NULL && *word; word++)
    if (strncmp(p->at, *word, strlen(*word)) == 0) after = (char *)(size_t)(p->at + strlen(*word)), v->kind = LITERAL;
  if (after == NULL || after == p->at) p->mistake = "not a value";
  else p->at = after;
  v->to = p->at;
  return v;
}

static int text_is(const char *from, const char *to, const char *text) {
  return strlen(text) == (size_t)(to - from) && memcmp(from, text, (size_t)(to - from)) == 0;
}

static const value *field(const value *object, const char *name) {
  for (const value *v = object->first; v != NULL; v = v->next)
    if (text_is(v->name, v->name_to, name)) return v;
  return &missing;
}

/* ---------------------------------------------------------------------------------------------- the requests ---- */

typedef struct {
  int is_single;
  size_t batch;
  int n, k;
  double tau, alpha;
  double *matrix, *direction; /* scores or x; v */
  int *labels;
  char refusal[300]; /* empty: none */
} request;

static void refuse(request *r, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  if (r->refusal[0] == 0) vsnprintf(r->refusal, sizeof r->refusal, format, arguments);
  va_end(arguments);
}

static const char *shown(double x, char *room) { /* room for 32 characters */
  if (isnan(x)) return "NaN";
  if (isinf(x)) return x > 0 ? "Infinity" : "-Infinity";
  snprintf(room, 32, "%.17g", x);
  return room;
}

static int is_number(const value *v, double *x) {
  if (v->kind == NUMBER) *x = v->number;
  else if (v->kind != STRING) return 0;
  else if (text_is(v->from, v->to, "Infinity")) *x = INFINITY;
  else if (text_is(v->from, v->to, "-Infinity")) *x = -INFINITY;
  else if (text_is(v->from, v->to, "NaN")) *x = NAN;
  else return 0;
  return 1;
}

static double read_number(request *r, const value *input, const char *name, double fallback) {
  const value *v = field(input, name);
  double x = fallback;
  if (v->kind == MISSING && !isnan(fallback)) return fallback;
  if (!is_number(v, &x)) {
    if (v->kind == MISSING) refuse(r, "%s is missing, expected a number", name);
    else refuse(r, "%s is %.*s, expected a number", name, (int)(v->to - v->from > 60 ? 60 : v->to - v->from), v->from);
  }
  return x;
}

static void read_order(request *r, const value *input, double fallback, int least, int largest) {
  char room[32];
  double k = read_number(r, input, "k", fallback);
  const char *text = shown(k, room), *top = least == 1 ? "n - 1" : "n";
  if (!(k == floor(k)) || isinf(k)) refuse(r, "k must be an integer: got k = %s", text);
  else if (k < least) refuse(r, "k must be at least %d: got k = %s", least, text);
  else if (k > largest) refuse(r, "k must be at most %s: got k = %s, n = %d", top, text, r->n);
  else r->k = (int)k;
}

/* Rows of numbers; sets batch and n, or checks them where they are set. */
static double *read_matrix(request *r, const value *input, const char *name, int is_first) {
  const value *rows = field(input, name);
  size_t b = 0;
  if (rows->kind != ARRAY || rows->count == 0 || rows->first->kind != ARRAY || rows->first->count == 0 ||
      rows->first->count > INT_MAX - 1000) {
    refuse(r, "%s is not an array of rows of numbers", name);
    return NULL;
  }
  if (is_first) r->batch = rows->count, r->n = (int)rows->first->count;
  if (rows->count != r->batch) refuse(r, "%s has %zu rows, expected %zu", name, rows->count, r->batch);
  double *matrix = malloc(r->batch * (size_t)r->n * sizeof *matrix);
  if (matrix == NULL) refuse(r, "out of memory");
  for (const value *row = rows->first; row != NULL && r->refusal[0] == 0; row = row->next, b++) {
    size_t i = 0;
    if (row->kind != ARRAY || row->count != (size_t)r->n) {
      refuse(r, "%s[%zu] has length %zu, expected %d", name, b, row->count, r->n);
      break;
    }
    for (const value *v = row->first; v != NULL; v = v->next, i++) {
      double *x = matrix + b * (size_t)r->n + i;
      if (!is_number(v, x)) refuse(r, "%s[%zu][%zu] is not a number", name, b, i);
      if (r->is_single) *x = (double)(float)*x;
    }
  }
  return matrix;
}

static void read_labels(request *r, const value *input) {
  const value *labels = field(input, "labels");
  size_t b = 0;
  char room[32];
  if (labels->kind != ARRAY || labels->count != r->batch) {
    refuse(r, "labels is not an array of %zu integers, one per row", r->batch);
    return;
  }
  r->labels = malloc(r->batch * sizeof *r->labels);
  if (r->labels == NULL) refuse(r, "out of memory");
  for (const value *v = labels->first; v != NULL && r->refusal[0] == 0; v = v->next, b++) {
    double label = NAN;
    if (!is_number(v, &label) || label != floor(label) || label < 0 || label >= r->n)
      refuse(r, "labels[%zu] is %s, expected an integer in [0, %d]", b, shown(label, room), r->n - 1);
    else r->labels[b] = (int)label;
  }
}

/* The library's status in words. */
static void explain(request *r, smooth_topk_status status, const char *matrix) {
  char room[32];
  double at = 0;
  if (status.code == SMOOTH_TOPK_BAD_SCORE) at = r->matrix[status.row * (size_t)r->n + status.column];
  if (status.code == SMOOTH_TOPK_BAD_DIRECTION) at = r->direction[status.row * (size_t)r->n + status.column];
  switch (status.code) {
  case SMOOTH_TOPK_OK: break;
  case SMOOTH_TOPK_BAD_SCORE:
    refuse(r, "%s[%zu, %zu] is %s, expected a finite number or -Infinity", matrix, status.row, status.column,
           shown(at, room));
    break;
  case SMOOTH_TOPK_BAD_ORDER: refuse(r, "k is out of range: got k = %d, n = %d", r->k, r->n); break;
  case SMOOTH_TOPK_BAD_LABEL:
    refuse(r, "labels[%zu] is %d, expected an integer in [0, %d]", status.row, r->labels[status.row], r->n - 1);
    break;
  case SMOOTH_TOPK_MASKED_LABEL:
    refuse(r, "labels[%zu] is %zu, a masked class: scores[%zu, %zu] is -Infinity", status.row, status.column,
           status.row, status.column);
    break;
  case SMOOTH_TOPK_BAD_TEMPERATURE: refuse(r, "tau must be a finite number > 0: got tau = %s", shown(r->tau, room)); break;
  case SMOOTH_TOPK_BAD_MARGIN: refuse(r, "alpha must be a finite number: got alpha = %s", shown(r->alpha, room)); break;
  case SMOOTH_TOPK_BAD_DIRECTION:
    refuse(r, "v[%zu, %zu] is %s, expected a finite number", status.row, status.column, shown(at, room));
    break;
  case SMOOTH_TOPK_NO_MEMORY: refuse(r, "out of memory"); break;
  }
}

/* ------------------------------------------------------------------------------------------------- answering ---- */

static void print_number(double x) {
  char room[32];
  if (isfinite(x)) fputs(shown(x, room), stdout);
  else printf("\"%s\"", shown(x, room));
}

static void print_row(const double *x, size_t count, int is_empty_where_nan) {
  putchar('[');
  for (size_t i = 0; i < count && !(is_empty_where_nan && isnan(x[i])); i++) {
    if (i > 0) putchar(',');
    print_number(x[i]);
  }
  putchar(']');
}

static void print_rows(const char *name, const double *x, size_t batch, size_t count, int is_empty_where_nan) {
  printf("\"%s\":[", name);
  for (size_t b = 0; b < batch; b++) {
    if (b > 0) putchar(',');
    print_row(x + b * count, count, is_empty_where_nan);
  }
  putchar(']');
}

static void print_id(const value *id) {
  fputs("{\"id\":", stdout);
  if (id->kind == MISSING) fputs("null", stdout);
  else if (id->kind == STRING) printf("\"%.*s\"", (int)(id->to - id->from), id->from);
  else printf("%.*s", (int)(id->to - id->from), id->from);
}

/* As floats, in place of the doubles: the arrays of a request in single precision. */
static float *narrowed(const double *x, size_t count) {
  float *out = malloc((count + 1) * sizeof *out);
  if (out == NULL) abort();
  for (size_t i = 0; x != NULL && i < count; i++) out[i] = (float)x[i];
  return out;
}

static void widen(const float *x, size_t count, double *out) {
  for (size_t i = 0; i < count; i++) out[i] = (double)x[i];
}

typedef enum { SMOOTH, HARD, ESP, HESSIAN } function;

/* Calls the library in the precision of the request. first: loss or log_sigma, or hvp; second: grad or inclusion. */
static smooth_topk_status call(const request *r, function of, double *first, size_t width, double *second) {
  size_t cells = r->batch * (size_t)r->n, firsts = r->batch * width;
  if (!r->is_single) {
    if (of == SMOOTH) return smooth_topk_loss(r->matrix, r->labels, r->batch, r->n, r->k, r->tau, r->alpha, first, second);
    if (of == HARD) return topk_loss(r->matrix, r->labels, r->batch, r->n, r->k, r->alpha, first, second);
    if (of == ESP) return log_esp(r->matrix, r->batch, r->n, r->k, first, second);
    return log_esp_hvp(r->matrix, r->direction, r->batch, r->n, r->k, first);
  }
  float *x = narrowed(r->matrix, cells), *v = narrowed(r->direction, cells);
  float *a = narrowed(NULL, firsts), *b = narrowed(NULL, cells);
  smooth_topk_status status;
  if (of == SMOOTH) status = smooth_topk_lossf(x, r->labels, r->batch, r->n, r->k, r->tau, r->alpha, a, b);
  else if (of == HARD) status = topk_lossf(x, r->labels, r->batch, r->n, r->k, r->alpha, a, b);
  else if (of == ESP) status = log_espf(x, r->batch, r->n, r->k, a, b);
  else status = log_esp_hvpf(x, v, r->batch, r->n, r->k, a);
  if (status.code == SMOOTH_TOPK_OK) {
    widen(a, firsts, first);
    if (of != HESSIAN) widen(b, cells, second);
  }
  free(x), free(v), free(a), free(b);
  return status;
}

static void describe(const value *id) {
  print_id(id);
  puts(",\"output\":{\"name\":\"smooth_topk.c\",\"version\":\"1.0.0\",\"language\":\"C99\","
       "\"functions\":[\"smooth_topk_loss\",\"topk_loss\",\"log_esp\",\"log_esp_hvp\"],"
       "\"dtypes\":[\"float64\",\"float32\"]}}");
}

static void answer_request(const value *root, request *r) {
  static const char *const names[] = {"smooth_topk_loss", "topk_loss", "log_esp", "log_esp_hvp"};
  const value *name = field(root, "function"), *dtype = field(root, "dtype"), *input = field(root, "input");
  int of = 0;
  while (of < 4 && !text_is(name->from, name->to, names[of])) of++;
  if (of == 4) refuse(r, "function is not one of smooth_topk_loss, topk_loss, log_esp, log_esp_hvp");
  r->is_single = text_is(dtype->from, dtype->to, "float32");
  if (!r->is_single && dtype->kind != MISSING && !text_is(dtype->from, dtype->to, "float64"))
    refuse(r, "dtype is not float64 or float32");
  if (input->kind != OBJECT) refuse(r, "input is not an object");
  if (r->refusal[0] != 0) return;
  int is_loss = of == SMOOTH || of == HARD;
  r->matrix = read_matrix(r, input, is_loss ? "scores" : "x", 1);
  if (r->refusal[0] != 0) return;
  read_order(r, input, is_loss ? 5 : NAN, is_loss ? 1 : 0, is_loss ? r->n - 1 : r->n);
  r->tau = of == SMOOTH ? read_number(r, input, "tau", 1) : 1;
  r->alpha = is_loss ? read_number(r, input, "alpha", 1) : 1;
  if (is_loss) read_labels(r, input);
  if (of == HESSIAN) r->direction = read_matrix(r, input, "v", 0);
  if (r->refusal[0] != 0) return;
  size_t cells = r->batch * (size_t)r->n;
  size_t width = is_loss ? 1 : of == ESP ? (size_t)r->k + 1 : (size_t)r->n;
  double *first = malloc(r->batch * width * sizeof *first), *second = malloc(cells * sizeof *second);
  if (first == NULL || second == NULL) refuse(r, "out of memory");
  else explain(r, call(r, (function)of, first, width, second), is_loss ? "scores" : "x");
  if (r->refusal[0] == 0) {
    print_id(field(root, "id"));
    fputs(",\"output\":{", stdout);
    if (is_loss) printf("\"loss\":"), print_row(first, r->batch, 0);
    else print_rows(of == ESP ? "log_sigma" : "hvp", first, r->batch, width, of == HESSIAN);
    if (of != HESSIAN) putchar(','), print_rows(is_loss ? "grad" : "inclusion", second, r->batch, (size_t)r->n, of == ESP);
    puts("}}");
  }
  free(first), free(second);
}

static void print_error(const value *id, const char *message) {
  print_id(id);
  fputs(",\"error\":\"", stdout);
  for (const char *c = message; *c != 0; c++) {
    if (*c == '"' || *c == '\\') putchar('\\');
    putchar((unsigned char)*c < 0x20 ? ' ' : *c);
  }
  puts("\"}");
}

static void answer(const char *line) {
  parser p = {line, NULL, NULL};
  request r = {0};
  const value *root = parse(&p, 0);
  if (p.mistake == NULL && peek(&p) != 0) p.mistake = "more than one value";
  if (p.mistake == NULL && root->kind != OBJECT) p.mistake = "not an object";
  const value *id = p.mistake == NULL ? field(root, "id") : &missing, *name = p.mistake == NULL ? field(root, "function") : &missing;
  if (p.mistake != NULL) refuse(&r, "the request is not JSON: %s", p.mistake);
  else if (text_is(name->from, name->to, "describe")) describe(id);
  else answer_request(root, &r);
  if (r.refusal[0] != 0) print_error(id, r.refusal);
  free(r.matrix), free(r.direction), free(r.labels);
  while (p.blocks != NULL) {
    block *next = p.blocks->next;
    free(p.blocks);
    p.blocks = next;
  }
  fflush(stdout);
}

/* The next line without its end, in *line, which grows; 0 at the end of the input. */
static int read_line(char **line, size_t *room) {
  size_t used = 0;
  for (int c = getchar();; c = getchar()) {
    if (used + 1 >= *room) {
      *room = *room * 2 + 256;
      *line = realloc(*line, *room);
      if (*line == NULL) abort();
    }
    if (c == EOF && used == 0) return 0;
    if (c == EOF || c == '\n') break;
    (*line)[used++] = (char)c;
  }
  (*line)[used] = 0;
  return 1;
}

int main(void) {
  char *line = NULL;
  size_t room = 0;
  while (read_line(&line, &room)) {
    const char *at = line + strspn(line, " \t\r");
    if (*at != 0) answer(at);
  }
  free(line);
  return ferror(stdout) || ferror(stdin) ? 1 : 0;
}
