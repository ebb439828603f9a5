import { takePositions } from '../accumulators/positions';
import { checkOptions, type Names, type NamesOf } from '../options';
import { ConditionalAccumulator } from '../accumulators/conditional';
import { SparseConditionalAccumulator } from '../accumulators/sparse-conditional';
import { checkBoolean, checkRange, isWhole, shown } from '../checks';
import { GlobalStep } from '../tensor/global-step';
import type { GradientAndVariable } from '../autodiff/gradients-and-variables';
import { IndexedSlices, storedValues, type Gradient } from '../tensor/indexed-slices';
import { ExponentialMovingAverage } from '../averages/moving-average';
import { OptimizerWrapper } from './optimizer-wrapper';
import {
  applyNames,
  minimizeNames,
  type Optimizer,
  type ApplyGradientsOptions,
  type MinimizeOptions,
  type PlannedStep,
} from '../optimizers/optimizer';
import { Loans } from '../step/loan';
import { checkedUpdates, readPairs, type Update } from '../step/pairs';
import { checkQuiet, type Key } from '../step/turns';
import { showShape } from '../tensor/shape';
import { countsEntry, inOrder, uniqueEntries, type StateEntry, type StateSource } from '../tensor/state';
import type { Tensor } from '../tensor/tensor';
import { TokenQueue } from './token-queue';
import { Variable } from '../tensor/variable';

export interface SyncReplicasOptions {
  /** How many gradients make a step. Those of replicas beyond that number come too late and are dropped. */
  replicasToAggregate: number;
  /** How many replicas there are. Default: replicasToAggregate. */
  totalNumReplicas?: number;
  /** Tokens that replicas find before the first step is made; with 0 each of them waits for it. Default:
   * replicasToAggregate, as in TensorFlow, after which every replica has one gradient dropped. */
  numTokens?: number;
  /** Updated after each step. Default: none. */
  variableAverages?: ExponentialMovingAverage;
  /** What `variableAverages` is of. Default: the variables that are trained. */
  variablesToAverage?: readonly Variable[];
  /** Accepted for TensorFlow's sake. Default: false. */
  useLocking?: boolean;
  /** Default: `sync_replicas`. */
  name?: string;
}

export interface ReplicaOptions {
  /** Whose gradients these are: from 0. Default: 0. */
  replica?: number;
}

const syncNames: NamesOf<SyncReplicasOptions> = {
  replicasToAggregate: true,
  totalNumReplicas: true,
  numTokens: true,
  variableAverages: true,
  variablesToAverage: true,
  useLocking: true,
  name: true,
};
const replicaNames: NamesOf<ApplyGradientsOptions & ReplicaOptions> = { ...applyNames, replica: true };
const replicaMinimizeNames: NamesOf<MinimizeOptions & ReplicaOptions> = { ...minimizeNames, ...replicaNames };

/**
 * Several replicas' gradients, averaged into one step of the inner optimizer.
 *
 * A replica pushes its gradients, computed at its local step, with `applyGradients`; those of an earlier step than the
 * present one are dropped. It then takes a token, which tells its next local step. When every variable has
 * `replicasToAggregate` gradients, the inner optimizer applies their averages, `globalStep` is incremented, and as many
 * tokens as there are replicas (or gradients to a step, whichever is more) carry its value. A replica that finds no
 * token waits: until the next step it has nothing to push.
 *
 * All replicas share this object and this thread; nothing blocks, `isWaiting` tells who would.
 *
 * Source: `tf.train.SyncReplicasOptimizer`; Chen et al. 2016.
 * @example
 * const optimizer = new SyncReplicasOptimizer(new AdamOptimizer(), { replicasToAggregate: 2, numTokens: 0 });
 * const globalStep = createGlobalStep();
 * for (const replica of [0, 1]) optimizer.minimize(loss, { globalStep, replica });
 */
export class SyncReplicasOptimizer extends OptimizerWrapper {
  readonly replicasToAggregate: number;
  readonly totalNumReplicas: number;
  private readonly numTokens: number;
  private readonly variableAverages: ExponentialMovingAverage | undefined;
  private readonly variablesToAverage: readonly Variable[] | undefined;
  private accumulators = new Map<Variable, ConditionalAccumulator | SparseConditionalAccumulator>();
  private localSteps: number[];
  private queue: TokenQueue | null = null;
  private globalStep: GlobalStep | null = null;

