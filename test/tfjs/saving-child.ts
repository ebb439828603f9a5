// A process that has TensorFlow.js and not gradstep: loads the models in a file, trains them and says what came out.
import { loadModels } from './saved-model';
import { loadTf } from './tf';

async function main([backend, file]: string[]): Promise<void> {
  const tf = loadTf()!;
  await tf.setBackend(backend!);
  const loaded = await loadModels(tf, file!, 3, 3);
  const hasGradstep = Object.keys(require.cache).some((path) => path.endsWith('core-tfjs.js'));
  console.log(JSON.stringify({ hasGradstep, loaded }));
}

void main(process.argv.slice(2));
