import type { Stop } from '../protocol/types';

export interface Picture {
  media: string;
  bytes: ArrayBuffer;
}

const SIDE = 1280; // pixels
const ENOUGH = 350_000; // bytes; at the edge of a network they still go within a minute
const QUALITIES = [0.8, 0.65, 0.5, 0.35];

// wants are the proofs that a stop asks for.
export function wants(stop: Stop): ('pin' | 'photo' | 'signature')[] {
  if (stop.kind !== 'dropoff') return [];
  const asked = { pin: stop.pin_required, photo: stop.photo_required, signature: stop.signature_required };
  return (['pin', 'photo', 'signature'] as const).filter((kind) => asked[kind]);
}

// fit is the size of a picture once its longer side is at most `side`.
export function fit(width: number, height: number, side = SIDE): [number, number] {
  const scale = Math.min(1, side / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

// shrink makes a photo small enough for a bad network. What a camera notes
// beside the pixels, such as the place, does not leave the phone.
export async function shrink(photo: Blob): Promise<Picture> {
  const bitmap = await createImageBitmap(photo);
  try {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = fit(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    let best: Blob | undefined;
    for (const quality of QUALITIES) {
      best = await encoded(canvas, 'image/jpeg', quality);
      if (best.size <= ENOUGH) break;
    }
    return await picture(best!);
  } finally {
    bitmap.close();
  }
}

export async function drawn(canvas: HTMLCanvasElement): Promise<Picture> {
  return picture(await encoded(canvas, 'image/png'));
}

async function picture(blob: Blob): Promise<Picture> {
  return { media: blob.type, bytes: await blob.arrayBuffer() };
}

function encoded(canvas: HTMLCanvasElement, media: string, quality?: number): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('not encoded'))), media, quality);
  });
}