  /**
   * @throws TypeError for a wrong kind, RangeError unless the numbers are whole, replicasToAggregate and totalNumReplicas
   * from 1, and numTokens at least replicasToAggregate − totalNumReplicas: with fewer the first step would never come.
   */
  constructor(optimizer: Optimizer, options: SyncReplicasOptions) {
    checkOptions('options', options, syncNames);
    const { replicasToAggregate, totalNumReplicas = replicasToAggregate, useLocking = false } = options ?? {};
    const {
      numTokens = replicasToAggregate,
      variableAverages,
      variablesToAverage,
      name = 'sync_replicas',
    } = options ?? {};
    checkBoolean('useLocking', useLocking);
    super(optimizer, { name });
    checkRange('replicasToAggregate', replicasToAggregate, 'a whole number from 1', (n) => isWhole(n) && n >= 1);
    checkRange('totalNumReplicas', totalNumReplicas, 'a whole number from 1', (n) => isWhole(n) && n >= 1);
    const fewest = Math.max(0, replicasToAggregate - totalNumReplicas);
    checkRange('numTokens', numTokens, `a whole number from ${fewest}`, (n) => isWhole(n) && n >= fewest);
    if (variableAverages !== undefined && !(variableAverages instanceof ExponentialMovingAverage)) {
      throw new TypeError(`variableAverages must be an ExponentialMovingAverage, got ${shown(variableAverages)}`);
    }
    this.replicasToAggregate = replicasToAggregate;
    this.totalNumReplicas = totalNumReplicas;
    this.numTokens = numTokens;
    this.variableAverages = variableAverages;
    this.variablesToAverage = checkVariables('variablesToAverage', variablesToAverage);
    this.localSteps = new Array<number>(totalNumReplicas).fill(0);
  }

  /** The step at which this replica's gradients count as computed. */
  localStep(replica: number): number {
    this.checkReplica(replica);
    return this.localSteps[replica]!;
  }

  /** Whether the replica has pushed its gradients and has no token yet: the next step gives it one. */
  isWaiting(replica: number): boolean {
    this.checkReplica(replica);
    return this.queue?.isWaiting(replica) ?? false;
  }

  /** The steps that the tokens carry which nobody has taken yet, first come first. */
  get tokens(): readonly number[] {
    return this.queue?.tokens ?? [];
  }

  /**
   * Pushes a replica's gradients; makes a step when they are enough.
   *
   * @returns whether the gradients were in time; otherwise they were dropped.
   * @throws TypeError for a wrong kind, RangeError for shapes and indices out of range, Error without gradients, when
   * other variables have gradients than at first, and when the replica waits; with nothing changed. What the inner
   * optimizer throws leaves the gradients gathered: the next push tries again.
   */
  override applyGradients(
    gradsAndVars: Iterable<GradientAndVariable>,
    options: ApplyGradientsOptions & ReplicaOptions = {},
  ): boolean {
    const { step, replica } = this.checkCall(options);
    checkQuiet(this, () => 'this optimizer');
    this.checkNotWaiting(replica, step);
    const isFresh = this.pushAll(checkedUpdates(gradsAndVars), step, replica);
    if (this.isReady()) {
      this.optimizer.applyGradients(this.means(), { globalStep: step });
      this.afterStep(step);
    }
    this.takeToken(replica);
    return isFresh;
  }

  /**
   * The same, with the inner optimizer's step off the event loop; gradients are gathered on it.
   * @returns a promise of whether the gradients were in time.
   */
  override applyGradientsAsync(
    gradsAndVars: Iterable<GradientAndVariable>,
    options: ApplyGradientsOptions & ReplicaOptions = {},
  ): Promise<boolean> {
    return super.applyGradientsAsync(gradsAndVars, options);
  }

  /** @internal */
  override planStep(
    gradsAndVars: Iterable<GradientAndVariable>,
    options: ApplyGradientsOptions & ReplicaOptions = {},
  ): PlannedStep {
    const { step, replica } = this.checkCall(options);
    const loans = new Loans(readPairs(gradsAndVars));
    return {
      keys: [...this.turnKeys(), ...loans.keys, step.buffer],
      loans,
      run: async (turn) => {
        this.checkNotWaiting(replica, step);
        const isFresh = this.pushAll(checkedUpdates(loans.pairs), step, replica);
        loans.spend();
        if (this.isReady()) {
          const inner = this.optimizer.planStep(this.means(), { globalStep: step });
          try {
            await inner.run(turn);
          } finally {
            inner.loans.end();
          }
          turn.inCharge(() => this.afterStep(step));
        }
        this.takeToken(replica);
        return isFresh;
      },
    };
  }

  /** @internal */
  override turnKeys(): Key[] {
    return [this, ...super.turnKeys()];
  }

