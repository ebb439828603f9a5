import { shown } from './checks';

/** The names of an options object, held to its type: one that the type has and the list lacks does not compile. */
export type NamesOf<Options> = { readonly [Name in keyof Required<Options>]: true };

/** Names of options as a set to look them up in. */
export type Names = Readonly<Record<string, true>>;

// What other libraries call an option, and people who write from memory; without capitals and underscores.
const aliases: Readonly<Record<string, readonly string[]>> = {
  lr: ['learningRate'],
  rate: ['learningRate', 'dilations'],
  alpha: ['learningRate', 'axes'],
  eps: ['epsilon'],
  wd: ['weightDecay'],
  l1: ['l1RegularizationStrength'],
  l2: ['l2RegularizationStrength', 'weightDecay'],
  nesterov: ['useNesterov'],
  mu: ['momentum'],
  axis: ['axes', 'axis'],
  dim: ['axes', 'axis'],
  dims: ['axes', 'axis'],
  keepdim: ['keepDims'],
  vars: ['varList', 'variables'],
  variables: ['varList'],
  params: ['varList', 'groups', 'variables'],
  parameters: ['varList', 'groups', 'variables'],
  paramgroups: ['groups'],
  step: ['globalStep'],
  steps: ['globalStep'],
  requiresgrad: ['trainable'],
  gradys: ['gradLoss'],
  gradloss: ['gradYs'],
  inplace: ['inPlace'],
  minval: ['low'],
  maxval: ['high'],
  low: ['minval'],
  high: ['maxval'],
  std: ['stddev'],
  sigma: ['stddev'],
  p: ['rate'],
  gradientnorm: ['norm'],
  globalnorm: ['norm'],
  dilation: ['dilations'],
  dilationrate: ['dilations'],
  weight: ['gamma'],
  scale: ['gamma'],
  offset: ['beta'],
  bias: ['useBias', 'beta'],
  runningmean: ['movingMean'],
  runningvar: ['movingVariance'],
  mean: ['movingMean'],
  variance: ['movingVariance'],
  istraining: ['training'],
  train: ['training'],
  attnmask: ['mask'],
  dropout: ['dropoutRate', 'rate'],
  dropoutp: ['dropoutRate', 'rate'],
  inchannels: ['inputs'],
  infeatures: ['inputs'],
  inputsize: ['inputs'],
  inputdim: ['inputs', 'rows'],
  outchannels: ['filters'],
  outfeatures: ['units'],
  hiddensize: ['units'],
  outputdim: ['units', 'features'],
  numfeatures: ['features'],
  normalizedshape: ['features', 'axes'],
  embeddim: ['features'],
  embeddingdim: ['features'],
  numembeddings: ['rows'],
  numheads: ['heads'],
  nhead: ['heads'],
  numgroups: ['groups'],
  beta: ['delta'],
  negativeslope: ['alpha'],
  droplast: ['dropRemainder'],
  value: ['constantValues'],
};

const clipFirst = 'clip what computeGradients returns, before applyGradients takes it';
// What is no option here but has a form of its own.
const forms: Readonly<Record<string, string>> = {
  betas: 'they are two options, beta1 and beta2',
  amsgrad: 'AMSGradOptimizer is an optimizer of its own',
  maximize: 'give gradients of the negative loss',
  clipnorm: `${clipFirst}: clipByNorm`,
  globalclipnorm: `${clipFirst}: clipByGlobalNorm`,
  keepprob: 'it is 1 - rate',
  training: 'ops do not ask for it: layers do, among which an op is activation(op)',
  clipvalue: `${clipFirst}: clipByValue`,
  dataformat: 'images are [images, height, width, channels] here',
  activation: '{ relu: true } is in the same pass, other functions take what comes out',
  outputpadding: 'outputShape says how large the result is',
  batchfirst: 'sequences are [batch, time, ...] here',
  returnsequences: 'call gives all times, run also the last state',
  returnstate: 'run gives the last state too',
  numlayers: 'sequential lays layers one upon the other',
  descending: "write { direction: 'descending' }",
  ignoreindex: 'give such labels any class, and the weight 0',
};

const plain = (name: string): string => name.toLowerCase().replace(/[_-]/g, '');

