/** SM3 (GB/T 32905). */

const INITIAL = [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e];

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** The constant of each round, already rotated. */
const CONSTANTS = Int32Array.from({ length: 64 }, (_, j) => rotate(j < 16 ? 0x79cc4519 : 0x7a879d8a, j % 32));
const words = new Int32Array(68);

function compress(state: Int32Array, block: DataView, at: number): void {
  for (let j = 0; j < 16; j += 1) words[j] = block.getInt32(at + 4 * j);
  for (let j = 16; j < 68; j += 1) {
    const mixed = words[j - 16]! ^ words[j - 9]! ^ rotate(words[j - 3]!, 15);
    words[j] = mixed ^ rotate(mixed, 15) ^ rotate(mixed, 23) ^ rotate(words[j - 13]!, 7) ^ words[j - 6]!;
  }
  let [a, b, c, d, e, f, g, h] = [state[0]!, state[1]!, state[2]!, state[3]!, state[4]!, state[5]!, state[6]!, state[7]!];
  for (let j = 0; j < 64; j += 1) {
    const turned = rotate(a, 12);
    const first = rotate((turned + e + CONSTANTS[j]!) | 0, 7);
    const left = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const right = j < 16 ? e ^ f ^ g : (e & f) | (~e & g);
    const one = (left + d + (first ^ turned) + (words[j]! ^ words[j + 4]!)) | 0;
    const two = (right + h + first + words[j]!) | 0;
    d = c;
    c = rotate(b, 9);
    b = a;
    a = one;
    h = g;
    g = rotate(f, 19);
    f = e;
    e = two ^ rotate(two, 9) ^ rotate(two, 17);
  }
  [a, b, c, d, e, f, g, h].forEach((word, j) => {
    state[j] = state[j]! ^ word;
  });
}

/** The digest of parts, one after the other. */
export function sm3(...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const padded = new Uint8Array(Math.ceil((length + 9) / 64) * 64);
  let at = 0;
  for (const part of parts) {
    padded.set(part, at);
    at += part.length;
  }
  padded[length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(length / 0x20000000));
  view.setUint32(padded.length - 4, (length << 3) >>> 0);
  const state = Int32Array.from(INITIAL);
  for (let block = 0; block < padded.length; block += 64) compress(state, view, block);
  const digest = new Uint8Array(32);
  const output = new DataView(digest.buffer);
  state.forEach((word, j) => output.setInt32(4 * j, word));
  return digest;
}
