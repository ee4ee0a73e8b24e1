import type { Point } from '../protocol/types';

// awake keeps the screen on until the returned function is called. The system
// lets go of the lock whenever the page is hidden, so it is asked for again.
export function awake(): () => void {
  let lock: WakeLockSentinel | undefined;
  let over = false;
  const ask = async () => {
    if (document.visibilityState !== 'visible') return;
    try {
      const got = await navigator.wakeLock?.request('screen');
      if (over) void got?.release();
      else lock = got;
    } catch {
      // Low battery or not allowed: the screen goes dark as usual.
    }
  };
  void ask();
  document.addEventListener('visibilitychange', ask);
  return () => {
    over = true;
    document.removeEventListener('visibilitychange', ask);
    void lock?.release();
  };
}

// watchAbsence tells how long the page was not on screen, once it is again (seconds).
export function watchAbsence(onReturn: (seconds: number) => void): () => void {
  let left = document.visibilityState === 'hidden' ? Date.now() : 0;
  const change = () => {
    if (document.visibilityState === 'hidden') left = Date.now();
    else if (left) onReturn((Date.now() - left) / 1_000);
  };
  document.addEventListener('visibilitychange', change);
  return () => document.removeEventListener('visibilitychange', change);
}

let audio: AudioContext | undefined;

const NOTES = [
  [0, 660],
  [0.18, 880],
  [0.36, 1175],
] as const; // seconds, hertz

// call makes the phone heard and felt; sound needs an earlier touch of the page.
export function call(): void {
  if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return;
  navigator.vibrate?.([220, 90, 220, 90, 420]);
  try {
    audio ??= new AudioContext();
    void audio.resume();
    const start = audio.currentTime;
    for (const [at, pitch] of NOTES) {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      tone.type = 'triangle'; // heard through traffic better than a sine
      tone.frequency.value = pitch;
      gain.gain.setValueAtTime(0.0001, start + at);
      gain.gain.exponentialRampToValueAtTime(0.5, start + at + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.0001, start + at + 0.3);
      tone.connect(gain).connect(audio.destination);
      tone.start(start + at);
      tone.stop(start + at + 0.32);
    }
  } catch {
    // A browser without sound still shows the card.
  }
}

const REPEAT = 4_000; // ms

// ring calls until the returned function is called: an offer waits for nobody.
export function ring(): () => void {
  const timer = setInterval(call, REPEAT);
  return () => {
    clearInterval(timer);
    navigator.vibrate?.(0);
  };
}

// navigationLink opens the phone's own navigation: whatever takes geo: on
// Android, Apple's maps on Apple's, a page elsewhere.
export function navigationLink({ lat, lng }: Point, label = '', agent = navigator.userAgent): string {
  const at = `${lat},${lng}`;
  if (/android/i.test(agent)) return `geo:${at}?q=${at}(${encodeURIComponent(label)})`;
  if (/iphone|ipad|macintosh/i.test(agent)) return `https://maps.apple.com/?daddr=${at}`;
  return `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lng}#map=17/${lat}/${lng}`;
}
