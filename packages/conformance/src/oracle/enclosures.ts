/**
 * Interval arithmetic: an enclosure is a pair of MPFR numbers between which the exact value lies. Lower ends round
 * down, upper ends round up, so that holds after any sequence of operations, underflow and overflow included.
 *
 * Enclosures live on a stack and are named by their place on it. A function marks the stack, allocates, and releases
 * to its mark; the memory behind is kept and used again. Results never alias operands unless a comment says so.
 */
import { DOWNWARD, type Mpfr, type MpfrPointer, NEAREST, UPWARD } from "./mpfr.ts";

/** The place of an enclosure on the stack. */
export type Enclosure = number;

export class Enclosures {
  readonly mpfr: Mpfr;
  readonly lower: MpfrPointer[] = [];
  readonly upper: MpfrPointer[] = [];
  #precisions: number[] = [];
  #top = 0;
  #precision = 0;
  readonly #product: MpfrPointer;
  readonly #spare: MpfrPointer;

  constructor(mpfr: Mpfr) {
    this.mpfr = mpfr;
    this.#product = this.#create(64);
    this.#spare = this.#create(64);
  }

  get precision(): number {
    return this.#precision;
  }

  /** Bits of all enclosures allocated from here on; the stack must be empty. */
  setPrecision(bits: number): void {
    if (this.#top !== 0) throw new Error("setPrecision: enclosures of another precision are in use");
    this.#precision = bits;
    this.mpfr.mpfr_set_prec(this.#product, bits);
    this.mpfr.mpfr_set_prec(this.#spare, bits);
  }

  mark(): number {
    return this.#top;
  }

  release(mark: number): void {
    this.#top = mark;
  }

  /** @returns the first of `count` consecutive enclosures, their values arbitrary. */
  allocate(count: number): Enclosure {
    const first = this.#top;
    const bits = this.#precision;
    this.#top += count;
    for (let i = first; i < this.#top; i++) {
      if (i === this.lower.length) {
        this.lower.push(this.#create(bits));
        this.upper.push(this.#create(bits));
        this.#precisions.push(bits);
      } else if (this.#precisions[i] !== bits) {
        this.mpfr.mpfr_set_prec(this.lower[i], bits);
        this.mpfr.mpfr_set_prec(this.upper[i], bits);
        this.#precisions[i] = bits;
      }
    }
    return first;
  }

  #create(bits: number): MpfrPointer {
    const pointer = this.mpfr.mpfr_t();
    this.mpfr.mpfr_init2(pointer, bits);
    return pointer;
  }

  /** Frees everything; the object is unusable afterwards. */
  destroy(): void {
    for (const pointer of [...this.lower, ...this.upper, this.#product, this.#spare]) {
      this.mpfr.mpfr_clear(pointer);
      this.mpfr.mpfr_t_free(pointer);
    }
    this.lower.length = 0;
    this.upper.length = 0;
    this.mpfr.mpfr_free_cache();
  }

  /** r = value, exactly: every precision in use holds a double. */
  setDouble(r: Enclosure, value: number): void {
    this.mpfr.mpfr_set_d(this.lower[r], value, DOWNWARD);
    this.mpfr.mpfr_set_d(this.upper[r], value, UPWARD);
  }

  copy(r: Enclosure, a: Enclosure): void {
    this.mpfr.mpfr_set(this.lower[r], this.lower[a], DOWNWARD);
    this.mpfr.mpfr_set(this.upper[r], this.upper[a], UPWARD);
  }

  /** r = -a; r may be a. */
  negate(r: Enclosure, a: Enclosure): void {
    this.mpfr.mpfr_neg(this.#spare, this.upper[a], DOWNWARD);
    this.mpfr.mpfr_neg(this.upper[r], this.lower[a], UPWARD);
    this.mpfr.mpfr_set(this.lower[r], this.#spare, DOWNWARD);
  }

  /** r = a + b; r may be a or b. */
  add(r: Enclosure, a: Enclosure, b: Enclosure): void {
    this.mpfr.mpfr_add(this.lower[r], this.lower[a], this.lower[b], DOWNWARD);
    this.mpfr.mpfr_add(this.upper[r], this.upper[a], this.upper[b], UPWARD);
  }

  /** r = a - b; r may be a or b. */
  subtract(r: Enclosure, a: Enclosure, b: Enclosure): void {
    this.mpfr.mpfr_sub(this.#spare, this.lower[a], this.upper[b], DOWNWARD);
    this.mpfr.mpfr_sub(this.upper[r], this.upper[a], this.lower[b], UPWARD);
    this.mpfr.mpfr_set(this.lower[r], this.#spare, DOWNWARD);
  }

  /** r = a b, where b >= 0 and a has any sign; r may be a or b. */
  multiply(r: Enclosure, a: Enclosure, b: Enclosure): void {
    const { mpfr, lower, upper } = this;
    const low = mpfr.mpfr_sgn(lower[a]) < 0 ? upper[b] : lower[b];
    const high = mpfr.mpfr_sgn(upper[a]) < 0 ? lower[b] : upper[b];
    mpfr.mpfr_mul(this.#spare, lower[a], low, DOWNWARD);
    mpfr.mpfr_mul(upper[r], upper[a], high, UPWARD);
    mpfr.mpfr_set(lower[r], this.#spare, DOWNWARD);
  }

  /** r = a / b, where b > 0 and a has any sign; r may be a or b. */
  divide(r: Enclosure, a: Enclosure, b: Enclosure): void {
    const { mpfr, lower, upper } = this;
    const low = mpfr.mpfr_sgn(lower[a]) < 0 ? lower[b] : upper[b];
    const high = mpfr.mpfr_sgn(upper[a]) < 0 ? upper[b] : lower[b];
    mpfr.mpfr_div(this.#spare, lower[a], low, DOWNWARD);
    mpfr.mpfr_div(upper[r], upper[a], high, UPWARD);
    mpfr.mpfr_set(lower[r], this.#spare, DOWNWARD);
  }

  /** r = value a for a double value; r may be a. */
  scale(r: Enclosure, a: Enclosure, value: number): void {
    const { mpfr, lower, upper } = this;
    const low = value < 0 ? upper[a] : lower[a];
    const high = value < 0 ? lower[a] : upper[a];
    mpfr.mpfr_mul_d(this.#spare, low, value, DOWNWARD);
    mpfr.mpfr_mul_d(upper[r], high, value, UPWARD);
    mpfr.mpfr_set(lower[r], this.#spare, DOWNWARD);
  }

  /** r = e^a; r may be a. */
  exponential(r: Enclosure, a: Enclosure): void {
    this.mpfr.mpfr_exp(this.lower[r], this.lower[a], DOWNWARD);
    this.mpfr.mpfr_exp(this.upper[r], this.upper[a], UPWARD);
  }

  /** r = log a, where a >= 0; r may be a. */
  logarithm(r: Enclosure, a: Enclosure): void {
    this.mpfr.mpfr_log(this.lower[r], this.lower[a], DOWNWARD);
    this.mpfr.mpfr_log(this.upper[r], this.upper[a], UPWARD);
  }

  /** r = log(1 + a), where a >= 0; r may be a. */
  logarithmOnePlus(r: Enclosure, a: Enclosure): void {
    this.mpfr.mpfr_log1p(this.lower[r], this.lower[a], DOWNWARD);
    this.mpfr.mpfr_log1p(this.upper[r], this.upper[a], UPWARD);
  }

  /** r = max(0, a); r may be a. */
  positivePart(r: Enclosure, a: Enclosure): void {
    this.#positivePart(this.lower[r], this.lower[a], DOWNWARD);
    this.#positivePart(this.upper[r], this.upper[a], UPWARD);
  }

  #positivePart(r: MpfrPointer, a: MpfrPointer, rounding: number): void {
    if (this.mpfr.mpfr_sgn(a) < 0) this.mpfr.mpfr_set_zero(r, 1);
    else this.mpfr.mpfr_set(r, a, rounding);
  }

  /** 1 or -1 if every number of the enclosure has that sign, 0 if it is exactly 0, undefined if it is not known. */
  sign(a: Enclosure): -1 | 0 | 1 | undefined {
    const low = this.mpfr.mpfr_sgn(this.lower[a]);
    const high = this.mpfr.mpfr_sgn(this.upper[a]);
    if (low > 0) return 1;
    if (high < 0) return -1;
    return low === 0 && high === 0 ? 0 : undefined;
  }

  isExact(a: Enclosure): boolean {
    return this.mpfr.mpfr_equal_p(this.lower[a], this.upper[a]) !== 0;
  }

  /**
   * r = sum over q < count of a[q step] b[q], where b >= 0 and a has any sign: the inner loop of every polynomial
   * product here. With `accumulate`, r += the sum.
   */
  dot(r: Enclosure, a: Enclosure, step: 1 | -1, b: Enclosure, count: number, accumulate: boolean): void {
    const { mpfr, lower, upper } = this;
    const product = this.#product;
    const low = lower[r];
    const high = upper[r];
    let started = accumulate;
    for (let q = 0; q < count; q++) {
      const aLow = lower[a + step * q];
      const aHigh = upper[a + step * q];
      const lowSign = mpfr.mpfr_sgn(aLow);
      const highSign = mpfr.mpfr_sgn(aHigh);
      if (lowSign === 0 && highSign === 0) continue;
      const bForLow = lowSign < 0 ? upper[b + q] : lower[b + q];
      const bForHigh = highSign < 0 ? lower[b + q] : upper[b + q];
      if (started) {
        mpfr.mpfr_mul(product, aLow, bForLow, DOWNWARD);
        mpfr.mpfr_add(low, low, product, DOWNWARD);
        mpfr.mpfr_mul(product, aHigh, bForHigh, UPWARD);
        mpfr.mpfr_add(high, high, product, UPWARD);
      } else {
        mpfr.mpfr_mul(low, aLow, bForLow, DOWNWARD);
        mpfr.mpfr_mul(high, aHigh, bForHigh, UPWARD);
        started = true;
      }
    }
    if (!started) this.setDouble(r, 0);
  }

  /**
   * The double nearest to every number in the enclosure (ties to even, a zero always +0), or undefined if its ends
   * round differently.
   */
  round(a: Enclosure): number | undefined {
    const low = this.mpfr.mpfr_get_d(this.lower[a], NEAREST);
    const high = this.mpfr.mpfr_get_d(this.upper[a], NEAREST);
    return low === high ? low + 0 : undefined;
  }

  /** The centre of the enclosure, rounded to `bits` bits and then to a double, ties to even both times. */
  roundCentre(a: Enclosure, bits: number): number {
    return this.withCentre(a, bits, (centre) => this.mpfr.mpfr_get_d(centre, NEAREST)) + 0;
  }

  /** What `read` makes of the centre of the enclosure, rounded to `bits` bits, ties to even. */
  withCentre<T>(a: Enclosure, bits: number, read: (centre: MpfrPointer) => T): T {
    const { mpfr } = this;
    mpfr.mpfr_add(this.#spare, this.lower[a], this.upper[a], NEAREST);
    mpfr.mpfr_div_2ui(this.#spare, this.#spare, 1, NEAREST);
    mpfr.mpfr_prec_round(this.#spare, bits, NEAREST);
    const value = read(this.#spare);
    mpfr.mpfr_prec_round(this.#spare, this.#precision, NEAREST);
    return value;
  }

  /**
   * Opens the lower end, for rounding only: the next number of the working precision rounds as everything between does,
   * because no midpoint of the values that are rounded to lies there: they have fewer bits.
   */
  excludeLower(a: Enclosure): void {
    this.mpfr.mpfr_nextabove(this.lower[a]);
  }
}
