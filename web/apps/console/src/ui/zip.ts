/** Several files in one, not packed (APPNOTE 6.3.3): proofs are hashes, which nothing makes smaller. */

const TABLE = Uint32Array.from({ length: 256 }, (_, at) => {
  let value = at;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

export function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ TABLE[(value ^ byte) & 255]!;
  return (value ^ 0xffffffff) >>> 0;
}

/** Numbers of two and of four bytes, least first. */
function fields(...pairs: [bytes: 2 | 4, value: number][]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(pairs.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of pairs) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

const [VERSION, UTF8, STORED] = [20, 0x0800, 0];
/** 1980-01-01: when something was downloaded is nobody's business. */
const [TIME, DATE] = [0, 0x21];

export function zip(files: { name: string; bytes: Uint8Array<ArrayBuffer> }[]): Blob {
  const [parts, entries]: [Uint8Array<ArrayBuffer>[], Uint8Array<ArrayBuffer>[]] = [[], []];
  let [offset, listed] = [0, 0];
  for (const { name, bytes } of files) {
    const title = new TextEncoder().encode(name);
    const common: [2 | 4, number][] = [
      [2, VERSION],
      [2, UTF8],
      [2, STORED],
      [2, TIME],
      [2, DATE],
      [4, crc32(bytes)],
      [4, bytes.length],
      [4, bytes.length],
      [2, title.length],
      [2, 0],
    ];
    const head = fields([4, 0x04034b50], ...common);
    const entry = fields([4, 0x02014b50], [2, VERSION], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]);
    parts.push(head, title, bytes);
    entries.push(entry, title);
    offset += head.length + title.length + bytes.length;
    listed += entry.length + title.length;
  }
  const count = files.length;
  const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, listed], [4, offset], [2, 0]);
  return new Blob([...parts, ...entries, end], { type: 'application/zip' });
}
