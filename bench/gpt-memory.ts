// A process that trains the GPT, for bench/cases/gpt-memory.ts, and prints by how many bytes its memory grew at most, and how many
// are in arrays then: the model, what Adam keeps, and all that a step computes.
import { runtime } from 'gradstep';
import { collectGarbage } from './gc';
import { gptStep } from './models';
import { Peak } from './peak';

runtime.threads = Number(process.argv[2]);
const peak = new Peak();
const step = gptStep();
for (let i = 0; i < 5; i++) step();
const { grown } = peak;
collectGarbage();
const { arrayBuffers: arrays } = process.memoryUsage();
step(); // so that it is still there when that is read
console.log(JSON.stringify({ grown, arrays }));