  override minimizeAsync(loss: () => Tensor, options: MinimizeOptions & ReplicaOptions = {}): Promise<Tensor> {
    return super.minimizeAsync(loss, options);
  }

  override minimize(loss: () => Tensor, options: MinimizeOptions & ReplicaOptions = {}): Tensor {
    return super.minimize(loss, options);
  }

  /** @throws Error: what the replicas of one thread have gathered is no state of several threads. */
  override share(): never {
    throw new Error('a SyncReplicasOptimizer is for one thread: trainInWorkers of gradstep/parallel has replicas');
  }

  override dispose(): void {
    checkQuiet(this, () => 'this optimizer');
    super.dispose();
    this.accumulators.clear();
  }

  protected override get namesToMinimize(): Names {
    return replicaMinimizeNames;
  }

  private start(globalStep: GlobalStep, updates: readonly Update[]): TokenQueue {
    this.localSteps.fill(globalStep.value);
    for (const { variable, indices } of updates) {
      const accumulator = this.accumulatorOf(variable, indices !== undefined);
      accumulator.setGlobalStep(globalStep.value);
      this.accumulators.set(variable, accumulator);
    }
    return new TokenQueue(new Array<number>(this.numTokens).fill(globalStep.value));
  }

  private accumulatorOf(variable: Variable, isSparse: boolean): ConditionalAccumulator | SparseConditionalAccumulator {
    const { dtype, shape } = variable;
    const Accumulator = isSparse ? SparseConditionalAccumulator : ConditionalAccumulator;
    return new Accumulator(dtype, { shape, name: `${this.getName()}/${variable.name}` });
  }

  /**
   * All state, sorted by key: the inner optimizer's and, from the first push on, `<name>/local_steps`, `<name>/tokens`,
   * `<name>/waiting` and what has been gathered for each variable, `<name>/<variable>/...`. Not that of
   * `variableAverages` and the global step, which are state by themselves.
   * @throws Error when two pieces have one key, naming both.
   */
  override state(): StateEntry[] {
    const inner = super.state().map((entry) => ['the optimizer inside', entry] as const);
    if (this.queue === null) return uniqueEntries(inner);
    const name = this.getName();
    const own = [
      countsEntry(`${name}/local_steps`, this.localSteps),
      countsEntry(`${name}/tokens`, this.queue.tokens),
      countsEntry(`${name}/waiting`, this.queue.owners),
    ];
    const gathered = [...this.accumulators].flatMap(([variable, accumulator], position) => {
      const owner = `the gradients of '${variable.name}' of shape ${showShape(variable.shape)}`;
      const entries = [countsEntry(`${accumulator.name}/position`, position), ...accumulator.state()];
      return entries.map((entry) => [owner, entry] as const);
    });
    return uniqueEntries([...inner, ...own.map((entry) => ['the replicas', entry] as const), ...gathered]);
  }

  override planRestore(source: StateSource): () => void {
    const restoreInner = super.planRestore(source);
    const name = this.getName();
    const own = ['local_steps', 'tokens', 'waiting'].map((what) => `${name}/${what}`);
    const hasBegun = own.some((key) => source.has(key));
    const accumulators: typeof this.accumulators = new Map();
    let queue: TokenQueue | null = null;
    let localSteps = new Array<number>(this.totalNumReplicas).fill(0);
    const steps = [restoreInner];
    if (hasBegun) {
      localSteps = source.takeCounts(own[0]!, [this.totalNumReplicas]);
      queue = this.takeQueue(source, own[1]!, own[2]!);
      for (const variable of takePositions(source, `${name}/`, this.accumulators.keys())) {
        const isSparse = source.has(`${name}/${variable.name}/dense_shape`);
        const accumulator = this.accumulatorOf(variable, isSparse);
        steps.push(accumulator.planRestore(source));
        accumulators.set(variable, accumulator);
      }
      if (accumulators.size === 0) source.refuse(own[0]!, 'is there, but there are no gradients of any variable');
    }
    return () => {
      inOrder(steps)();
      this.localSteps = localSteps;
      this.queue = queue;
      this.accumulators = accumulators;
      if (!hasBegun) this.globalStep = null;
    };
  }

  private takeQueue(source: StateSource, tokensKey: string, waitingKey: string): TokenQueue {
    const tokens = source.takeCounts(tokensKey);
    const waiting = source.takeCounts(waitingKey);
    if (waiting.some((owner) => owner >= this.totalNumReplicas) || new Set(waiting).size < waiting.length) {
      source.refuse(waitingKey, `holds what is no replica, or one twice: there are ${this.totalNumReplicas}`);
    }
    if (waiting.length > 0 && tokens.length > 0) source.refuse(waitingKey, 'has replicas that wait beside tokens');
    return new TokenQueue(tokens, waiting);
  }

