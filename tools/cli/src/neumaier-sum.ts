/**
 * A sum of many numbers that is right to the last digit: Neumaier's compensated summation.
 */
export class NeumaierSum {
  #sum = 0;
  #compensation = 0;

  add(value: number): void {
    const next = this.#sum + value;
    this.#compensation += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - next + value : value - next + this.#sum;
    this.#sum = next;
  }

  addAll(values: Float64Array): void {
    for (let i = 0; i < values.length; i++) this.add(values[i]);
  }

  get value(): number {
    return this.#sum + this.#compensation;
  }
}
