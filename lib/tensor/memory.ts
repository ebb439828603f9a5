import { alignedArray, copyInto, Place, type Watchable } from './arrays';
import { tensorDTypes, type ArrayOf, type DType, type TensorDType } from './dtype';
import type { Key } from './in-flight';
import { kernels, refuseInTrace, trace } from './trace';

/**
 * Arrays of tensors that are gone, by dtype and length, for tensors to come. A training loop asks for the same
 * lengths step after step, so after its first steps it allocates nothing.
 */
class Pool {
  private readonly idle = Object.fromEntries(
    tensorDTypes.map((dtype) => [dtype, new Map<number, Shelf>()]),
  ) as unknown as Readonly<Record<TensorDType, Map<number, Shelf>>>;
  private generation = 0;

  take(dtype: TensorDType, length: number): Place {
    const shelf = this.idle[dtype].get(length);
    if (shelf !== undefined) shelf.used = this.generation;
    for (let place = shelf?.places.pop(); place !== undefined; place = shelf!.places.pop()) {
      if (place.isThere) return place; // not when somebody has transferred its buffer
    }
    this.nextGeneration(); // outside of scopes, lengths that never come again would otherwise pile up
    return new Place(alignedArray(dtype, length), dtype);
  }

  give(dtype: TensorDType, place: Place): void {
    const shelves = this.idle[dtype];
    const { length } = place;
    let shelf = shelves.get(length);
    if (shelf === undefined) shelves.set(length, (shelf = { places: [], used: this.generation }));
    shelf.places.push(place);
  }

  /** Called once a step and for each new array: lets go of lengths that nobody has asked for of late. */
  nextGeneration(): void {
    if (++this.generation % keptGenerations !== 0) return;
    for (const shelves of Object.values(this.idle)) {
      for (const [length, shelf] of shelves) {
        if (this.generation - shelf.used > keptGenerations) shelves.delete(length);
      }
    }
  }
}

interface Shelf {
  readonly places: Place[];
  used: number;
}

// Long enough for a loop that evaluates now and then, short enough for one whose shapes keep changing.
const keptGenerations = 32;

export const pool = new Pool();

/** The same for arrays that nobody outside ever sees: their buffers cannot be transferred. */
const unseen = new Pool();

/** Grows whenever memory ends that is not the pool's, a variable's for one: until then permanent memory stays. */
export let endings = 0;

const disposed = 'this tensor has been disposed of';

/**
 * The array behind one or more tensors, and all there is to say about how long it lives: whose it is, who holds it, and
 * whether a step that is over may take it for its own. Views of a tensor share its memory and so all of this.
 */
export class Memory<D extends TensorDType = DType> {
  readonly dtype: D;
  readonly length: number;
  /** Why the array is gone, as a later reader is told. */
  whyGone = disposed;
  /** Whether computeGradients made it: then it may serve again once its gradient has been applied. */
  isRecyclable = false;
  /** Set by `keep`: only its owner gives it back. */
  isKept = false;

  private owners = 1;
  private leases = 0;
  private isOver = false;
  /** Whether JavaScript may not read the array: it is gone, or has its values only in a run of a program. */
  private isBarred = false;
  private copies: Memory[] | null = null;

  private constructor(
    private readonly place: Place,
    private readonly origin: 'pool' | 'unseen' | 'library' | 'caller' | 'trace' | 'lent',
  ) {
    this.dtype = place.dtype as D;
    this.length = place.length;
  }

  /** An array of the pool's, with undefined contents. */
  static take<D extends TensorDType>(dtype: D, length: number): Memory<D> {
    if (trace !== null) return trace.take(dtype, length);
    return new Memory<D>(pool.take(dtype, length), 'pool');
  }

  /** Memory of a program, which has values in its runs only. */
  static traced<D extends TensorDType>(array: ArrayOf<D>, dtype: D): Memory<D> {
    const memory = new Memory<D>(new Place(array, dtype), 'trace');
    memory.isBarred = true;
    return memory;
  }

  /**
   * A copy that nobody outside can reach, where `locate` holds for as long as it is referenced. Its array is not to be
   * handed out. @throws Error when this memory is gone or was taken away.
   */
  copied(): Memory<D> {
    this.locate();
    const copy = new Memory<D>(unseen.take(this.dtype, this.length), 'unseen');
    copyInto(copy.array, this.array);
    return copy;
  }

  /** Another array for a gradient that is made from this one: it may serve again where this one may. */
  like(): Memory<D> {
    const memory = Memory.take(this.dtype, this.length);
    memory.isRecyclable = this.isRecyclable;
    return memory;
  }

  /** A fresh array that stays as long as what is made of it: a variable, or a value that outlives its step. */
  static of<D extends TensorDType>(array: ArrayOf<D>, dtype: D): Memory<D> {
    return new Memory<D>(new Place(array, dtype), 'library');
  }

  /** A caller's array, over memory that is the caller's to take away. */
  static over<D extends TensorDType>(array: ArrayOf<D>, dtype: D): Memory<D> {
    return new Memory<D>(new Place(array, dtype), 'caller');
  }

  /**
   * Memory of a gradient over an array that whoever lends it takes back once this memory `isFree`: then `again` lends it anew.
   */
  static lent<D extends TensorDType>(array: ArrayOf<D>, dtype: D): Memory<D> {
    return Memory.lentAt<D>(new Place(array, dtype));
  }