  private push({ variable, values, indices }: Update, localStep: number): boolean {
    const accumulator = this.accumulators.get(variable)!;
    if (accumulator instanceof ConditionalAccumulator) return accumulator.applyGrad(values, localStep);
    return accumulator.applyGrad(new IndexedSlices(values, indices!, variable.shape), localStep);
  }

  /** Takes all of a replica's gradients. Returns whether they are in time. */
  private pushAll(updates: readonly Update[], step: GlobalStep, replica: number): boolean {
    this.checkVariables(updates);
    this.globalStep = step;
    this.queue ??= this.start(step, updates);
    const accepted = updates.map((update) => this.push(update, this.localSteps[replica]!));
    return accepted.every((isAccepted) => isAccepted);
  }

  private takeToken(replica: number): void {
    this.queue!.take(replica, (owner, token) => (this.localSteps[owner] = token));
  }

  private isReady(): boolean {
    return [...this.accumulators.values()].every((one) => one.numAccumulated() >= this.replicasToAggregate);
  }

  // What TensorFlow's chief does: a step of these, and then this.

  private means(): GradientAndVariable[] {
    return [...this.accumulators].map(([variable, one]) => [ours(one.result()), variable] as const);
  }

  private afterStep(globalStep: GlobalStep): void {
    for (const accumulator of this.accumulators.values()) {
      accumulator.startAnew();
      accumulator.setGlobalStep(globalStep.value); // the same, unless the inner optimizer left its step out
    }
    const tokens = Math.max(this.totalNumReplicas, this.replicasToAggregate);
    this.queue!.put(new Array<number>(tokens).fill(globalStep.value), (owner, token) => {
      this.localSteps[owner] = token;
    });
    this.variableAverages?.apply(this.variablesToAverage ?? this.accumulators.keys());
  }

  private checkCall(options: ApplyGradientsOptions & ReplicaOptions): { step: GlobalStep; replica: number } {
    checkOptions('options', options, replicaNames);
    const { globalStep, replica = 0 } = options;
    const step = this.checkGlobalStep(globalStep);
    this.checkReplica(replica);
    return { step, replica };
  }

  private checkNotWaiting(replica: number, { value }: GlobalStep): void {
    if (!this.isWaiting(replica)) return;
    throw new Error(`replica ${replica} waits for the others: it has pushed its gradients for step ${value}`);
  }

  private checkGlobalStep(globalStep: unknown): GlobalStep {
    if (!(globalStep instanceof GlobalStep)) {
      throw new TypeError(
        `globalStep must be a GlobalStep: it tells which gradients are late; got ${shown(globalStep)}`,
      );
    }
    if (this.globalStep === null || this.globalStep === globalStep) return globalStep;
    throw new Error('globalStep must be the one of the first call');
  }

  private checkReplica(replica: unknown): void {
    const last = this.totalNumReplicas - 1;
    checkRange('replica', replica, `a whole number from 0 to ${last}`, (n) => isWhole(n) && n <= last);
  }

  /** Every push has the variables of the first, sparse where that was: else a step would wait for what never comes. */
  private checkVariables(updates: readonly Update[]): void {
    if (this.queue === null) return;
    for (const { variable, indices } of updates) {
      const accumulator = this.accumulators.get(variable);
      if (accumulator === undefined)
        throw new Error(`'${variable.name}' has a gradient, but had none in the first push`);
      const expected = accumulator instanceof ConditionalAccumulator ? 'dense' : 'sparse';
      const given = indices === undefined ? 'dense' : 'sparse';
      if (given !== expected) {
        throw new TypeError(`gradient of '${variable.name}' is ${given}, in the first push it was ${expected}`);
      }
    }
    const given = new Set(updates.map(({ variable }) => variable));
    for (const variable of this.accumulators.keys()) {
      if (!given.has(variable)) throw new Error(`'${variable.name}' has no gradient, but had one in the first push`);
    }
  }
}

function ours<G extends Gradient>(gradient: G): G {
  storedValues(gradient).memory.isRecyclable = true;
  return gradient;
}

function checkVariables(name: string, variables: unknown): readonly Variable[] | undefined {
  if (variables === undefined) return undefined;
  if (!Array.isArray(variables)) throw new TypeError(`${name} must be an array of Variables, got ${shown(variables)}`);
  for (const variable of variables as readonly unknown[]) {
    if (!(variable instanceof Variable)) throw new TypeError(`${name} must hold Variables, got ${shown(variable)}`);
  }
  return variables as readonly Variable[];
}