/** How many letters must be changed, added, left out or swapped with their neighbour to get from one word to another. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (isSame ? 0 : 1));
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** The option that goes by this name elsewhere, or with other capitals and underscores. */
function sameAs(name: string, known: readonly string[]): string | undefined {
  const word = plain(name);
  return known.find((other) => plain(other) === word) ?? aliases[word]?.find((other) => known.includes(other));
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const word = plain(name);
  const near = known
    .map((other) => ({ other, far: distance(word, plain(other)) }))
    .filter(({ far, other }) => far <= Math.max(1, Math.floor(Math.min(word.length, other.length) / 3)))
    .sort((a, b) => a.far - b.far);
  return near[0]?.other;
}

/** What somebody may have meant with something that is no options object. */
function meant(options: unknown, known: Names): string {
  const isArray = Array.isArray(options);
  if (typeof options === 'number' && 'learningRate' in known) return `: write { learningRate: ${options} }`;
  if (typeof options === 'number' && 'rate' in known) return `: write { rate: ${options} }`;
  if (isArray && 'varList' in known) return ': write { varList: [...] }';
  if (isArray && 'learningRate' in known) {
    return ': options come first; variables go to minimize(loss, { varList }), or into groups';
  }
  if (shown(options) === 'a GlobalStep' && 'globalStep' in known) return ': write { globalStep }';
  if (isArray && 'seed' in known) return ': the shape goes to what it gives, initializer(options)(shape)';
  const name = byPosition(options, known);
  if (name === undefined) return '';
  const value = isArray ? '[...]' : typeof options === 'object' ? name : shown(options);
  return `: write { ${name}: ${value}${name === 'inputs' ? ', ...' : ''} }`;
}

// What stands at this place elsewhere, the likeliest first.
const ofNumbers = ['delta', 'batchSize', 'bufferSize', 'inputs', 'rows', 'features', 'strides', 'stride', 'weights', 'mean', 'low', 'axis', 'numColumns', 'seed']; // prettier-ignore
const ofArrays = ['outputShape', 'shape'];
const ofOthers = ['training', 'mask'];

/** The option that a value without a name may be: the only one that there is, or the one that stands there elsewhere. */
function byPosition(value: unknown, known: Names): string | undefined {
  const all = Object.keys(known);
  const isOther = typeof value === 'boolean' || shown(value) === 'a Tensor';
  const likely = typeof value === 'number' ? ofNumbers : Array.isArray(value) ? ofArrays : isOther ? ofOthers : [];
  return likely.find((name) => name in known) ?? (likely.length > 0 && all.length === 1 ? all[0] : undefined);
}

/** The same of options of which some must be given. @throws TypeError where there are none at all. */
export function checkGiven(what: string, options: unknown, known: Names): void {
  if (options === undefined) {
    throw new TypeError(`${what} must be an object of ${Object.keys(known).join(', ')}, got undefined`);
  }
  checkOptions(what, options, known);
}

/**
 * @param known the names that there are.
 * @throws TypeError unless `options` is a plain object of options that there are; undefined counts as an empty one. The
 * message has the right name, or what else was meant, where that can be guessed.
 */
export function checkOptions(what: string, options: unknown, known: Names): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || !isPlain(options)) {
    throw new TypeError(`${what} must be an object, got ${shown(options)}${meant(options, known)}`);
  }
  for (const name in options) if (known[name] !== true) refuse(what, name, known);
}

function isPlain(options: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(options);
  if (prototype === Object.prototype || prototype === null) return true;
  // Of another realm, or of a class of the user's: not a list, a view of memory or one of the library's own.
  return !(
    Symbol.iterator in options ||
    ArrayBuffer.isView(options) ||
    Symbol.dispose in options ||
    isCounter(options)
  );
}

const isCounter = (options: object): boolean => 'increment' in options && 'buffer' in options;

/** What somebody may have meant by an option that there is not; undefined where that cannot be guessed. */
export function meantBy(name: string, names: readonly string[]): string | undefined {
  const same = sameAs(name, names);
  const form = same === undefined ? forms[plain(name)] : undefined;
  const right = same ?? nearest(name, names);
  return form ?? (right === undefined ? undefined : `did you mean '${right}'?`);
}

function refuse(what: string, name: string, known: Names): never {
  const names = Object.keys(known);
  const all = names.length > 0 ? `there are ${names.join(', ')}` : 'there are none';
  throw new TypeError(`${what}: there is no '${name}', ${meantBy(name, names) ?? all}`);
}
