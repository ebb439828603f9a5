import { expect } from 'chai';
import { parseSafetensors, type SafetensorsErrorCode } from 'gradstep/safetensors';
import { faultOf, fileOf } from './files';

const tensor = (fields: string): string => `{"w":{${fields}}}`;
const good = '"dtype":"F32","shape":[2],"data_offsets":[0,8]';
const nested = (depth: number): string => tensor(`${good},"x":${'['.repeat(depth)}${']'.repeat(depth)}`);

type Case = readonly [what: string, file: Uint8Array, code: SafetensorsErrorCode, message: RegExp | string];

const ofTheHead: readonly Case[] = [
  ['no bytes', new Uint8Array(0), 'header-too-small', /^a file of 0 bytes/],
  ['7 bytes', new Uint8Array(7), 'header-too-small', /^a file of 7 bytes/],
  ['a header of no bytes', fileOf(''), 'invalid-start', /must start with '{' \(byte 8\)/],
  ['a header of 100,000,001 bytes', lengthOnly(100_000_001n), 'header-too-large', /at most 100000000 are allowed/],
  ['a header of 2^64 - 1 bytes', lengthOnly(2n ** 64n - 1n), 'header-too-large', /18446744073709551615/],
  ['a header that the file ends in', lengthOnly(100_000_000n), 'header-incomplete', /of which the file has 0/],
  [
    'a header of which one byte is missing',
    fileOf('{}').subarray(0, 9),
    'header-incomplete',
    /of which the file has 1/,
  ],
  ['anything else before the header', fileOf(' \0{}'), 'invalid-start', /byte 9/],
  ['a byte order mark', fileOf('\ufeff{}'), 'invalid-start', /byte 8/],
  ['an array', fileOf('[]'), 'invalid-start', /byte 8/],
];

function lengthOnly(length: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(length);
  return bytes;
}

