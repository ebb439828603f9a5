import { native } from '../native';
import { saidBy, shown } from '../checks';
import { sharedArray } from '../tensor/arrays';
import type { TensorArray, TensorDType } from '../tensor/dtype';
import { endings, type Memory } from '../tensor/memory';
import { trace, type TracedDraws } from '../tensor/trace';
import { checkQuiet, type Key } from '../tensor/in-flight';
import { alias } from '../tensor/tensor';
import { endLoan, lend } from '../step/loan';
import { fedArray, type ProgramInput } from './inputs';
import { plan, type Parts, type Place, type Planned } from './plan';
import type { RankExchange } from './ranks';
import type { IndexList, Value } from './values';

/** What a program is made of beside what was recorded. */
export interface Program extends Omit<Parts, 'places'> {
  readonly inputs: readonly ProgramInput[];
  /** Values that are written into memory of the caller's, which `outputs` tells before each run. */
  readonly outputs: readonly Value[];
  /** Of a program whose gradients are exchanged. */
  readonly exchange?: RankExchange | null;
}

/** An array for each input. */
export type Fed = readonly TensorArray[];

/** What a run has drawn, for the program, and how to take it back when there is no run. */
export interface Drawn {
  readonly numbers: readonly number[];
  readonly putBack: () => void;
}

const nothingDrawn: Drawn = { numbers: [], putBack: () => {} };

/** What a run is given, where it neither moves nor goes until `end`. */
export interface Lent {
  readonly fed: Fed;
  readonly end: () => void;
}

/** A program and what it needs in each run. */
export class Runner {
  /** Loss, global norm, and whether a step was made (1 or 0), of the last run; in shared memory. */
  readonly statistics: Float64Array;
  /** Where the outputs go. */
  readonly outputs: Memory<TensorDType>[] = [];
  private readonly planned: Planned;
  private readonly inputs: readonly ProgramInput[];
  private readonly variables: readonly Memory[];
  private readonly names: ReadonlySet<string>;
  private readonly draws: readonly TracedDraws[];
  private readonly repetitions: number;
  private readonly exchange: RankExchange | null;
  /** Addresses of what is located, what gradients are multiplied by first, draws. */
  private readonly numbers: Float64Array;
  private readonly located: readonly ({ readonly memory: Memory<TensorDType> } | { readonly output: number })[];
  private readonly given: TensorArray[];
  /** For each of `given` the input that it is, or null for an array that the function used. */
  private readonly sources: readonly (ProgramInput | null)[];
  private arePermanent = false;
  private endingsSeen = -1;
  /** Whether native code has been asked for a run since `begin`. */
  private isAskedFor = false;

  constructor(program: Program) {
    const { recorder, inputs, outputs } = program;
    const places: Place[] = [
      ...inputs.map(({ value, stride }) => ({ value, stride, isGiven: true })),
      ...recorder.externals.map(({ value }) => ({ value, stride: 0, isGiven: false })),
      ...outputs.map((value) => ({ value, stride: 0, isGiven: false })),
    ];
    this.planned = plan({ ...program, places });
    this.inputs = inputs;
    this.variables = recorder.readVariables;
    this.names = new Set(inputs.map(({ name }) => name));
    this.located = this.planned.places.flatMap(({ value, isGiven }) => {
      if (isGiven) return [];
      const external = recorder.externals.find((one) => one.value === value);
      return external === undefined ? { output: outputs.indexOf(value) } : { memory: external.memory };
    });
    this.draws = recorder.draws;
    this.repetitions = program.repetitions;
    this.exchange = program.exchange ?? null;
    this.numbers = new Float64Array(this.located.length + 1 + 3 * this.draws.length * this.repetitions);
    this.numbers[this.located.length] = 1;
    const ofPlaces = this.planned.places.filter(({ isGiven }) => isGiven);
    this.sources = [
      ...ofPlaces.map(({ value }) => inputs.find((input) => input.value === value)!),
      ...this.planned.lists.map((list) => inputs.find((input) => input.list === list) ?? null),
    ];
    this.given = this.sources.map(() => new Float32Array(0));
    this.statistics = sharedArray('float64', 3);
  }

  /**
   * What a run is given, for each of the inputs.
   * @throws TypeError, RangeError for what does not fit, Error inside of another trace.
   */
  feed(inputs: unknown): Fed {
    if (trace !== null) throw new Error('what is compiled cannot be run while another function is compiled');
    if (typeof inputs !== 'object' || inputs === null) {
      throw new TypeError(`inputs must be an object with ${[...this.names].join(', ')}, got ${shown(inputs)}`);
    }
    for (const name in inputs) {
      if (!this.names.has(name)) {
        throw new TypeError(`inputs: there is no '${name}', there are ${[...this.names].join(', ')}`);
      }
    }
    const byName = inputs as Readonly<Record<string, unknown>>;
    return this.inputs.map((input) => fedArray(input, byName[input.name]));
  }

  /** The same for a run off the event loop: nobody can move it. */
  lend(fed: Fed): Lent {
    const loans = this.inputs.map(({ dtype, shape }, i) => {
      return dtype === 'int32' ? null : lend(alias<TensorDType>(fed[i]!, dtype, shape));
    });
    return {
      fed: fed.map((array, i) => loans[i]?.memory.array ?? array.slice()),
      end: () => {
        for (const loan of loans) if (loan !== null) endLoan(loan);
      },
    };
  }

  /** What runs off the event loop have in turn: the program, and the variables that it reads. */
  get keys(): Key[] {
    const { exchange } = this;
    return [this, ...this.variables.map(({ key }) => key), ...(exchange === null ? [] : [exchange.communicator])];
  }

