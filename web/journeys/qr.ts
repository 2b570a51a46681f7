/** A film of a printed code, for the camera of a browser under test. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'uqr';

const [WIDTH, HEIGHT, FRAMES] = [640, 480, 10];

/** Writes a Y4M file of some frames that show this text as a QR code; returns its path. */
export function filmOf(text: string): string {
  const { data, size } = encode(text, { ecc: 'M', border: 4 });
  const scale = Math.floor((HEIGHT * 0.8) / size);
  const [left, top] = [Math.floor((WIDTH - size * scale) / 2), Math.floor((HEIGHT - size * scale) / 2)];
  const luma = Buffer.alloc(WIDTH * HEIGHT, 235);
  data.forEach((row, y) =>
    row.forEach((dark, x) => {
      for (let line = 0; dark && line < scale; line += 1) {
        const start = (top + y * scale + line) * WIDTH + left + x * scale;
        luma.fill(16, start, start + scale);
      }
    }),
  );
  const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, Buffer.alloc((WIDTH * HEIGHT) / 2, 128)]);
  const file = join(mkdtempSync(join(tmpdir(), 'yuanjian-film-')), 'label.y4m');
  const head = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`);
  writeFileSync(file, Buffer.concat([head, ...Array.from({ length: FRAMES }, () => frame)]));
  return file;
}
