// webgl says whether a map can be drawn at all, before any of its code is fetched.
export function webgl(): boolean {
  try {
    return document.createElement('canvas').getContext('webgl2') !== null;
  } catch {
    return false;
  }
}
