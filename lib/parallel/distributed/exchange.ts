import {
  GradientsAndVariables,
  IndexedSlices,
  internals,
  type FloatArray,
  type Gradient,
  type Tensor,
  type Variable,
} from 'gradstep';
import type { Communicator, PendingCall, SumOptions } from '../communicator';
import { differentLists } from './differences';
import type { FusedGradients } from './fusion';
import { Heads } from './heads';
import type { CheckedOptions } from './options';
import { gatherSlices } from './slices';
import { failureOf, gatherTexts } from './texts';
import { saidBy } from '../../checks';
import { Tail, VariableList } from './variable-list';

const { alias, retireSpent, spend } = internals;

// A sum of these tells how many ranks have which.
const dense = 1;
const rows = 2 ** 24;

/** Computes means over ranks, as often as is asked: the memory that this takes, and what is known from before. */
export class Exchanger {
  readonly heads: Heads;
  /** How dense gradients are summed. */
  readonly sum: SumOptions;
  private readonly lists: VariableList[] = [];

  /** @param checkState compares the state of an optimizer and of these variables on all ranks. */
  constructor(
    readonly communicator: Communicator,
    readonly options: CheckedOptions,
    readonly checkState: (variables: readonly Variable[]) => void,
  ) {
    const { deterministic } = options;
    this.heads = new Heads(communicator);
    this.sum = deterministic === undefined ? {} : { deterministic };
  }

  /** @param leavesDense whether dense gradients are summed by somebody else. */
  begin(leavesDense = false): Exchange {
    retireSpent(); // their memory serves again
    return new Exchange(this, leavesDense);
  }

  listOf(variables: readonly Variable[]): VariableList {
    const at = this.lists.findIndex((list) => list.isOf(variables));
    const list = at < 0 ? new VariableList([...variables], this.options.fusionBytes) : this.lists.splice(at, 1)[0]!;
    this.lists.unshift(list);
    this.lists.length = Math.min(this.lists.length, mostLists);
    return list;
  }

  isCheckDue(exchanges: number): boolean {
    const { check } = this.options;
    return check !== false && (exchanges === 0 || (check !== 'start' && exchanges % check === 0));
  }

  /** Lets go of memory. */
  end(): void {
    this.lists.length = 0;
  }
}

// Trainings that take turns with several losses have a list each.
const mostLists = 8;

/**
 * One exchange: all ranks' gradients become their means, or all ranks throw.
 *
 * All ranks make the same calls in the same order, whatever becomes of their losses: first the heads, by which they see that
 * they do the same thing; the lots of dense gradients that are known from before, each as soon as the way back has it; the tail,
 * which tells what each variable has had; what the lots have lacked; rows. A rank that has thrown goes on with the calls, and
 * all learn of it by head or tail.
 */
export class Exchange {
  private list: VariableList | null = null;
  private fused: FusedGradients | null = null;
  private lots = 0;
  private head: PendingCall | null = null;
  private hasHead = false;
  private readonly calls: PendingCall[] = [];
  private started = 0;
  /** The variables in the order in which they were known. */
  private readonly known: number[] = [];
  private hasCallsLeft = true;
  private own: { readonly error: unknown } | null = null;
  /** What ended it, for all ranks: no more calls then. */
  private end: { readonly error: unknown } | null = null;

  /** Of an exchange that leaves dense gradients: the variables, by their numbers, that have one on some rank and rows on none. */
  readonly left: number[] = [];

  constructor(
    private readonly exchanger: Exchanger,
    private readonly leavesDense: boolean,
  ) {}

  /** As WayBackObserver has it. */
  begin(variables: readonly unknown[]): void {
    this.list = this.exchanger.listOf(variables as readonly Variable[]);
    if (this.leavesDense) return this.tellHead();
    this.fused = this.list.plan.take();
    this.lots = this.list.plan.lotCount;
    this.tellHead();
  }

  final(variable: number, gradient: Gradient | null): void {
    this.known.push(variable);
    if (this.fused === null) return;
    this.fused.put(variable, gradient instanceof IndexedSlices ? null : gradient);
    this.startLots();
  }

  /** This rank has thrown: so do all. */
  fail(error: unknown): void {
    if (error !== this.end?.error) this.own ??= { error };
  }

  /**
   * Goes through the calls that are left.
   * @param pairs this rank's gradients; null after `fail`.
   * @returns the means; of dense gradients that are left this rank's, or null.
   * @throws what has ended it.
   */
  finish(pairs: GradientsAndVariables | null): GradientsAndVariables {
    try {
      if (this.end === null) return this.exchange(pairs);
    } catch (error) {
      // What nobody else knows of: they would wait.
      if (this.end === null && this.hasCallsLeft) this.exchanger.communicator.abort(saidBy(error));
      this.end ??= { error };
    }
    throw (this.own ?? this.end).error;
  }

  private exchange(pairs: GradientsAndVariables | null): GradientsAndVariables {
    const { communicator } = this.exchanger;
    if (this.head === null && pairs !== null) this.begin(pairs.map(([, variable]) => variable));
    if (this.head === null) this.tellHead();
    this.settleHead();
    const list = this.list!;
    const told = this.tail(list, pairs);
    if (this.fused !== null && pairs !== null)
      for (const i of list.plan.order) this.fused.put(i, denseOf(pairs[i]![0]));
    this.startLots(true);
    this.calls.push(this.calling(() => communicator.startAllReduce(told)));
    this.calling(() => this.calls.forEach((call) => call.wait()));
    if (told[Tail.Failures]! > 0) this.failAll();
    const gradients = this.gather(list, pairs!, told.subarray(Tail.Kinds));
    list.exchanges++;
    const left = new Set(this.left); // whoever sums them spends them
    pairs!.forEach(([gradient], i) => {
      if (gradient !== null && !left.has(i)) spend(storedIn(gradient).memory);
    });
    const loss = (0 + told[Tail.Loss]!) * (1 / communicator.size);
    return GradientsAndVariables.of_(
      list.variables.map((variable, i) => [gradients[i]!, variable]),
      alias(Float64Array.of(loss), 'float64', []),
    );
  }

