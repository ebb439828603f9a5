import { expect } from 'chai';
import { inflateSync } from 'node:zlib';
import { Lines } from '../../examples/shared/lines';
import { toPng } from '../../examples/shared/png';

describe('lines that tell how a training is going', () => {
  /** A training whose steps take so long, in milliseconds, and of which a line takes so long. */
  function told(steps: number, perStep: number, perLine: number): { lines: string[]; seconds: number } {
    let now = 1000;
    const out: string[] = [];
    const lines = new Lines(
      steps,
      'step',
      () => now,
      (line) => out.push(line),
    );
    for (let step = 1; step <= steps; step++) {
      now += perStep;
      lines.update(step, (seconds) => {
        now += perLine;
        return `${seconds} s`;
      });
    }
    return { lines: out, seconds: lines.seconds };
  }

  it('come every two seconds, and after the last step', () => {
    expect(told(500, 10, 0).lines).to.deep.equal(['step 200/500  2 s', 'step 400/500  4 s', 'step 500/500  5 s']);
  });

  it('do not count as training what it takes to find out what to say', () => {
    const { lines, seconds } = told(500, 10, 100);
    expect(lines.at(-1)).to.equal('step 500/500  5 s');
    expect(seconds).to.equal(5);
  });

  it('become rarer where that takes long, so that most of the time is for the training', () => {
    const { lines } = told(100, 3000, 3000);
    expect(lines.slice(0, 2)).to.deep.equal(['step 1/100  3 s', 'step 11/100  33 s']);
    expect(lines).to.have.length(11);
  });

  it('are those of single steps where each takes longer than two seconds', () => {
    expect(told(3, 5000, 1).lines).to.have.length(3);
  });
});

describe('pictures in PNG', () => {
  it('have the pixels, row by row', () => {
    const pixels = Uint8Array.from({ length: 6 }, (_, i) => 40 * i);
    const png = toPng(pixels, 3);
    expect(png.subarray(0, 8).toString('latin1')).to.equal('\x89PNG\r\n\x1a\n');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).to.deep.equal([3, 2]);
    const at = png.indexOf('IDAT') + 4;
    const length = png.readUInt32BE(at - 8);
    expect([...inflateSync(png.subarray(at, at + length))]).to.deep.equal([0, 0, 40, 80, 0, 120, 160, 200]);
  });
});
