// A process that trains the GPT, for bench/cases/gpt-memory.ts, and prints by how many bytes its memory grew at most.
import { runtime } from 'gradstep';
import { gptStep } from './models';
import { Peak } from './peak';

runtime.threads = Number(process.argv[2]);
const peak = new Peak();
const step = gptStep();
for (let i = 0; i < 5; i++) step();
console.log(peak.grown);
