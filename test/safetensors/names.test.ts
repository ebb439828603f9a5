import { expect } from 'chai';
import fc from 'fast-check';
import { inspect } from 'node:util';
import { parseSafetensors } from 'gradstep/safetensors';
import { faultOf, fileOf } from './files';

const tensor = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}';

/** A name as JSON may write it: each character by itself, or escaped in one of its ways. */
function written(name: string, isEscaped: boolean): string {
  if (!isEscaped) return JSON.stringify(name);
  const units = Array.from({ length: name.length }, (_, i) => name.charCodeAt(i).toString(16).padStart(4, '0'));
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}

const names = fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 6 }), fc.boolean()), { maxLength: 40 });

describe('names in a header', () => {
  it('are found as a Map would find them, however they are written', () => {
    fc.assert(
      fc.property(names, fc.array(fc.string({ unit: 'binary' })), (list, others) => {
        const known = new Map(list.filter(([name]) => name !== '__metadata__'));
        const json = [...known].map(([name, isEscaped]) => `${written(name, isEscaped)}:${tensor}`);
        const strings = [...known].map(
          ([name, isEscaped]) => `${written(name, !isEscaped)} : ${JSON.stringify(`${name}!`)} `,
        );
        const { tensors, metadata } = parseSafetensors(
          fileOf(`{${[...json, `"__metadata__":{ ${strings.join(',')}}`].join()}}`),
        );
        expect([...tensors.keys()]).to.deep.equal([...known.keys()]);
        expect([...metadata]).to.deep.equal([...known.keys()].map((name) => [name, `${name}!`]));
        expect([tensors.size, metadata.size]).to.deep.equal([known.size, known.size]);
        for (const name of [...known.keys(), ...others, '\ud800', 'w\udc00']) {
          expect([tensors.has(name), tensors.get(name)?.name]).to.deep.equal([
            known.has(name),
            known.has(name) ? name : undefined,
          ]);
          expect([metadata.has(name), metadata.get(name)]).to.deep.equal([
            known.has(name),
            known.has(name) ? `${name}!` : undefined,
          ]);
        }
      }),
    );
  });

  it('are refused where one of them is there twice, however it is written', () => {
    fc.assert(
      fc.property(
        names.filter(({ length }) => length > 0),
        fc.nat(),
        fc.boolean(),
        (list, pick, isEscaped) => {
          const known = [...new Map(list.filter(([name]) => name !== '__metadata__'))];
          fc.pre(known.length > 0);
          const twice = [...known, [known[pick % known.length]![0], isEscaped] as const];
          const json = (value: string) => twice.map(([name, escaped]) => `${written(name, escaped)}:${value}`).join();
          expect(faultOf(() => parseSafetensors(fileOf(`{${json(tensor)}}`))).code).to.equal('duplicate-key');
          const metadata = fileOf(`{"__metadata__":{${json('""')}}}`);
          expect(faultOf(() => parseSafetensors(metadata)).code).to.equal('duplicate-key');
        },
      ),
    );
  });

  it('are what a Map shows of them', () => {
    const { tensors, metadata } = parseSafetensors(fileOf(`{"b":${tensor},"a":${tensor},"__metadata__":{"x":"y"}}`));
    const [b, a] = [tensors.get('b')!, tensors.get('a')!];
    expect([...tensors.values()]).to.deep.equal([b, a]);
    expect([...tensors.entries()]).to.deep.equal([['b', b], ['a', a]]); // prettier-ignore
    const seen: unknown[] = [];
    tensors.forEach((value, key, map) => seen.push(key, value, map === tensors));
    expect(seen).to.deep.equal(['b', b, true, 'a', a, true]);
    expect([...metadata.keys(), ...metadata.values()]).to.deep.equal(['x', 'y']);
    expect(inspect(metadata)).to.equal("Map(1) { 'x' => 'y' }");
    expect(inspect(tensors)).to.match(/^Map\(2\) \{\s+'b' => \{/);
    expect(Object.isFrozen(a) && Object.isFrozen(a.shape)).to.equal(true);
  });

  it('do not change when the bytes of the file do', () => {
    const file = fileOf(`{"w":${tensor}}`);
    const { tensors } = parseSafetensors(file);
    file.fill(0);
    expect([...tensors.keys()]).to.deep.equal(['w']);
  });

  it('are cut short in messages', () => {
    const long = 'ä'.repeat(5000);
    const fault = faultOf(() => parseSafetensors(fileOf(`{"${long}":{"dtype":"F33"}}`)));
    expect(fault.tensor).to.equal(`${'ä'.repeat(500)}...`);
    expect(fault.message.length).to.be.below(300);
  });
});
