// node child.cjs <bundle> <backend> <mode> <output>: runs a suite of TensorFlow.js's and writes what became of each test.
// Modes: `theirs` as it is, `ours` with gradstep's constructors under tf.train, `accelerated` with accelerate(tf) as well.
'use strict';
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');

const [bundle, backendName, mode, output] = process.argv.slice(2);
const root = join(__dirname, '../../..');
const requireJasmine = require(join(root, 'build/tfjs/tools/node_modules/jasmine-core'));
const jasmine = requireJasmine.boot(requireJasmine);
const env = jasmine.getEnv();

globalThis.prepareSuite = (tf, setTestEnvs) => {
  setTestEnvs([{ name: backendName, backendName, isDataSync: true }]);
  if (mode === 'theirs') return;
  const ours = require(join(root, 'dist/gradstep-tfjs.js'));
  const some = (options) => Object.fromEntries(Object.entries(options).filter(([, value]) => value != null));
  Object.assign(tf.train, {
    sgd: (learningRate) => ours.sgd(some({ learningRate })),
    momentum: (learningRate, momentum, useNesterov) => ours.momentum(some({ learningRate, momentum, useNesterov })),
    rmsprop: (learningRate, decay, momentum, epsilon, centered) =>
      ours.rmsprop(some({ learningRate, decay, momentum, epsilon, centered })),
    adam: (learningRate, beta1, beta2, epsilon) => ours.adam(some({ learningRate, beta1, beta2, epsilon })),
    adadelta: (learningRate, rho, epsilon) => ours.adadelta(some({ learningRate, rho, epsilon })),
    adamax: (learningRate, beta1, beta2, epsilon, decay) =>
      ours.adamax(some({ learningRate, beta1, beta2, epsilon, decay })),
    adagrad: (learningRate, initialAccumulatorValue) => ours.adagrad(some({ learningRate, initialAccumulatorValue })),
  });
  ours.register(tf);
  if (mode === 'accelerated') ours.accelerate(tf);
};

/** By name, and by number among those of the same name. */
const results = new Map();
env.configure({ random: false, failFast: false });
// Some tests that fail leave promises behind, of which nobody asks what becomes. The WASM backend and Jasmine would end
// the process.
process.setUncaughtExceptionCaptureCallback(() => {});
env.addReporter({
  specDone({ fullName, status, failedExpectations }) {
    let name = fullName;
    for (let i = 2; results.has(name); i++) name = `${fullName} (${i})`;
    results.set(name, { status, why: failedExpectations.map(({ message }) => message).join('\n') });
  },
  suiteDone({ fullName, failedExpectations }) {
    for (const { message } of failedExpectations)
      results.set(`${fullName}: afterwards`, { status: 'failed', why: message });
  },
  jasmineDone({ failedExpectations }) {
    for (const { message } of failedExpectations) results.set('the suite itself', { status: 'failed', why: message });
    writeFileSync(output, JSON.stringify(Object.fromEntries(results)));
    process.exit(0);
  },
});
require(bundle);
env.execute();