  /** The same array, once this memory is over. */
  again(): Memory<D> {
    return Memory.lentAt<D>(this.place);
  }

  private static lentAt<D extends TensorDType>(place: Place): Memory<D> {
    const memory = new Memory<D>(place, 'lent');
    memory.isRecyclable = true;
    return memory;
  }

  /** Whether nobody will read the array any more. */
  get isFree(): boolean {
    return this.isOver && this.leases === 0;
  }

  /** Whether the array is the pool's to hand out again. */
  get isPooled(): boolean {
    return this.origin === 'pool' || this.origin === 'trace';
  }

  /** Whether the array came from outside. */
  get isCallers(): boolean {
    return this.origin === 'caller';
  }

  get isGone(): boolean {
    return this.isOver;
  }

  /** The array. @throws Error when it is gone, or has its values only in a run of a program. */
  get array(): ArrayOf<D> {
    if (this.isBarred) this.refuse();
    return this.place.array as ArrayOf<D>;
  }

  /** The array for `kernels`, and for nobody else. @throws Error when it is gone. */
  get operand(): ArrayOf<D> {
    if (this.isOver) throw new Error(this.whyGone);
    if (trace !== null) trace.use(this, this.place.array);
    return this.place.array as ArrayOf<D>;
  }

  /** The array where it stands for what a program has there: nobody reads it. @throws Error when it is gone. */
  get standIn(): ArrayOf<D> {
    if (this.isOver) throw new Error(this.whyGone);
    return this.place.array as ArrayOf<D>;
  }

  /** Bars JavaScript from the array while a program is put together that has other values there in each run. */
  bar(isBarred: boolean): void {
    this.isBarred = isBarred || this.isOver;
  }

  private refuse(): never {
    if (this.isOver) throw new Error(this.whyGone);
    refuseInTrace('reading values of something that depends on inputs or variables');
  }

  /** Whether the memory can neither move nor be taken away while the array is referenced. */
  get isPermanent(): boolean {
    return this.place.isPermanent;
  }

  /** Whether `locate` holds while the memory is leased, whatever code runs. */
  get canBeLent(): boolean {
    return this.origin === 'unseen' || this.place.isPermanent;
  }

  /** What steps have in turn for this memory. */
  get key(): Key {
    return this.place.isPermanent ? this.place.bufferAddress : this;
  }

  /** What a later look has to ask, while the array is there. */
  get watchable(): Watchable {
    return this.place.watchable;
  }

  /** Whether the array has all of its memory: its buffer has not been detached, shrunk or grown. */
  get isThere(): boolean {
    return this.place.isThere;
  }

  /** How many elements of it are there. */
  get lengthNow(): number {
    return this.place.lengthNow;
  }

  /**
   * Where the array lies. It stays there until user code runs, and as long as the memory is leased if it is permanent.
   * @throws Error when it is gone, or its buffer was detached, shrunk or grown.
   */
  locate(): number {
    if (this.isBarred) this.refuse();
    const { place } = this;
    if (!place.isThere)
      throw new Error(`a tensor's memory now has ${place.lengthNow} elements, expected ${this.length}`);
    return place.address;
  }

  get isShared(): boolean {
    return this.owners > 1;
  }

  /** Notes a further owner. */
  share(): this {
    this.owners++;
    return this;
  }

  /** Takes an owner's leave. */
  release(): void {
    if (--this.owners === 0) this.end(disposed);
  }

  /** A step reads the array until `endLease`: it does not serve anybody else before. */
  lease(): void {
    this.leases++;
  }

  endLease(): void {
    if (--this.leases === 0 && this.isOver) this.giveBack();
  }

  /** Memory of its own for the values times `factor`, which goes when this memory does. */
  multiplied(this: Memory, factor: number): Memory {
    const copy = Memory.take(this.dtype, this.length);
    kernels.scale(copy.operand, this.operand, factor);
    (this.copies ??= []).push(copy);
    return copy;
  }

  /** The array is about to be written: copies made of it no longer hold. */
  forgetCopies(): void {
    const { copies } = this;
    this.copies = null;
    if (copies !== null) for (const copy of copies) copy.release();
  }

  /** Takes the array from all its tensors, unless it is kept. */
  retire(why: string): void {
    if (!this.isKept) this.end(why);
  }

  private end(why: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.isBarred = true;
    if (!this.isPooled && this.origin !== 'unseen' && this.origin !== 'lent') endings++;
    this.whyGone = why;
    this.forgetCopies();
    if (this.leases === 0) this.giveBack();
  }

  private giveBack(): void {
    if (this.origin === 'pool') pool.give(this.dtype, this.place);
    else if (this.origin === 'unseen') unseen.give(this.dtype, this.place);
  }
}

// Memory of gradients that computeGradients made and a step has used. They stay readable until the next computeGradients,
// which takes it for its own: so a training loop allocates nothing, and logging a gradient after the step works.
let spent: Memory[] = [];

/** A step has used a gradient: if computeGradients made it, its memory may serve again. */
export function spend(memory: Memory): void {
  if (memory.isRecyclable) spent.push(memory);
}

export function retireSpent(): void {
  if (spent.length === 0) return;
  const memories = spent;
  spent = [];
  for (const memory of memories) {
    memory.retire(
      'this gradient has been applied, and the next computeGradients took its memory; keep() holds on to it',
    );
  }
}