  /** @throws Error while a run off the event loop is not over. */
  checkQuiet(what: string): void {
    checkQuiet(this, () => what);
    if (this.exchange !== null) checkQuiet(this.exchange.communicator, () => 'the communicator');
  }

  /** What gradients are multiplied by before all else. */
  set unscale(factor: number) {
    this.numbers[this.located.length] = factor;
  }

  /** Before a run that ranks make together. */
  begin(): void {
    this.isAskedFor = false;
  }

  /** Tells the other ranks, which wait for a run that there is not, what has been thrown; nothing where there was one. */
  miss(error: unknown): void {
    const { exchange, planned, isAskedFor } = this;
    if (exchange !== null) native.missProgram(planned.program, exchange.handle, saidBy(error), isAskedFor);
  }

  /** The same off the event loop, in its turn. */
  async missAsync(error: unknown): Promise<void> {
    const { exchange, planned, isAskedFor } = this;
    if (exchange === null) return;
    await native.missProgramAsync(this, planned.program, exchange.handle, saidBy(error), isAskedFor);
  }

  /**
   * Runs the program. No user code runs in it.
   * @throws RangeError for an index that is out of range, Error for memory that is gone; where gradients are exchanged
   * RangeError for ranks that do not run the same, and what the exchange throws.
   */
  run(fed: Fed, drawn: Drawn, table?: Float64Array): void {
    this.give(fed, drawn);
    this.locate();
    const { planned, numbers, given, statistics, exchange } = this;
    this.isAskedFor = true;
    const wrong = native.runProgram(planned.program, numbers, given, statistics, table, exchange?.handle);
    if (wrong !== undefined) this.refuse(wrong);
  }

  /**
   * The same off the event loop, in its turn.
   * @param held what must stay until then, beside what is the runner's.
   */
  async runAsync({ fed }: Lent, drawn: Drawn, held: unknown, table?: Float64Array): Promise<void> {
    const copies: Memory<TensorDType>[] = [];
    try {
      this.give(fed, drawn);
      this.locateAsync(copies);
      const { planned, numbers, given, statistics, exchange } = this;
      this.isAskedFor = true;
      const all = { runner: this, outputs: [...this.outputs], given: [...given], copies, held };
      const started = native.runProgramAsync(all, planned.program, numbers, given, statistics, table, exchange?.handle);
      const wrong = typeof started === 'number' ? started : await started;
      if (wrong !== undefined) this.refuse(wrong);
    } finally {
      for (const copy of copies) copy.release();
    }
  }

  /** Calls `f` with what a run needs drawn, which is taken back when it throws. */
  drawing<T>(f: (drawn: Drawn) => T): T {
    const drawn = this.draw();
    try {
      return f(drawn);
    } catch (error) {
      drawn.putBack();
      throw error;
    }
  }

  /** The same for one that is not over when it returns. */
  async drawingAsync<T>(f: (drawn: Drawn) => Promise<T>): Promise<T> {
    const drawn = this.draw();
    try {
      return await f(drawn);
    } catch (error) {
      drawn.putBack();
      throw error;
    }
  }

  /** In the order in which the ops draw. */
  private draw(): Drawn {
    const { draws, repetitions } = this;
    if (draws.length === 0) return nothingDrawn;
    const taken: ReturnType<TracedDraws['take']>[] = [];
    const putBack = (): void => {
      for (const one of taken.reverse()) one.putBack();
    };
    try {
      for (let i = 0; i < repetitions; i++) for (const source of draws) taken.push(source.take());
    } catch (error) {
      putBack();
      throw error;
    }
    return { numbers: taken.flatMap(({ draw: { key, stream, counter } }) => [key, stream, counter]), putBack };
  }

  private give(fed: Fed, drawn: Drawn): void {
    const { given, sources, inputs } = this;
    if (drawn.numbers.length > 0) this.numbers.set(drawn.numbers, this.located.length + 1);
    for (let i = 0; i < sources.length; i++) {
      const source = sources[i]!;
      given[i] = source === null ? this.listAt(i).source.array!() : fed[inputs.indexOf(source)]!;
    }
  }

  /** The list that is given at this place. */
  private listAt(i: number): IndexList {
    return this.planned.lists[i - (this.given.length - this.planned.lists.length)]!;
  }

  /** Memory that could be transferred meanwhile is copied. */
  private locateAsync(copies: Memory<TensorDType>[]): void {
    this.arePermanent = false;
    this.located.forEach((place, i) => {
      let memory = 'memory' in place ? place.memory : this.outputs[place.output]!;
      if ('memory' in place && !memory.canBeLent) copies.push((memory = memory.copied()));
      this.numbers[i] = memory.locate();
    });
  }

  private locate(): void {
    if (this.arePermanent && this.endingsSeen === endings) return;
    const { numbers, located, outputs } = this;
    this.arePermanent = false; // should one of them be gone
    let arePermanent = true;
    for (let i = 0; i < located.length; i++) {
      const place = located[i]!;
      const memory = 'memory' in place ? place.memory : outputs[place.output]!;
      numbers[i] = memory.locate();
      arePermanent &&= 'memory' in place && memory.isPermanent;
    }
    this.arePermanent = arePermanent;
    this.endingsSeen = endings;
  }

  private refuse(wrong: number | string): never {
    if (typeof wrong === 'string') throw this.exchange!.failure(wrong);
    const number = Math.floor(wrong / 2 ** 32);
    const position = wrong % 2 ** 32;
    const list = this.planned.lists[number]!;
    const array = this.given[this.given.length - this.planned.lists.length + number]!;
    throw new RangeError(
      `${list.source.name}[${position}] is ${array[position]}, expected 0 to ${list.limit} (exclusive)`,
    );
  }
}
