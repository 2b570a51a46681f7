/** A camera that reads labels: the browser's own decoder where it has one, else one of ours for QR. */
import { Debounce } from './debounce';

/** Reads the labels in a frame. */
type Decoder = (video: HTMLVideoElement) => Promise<string[]>;

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
interface DetectorClass {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

const FORMATS = ['qr_code', 'data_matrix', 'code_128', 'ean_13', 'ean_8', 'itf'];
/** Longest side of a frame that is searched, in pixels. */
const SIDE_MAX = 720;
/** Milliseconds between two looks: more would only warm the phone. */
const PAUSE = 120;

/** Why there is no picture, in words for whoever holds the phone. */
export function refusalOf(error: unknown): string {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError')
    return '没有使用相机的许可。请点地址栏左侧的图标，把“相机”设为允许，再点“打开相机”；也可以用扫码枪或手工输入。';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return '这台设备没有可用的相机，请用扫码枪或手工输入。';
  if (name === 'NotReadableError' || name === 'AbortError') return '相机正被其他程序占用，请关闭后重试。';
  if (name === 'InsecureContext') return '浏览器只在 https 地址下允许使用相机，请用 https 打开本页，或用扫码枪、手工输入。';
  return '相机没有打开，请重试；也可以用扫码枪或手工输入。';
}

async function ownDecoder(): Promise<Decoder> {
  const { default: jsqr } = await import('jsqr');
  const canvas = document.createElement('canvas');
  const paint = canvas.getContext('2d', { willReadFrequently: true })!;
  return async (video) => {
    const scale = Math.min(1, SIDE_MAX / Math.max(video.videoWidth, video.videoHeight, 1));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    if (canvas.width === 0) return [];
    paint.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data, width, height } = paint.getImageData(0, 0, canvas.width, canvas.height);
    const found = jsqr(data, width, height, { inversionAttempts: 'dontInvert' });
    return found?.data ? [found.data] : [];
  };
}

async function decoder(): Promise<Decoder> {
  const browsers = (window as unknown as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  const able: string[] = (await browsers?.getSupportedFormats().catch(() => [])) ?? [];
  const formats = FORMATS.filter((format) => able.includes(format));
  if (!browsers || !formats.includes('qr_code')) return ownDecoder();
  const detector = new browsers({ formats });
  return async (video) => (await detector.detect(video)).map((one) => one.rawValue);
}

/** An open camera. */
export interface Camera {
  /** Whether it has a lamp. */
  lamp: boolean;
  shine(on: boolean): Promise<void>;
  close(): void;
}

/** Opens the camera behind the phone into a video element and reads until it is closed. */
export async function openCamera(video: HTMLVideoElement, read: (text: string) => void): Promise<Camera> {
  if (!navigator.mediaDevices?.getUserMedia) throw Object.assign(new Error(), { name: 'InsecureContext' });
  const picture = { facingMode: { ideal: 'environment' }, width: { ideal: 1280 }, height: { ideal: 720 } };
  const stream = await navigator.mediaDevices.getUserMedia({ video: picture, audio: false });
  const track = stream.getVideoTracks()[0]!;
  let open = true;
  const close = (): void => {
    open = false;
    stream.getTracks().forEach((one) => one.stop());
    video.srcObject = null;
  };
  try {
    video.srcObject = stream;
    await video.play();
    const [decode, debounce] = [await decoder(), new Debounce()];
    const look = async (): Promise<void> => {
      // A frame that cannot be read is followed by one that can.
      const texts = await decode(video).catch(() => []);
      if (!open) return;
      debounce.fresh(texts, performance.now()).forEach(read);
      setTimeout(() => void look(), PAUSE);
    };
    void look();
  } catch (error) {
    close();
    throw error;
  }
  const able = track.getCapabilities?.() as { torch?: boolean } | undefined;
  const shine = (on: boolean): Promise<void> => track.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] });
  return { lamp: able?.torch === true, shine, close };
}