  private tellHead(): void {
    const { list, exchanger } = this;
    const checksState = list !== null && exchanger.isCheckDue(list.exchanges);
    this.head = this.calling(() => exchanger.heads.start(this.own !== null, list, checksState));
  }

  /** Looks at what all ranks have told, once. */
  private settleHead(): void {
    if (this.hasHead) return;
    this.hasHead = true;
    const { communicator, heads, checkState } = this.exchanger;
    this.calling(() => this.head!.wait());
    if (heads.hasFailure) this.failAll();
    const list = this.list!;
    if (!heads.haveOneList) {
      this.calling(() => {
        const texts = gatherTexts(communicator, JSON.stringify(list.descriptions));
        throw differentLists(texts.map((text) => JSON.parse(text) as string[]));
      });
    }
    if (!heads.haveOnePlan) {
      list.forget();
      this.fused = null;
      this.lots = 0;
    }
    if (heads.checksState) this.calling(() => checkState(list.variables));
  }

  /** Begins those lots that are complete; `isAll`: and all others. */
  private startLots(isAll = false): void {
    const { communicator, sum } = this.exchanger;
    while (this.started < this.lots && (isAll || this.fused!.isComplete(this.started))) {
      this.settleHead();
      if (this.fused === null) return;
      const lot = this.started++;
      this.fused.complete(lot);
      const array = this.fused.arrays[lot]!;
      this.calls.push(this.calling(() => communicator.startAllReduce(array, sum)));
    }
  }

  /** What this rank tells of its gradients. */
  private tail({ tail }: VariableList, pairs: GradientsAndVariables | null): Float64Array {
    tail.fill(0);
    tail[Tail.Failures] = this.own === null ? 0 : 1;
    if (pairs === null) return tail;
    tail[Tail.Loss] = sumOf(pairs.loss);
    pairs.forEach(([gradient], i) => {
      tail[Tail.Kinds + i] = gradient === null ? 0 : gradient instanceof IndexedSlices ? rows : dense;
    });
    return tail;
  }

  /** The means, of which the lots are there already. @param kinds how many ranks have what of each variable. */
  private gather(list: VariableList, pairs: GradientsAndVariables, kinds: Float64Array): (Gradient | null)[] {
    const { communicator } = this.exchanger;
    const factor = 1 / communicator.size;
    const gradients = new Array<Gradient | null>(kinds.length).fill(null);
    const [sparse, unfused]: [number[], number[]] = [[], []];
    kinds.forEach((kind, i) => {
      if (kind >= rows) sparse.push(i);
      else if (kind > 0 && this.leavesDense) this.left.push(i);
      else if (kind > 0 && this.fused !== null && list.plan.has(i)) gradients[i] = this.fused.gradientOf(i, factor);
      else if (kind > 0) unfused.push(i);
    });
    for (const i of this.left) gradients[i] = denseOf(pairs[i]![0]);
    const late = unfused.length === 0 ? [] : this.inOrder(unfused);
    const latePlan = late.length === 0 ? null : list.planFor(late);
    if (latePlan !== null) {
      const fused = latePlan.take();
      for (const i of late) fused.put(i, denseOf(pairs[i]![0]));
      this.startAll(fused.arrays);
      for (const i of late) gradients[i] = fused.gradientOf(i, factor);
    }
    const sums = sparse.length === 0 ? null : this.calling(() => gatherSlices(communicator, pairs, sparse, factor));
    this.hasCallsLeft = false;
    sums?.().forEach((sum, at) => (gradients[sparse[at]!] = sum));
    list.learn(sparse, late, latePlan);
    return gradients;
  }

  private startAll(arrays: readonly FloatArray[]): void {
    const { communicator, sum } = this.exchanger;
    this.calling(() => {
      const calls = arrays.map((array) => communicator.startAllReduce(array, sum));
      for (const call of calls) call.wait();
    });
  }

  /** Variables in the order in which rank 0 has known them. */
  private inOrder(variables: readonly number[]): number[] {
    const count = this.list!.variables.length;
    const order = Int32Array.from(new Set([...this.known, ...Array(count).keys()]));
    this.calling(() => this.exchanger.communicator.broadcast(order));
    const wanted = new Set(variables);
    return Array.from(order).filter((variable) => wanted.has(variable));
  }

  /** @throws what has made ranks fail, on all of them. */
  private failAll(): never {
    return this.calling(() => {
      const texts = gatherTexts(this.exchanger.communicator, this.own === null ? '' : saidBy(this.own.error));
      throw failureOf('has no gradients for this step', texts);
    });
  }

  /** What is thrown here is thrown on all ranks. */
  private calling<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      this.end ??= { error };
      throw error;
    }
  }
}

const denseOf = (gradient: Gradient | null): Tensor | null => (gradient instanceof IndexedSlices ? null : gradient);

const storedIn = (gradient: Gradient): Tensor => (gradient instanceof IndexedSlices ? gradient.values : gradient);

function sumOf({ data }: Tensor): number {
  let sum = 0;
  for (const value of data) sum += value;
  return sum;
}