const ofText: readonly Case[] = [
  ['an end in the middle', fileOf('{'), 'invalid-json', /but the header ends/],
  ['an end in a name', fileOf('{"w'), 'invalid-json', /the header ends within a key of the header/],
  ['an end behind a backslash', fileOf('{"w\\'), 'invalid-json', /the header ends within/],
  [
    'more after the end',
    fileOf('{}{}'),
    'invalid-json',
    /expected the end of the header, but there is '{' \(byte 10\)/,
  ],
  ['a zero after the end', fileOf('{}\0'), 'invalid-json', /there is byte 0/],
  ['a comma before the end', fileOf(`{"w":{${good}},}`, 8), 'invalid-json', /a string for a key of the header/],
  ['a comma in an array', fileOf(tensor(good.replace('[2]', '[2,]')), 8), 'invalid-tensor', /a whole number for shape/],
  ['no colon', fileOf('{"w"{}}'), 'invalid-json', /expected ':' after a key/],
  ['no comma', fileOf(tensor(good.replace(',"shape"', ' "shape"')), 8), 'invalid-json', /'}' or ',' in a tensor/],
  ['a name without quotes', fileOf(`{w:{${good}}}`, 8), 'invalid-json', /there is 'w'/],
  ['quotes of another kind', fileOf(`{'w':{${good}}}`, 8), 'invalid-json', /there is '''/],
  ['a comment', fileOf(`{/**/"w":{${good}}}`, 8), 'invalid-json', /there is '\/'/],
  ['a control character', fileOf(`{"a\nb":{${good}}}`, 8), 'invalid-json', /control character/],
  ['an escape that there is not', fileOf(`{"\\x41":{${good}}}`, 8), 'invalid-json', /an escape that JSON has not/],
  ['an escape of three digits', fileOf(`{"\\u041":{${good}}}`, 8), 'invalid-json', /four hexadecimal digits/],
  ['half of a pair, the first', fileOf(`{"\\ud83dx":{${good}}}`, 8), 'invalid-json', /half of a surrogate pair/],
  ['half of a pair, the second', fileOf(`{"\\ude00":{${good}}}`, 8), 'invalid-json', /half of a surrogate pair/],
  ['two first halves', fileOf(`{"\\ud83d\\ud83d":{${good}}}`, 8), 'invalid-json', /half of a surrogate pair/],
  ['a stray byte', withBytes(0xff), 'invalid-utf8', /no valid UTF-8 \(byte 10\)/],
  ['UTF-8 cut short', withBytes(0xe2, 0x82), 'invalid-utf8', /UTF-8/],
  ['overlong UTF-8', withBytes(0xc0, 0x80), 'invalid-utf8', /UTF-8/],
  ['a surrogate in UTF-8', withBytes(0xed, 0xa0, 0x80), 'invalid-utf8', /UTF-8/],
  ['UTF-8 beyond Unicode', withBytes(0xf4, 0x90, 0x80, 0x80), 'invalid-utf8', /UTF-8/],
  ['values nested too deep', fileOf(nested(126), 8), 'invalid-json', /nested deeper than 127/],
  ['a number out of range', fileOf(tensor(`${good},"x":1e400`), 8), 'invalid-json', /a number out of range/],
  ['a number that starts with 0', fileOf(tensor(`${good},"x":01`), 8), 'invalid-json', /starts with 0/],
  ['a number without digits', fileOf(tensor(`${good},"x":-`), 8), 'invalid-json', /expected a digit/],
  ['a fraction without digits', fileOf(tensor(`${good},"x":1.`), 8), 'invalid-json', /expected a digit/],
  ['an exponent without digits', fileOf(tensor(`${good},"x":1e+`), 8), 'invalid-json', /expected a digit/],
  ['a number that is none', fileOf(tensor(`${good},"x":NaN`), 8), 'invalid-json', /expected a value/],
];

/** A name with bytes in it that no string of JavaScript becomes. */
function withBytes(...bytes: number[]): Uint8Array {
  return fileOf(Buffer.concat([Buffer.from('{"'), Buffer.from(bytes), Buffer.from(`":{${good}}}`)]), 8);
}

const ofNames: readonly Case[] = [
  ['a name twice', fileOf(`{"w":{${good}},"w":{${good}}}`, 8), 'duplicate-key', /the header has "w" twice/],
  ['a name twice, once escaped', fileOf(`{"w":{${good}},"\\u0077":{${good}}}`, 8), 'duplicate-key', /"w" twice/],
  ['__proto__ twice', fileOf(`{"__proto__":{${good}},"__proto__":{${good}}}`, 8), 'duplicate-key', /__proto__/],
  ['metadata twice', fileOf('{"__metadata__":{},"__metadata__":{}}'), 'duplicate-key', /"__metadata__" twice/],
  ['a key of metadata twice', fileOf('{"__metadata__":{"a":"","a":""}}'), 'duplicate-key', /"a" twice/],
  ['a field twice', fileOf(tensor(`${good},"dtype":"F32"`), 8), 'duplicate-key', /^tensor "w": .*"dtype" twice/],
  ['metadata that is an array', fileOf('{"__metadata__":[]}'), 'invalid-metadata', /must be an object of strings/],
  ['metadata that is a string', fileOf('{"__metadata__":"a"}'), 'invalid-metadata', /must be an object of strings/],
  ['a number in metadata', fileOf('{"__metadata__":{"epoch":3}}'), 'invalid-metadata', /"epoch" .* must be a string/],
  ['an object in metadata', fileOf('{"__metadata__":{"a":{}}}'), 'invalid-metadata', /"a" .* must be a string/],
  ['null in metadata', fileOf('{"__metadata__":{"a":null}}'), 'invalid-metadata', /"a" .* must be a string/],
];

const ofTensors: readonly Case[] = [
  ['null', fileOf('{"w":null}'), 'invalid-tensor', /^tensor "w": .*must be an object/],
  ['an array', fileOf('{"w":["F32",[2],[0,8]]}', 8), 'invalid-tensor', /must be an object/],
  ['no dtype', fileOf(tensor('"shape":[2],"data_offsets":[0,8]'), 8), 'invalid-tensor', /there is no dtype \(byte 9\)/],
  ['nothing', fileOf(tensor(''), 8), 'invalid-tensor', /there is no dtype, shape, data_offsets/],
  ['an unknown dtype', fileOf(tensor(good.replace('F32', 'F33')), 8), 'unknown-dtype', /there is no dtype "F33"/],
  ['a dtype in small letters', fileOf(tensor(good.replace('F32', 'f32')), 8), 'unknown-dtype', /"f32"/],
  ['a dtype of a prototype', fileOf(tensor(good.replace('F32', 'constructor')), 8), 'unknown-dtype', /"constructor"/],
  [
    'a dtype that is no string',
    fileOf(tensor(good.replace('"F32"', '32')), 8),
    'invalid-tensor',
    /dtype must be a string/,
  ],
  ['a shape that is no array', fileOf(tensor(good.replace('[2]', '2')), 8), 'invalid-tensor', /shape must be an array/],
  ['a shape of strings', fileOf(tensor(good.replace('[2]', '["2"]')), 8), 'invalid-tensor', /a whole number for shape/],
  ['a negative length', fileOf(tensor(good.replace('[2]', '[-2]')), 8), 'invalid-tensor', /there is '-'/],
  ['minus zero', fileOf(tensor(good.replace('[2]', '[2,-0]')), 8), 'invalid-tensor', /there is '-'/],
  ['a fraction', fileOf(tensor(good.replace('[2]', '[2.0]')), 8), 'invalid-tensor', /without fraction and exponent/],
  ['an exponent', fileOf(tensor(good.replace('[2]', '[2e0]')), 8), 'invalid-tensor', /without fraction and exponent/],
  ['a length that starts with 0', fileOf(tensor(good.replace('[2]', '[02]')), 8), 'invalid-json', /starts with 0/],
  ['a length of 2^53', fileOf(tensor(good.replace('[2]', `[${2 ** 53}]`)), 8), 'overflow', /beyond 2\^53 - 1/],
  ['a length of 2^64', fileOf(tensor(good.replace('[2]', `[${2n ** 64n},0]`)), 8), 'overflow', /beyond 2\^53 - 1/],
  [
    'a product beyond 2^64',
    fileOf(tensor(good.replace('[2]', `[${2 ** 40},${2 ** 40},0]`)), 8),
    'overflow',
    /too many/,
  ],
  ['a product beyond 2^53', fileOf(tensor(good.replace('[2]', `[${2 ** 30},${2 ** 30}]`)), 8), 'overflow', /too many/],
  [
    '1,001 dimensions',
    fileOf(tensor(good.replace('[2]', `[${'1,'.repeat(1000)}2]`)), 8),
    'invalid-tensor',
    /more than 1000/,
  ],
  ['one offset', fileOf(tensor(good.replace('[0,8]', '[0]')), 8), 'invalid-tensor', /must be two numbers/],
  ['three offsets', fileOf(tensor(good.replace('[0,8]', '[0,8,8]')), 8), 'invalid-tensor', /more than 2 numbers/],
  [
    'offsets beyond 2^53',
    fileOf(tensor(good.replace('8]', '9007199254740993]')), 8),
    'invalid-offsets',
    /beyond 2\^53/,
  ],
  ['offsets the wrong way round', fileOf(tensor(good.replace('[0,8]', '[0,0]')), 8), 'size-mismatch', /take 8 bytes/],
  ['half a byte', fileOf(tensor('"dtype":"F4","shape":[3],"data_offsets":[0,2]'), 2), 'misaligned', /no whole bytes/],
];

const two = (a: string, b: string): string =>
  `{"a":{"dtype":"U8","shape":[4],"data_offsets":${a}},"b":{"dtype":"U8","shape":[4],"data_offsets":${b}}}`;
const ofOffsets: readonly Case[] = [
  [
    'a hole at the start',
    fileOf(tensor(good.replace('[0,8]', '[1,9]')), 9),
    'invalid-offsets',
    /\[1, 9\] leave a hole/,
  ],
  ['a hole in the middle', fileOf(two('[0,4]', '[5,9]'), 9), 'invalid-offsets', /^tensor "b": .*leave a hole/],
  ['tensors that overlap', fileOf(two('[0,4]', '[3,7]'), 7), 'invalid-offsets', /^tensor "b": .*overlap .* ends at 4/],
  ['tensors in one place', fileOf(two('[0,4]', '[0,4]'), 4), 'invalid-offsets', /^tensor "b": .*overlap/],
  ['an end before the start', fileOf(two('[0,4]', '[4,0]'), 4), 'invalid-offsets', /end before they begin/],
  ['too few bytes for the shape', fileOf(tensor(good.replace('8]', '4]')), 4), 'size-mismatch', /take 8 bytes.* are 4/],
  [
    'too many bytes for the shape',
    fileOf(tensor(good.replace('8]', '9]')), 9),
    'size-mismatch',
    /take 8 bytes.* are 9/,
  ],
  [
    'data that end too early',
    fileOf(tensor(good), 7),
    'data-incomplete',
    /^tensor "w": the file ends at byte 69, before the tensor does at 70/,
  ],
  ['bytes behind the data', fileOf(tensor(good), 9), 'trailing-bytes', /the file has 1 more/],
  ['bytes and no tensor', fileOf('{}', 1), 'trailing-bytes', /the last tensor ends at byte 10.* 1 more \(byte 10\)/],
];

const blocks = { head: ofTheHead, text: ofText, names: ofNames, tensors: ofTensors, offsets: ofOffsets };

describe('a safetensors file is refused for', () => {
  for (const [block, cases] of Object.entries(blocks)) {
    for (const [what, file, code, message] of cases) {
      it(`its ${block}: ${what}`, () => {
        const fault = faultOf(() => parseSafetensors(file));
        expect(fault.code).to.equal(code);
        expect(fault.message).to.match(message as RegExp);
      });
    }
  }
});

describe('a safetensors file may have', () => {
  const accepted: Record<string, Uint8Array> = {
    'no tensors': fileOf('{}'),
    'whitespace wherever JSON has it, and behind it': fileOf(
      ` {"w" :\t{${good.replaceAll(',', ' ,\r\n')}}\n}`.slice(1),
      8,
    ),
    'whitespace before it, as the reference implementation reads it': fileOf(`\t\n{"w":{${good}}}\r `, 8),
    'no metadata, in so many words': fileOf('{"__metadata__":null}'),
    'fields of tensors that are not known': fileOf(tensor(`"x":[{"a":-1.5e3,"b":null}],${good},"y":"\\n"`), 8),
    'values nested 127 deep': fileOf(nested(125), 8),
    'a scalar': fileOf(tensor('"dtype":"F32","shape":[],"data_offsets":[0,4]'), 4),
    'tensors without elements': fileOf(tensor(`"dtype":"I64","shape":[${2 ** 30},${2 ** 30},0],"data_offsets":[0,0]`)),
    'elements of 4 bits': fileOf(tensor('"dtype":"F4","shape":[2,3],"data_offsets":[0,3]'), 3),
    'elements of 6 bits': fileOf(tensor('"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]'), 3),
    'tensors in any order': fileOf(two('[4,8]', '[0,4]'), 8),
  };
  for (const [what, file] of Object.entries(accepted)) it(what, () => void parseSafetensors(file));

  it('names that JavaScript has other uses for, or none', () => {
    const names = ['__proto__', 'constructor', '', '../../etc/passwd', 'a\0b', '\u{1f600}', '"\\/\b\f\n\r\t'];
    const json = names.map((name) => `${JSON.stringify(name)}:{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`);
    expect([...parseSafetensors(fileOf(`{${json.join()}}`)).tensors.keys()]).to.deep.equal(names);
    const { metadata } = parseSafetensors(fileOf('{"__metadata__":{"__proto__":"a\\u00e9\\ud83d\\ude00\\/"}}'));
    expect([...metadata]).to.deep.equal([['__proto__', 'aé😀/']]);
  });
});
