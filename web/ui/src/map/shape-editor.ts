import { Marker, type Map as GLMap } from 'maplibre-gl';
import type { Point } from '../protocol/types';
import { corners, inserted, middle, moved, removed, ringOf, type Corner, type Shape } from './shape';

export interface EditorTexts {
  corner: (n: number, of: number) => string;
  add: (n: number) => string;
}

const STEP = 10; // pixels an arrow key moves a corner; with Shift 1
const ROOMY = 120; // more corners than this, and there is no room for handles between them

const arrows: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

// ShapeEditor puts a handle on every corner of a shape, and a smaller one on
// every edge that makes a corner there. They are buttons: all that a pointer
// does, keys do too.
export class ShapeEditor {
  private shape: Shape = { polygons: [] };
  private drawing = false;
  private at: Corner[] = [];
  private handles: Marker[] = [];
  private between: Marker[] = [];

  constructor(
    private readonly map: GLMap,
    private readonly texts: EditorTexts,
    private readonly preview: (shape: Shape) => void,
    private readonly change: (shape: Shape) => void,
    private readonly close: () => void,
  ) {
    map.on('click', this.click);
    map.doubleClickZoom.disable();
  }

  destroy(): void {
    this.map.off('click', this.click);
    this.map.doubleClickZoom.enable();
    for (const handle of [...this.handles, ...this.between]) handle.remove();
  }

  // show draws the handles of a shape; while it is drawn, clicks add corners.
  show(shape: Shape, drawing: boolean): void {
    this.shape = shape;
    this.drawing = drawing;
    this.at = corners(shape);
    this.fit(this.handles, this.at.length, (index) => this.cornerHandle(index));
    const edges = !drawing && this.at.length <= ROOMY ? this.at.length : 0;
    this.fit(this.between, edges, (index) => this.edgeHandle(index));
    this.place();
    this.handles.forEach((handle, index) => {
      handle.getElement().setAttribute('aria-label', this.texts.corner(index + 1, this.at.length));
    });
    this.preview(shape);
  }

  focus(index: number): void {
    this.handles[Math.max(0, Math.min(index, this.handles.length - 1))]?.getElement().focus();
  }

  private place(): void {
    this.at.forEach((corner, index) => {
      const ring = ringOf(this.shape, corner);
      const point = ring[corner.index]!;
      this.handles[index]?.setLngLat([point.lng, point.lat]);
      const half = middle(point, ring[(corner.index + 1) % ring.length]!);
      this.between[index]?.setLngLat([half.lng, half.lat]);
    });
  }

  private fit(list: Marker[], count: number, make: (index: number) => Marker): void {
    while (list.length > count) list.pop()!.remove();
    while (list.length < count) list.push(make(list.length));
  }

  private cornerHandle(index: number): Marker {
    const button = this.button('corner');
    const marker = this.marker(button, index, () => this.at[index]!);
    button.addEventListener('click', () => {
      if (this.drawing && index === 0 && this.at.length > 2) this.close();
    });
    button.addEventListener('keydown', (event) => this.key(event, index));
    return marker;
  }

  private edgeHandle(index: number): Marker {
    const button = this.button('edge');
    button.setAttribute('aria-label', this.texts.add(index + 1));
    let made = false;
    const insert = (at: Point): Corner => {
      const before = this.at[index]!;
      if (made) return { ...before, index: before.index + 1 };
      made = true;
      this.shape = inserted(this.shape, before, at);
      return { ...before, index: before.index + 1 };
    };
    const marker = this.marker(button, index, (at) => insert(at), () => (made = false));
    button.addEventListener('click', () => {
      const { lat, lng } = marker.getLngLat();
      insert({ lat, lng });
      made = false;
      this.change(this.shape);
      this.focus(index + 1);
    });
    return marker;
  }

  private marker(element: HTMLElement, index: number, corner: (at: Point) => Corner, end = () => {}): Marker {
    const start = this.map.getCenter();
    const marker = new Marker({ element, draggable: true }).setLngLat(start).addTo(this.map);
    marker.on('drag', () => {
      const { lat, lng } = marker.getLngLat();
      const to = { lat, lng };
      this.shape = moved(this.shape, corner(to), to);
      this.preview(this.shape);
    });
    marker.on('dragend', () => {
      end();
      this.change(this.shape);
    });
    return marker;
  }

  private button(name: string): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = `handle ${name}`;
    return button;
  }

  private key(event: KeyboardEvent, index: number): void {
    const corner = this.at[index]!;
    const ring = ringOf(this.shape, corner);
    const way = arrows[event.key];
    if (way) {
      const far = event.shiftKey ? 1 : STEP;
      const point = ring[corner.index]!;
      const from = this.map.project([point.lng, point.lat]);
      const { lat, lng } = this.map.unproject([from.x + way[0] * far, from.y + way[1] * far]);
      this.change(moved(this.shape, corner, { lat, lng }));
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      this.change(removed(this.shape, corner));
      this.focus(index - 1);
    } else if (event.key === 'Insert' || event.key === '+') {
      this.change(inserted(this.shape, corner, middle(ring[corner.index]!, ring[(corner.index + 1) % ring.length]!)));
      this.focus(index + 1);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private readonly click = (event: { lngLat: { lat: number; lng: number }; originalEvent: MouseEvent }): void => {
    if (!this.drawing || event.originalEvent.target !== this.map.getCanvas()) return;
    const { lat, lng } = event.lngLat;
    const ring = this.shape.polygons[0]?.[0] ?? [];
    this.change({ polygons: [[[...ring, { lat, lng }]]] });
  };
}
