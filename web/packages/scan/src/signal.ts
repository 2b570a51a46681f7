/** How a scan is answered to somebody who does not look at the screen. */

export type Signal = 'good' | 'again' | 'bad';

/** Hertz and milliseconds of each tone. */
const TONES: Record<Signal, [number, number][]> = {
  good: [[1320, 70]],
  again: [
    [880, 60],
    [880, 60],
  ],
  bad: [
    [220, 180],
    [180, 260],
  ],
};

let context: AudioContext | undefined;

/** Sounds, and shakes where the device can. Silent where there is no sound. */
export function sound(signal: Signal): void {
  if (signal === 'bad') navigator.vibrate?.([120, 60, 120]);
  else navigator.vibrate?.(40);
  if (typeof AudioContext === 'undefined') return;
  context ??= new AudioContext();
  void context.resume();
  let at = context.currentTime;
  for (const [hertz, milliseconds] of TONES[signal]) {
    const [tone, volume] = [context.createOscillator(), context.createGain()];
    tone.frequency.value = hertz;
    tone.type = signal === 'bad' ? 'square' : 'sine';
    volume.gain.value = 0.12;
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    at += milliseconds / 1000;
    tone.stop(at);
    at += 0.05;
  }
}
